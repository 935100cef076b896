"""Drivers "mock": a stop button and start lights without wires, for tests and for trying out the station."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.text import text
from station.hardware.driver import LIGHTS


@dataclass(frozen=True, slots=True)
class MockStopButtonOptions:
    """`[stop_button.options]` of the driver "mock"."""

    pressed: bool = setting(False, what="whether it is pressed when the station starts")


@dataclass(frozen=True, slots=True)
class MockStartLightsOptions:
    """`[start_lights.options]` of the driver "mock": none."""


class MockStopButton:
    """A `StopButtonDriver` that `press` opens and `release` closes; `unplug` opens it as a loose plug does."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._open = self._opened = from_table(options, MockStopButtonOptions, "stop_button").pressed
        self._on_opened: Callable[[], None] = lambda: None
        self._closed = False

    def start(self, on_opened: Callable[[], None]) -> None:
        self._on_opened = on_opened

    def press(self) -> None:
        if not self._open:
            self._open = self._opened = True
            self._on_opened()

    unplug = press  # the contact cannot tell one from the other

    def release(self) -> None:
        self._open = False

    def reason(self) -> str:
        opened, self._opened = self._opened, False
        if self._closed:
            return text("The stop button cannot be read: it was closed.")
        return text("The stop button is pressed, or its wire is broken.") if self._open or opened else ""

    def close(self) -> None:
        self._closed = True
        self._on_opened = lambda: None


class MockStartLights:
    """A `StartLightsDriver` that remembers what it showed: `lit` now, and `shown` since the start."""

    def __init__(self, options: dict[str, Any]) -> None:
        from_table(options, MockStartLightsOptions, "start_lights")
        self.lit = 0
        self.shown: list[int] = []
        self._closed = False

    def show(self, lit: int) -> None:
        if self._closed:
            raise HardwareMissing("the start lights are closed: start the station again.")
        if not 0 <= lit <= LIGHTS:
            raise ValueError(f"{lit} of {LIGHTS} lights")
        self.lit = lit
        self.shown.append(lit)

    def close(self) -> None:
        self.lit, self._closed = 0, True
