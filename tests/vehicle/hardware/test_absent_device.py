"""A device that is absent is tried again on a thread of its own, joins once, and is let go when nobody waits for it."""

import threading
from collections.abc import Callable

import pytest

from shared.errors import HardwareMissing
from vehicle.hardware.absent_device import DeviceOpener


class Device:
    """What is opened."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Bus:
    """Gives the device after `refusals` sentences."""

    def __init__(self, refusals: int) -> None:
        self.refusals, self.tried = refusals, 0
        self.device = Device()
        self.opened = threading.Event()

    def open(self) -> Device:
        self.tried += 1
        if self.tried <= self.refusals:
            raise HardwareMissing(f"no answer, {self.tried}.")
        self.opened.set()
        return self.device


def opener(open_device: Callable[[], Device], why: str = "no answer, 0.") -> tuple[DeviceOpener[Device], list[Device]]:
    joined: list[Device] = []
    return DeviceOpener("motors", open_device, joined.append, why, retry_s=0.01), joined


def until_joined(made: DeviceOpener[Device]) -> None:
    for _ in range(6_000):
        if made.poll():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


@pytest.mark.parametrize("refusals", [0, 1, 5])
def test_it_joins_in_a_turn_of_the_loop_once_it_is_there(refusals: int, capsys: pytest.CaptureFixture[str]) -> None:
    bus = Bus(refusals)
    made, joined = opener(bus.open)
    assert not made.poll()
    assert made.why == "no answer, 0."
    made.start()
    until_joined(made)
    assert (joined, bus.tried, made.why, made.poll()) == ([bus.device], refusals + 1, "", False)
    made.close()
    assert not bus.device.closed.is_set()  # it is somebody else's by now
    said = capsys.readouterr().err
    assert "no answer, 0. It is tried again" in said
    assert "motors: no longer absent." in said


def test_one_that_is_there_is_not_looked_for() -> None:
    bus = Bus(0)
    made, joined = opener(bus.open, "")
    made.start()
    made.close()
    assert (made.why, bus.tried, joined) == ("", 0, [])


def test_one_that_is_lost_is_looked_for_again() -> None:
    bus = Bus(0)
    made, joined = opener(bus.open, "")
    for time in (1, 2):
        made.on_lost("the wire fell out.")
        assert made.why == "the wire fell out."
        until_joined(made)
        assert (len(joined), made.why) == (time, "")
    made.close()


def test_what_was_opened_for_nobody_is_closed() -> None:
    bus = Bus(1)
    made, joined = opener(bus.open)
    made.start()
    assert bus.opened.wait(60)
    made.close()
    made.close()
    assert bus.device.closed.wait(60)
    assert joined == []


def test_a_bug_is_raised_in_the_loop() -> None:
    def broken() -> Device:
        raise ZeroDivisionError("a bug")

    made, _ = opener(broken)
    made.start()
    with pytest.raises(ZeroDivisionError):
        until_joined(made)
    made.close()
