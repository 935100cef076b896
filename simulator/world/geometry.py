"""The geometry of one closed track: polylines in metres, progress along them, and what lies on the road.

Pure arithmetic. The inner loops run on plain floats: for a handful of neighbours that is faster than NumPy.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

SEARCH_BACK = 4  # segments searched behind the last known one
SEARCH_AHEAD = 10
ROAD_WINDOW_M = 0.8  # largest distance along the track between a wheel and the car's own place


class Pose(NamedTuple):
    """A place and a heading: metres, radians (0 = +x, counter-clockwise)."""

    x: float
    y: float
    yaw: float


class TrackPlace(NamedTuple):
    """A point's place on the track: nearest segment, metres from the start line, metres left of the centre line."""

    segment: int
    s_m: float
    lateral_m: float


@dataclass(frozen=True, eq=False)
class Track:
    """A closed track in driving direction; rows of `centre`, `left` and `right` (N, 2) belong together.

    The closing row is not repeated: row N-1 joins row 0, and row 0 is the start line.
    """

    name: str
    centre: Points
    left: Points
    right: Points

    @cached_property
    def _centre_list(self) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in self.centre]

    @cached_property
    def _edge_list(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        pairs = zip(self.left.tolist(), self.right.tolist(), strict=True)
        return [((left[0], left[1]), (right[0], right[1])) for left, right in pairs]

    @cached_property
    def _segment_lengths(self) -> list[float]:
        return [float(d) for d in np.linalg.norm(np.roll(self.centre, -1, axis=0) - self.centre, axis=1)]

    @cached_property
    def s_m(self) -> Points:
        """Distance of each row from the start line along the centre line, metres, shape (N,)."""
        return np.concatenate([[0.0], np.cumsum(self._segment_lengths)[:-1]])

    @cached_property
    def _s_list(self) -> list[float]:
        return [float(s) for s in self.s_m]

    @cached_property
    def length_m(self) -> float:
        """Length of the closed centre line, metres."""
        return float(sum(self._segment_lengths))

    @cached_property
    def widths_m(self) -> Points:
        """Width of the road at each row, metres, shape (N,)."""
        return np.asarray(np.linalg.norm(self.left - self.right, axis=1))

    @cached_property
    def _half_widths(self) -> list[float]:
        left = np.linalg.norm(self.left - self.centre, axis=1)
        right = np.linalg.norm(self.right - self.centre, axis=1)
        half = np.minimum(left, right)
        return [float(w) for w in np.minimum(half, np.roll(half, -1))]

    def half_width_at(self, index: int) -> float:
        """The smaller distance from the centre line to an edge along segment `index`, metres."""
        return self._half_widths[index]

    def reversed(self) -> "Track":
        """The same road in the opposite direction, from the same start line."""
        return Track(
            self.name + "_reversed",
            *(np.roll(a[::-1], 1, axis=0).copy() for a in (self.centre, self.right, self.left)),
        )

    def locate(self, x: float, y: float, near: int | None = None) -> TrackPlace:
        """The nearest place on the centre line; `near` (a segment) limits the search to its neighbours."""
        count = len(self._centre_list)
        candidates = range(count) if near is None else range(near - SEARCH_BACK, near + SEARCH_AHEAD)
        best, best_d2 = TrackPlace(0, 0.0, 0.0), math.inf
        for i in candidates:
            index = i % count
            (ax, ay), (bx, by) = self._centre_list[index], self._centre_list[(index + 1) % count]
            dx, dy = bx - ax, by - ay
            length = self._segment_lengths[index]
            u = ((x - ax) * dx + (y - ay) * dy) / (length * length)
            u = 0.0 if u < 0.0 else min(u, 1.0)
            ex, ey = x - ax - u * dx, y - ay - u * dy
            d2 = ex * ex + ey * ey
            if d2 < best_d2:
                side = 1.0 if dx * ey - dy * ex >= 0.0 else -1.0
                best, best_d2 = TrackPlace(index, self._s_list[index] + u * length, side * math.sqrt(d2)), d2
        return best

    def _segment_at(self, s_m: float) -> tuple[int, float]:
        s = s_m % self.length_m
        index = min(bisect_right(self._s_list, s) - 1, len(self._s_list) - 1)
        return index, (s - self._s_list[index]) / self._segment_lengths[index]

    def pose_at(self, s_m: float, lateral_m: float = 0.0) -> Pose:
        """The pose on the road `s_m` metres after the start line, looking along it; `lateral_m` to the left."""
        index, u = self._segment_at(s_m)
        (ax, ay), (bx, by) = self._centre_list[index], self._centre_list[(index + 1) % len(self._centre_list)]
        yaw = math.atan2(by - ay, bx - ax)
        x, y = ax + u * (bx - ax), ay + u * (by - ay)
        return Pose(x - lateral_m * math.sin(yaw), y + lateral_m * math.cos(yaw), yaw)

    def line_at(self, s_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """The line across the road at `s_m`: its left and its right end."""
        index, u = self._segment_at(s_m)
        after = (index + 1) % len(self._centre_list)
        left = (1 - u) * self.left[index] + u * self.left[after]
        right = (1 - u) * self.right[index] + u * self.right[after]
        return (float(left[0]), float(left[1])), (float(right[0]), float(right[1]))

    @cached_property
    def window(self) -> int:
        """How many segments on either side of the car `on_road` looks at."""
        return max(2, math.ceil(ROAD_WINDOW_M / (self.length_m / len(self._centre_list))))

    def on_road(self, x: float, y: float, near: int) -> bool:
        """True if the point is on the road around segment `near`; a neighbouring lane of the track does not count."""
        count = len(self._edge_list)
        for i in range(near - self.window, near + self.window + 1):
            left_a, right_a = self._edge_list[i % count]
            left_b, right_b = self._edge_list[(i + 1) % count]
            if _in_triangle(x, y, left_a, left_b, right_a) or _in_triangle(x, y, right_a, left_b, right_b):
                return True
        return False


def _in_triangle(x: float, y: float, a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """True if the point is in the triangle (edges included), in whichever order its corners are listed."""
    d1 = (x - b[0]) * (a[1] - b[1]) - (a[0] - b[0]) * (y - b[1])
    d2 = (x - c[0]) * (b[1] - c[1]) - (b[0] - c[0]) * (y - c[1])
    d3 = (x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])
    return not (min(d1, d2, d3) < 0.0 < max(d1, d2, d3))
