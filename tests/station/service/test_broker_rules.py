"""A broker that enforces no access rules: the station does not race, says why, and goes on once they hold."""

import pathlib

import pytest

from shared.link.canary import LET_THROUGH
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined
from tests.station.service.station_rig import Rig, S, WireCar


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Rig:
    return Rig(tmp_path / "station.db")


START, BY_HAND = e.StartRun(author="Ruth"), e.StartRun(author="Ruth", by_hand=True)


@pytest.mark.parametrize(
    "command",
    [
        START,
        BY_HAND,
        e.ArmRun(author="Ruth"),
        e.ResumeRun(author="Ruth"),
        e.StageRun(author="Ruth"),
        e.OrderCar(author="Ruth", car="car-1", action="start"),
    ],
    ids=lambda command: f"{type(command).__name__} {getattr(command, 'by_hand', '')}",
)
def test_nothing_is_set_in_motion(rig: Rig, command: e.Command) -> None:
    WireCar(rig).beat("ready")
    rig.open()
    rig.broker.is_open = True
    before = rig.station.journal.head.seq
    answer = rig.give(command)
    assert isinstance(answer, Declined)
    assert answer.sentence == LET_THROUGH
    assert rig.station.journal.head.seq == before


@pytest.mark.parametrize(
    "command", [e.StopAll(author="Ruth"), e.OrderCar(author="Ruth", car="car-1", action="estop")], ids=["all", "one"]
)
def test_every_stop_works(rig: Rig, command: e.Command) -> None:
    WireCar(rig).beat("driving")
    rig.open()
    rig.broker.is_open = True
    assert isinstance(rig.give(command), Accepted)


def test_it_is_shown_and_the_race_goes_on_once_the_rules_hold(rig: Rig) -> None:
    WireCar(rig).beat("ready")
    rig.open()
    rig.broker.is_open = True
    rig.wait(S)
    assert rig.station.snapshot().broker.unsafe == LET_THROUGH
    assert isinstance(rig.give(BY_HAND), Declined)
    rig.broker.is_open = False
    rig.wait(S)
    assert rig.station.snapshot().broker.unsafe == ""
    assert isinstance(rig.give(BY_HAND), Accepted)


def test_a_broker_that_is_away_is_no_open_broker(rig: Rig) -> None:
    """Cars that are started by hand need none."""
    rig.open()
    rig.broker.is_open = True
    rig.broker.kill()
    rig.wait(S)
    assert rig.station.snapshot().broker.unsafe == ""
    assert isinstance(rig.give(BY_HAND), Accepted)
