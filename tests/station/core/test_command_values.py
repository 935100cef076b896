"""What no command may hold is refused before it is journaled, and taken out of a stop, which is never refused."""

import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from station.core import inputs as e
from station.core.command_values import MAX_AHEAD_NS, stop_without_oddities, value_refusal
from station.core.moment import Moment
from station.views.command_answers import Accepted, Declined
from tests.station.service.station_rig import Rig

NOW = Moment("boot-0", 100, 1_790_000_000_000_000_000)
BY: dict[str, Any] = {"author": "Ruth", "moment": NOW}


@pytest.mark.parametrize(("command", "field"), [
    (e.OrderCar(**BY, car="car-1", action="arm", throttle_percent=2**70), "throttle_percent"),
    (e.OrderCar(**BY, car="car-1", action="arm", throttle_percent=-5), "throttle_percent"),
    (e.OrderCar(**BY, car="car-1", action="start", throttle_percent=0), "throttle_percent"),
    (e.OpenRun(**BY, racer="Ann", car="car-1", throttle_percent=101), "throttle_percent"),
    (e.OffTrack(**BY, at_ns=2**63), "at_ns"),
    (e.OffTrack(**BY, at_ns=2**63 - 1), "at_ns"),
    (e.Collision(**BY, at_ns=101 + MAX_AHEAD_NS), "at_ns"),
    (e.CarReset(**BY, at_ns=-1), "at_ns"),
    (e.AddCrossing(**BY, at_ns=5, uncertainty_ns=2**90), "uncertainty_ns"),
    (e.VoidLap(**BY, number=-(2**63) - 1), "number"),
    (e.VoidLap(author="Ruth\x1b[2J", number=1), "author"),
    (e.VoidLap(author="Ruth", number=1, reason="one\r\ntwo"), "reason"),
    (e.VoidLap(author="Ruth", number=1, reason="\u202eevil"), "reason"),
    (e.VoidLap(author="Ruth", number=1, device="tablet\u2028"), "device"),
    (e.ArmRun(author="Ruth", override_reason="half \ud83d"), "override_reason"),
])  # fmt: skip
def test_what_no_command_may_hold(command: e.Command, field: str) -> None:
    assert value_refusal(command).startswith(f"`{field}`")


@pytest.mark.parametrize("command", [
    e.OrderCar(**BY, car="car-1", action="arm", throttle_percent=100),
    e.OffTrack(**BY, at_ns=100 + MAX_AHEAD_NS),
    e.OffTrack(**BY),
    e.VoidLap(author="Zoë 👩‍🚀", number=2**31, reason="zu früh: 3 °C, „naß“"),
])  # fmt: skip
def test_what_a_command_may_hold(command: e.Command) -> None:
    assert value_refusal(command) == ""


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db")
    yield rig
    rig.station.close()


def answer(rig: Rig, command: e.Command) -> Any:
    ticket = rig.station.offer(command)
    rig.station.pump()
    return ticket.wait(0)


def test_it_is_declined_before_it_reaches_the_journal(rig: Rig) -> None:
    rig.station.pump()
    before = rig.station.journal.head
    refused = answer(rig, e.OrderCar(author="Ruth", car="car-1", action="arm", throttle_percent=2**70))
    assert refused == Declined("`throttle_percent` must be 1 to 100.")
    assert answer(rig, e.OffTrack(author="Ruth", at_ns=2**63)).sentence.startswith("`at_ns`")
    assert rig.station.journal.head == before


def test_a_stop_is_never_refused_for_what_it_holds(rig: Rig) -> None:
    stop = e.OrderCar(author="Ruth\x07", car="car-1", action="estop", throttle_percent=2**70, reason="\u202estop")
    assert stop_without_oddities(stop) == e.OrderCar(author="Ruth?", car="car-1", action="estop", reason="?stop")
    assert isinstance(answer(rig, stop), Accepted)
    assert isinstance(answer(rig, e.StopAll(author="a\nb", reason="\x1b[2J")), Accepted)
