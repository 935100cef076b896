"""The roads of all worlds in one table, and the compiled arithmetic of `world/geometry.py` on it.

Each function gives exactly what its namesake of `Track` gives; `tests/simulator/batch/test_road.py` compares them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.compiled import compiled, compiled_part
from simulator.world.geometry import SEARCH_AHEAD, SEARCH_BACK, Track

Rows = NDArray[Any]

# One row of a track: its point on the centre line and on both edges, and the segment to the next row.
ROW = np.dtype(
    [
        ("x", np.float64),
        ("y", np.float64),
        ("left_x", np.float64),
        ("left_y", np.float64),
        ("right_x", np.float64),
        ("right_y", np.float64),
        ("s_m", np.float64),
        ("length_m", np.float64),
        ("half_width_m", np.float64),
    ]
)


@dataclass(frozen=True, slots=True)
class RoadPart:
    """Where one track's rows lie in the table."""

    first: int
    count: int
    length_m: float
    window: int  # segments on either side that `on_road` looks at


class Roads:
    """The table of several tracks; `rows` is an array of ROW, shape (R,)."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._parts: dict[Track, RoadPart] = {}
        tables: list[Rows] = []
        first = 0
        for track in tracks:
            if track not in self._parts:
                tables.append(_rows_of(track))
                self._parts[track] = RoadPart(first, len(tables[-1]), track.length_m, track.window)
                first += len(tables[-1])
        self.rows: Rows = np.concatenate(tables) if tables else np.empty(0, ROW)

    def __contains__(self, track: Track) -> bool:
        return track in self._parts

    def part(self, track: Track) -> RoadPart:
        """Where the rows of `track` lie."""
        return self._parts[track]


def _rows_of(track: Track) -> Rows:
    rows = np.empty(len(track.centre), ROW)
    for name, points in (("", track.centre), ("left_", track.left), ("right_", track.right)):
        rows[name + "x"], rows[name + "y"] = points[:, 0], points[:, 1]
    rows["s_m"] = track.s_m
    rows["length_m"] = np.linalg.norm(np.roll(track.centre, -1, axis=0) - track.centre, axis=1)
    rows["half_width_m"] = [track.half_width_at(index) for index in range(len(rows))]
    return rows


@compiled
def locate(rows: Any, first: Any, count: Any, x: Any, y: Any, near: Any) -> Any:
    """(segment, s_m, lateral_m) of the nearest place on the centre line; `near` < 0 searches the whole track."""
    begin, end = (0, count) if near < 0 else (near - SEARCH_BACK, near + SEARCH_AHEAD)
    segment, s_m, lateral_m, best_d2 = 0, 0.0, 0.0, math.inf
    for i in range(begin, end):
        index = i % count
        a, b = rows[first + index], rows[first + (index + 1) % count]
        dx, dy, length = b.x - a.x, b.y - a.y, a.length_m
        u = ((x - a.x) * dx + (y - a.y) * dy) / (length * length)
        u = 0.0 if u < 0.0 else min(u, 1.0)
        ex, ey = x - a.x - u * dx, y - a.y - u * dy
        d2 = ex * ex + ey * ey
        if d2 < best_d2:
            side = 1.0 if dx * ey - dy * ex >= 0.0 else -1.0
            segment, s_m, lateral_m, best_d2 = index, a.s_m + u * length, side * math.sqrt(d2), d2
    return segment, s_m, lateral_m


@compiled_part
def heading_at(rows: Any, first: Any, count: Any, segment: Any) -> Any:
    """The direction (rad) of the road along a segment."""
    a, b = rows[first + segment], rows[first + (segment + 1) % count]
    return math.atan2(b.y - a.y, b.x - a.x)


@compiled
def on_road(rows: Any, first: Any, count: Any, window: Any, x: Any, y: Any, near: Any) -> Any:
    """True if the point is on the road around segment `near`; a neighbouring lane does not count."""
    for i in range(near - window, near + window + 1):
        a, b = rows[first + i % count], rows[first + (i + 1) % count]
        if _in_triangle(x, y, a.left_x, a.left_y, b.left_x, b.left_y, a.right_x, a.right_y):
            return True
        if _in_triangle(x, y, a.right_x, a.right_y, b.left_x, b.left_y, b.right_x, b.right_y):
            return True
    return False


@compiled_part
def _in_triangle(x: Any, y: Any, ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any) -> Any:
    d1 = (x - bx) * (ay - by) - (ax - bx) * (y - by)
    d2 = (x - cx) * (by - cy) - (bx - cx) * (y - cy)
    d3 = (x - ax) * (cy - ay) - (cx - ax) * (y - ay)
    return not (min(d1, d2, d3) < 0.0 and max(d1, d2, d3) > 0.0)
