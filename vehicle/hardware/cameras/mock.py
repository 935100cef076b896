"""A camera without a lens: a drifting pattern at a steady rate, on the machine's clock.

Never kinder than the metal: a reader that is late misses frames, and on order it freezes or dies as cameras do.
"""

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.units import NS_PER_S
from vehicle.hardware.devices import Frame, Pixels


@dataclass(frozen=True, slots=True)
class Options:
    """`[camera.options]` of the mock."""

    rate_hz: float = setting(15.0, least=0.5, most=240.0, what="frames a second of the clock")
    width_px: int = setting(320, least=16, most=1920)
    height_px: int = setting(240, least=16, most=1080)
    freeze_after: int = setting(0, least=0, what="after so many frames the same one comes again; 0: never")
    stall_after: int = setting(0, least=0, what="after so many frames none comes; 0: never")
    die_after: int = setting(0, least=0, what="after so many frames the device is gone; 0: never")


class MockCamera:
    """Frame n is due n periods after the start; only the newest due one is given."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, Options, "[camera.options]")
        self._clock = clock
        self._start_ns = clock.now_ns()
        self._given = 0
        self._closed = threading.Event()
        gradient = np.linspace(0, 255, self._options.width_px * 2, dtype=np.uint8)
        self._pattern: Pixels = np.tile(gradient, (self._options.height_px, 1))

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame that was not given yet."""
        due = max(self._newest_due(), self._given + 1)
        o = self._options
        if o.die_after and due > o.die_after:
            raise HardwareMissing("the mock camera is gone: it was told to die.")
        stalled = bool(o.stall_after) and due > o.stall_after
        wait_s = (self._due_ns(due) - self._clock.now_ns()) / NS_PER_S / self._clock.rate
        if stalled or wait_s > timeout_s:
            self._closed.wait(timeout_s)
            return None
        if wait_s > 0 and self._closed.wait(wait_s):
            return None
        self._given = due
        shown = min(due, o.freeze_after) if o.freeze_after else due
        return Frame(self._picture(shown), self._due_ns(due), due)

    def close(self) -> None:
        self._closed.set()

    def _newest_due(self) -> int:
        return int((self._clock.now_ns() - self._start_ns) * self._options.rate_hz // NS_PER_S)

    def _due_ns(self, number: int) -> int:
        return self._start_ns + round(number * NS_PER_S / self._options.rate_hz)

    def _picture(self, number: int) -> Pixels:
        shift = number % self._options.width_px
        picture = self._pattern[:, shift : shift + self._options.width_px].copy()
        picture[0, 0] = number % 251  # no two neighbours are alike, as with a real sensor
        return picture
