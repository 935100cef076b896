"""`[metrics]` in the config files of real processes: what Prometheus gets of a station and of a leaderboard."""

import pathlib
import re
import subprocess
import sys

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT
from tests.leaderboard import sample_races

pytestmark = pytest.mark.slow
METRICS = "[metrics]\nenabled = true\nport=0\n"
STATION = 'data_dir = "data"\n[[gate]]\nname = "start"\ndriver = "mock"\n[web]\nport = 0\n' + METRICS


def scraped(process: subprocess.Popen[str]) -> dict[str, float]:
    """The samples without labels at the address that the process says on its error output."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"figures for Prometheus at (http://127\.0\.0\.1:\d+/metrics)$", line.strip()):
            text = requests.get(found[1], timeout=60).text
            return {each.name: each.value for family in text_string_to_metric_families(text) for each in family.samples}
    raise AssertionError(f"it says no address: {process.wait(60)}")


def test_a_station(tmp_path: pathlib.Path) -> None:
    (tmp_path / "station.toml").write_text(STATION)
    command = [sys.executable, "-m", "raceday", "station", "--config", str(tmp_path / "station.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True) as process:
        found = scraped(process)
        process.terminate()
    assert found["raceday_journal_ok"] == 1
    assert found["raceday_journal_records"] >= 1
    assert found["process_open_fds"] > 5


def test_a_leaderboard(tmp_path: pathlib.Path) -> None:
    board = sample_races.start(tmp_path, METRICS)
    try:
        board.new_race("cup")
        assert board.post(sample_races.result("run-1", "anna", race_id="cup")).status_code == 201
        found = scraped(board.process)
    finally:
        board.kill()
    assert found["raceday_post_seconds_count"] == 1
    assert found["raceday_posts_total"] == 1
