"""Driver "gpio": a stop button between a header pin and ground, with a normally closed contact.

The pin has its internal pull-up: while the contact is closed the pin is low, and a pressed button, a broken wire or a
loose plug lets it go high. The pin library's thread reports an opening at once, without debounce.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from gpiozero import DigitalInputDevice

from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.text import text
from station.gates.gpio.pins import open_factory, pin_errors, why_not_usable

OWNER = "the stop button"


@dataclass(frozen=True, slots=True)
class GpioStopButtonOptions:
    """`[stop_button.options]` of the driver "gpio"."""

    pin: int = setting(min=0, max=63, what="the GPIO (BCM) number; the contact closes it to ground")
    factory: Literal["lgpio", "pigpio", "native", "rpigpio", "mock"] = setting("lgpio", what="gpiozero's pin factory")
    chip: int = setting(-1, min=-1, max=15, what="the number of /dev/gpiochip; -1: the board's own")


class GpioStopButton:
    """A `StopButtonDriver`; it claims its pin when it is constructed. Raises HardwareMissing."""

    def __init__(self, options: dict[str, Any]) -> None:
        chosen = from_table(options, GpioStopButtonOptions, "stop_button")
        self._pin, self._opened = chosen.pin, False
        self._on_opened: Callable[[], None] = lambda: None
        factory = open_factory(OWNER, chosen.factory, chosen.chip)
        errors = pin_errors(OWNER, chosen.factory)
        try:
            self._contact = DigitalInputDevice(chosen.pin, pull_up=True, pin_factory=factory)
        except errors as error:
            raise HardwareMissing(f"{OWNER}: {why_not_usable(error, chosen.pin)}") from None
        self._contact.when_deactivated = self._contact_opened

    def start(self, on_opened: Callable[[], None]) -> None:
        self._on_opened = on_opened

    def reason(self) -> str:
        opened, self._opened = self._opened, False
        try:
            closed = bool(self._contact.is_active)
        except Exception as error:  # each pin library has its own errors; a button that cannot be read counts as open
            return text("The stop button at GPIO{pin} cannot be read ({error}).", pin=self._pin, error=error)
        if closed and not opened:
            return ""
        return text("The stop button is pressed, or its wire is broken.")

    def close(self) -> None:
        self._on_opened = lambda: None
        self._contact.close()

    def _contact_opened(self) -> None:
        """On the pin library's thread."""
        self._opened = True
        self._on_opened()
