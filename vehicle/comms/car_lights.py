"""Drives the car's lights on a thread of comms: a pattern for the mode, a colour for the car.

Started by `comms/side_services.py`. The guard never waits for a light: this process may die, and the lights then keep
what they showed until it is back. Lights that are absent are tried again, and said once.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from shared.errors import OperatorError
from shared.protocol.messages import CarHeartbeat, CarMode, CarState
from shared.units import NS_PER_S
from vehicle.core.light_patterns import DARK, LightColour, light_at
from vehicle.hardware.lights.lights import LightsDriver
from vehicle.process.channel import IpcMessage
from vehicle.process.log import log

TICK_S: Final = 0.05
RETRY_S: Final = 2.0
_SILENCE_NS: Final = NS_PER_S  # the guard says its mode ten times a second


class CarLights:
    """`open_lights` builds the driver, or raises OperatorError; `is_battery_low` is asked at each tick.

    Without a word of the guard for a second the lights are dark: they show nothing that may not be so.
    """

    def __init__(
        self,
        open_lights: Callable[[], LightsDriver],
        own: LightColour,
        is_battery_low: Callable[[], bool],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._open, self._own, self._is_battery_low, self._now_ns = open_lights, own, is_battery_low, now_ns
        self._lights: LightsDriver | None = None
        self._mode: CarMode | None = None
        self._heard_ns = 0
        self._shown: LightColour | None = None
        self._logged = ""
        self._retry_at_ns = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lights", daemon=True)

    def on_message(self, message: IpcMessage) -> None:
        """A message of the guard: its mode is what the lights show."""
        if isinstance(message, CarState | CarHeartbeat):
            self._mode, self._heard_ns = message.mode, self._now_ns()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Switch the lights off, and end the thread."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(2.0)

    def tick(self) -> None:
        """Show what is due; a driver is only told of changes."""
        now_ns = self._now_ns()
        if self._lights is None and now_ns < self._retry_at_ns:
            return
        colour = DARK
        if self._mode is not None and now_ns - self._heard_ns <= _SILENCE_NS:
            colour = light_at(self._mode, self._own, is_battery_low=self._is_battery_low(), at_ns=now_ns)
        try:
            if self._lights is None:
                self._lights, self._shown = self._open(), None
            if colour != self._shown:
                self._lights.show(colour)
                self._shown, self._logged = colour, ""
        except OperatorError as error:
            self._lights, self._retry_at_ns = None, now_ns + round(RETRY_S * NS_PER_S)
            if str(error) != self._logged:
                self._logged = str(error)
                log(f"lights: {error} It is tried again every {RETRY_S:g} s.")

    def _run(self) -> None:
        while not self._closing.is_set():
            self.tick()
            self._closing.wait(TICK_S)
        if self._lights is not None:
            try:
                self._lights.close()
            except OperatorError as error:
                log(f"lights: {error}")
