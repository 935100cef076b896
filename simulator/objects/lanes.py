"""The two lanes of a track: the lines halfway between the centre line and each edge, as a table of equal steps.

Objects are placed and bots drive by these lines, as in deepracer-simapp (`track_geom/track_data.py`): lane 1 is the
inner one, beside the shorter edge, and lane -1 the outer one.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.world.geometry import Pose, Track

INNER, OUTER = 1, -1
STEP_M = 0.05

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lanes:
    """`points` (2, n, 2): x, y in metres of the outer and the inner lane, every `step_m` of the centre line."""

    points: Points
    step_m: float

    @property
    def length_m(self) -> float:
        """Length of the centre line, by which places along both lanes are told."""
        return self.step_m * len(self.points[0])

    def pose(self, s_m: float, lane: int) -> Pose:
        """The pose in a lane beside the centre line's place `s_m`, looking along the lane."""
        return Pose(*pose_between(self.points, self.step_m, s_m, 1.0 if lane == INNER else 0.0, 0.0))


def lanes_of(track: Track) -> Lanes:
    """The lanes of a track in its driving direction."""
    count = max(16, round(track.length_m / STEP_M))
    step_m = track.length_m / count
    middles = [_lane_middles(track, edge, count, step_m) for edge in (track.left, track.right)]
    left_is_inner = _loop_length_m(track.left) <= _loop_length_m(track.right)
    return Lanes(np.stack(middles[::-1] if left_is_inner else middles), step_m)


def _lane_middles(track: Track, edge: Points, count: int, step_m: float) -> Points:
    """Points (count, 2) halfway between the centre line and one edge."""
    middle = (track.centre + edge) / 2
    s_m = np.arange(count) * step_m
    rows_s_m = np.append(track.s_m, track.length_m)
    closed = np.vstack([middle, middle[:1]])
    return np.stack([np.interp(s_m, rows_s_m, closed[:, axis]) for axis in (0, 1)], axis=1)


def _loop_length_m(points: Points) -> float:
    return float(np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1).sum())


def pose_between(
    points: Points, step_m: float, s_m: float, inner_share: float, share_per_m: float
) -> tuple[float, float, float]:
    """(x, y, yaw) between the lanes at `s_m`: 0 is the outer lane, 1 the inner one; it changes by `share_per_m`.

    `points` and `step_m` are those of Lanes. Numba compiles it as it stands.
    """
    count = points.shape[1]
    at = s_m / step_m
    at -= math.floor(at / count) * count
    index = int(at)
    u = at - index
    index %= count
    before, after, beyond = (index - 1) % count, (index + 1) % count, (index + 2) % count
    x = y = along_x = along_y = 0.0
    for lane in range(2):
        weight = inner_share if lane == 1 else 1.0 - inner_share
        turn = share_per_m if lane == 1 else -share_per_m
        px = (1.0 - u) * points[lane, index, 0] + u * points[lane, after, 0]
        py = (1.0 - u) * points[lane, index, 1] + u * points[lane, after, 1]
        x += weight * px
        y += weight * py
        # the direction is that of central differences, blended over the step: it has no jump from step to step
        dx = (1.0 - u) * (points[lane, after, 0] - points[lane, before, 0])
        dx += u * (points[lane, beyond, 0] - points[lane, index, 0])
        dy = (1.0 - u) * (points[lane, after, 1] - points[lane, before, 1])
        dy += u * (points[lane, beyond, 1] - points[lane, index, 1])
        along_x += weight * dx / (2.0 * step_m) + turn * px
        along_y += weight * dy / (2.0 * step_m) + turn * py
    return x, y, math.atan2(along_y, along_x)
