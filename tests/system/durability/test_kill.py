"""All processes are killed a few times; `./dev bench kills` kills them ten thousand times."""

import contextlib
import shutil

import pytest

from tests.system.durability.car_kills import kill_cars
from tests.system.durability.forked import ProcessForker
from tests.system.durability.hall_kills import kill_in_hall
from tests.system.vehicle.car_faults import in_memory

pytestmark = [pytest.mark.slow, pytest.mark.broker]


@pytest.fixture(autouse=True)
def mosquitto() -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        pytest.skip("mosquitto is not installed: the kills are not tried with a real broker")


def test_a_hall_whose_every_process_is_killed_loses_nothing_and_posts_once() -> None:
    with in_memory() as folder, contextlib.closing(ProcessForker()) as forker:
        tally = kill_in_hall(folder, forker, 8, seed=3)
    assert tally.killed.total() == 8
    assert tally.clean, tally
    assert tally.station.acknowledged_laps > 0
    assert tally.station.acknowledged_reports > 0
    assert tally.station.acknowledged_runs > 0
    assert tally.results > 0


def test_a_car_whose_every_process_is_killed_stands_each_time() -> None:
    with in_memory() as folder:
        tally = kill_cars(folder, 1)
    assert tally.killed == {"pilot": 1, "comms": 1, "fail-safe": 1, "guard": 1}
    assert (tally.drove_on, tally.broken) == (0, [])
