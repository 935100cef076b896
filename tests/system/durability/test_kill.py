"""A loaded station is killed a few times; `./dev bench kills` kills it, and all other processes, thousands of times."""

import pathlib
import shutil

import pytest

from raceday.broker import start_broker
from tests.system.durability.kills import Tally, campaign


@pytest.mark.slow
@pytest.mark.broker
def test_nothing_that_a_killed_station_acknowledged_is_lost(tmp_path: pathlib.Path) -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        pytest.skip("mosquitto is not installed: the kills are not tried with a real broker")
    broker = start_broker(tmp_path / "broker")
    tally = Tally()
    try:
        for tally in campaign(tmp_path, broker.port, kills=6, seed=3):  # noqa: B007
            pass
    finally:
        broker.stop()
    assert tally.kills == 6
    assert tally.clean, tally.first_failure
    assert tally.acknowledged_laps > 0
    assert tally.acknowledged_reports > 0
    assert tally.acknowledged_runs > 0
