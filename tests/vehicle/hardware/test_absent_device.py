"""A device that is absent is tried again on a thread of its own, is attached once, or closed if nobody waits."""

import threading
from collections.abc import Callable

import pytest

from shared.errors import HardwareMissing
from vehicle.hardware.absent_device import DeviceOpener


class Device:
    """The device that is opened."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Bus:
    """Opens the device after `refusals` refusals."""

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


def new_opener(
    open_device: Callable[[], Device], why: str = "no answer, 0."
) -> tuple[DeviceOpener[Device], list[Device]]:
    attached: list[Device] = []
    return DeviceOpener("motors", open_device, attached.append, why, retry_s=0.01), attached


def until_attached(opener: DeviceOpener[Device]) -> None:
    for _ in range(6_000):
        if opener.poll():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")


@pytest.mark.parametrize("refusals", [0, 1, 5])
def test_it_joins_in_a_turn_of_the_loop_once_it_is_there(refusals: int, capsys: pytest.CaptureFixture[str]) -> None:
    bus = Bus(refusals)
    opener, attached = new_opener(bus.open)
    assert not opener.poll()
    assert opener.why == "no answer, 0."
    opener.start()
    until_attached(opener)
    assert (attached, bus.tried, opener.why, opener.poll()) == ([bus.device], refusals + 1, "", False)
    opener.close()
    assert not bus.device.closed.is_set()  # it belongs to the guard by now
    logged = capsys.readouterr().err
    assert "no answer, 0. It is tried again" in logged
    assert "motors: no longer absent." in logged


def test_one_that_is_there_is_not_looked_for() -> None:
    bus = Bus(0)
    opener, attached = new_opener(bus.open, "")
    opener.start()
    opener.close()
    assert (opener.why, bus.tried, attached) == ("", 0, [])


def test_one_that_is_lost_is_looked_for_again() -> None:
    bus = Bus(0)
    opener, attached = new_opener(bus.open, "")
    for time in (1, 2):
        opener.on_lost("the wire fell out.")
        assert opener.why == "the wire fell out."
        until_attached(opener)
        assert (len(attached), opener.why) == (time, "")
    opener.close()


def test_what_was_opened_for_nobody_is_closed() -> None:
    bus = Bus(1)
    opener, attached = new_opener(bus.open)
    opener.start()
    assert bus.opened.wait(60)
    opener.close()
    opener.close()
    assert bus.device.closed.wait(60)
    assert attached == []


def test_a_bug_is_raised_in_the_loop() -> None:
    def broken() -> Device:
        raise ZeroDivisionError("a bug")

    opener, _ = new_opener(broken)
    opener.start()
    with pytest.raises(ZeroDivisionError):
        until_attached(opener)
    opener.close()
