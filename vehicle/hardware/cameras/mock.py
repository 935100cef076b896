"""A mock camera: bars that drift past at a steady rate, on the machine's clock.

Never easier than real hardware: a late reader misses frames, and it can be set to fail as cameras do.
"""

import pathlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.units import NS_PER_S
from vehicle.hardware.cameras.flip import FLIPS, flip_setting
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.landlock import FileGrant

# freeze: the same picture repeated; stale: two old ones in turn; stall: no picture; die: the device is gone; spin: the
# driver uses its core fully and never returns; dark: the noise of a covered lens; grey: one even grey, different each
# time; stripes: a picture unlike any road, with a mean of 110.
CAMERA_FAULTS = ("freeze", "stale", "stall", "die", "spin", "dark", "grey", "stripes")


@dataclass(frozen=True, slots=True)
class MockCameraOptions:
    """`[camera.options]` of the mock."""

    rate_hz: float = setting(15.0, min=0.5, max=240.0, what="frames a second of the clock")
    width_px: int = setting(320, min=16, max=1920)
    height_px: int = setting(240, min=16, max=1080)
    freeze_after: int = setting(0, min=0, what="frames after which the same one is repeated; 0: never")
    stall_after: int = setting(0, min=0, what="frames after which none comes; 0: never")
    fault_file: pathlib.Path | None = setting(None, what="a file that names the fault to simulate: see CAMERA_FAULTS")
    absent: pathlib.Path | None = setting(None, what="while this file exists the camera cannot be opened")
    die_after: int = setting(0, min=0, what="frames after which the device is gone; 0: never")
    flip: str = flip_setting()


class MockCamera:
    """Frame n is due n periods after the start; only the newest due frame is returned."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, MockCameraOptions, "[camera.options]")
        if self._options.absent is not None and self._options.absent.exists():
            raise HardwareMissing("there is no mock camera: it is set to be absent.")
        self._clock = clock
        self._start_ns = clock.now_ns()
        self._given = 0
        self._closed = threading.Event()
        self._shown: Pixels = np.zeros((self._options.height_px, self._options.width_px), np.uint8)
        self._fault_pictures: dict[str, Callable[[int], Pixels]] = {
            "stale": lambda number: self._picture(number % 2),
            "dark": lambda number: np.random.default_rng(number).integers(0, 4, self._shown.shape, np.uint8),
            "grey": self._grey,
            "stripes": self._stripes,
        }
        self._pattern: Pixels = np.tile(_bars(self._options.width_px * 2), (self._options.height_px, 1))

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """The folder of the file that names a fault: the file itself comes and goes."""
        fault_file = from_table(options, MockCameraOptions, "[camera.options]").fault_file
        return [] if fault_file is None else [FileGrant(fault_file.parent)]

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame not returned yet; None on timeout. Raises HardwareMissing when it is set to die."""
        due = max(self._newest_due(), self._given + 1)
        o = self._options
        fault = self._fault()
        while fault == "spin" and not self._closed.is_set():
            fault = self._fault()
        if fault == "die" or (o.die_after and due > o.die_after):
            raise HardwareMissing("the mock camera is gone: it was set to die.")
        stalled = fault == "stall" or (bool(o.stall_after) and due > o.stall_after)
        wait_s = (self._due_ns(due) - self._clock.now_ns()) / NS_PER_S / self._clock.rate
        if stalled or wait_s > timeout_s:
            self._closed.wait(timeout_s)
            return None
        if wait_s > 0 and self._closed.wait(wait_s):
            return None
        self._given = due
        shown = min(due, o.freeze_after) if o.freeze_after else due
        if fault != "freeze":
            self._shown = self._fault_pictures.get(fault, self._picture)(shown)
        return Frame(FLIPS[self._options.flip](self._shown), self._due_ns(due), due)

    def close(self) -> None:
        self._closed.set()

    def _newest_due(self) -> int:
        return int((self._clock.now_ns() - self._start_ns) * self._options.rate_hz // NS_PER_S)

    def _due_ns(self, number: int) -> int:
        return self._start_ns + round(number * NS_PER_S / self._options.rate_hz)

    def _fault(self) -> str:
        path = self._options.fault_file
        return path.read_text(encoding="ascii").strip() if path is not None and path.exists() else ""

    def _grey(self, number: int) -> Pixels:
        grey = np.full((self._options.height_px, self._options.width_px), 110, np.uint8)
        grey[:8, :8] = number % 251
        return grey

    def _stripes(self, number: int) -> Pixels:
        stripes = self._grey(number)
        stripes[:, ::2] += 80
        stripes[:, 1::2] -= 80
        return stripes.repeat(8, axis=1)[:, : self._options.width_px]

    def _picture(self, number: int) -> Pixels:
        shift = number % self._options.width_px
        picture = self._pattern[:, shift : shift + self._options.width_px].copy()
        picture[0, 0] = number % 251  # no two successive pictures are alike, as with a real sensor
        return picture


def _bars(width_px: int) -> Pixels:
    """One row of light bars on a dark ground with different gaps, so that the frame check finds edges."""
    row = np.linspace(10, 60, width_px, dtype=np.uint8)
    left, number = 0, 0
    while left < width_px:
        right = left + max(1, width_px // 40)
        row[left:right] = 230
        left, number = right + max(1, width_px * (3 + 5 * number % 7) // 80), number + 1
    return row
