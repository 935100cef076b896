"""Who may stop the car at the car: each trips it with a sentence of its own, and none re-arms it."""

import os
import pathlib
import pty
import socket
import sys
import termios
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from gpiozero.pins.mock import MockFactory

from shared.errors import HardwareMissing
from tests.vehicle.core.test_controller import Bench, driving
from vehicle.build import _try_button
from vehicle.config import ButtonOptions
from vehicle.guard.stop_key import BY_KEY, StopKey, open_stop_key
from vehicle.guard.stop_socket import StopSocket
from vehicle.guard.stop_sources import BY_SIGNAL, BY_SOCKET, StopRequest, StopSources
from vehicle.hardware import stop_button
from vehicle.hardware.stop_button import OPEN, StopButton

__all__ = ["driving"]  # a fixture of the controller's tests


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    mock_factory = MockFactory()
    yield mock_factory
    mock_factory.reset()


@pytest.fixture
def local(tmp_path: pathlib.Path) -> Iterator[StopSocket]:
    stop_socket = StopSocket(tmp_path / "car.sock")
    yield stop_socket
    stop_socket.close()


def test_pressed_and_torn_are_one_to_the_button(factory: MockFactory) -> None:
    pin = factory.pin(17)
    button = StopButton(17, factory=factory)
    assert pin.pull == "up"
    assert button.reason() == OPEN  # nothing is connected: the pull-up speaks
    pin.drive_low()
    assert button.reason() == ""
    pin.drive_high()
    pin.drive_low()
    assert button.reason() == OPEN  # a moment is enough
    assert button.reason() == ""
    pin.drive_high()
    assert [button.reason() for _ in range(3)] == [OPEN] * 3
    button.close()
    button.close()
    assert "cannot be read" in button.reason()  # a pin that was lost is no closed contact


def test_a_pin_that_is_taken_is_one_sentence(factory: MockFactory) -> None:
    first = StopButton(17, factory=factory)
    with pytest.raises(HardwareMissing, match=r"GPIO17 cannot be read .*free"):
        StopButton(17, factory=factory)
    first.close()


@pytest.mark.parametrize("library", ["lgpio", "rpigpio", "pigpio"])
def test_a_machine_without_pins_says_what_to_do(library: str) -> None:
    with pytest.raises(HardwareMissing, match=r"emergency button|GPIO17"):
        StopButton(17, library)


def test_a_button_that_stays_pressed_holds_the_car_tripped(factory: MockFactory, driving: Bench) -> None:
    pin = factory.pin(17)
    button = StopButton(17, factory=factory)
    pin.drive_low()
    pin.drive_high()
    driving.controller.estop(button.reason())
    assert (driving.controller.mode, driving.controller.mode_state.reason) == ("tripped", OPEN)
    driving.order("reset")
    driving.run(50)
    assert driving.controller.mode == "disarmed"
    driving.controller.estop(button.reason())  # the guard's next turn
    assert (driving.controller.mode, driving.controller.mode_state.reason) == ("tripped", OPEN)
    pin.drive_low()
    button.reason()
    assert button.reason() == ""
    driving.run(500)
    assert driving.controller.mode == "tripped"  # released, it waits for a person
    button.close()


def test_any_key_of_the_terminal_and_the_terminal_as_it_was() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    key = StopKey(theirs)
    assert key.reason() == ""
    for keys in (b" ", b"q", b"\n\n", b"\x1b[A"):
        os.write(ours, keys)
        termios.tcdrain(ours)
        assert key.reason() == BY_KEY, keys
        assert key.reason() == ""
    key.close()
    key.close()
    assert termios.tcgetattr(theirs) == before
    assert key.reason() == ""
    os.close(ours)
    os.close(theirs)


def test_a_terminal_that_was_hung_up_presses_no_key() -> None:
    ours, theirs = pty.openpty()
    key = StopKey(theirs)
    os.close(ours)
    assert [key.reason() for _ in range(3)] == [""] * 3
    key.close()
    os.close(theirs)


def test_without_a_terminal_there_is_no_key(tmp_path: pathlib.Path) -> None:
    with (tmp_path / "in").open("w") as stream:
        assert open_stop_key(stream) is None
    assert open_stop_key(stream) is None  # closed
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as stream:
        assert open_stop_key(stream) is None  # a terminal, but of no session of ours
    os.close(ours)


class FakeSource:
    """A stop source with a fixed reason."""

    def __init__(self, reason: str) -> None:
        self.sentence, self.closed = reason, 0

    def reason(self) -> str:
        return self.sentence

    def close(self) -> None:
        self.closed += 1


def test_each_asks_with_its_own_sentence(local: StopSocket, tmp_path: pathlib.Path) -> None:
    quiet, loud = FakeSource(""), FakeSource(OPEN)
    stops = StopSources(local, quiet, loud)
    assert stops.requests() == [StopRequest(OPEN)]
    stops.on_signal()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as phone:
        phone.bind("")
        phone.settimeout(5)
        phone.connect(str(tmp_path / "car.sock"))
        phone.send(b"stop")
        first, second, third = stops.requests()
        assert (first.reason, second.reason, third.reason) == (BY_SOCKET, BY_SIGNAL, OPEN)
        stops.reply(first, "The car is tripped.")
        assert phone.recv(100) == b"The car is tripped."
        stops.reply(second, "a signal has no address")
    assert stops.requests() == [StopRequest(OPEN)]
    stops.close()
    assert (quiet.closed, loud.closed) == (1, 1)


def test_a_button_without_its_library_is_one_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "vehicle.hardware.stop_button", raising=False)
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    button, why = _try_button(ButtonOptions(pin=17))
    assert button is None
    assert "the emergency button needs the Python package" in why
    assert _try_button(ButtonOptions()) == (None, "")


class LibraryError(Exception):
    """An error of a pin library, such as lgpio.error."""


def test_a_button_that_is_tried_again_keeps_no_handle_and_takes_any_error(monkeypatch: pytest.MonkeyPatch) -> None:
    chips: list[Any] = []

    class Chip:
        closed = 0

        def close(self) -> None:
            self.closed += 1

    def chip(library: str) -> Chip:
        chips.append(Chip())
        return cast(Chip, chips[-1])

    def busy(*_: object, **__: object) -> None:
        raise LibraryError("GPIO busy")

    monkeypatch.setattr(stop_button, "_factory", chip)
    monkeypatch.setattr(stop_button, "DigitalInputDevice", busy)
    for _ in range(3):
        assert _try_button(ButtonOptions(pin=17))[1].startswith("GPIO17 cannot be read (GPIO busy)")
    assert [one.closed for one in chips] == [1, 1, 1]


def test_a_pin_library_without_its_chip_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_chip() -> None:
        raise LibraryError("can not open gpiochip")

    monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", SimpleNamespace(LGPIOFactory=no_chip))
    button, why = _try_button(ButtonOptions(pin=17))
    assert button is None
    assert "can not open gpiochip" in why


def test_a_button_that_comes_later_stops_the_car_as_any_other(tmp_path: pathlib.Path, factory: MockFactory) -> None:
    stops = StopSources(StopSocket(tmp_path / "car.sock"))
    assert stops.requests() == []
    stops.add(StopButton(17, factory=factory))
    assert [request.reason for request in stops.requests()] == [OPEN]
    stops.close()
