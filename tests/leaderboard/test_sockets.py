"""A stranger opens thousands of sockets to the leaderboard: a posted result still gets through."""

import dataclasses
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shared.protocol.races import RaceOffer
from shared.protocol.results import PostAccepted, PostRejected
from station.sync.leaderboard_check import Target
from station.sync.webhook import WebhookLeaderboard
from tests.leaderboard import sample_races
from tests.shared.web.foreign_requests import room_for, stranger

pytestmark = pytest.mark.slow
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sample_races.Running]:
    """A leaderboard with the descriptors that a service has by default; its log is a file."""
    folder = tmp_path_factory.mktemp("board")
    config = sample_races.write_config(folder)
    words = f"ulimit -n 1024; exec {sys.executable} -m raceday leaderboard --config {config}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["sh", "-c", words], stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT)
    assert process.stdout is not None
    running = sample_races.Running(process, process.stdout.readline().split()[-1], folder)
    running.new_race("cup")
    yield running
    running.kill()


def test_a_result_is_posted_beside_5000_sockets_of_a_stranger(few: sample_races.Running) -> None:
    port = urlsplit(few.url).port
    assert port is not None
    with stranger(port, "/races/cup/live", "/api/v1/results") as sockets:
        assert sockets.open(room_for(5000)) > 1000
        for number in range(5):
            answer = few.post(sample_races.result(f"station-1.run-{number}", race_id="cup"))
            assert answer.status_code == 201, answer.text
        assert few.get("/races/cup").status_code == 200
    assert few.post(sample_races.result("station-1.run-9", race_id="cup")).status_code == 201
    assert few.process.poll() is None
    log = (few.folder / "log").read_text()
    assert "Traceback" not in log
    assert len(log) < 20_000


def test_posts_have_places_that_live_pages_never_take(few: sample_races.Running) -> None:
    port = urlsplit(few.url).port
    assert port is not None
    with stranger(port, "/races/cup/live") as pages:
        assert pages.open(1010, ("unread stream",), ("127.0.0.1",)) > 900
        for number in range(20, 25):
            assert few.post(sample_races.result(f"station-1.run-{number}", race_id="cup")).status_code == 201


def test_the_stations_driver_knows_our_own_leaderboard_by_its_words(few: sample_races.Running) -> None:
    board = WebhookLeaderboard(few.url, sample_races.SECRET, {})
    cup = RaceOffer("cup", "Cup", "Oval", sample_races.RULES, station="station-1")
    assert board.target(cup) == Target("cup", "ready", answered=True)
    missing = board.target(dataclasses.replace(cup, race_id="no such/race"))
    assert missing.readiness == "missing"
    created = dataclasses.replace(cup, race_id="offered")
    assert board.offer(created, missing).readiness == board.target(created).readiness == "ready"
    assert isinstance(board.post(sample_races.result("station-1.run-30", race_id="cup")), PostAccepted)
    unknown = board.post(sample_races.result("station-1.run-31", race_id="none"))
    assert isinstance(unknown, PostRejected)
    assert few.post(sample_races.result("station-1.run-32", race_id="none")).headers["raceday-contract"] == "results/2"
    # An address with a wrong folder gets our own 404, which is not an answer of the contract: nothing is given up.
    astray = WebhookLeaderboard(few.url + "/boards", sample_races.SECRET, {})
    assert not isinstance(
        astray.post(sample_races.result("station-1.run-33", race_id="cup")), PostAccepted | PostRejected
    )
