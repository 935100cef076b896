"""Opens, claims and watches pins through gpiozero; what fails is raised with a sentence on what to do.

Used by gpio/gate.py; stop button and start lights use its factories. All of this process share them: closing one of
gpiozero's local factories would close the pins of all.
"""

import importlib
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from gpiozero.exc import GPIOPinInUse, GPIOZeroError, PinFixedPull, PinInvalidPin, PinUnknownPi

from shared.errors import HardwareMissing

_LGPIO = "apt install python3-lgpio, or pip install 'raceday[pi]' on Python 3.11 or 3.12"
_opened: dict[tuple[str, int], Any] = {}


class GpioPins:
    """The pins of one gate. All methods raise HardwareMissing for whatever a person must fix."""

    def __init__(self, gate: str, factory: str, chip: int = -1) -> None:
        self._gate = f"the gate {gate}"
        self._errors = pin_errors(self._gate, factory)
        self.factory = open_factory(self._gate, factory, chip)
        self._pins: dict[int, Any] = {}
        self.closed = False

    def claim(self, number: int, pull: str) -> None:
        """Makes the pin an input that reports both edges at once, without debounce. `pull`: up, down or floating."""
        try:
            self.factory.reserve_pins(self, number)
            pin = self._pins[number] = self.factory.pin(number)
            pin.input_with_pull(pull)
            pin.bounce = None
            pin.edges = "both"
        except self._errors as error:
            raise HardwareMissing(f"{self._gate}: {why_not_usable(error, number)}") from None

    def level(self, number: int) -> bool:
        """The pin's level now, True for high."""
        try:
            return bool(self._pins[number].state)
        except self._errors as error:
            raise HardwareMissing(f"{self._gate}: {why_not_usable(error, number)}") from None

    def watch(self, number: int, changed: Callable[[float, float], None]) -> None:
        """Calls `changed(ticks, state)` from now on; gpiozero holds it weakly, so the caller must hold a reference."""
        try:
            self._pins[number].when_changed = changed
        except self._errors as error:
            raise HardwareMissing(f"{self._gate}: {why_not_usable(error, number)}") from None

    def close(self) -> None:
        """Releases the pins; may be called more than once."""
        self.closed = True
        for pin in self._pins.values():
            pin.when_changed = None
            pin.close()
        for info in [info for info, pin in self.factory.pins.items() if pin in self._pins.values()]:
            del self.factory.pins[info]
        self._pins.clear()
        self.factory.release_all(self)

    def _conflicts_with(self, other: object) -> bool:
        """Whether two owners of one pin conflict, for gpiozero: always, since no beam is shared."""
        return other is not self

    def __repr__(self) -> str:
        return self._gate


def open_factory(owner: str, name: str, chip: int = -1) -> Any:
    """The process's pin factory of this name and chip (-1: the board's own), opened once.

    `owner` begins the sentence if it cannot be opened ("the gate start"). Raises HardwareMissing.
    """
    if (name, chip) in _opened:
        return _opened[name, chip]
    errors = pin_errors(owner, name)
    try:
        found = next(point for point in entry_points(group="gpiozero_pin_factories") if point.name == name)
        kind = found.load()
        _opened[name, chip] = kind(chip=chip) if name == "lgpio" and chip >= 0 else kind()
    except ImportError as error:
        raise HardwareMissing(
            f"{owner}: the factory {name} needs the Python package {error.name!r}; install it."
        ) from None
    except PinUnknownPi:
        raise HardwareMissing(
            f"{owner}: this machine is not a Raspberry Pi that gpiozero knows; "
            'run the station on one, or use a gate with a port ("pico", "decoder").'
        ) from None
    except errors as error:
        raise HardwareMissing(
            f"{owner}: the GPIO chip does not open ({error}); check that /dev/gpiochip"
            f"{max(chip, 0)} is there and that this user is in the group gpio."
        ) from None
    return _opened[name, chip]


def pin_errors(owner: str, factory: str) -> tuple[type[Exception], ...]:
    """The errors that pins of this factory raise. Raises HardwareMissing if lgpio is needed and missing."""
    return GPIOZeroError, OSError, _own_error(owner, factory)


def _own_error(owner: str, factory: str) -> type[Exception]:
    """The factory's own type of error; OSError if it has none.

    Raises HardwareMissing if lgpio is needed and missing, or is the empty package that pip may install on new Pythons.
    """
    if factory != "lgpio":
        return OSError
    try:
        lgpio = importlib.import_module("lgpio")
    except ImportError:
        raise HardwareMissing(f"{owner}: the Python package lgpio is not installed: {_LGPIO}.") from None
    if not hasattr(lgpio, "gpiochip_open"):
        raise HardwareMissing(
            f"{owner}: the Python package lgpio is an empty stub, as PyPI gives it to new Pythons: {_LGPIO}."
        )
    error: type[Exception] = lgpio.error
    return error


def why_not_usable(error: Exception, number: int) -> str:
    """What is wrong with this pin, as the end of a sentence."""
    match error:
        case PinInvalidPin():
            return f"this board has no GPIO{number}; set `pins` to GPIO (BCM) numbers."
        case PinFixedPull():
            return f"GPIO{number} has a resistor of its own ({error}); set `pull` to match it, or use another pin."
        case GPIOPinInUse():
            return f"GPIO{number} is in use: {error}; give each sensor a pin of its own."
    return f"GPIO{number} cannot be used ({error}); is another program using it? Stop that one, or use another pin."
