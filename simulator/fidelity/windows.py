"""Windows: moments of recorded drives with what was known then, the commands that followed, and where the car came to.

A window begins at a line of a trace; the car's speed and turning there are differences over the last two steps, never
of later ones. It ends one second later, between two lines. Its commands are the drive's, each from when it was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.fidelity.simtrace import PICTURE_S, Floats, RecordedDrive

HORIZON_S = 1.0
FIRST_LINE = 6  # before it a car is put down and drops on its wheels
STEPS_OF_DIFFERENCE = 2


@dataclass(frozen=True, eq=False)
class Windows:
    """Many windows of some traces. The lines of all drives stand one after the other; windows name them by number."""

    at_s: Floats  # a value a line
    yaw_rad: Floats
    given_s: Floats  # when the line's command was given
    steering_rad: Floats
    commanded_mps: Floats
    x_m: Floats
    y_m: Floats
    line: NDArray[np.int64]  # a value a window: the line at which it begins
    first: NDArray[np.int64]  # the first line of its drive
    last: NDArray[np.int64]  # the last line of its drive
    came_to: Floats  # (windows, 2): where the car's front was one second later
    trace: NDArray[np.str_]  # the name of its trace

    def __len__(self) -> int:
        return len(self.line)

    def of(self, chosen: Any) -> "Windows":
        """Return the windows that `chosen`, an index or a mask, names."""
        return Windows(
            self.at_s,
            self.yaw_rad,
            self.given_s,
            self.steering_rad,
            self.commanded_mps,
            self.x_m,
            self.y_m,
            self.line[chosen],
            self.first[chosen],
            self.last[chosen],
            self.came_to[chosen],
            self.trace[chosen],
        )

    def at_most(self, count: int) -> "Windows":
        """Return these windows, or `count` of them that are spread evenly."""
        if len(self) <= count:
            return self
        return self.of(np.linspace(0, len(self) - 1, count).astype(np.int64))

    def velocity(self) -> tuple[Floats, Floats]:
        """The front's velocity at the beginning of each window, m/s along x and y."""
        before = self.line - STEPS_OF_DIFFERENCE
        took_s = self.at_s[self.line] - self.at_s[before]
        return (self.x_m[self.line] - self.x_m[before]) / took_s, (self.y_m[self.line] - self.y_m[before]) / took_s

    def body_velocity(self) -> tuple[Floats, Floats]:
        """The same as the car feels it: ahead and to the left, by its heading in the middle of the difference."""
        x_mps, y_mps = self.velocity()
        yaw = self.yaw_rad[self.line - STEPS_OF_DIFFERENCE // 2]
        return x_mps * np.cos(yaw) + y_mps * np.sin(yaw), y_mps * np.cos(yaw) - x_mps * np.sin(yaw)

    def turning(self) -> Floats:
        """The turn rate at the beginning of each window, rad/s."""
        before = self.line - STEPS_OF_DIFFERENCE
        return (self.yaw_rad[self.line] - self.yaw_rad[before]) / (self.at_s[self.line] - self.at_s[before])

    def errors_m(self, x_m: Floats, y_m: Floats) -> Floats:
        """How far the places (x, y), one a window, are from where the car came to."""
        return np.hypot(x_m - self.came_to[:, 0], y_m - self.came_to[:, 1])


def windows_of(drives: Sequence[RecordedDrive]) -> Windows:
    """Return all windows of the drives: one for each line with enough of the drive before and after it."""
    joined = {
        name: np.concatenate([np.empty(0), *(getattr(drive, name) for drive in drives)])
        for name in ("at_s", "x_m", "y_m", "yaw_rad", "steering_rad", "speed_mps")
    }
    lines, firsts, lasts, ends, traces = [], [], [], [], []
    first = 0
    for drive in drives:
        last = first + len(drive.at_s) - 1
        late = np.searchsorted(drive.at_s, drive.at_s[-1] - HORIZON_S, side="right")
        begins = np.arange(FIRST_LINE, late)
        until_s = drive.at_s[begins] + HORIZON_S
        places = [np.interp(until_s, drive.at_s, values) for values in (drive.x_m, drive.y_m)]
        lines.append(first + begins)
        firsts.append(np.full(len(begins), first))
        lasts.append(np.full(len(begins), last))
        ends.append(np.stack(places, axis=-1))
        traces.append(np.full(len(begins), drive.trace))
        first = last + 1
    return Windows(
        joined["at_s"],
        joined["yaw_rad"],
        joined["at_s"] - PICTURE_S,
        joined["steering_rad"],
        joined["speed_mps"],
        joined["x_m"],
        joined["y_m"],
        np.concatenate([np.empty(0, np.int64), *lines]),
        np.concatenate([np.empty(0, np.int64), *firsts]),
        np.concatenate([np.empty(0, np.int64), *lasts]),
        np.concatenate([np.empty((0, 2)), *ends]),
        np.concatenate([np.empty(0, np.str_), *traces]),
    )
