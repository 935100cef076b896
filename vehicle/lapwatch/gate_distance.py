"""How far the gate's line is by the boards of one frame, pure: each board counts by how well its pixels show it.

The line's direction comes from how the boards face us and, far better, from where the two beside the road stand: a
board of 20 cm seen at 60 pixels tells its turn to 5 degrees, a pair that is 1.3 m apart tells it to one. A board 0.7 m
beside us at an angle that is wrong by 5 degrees is 6 cm off.
Called by: line_estimator.py.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vehicle.lapwatch.marker_finder import MarkerPose
from vehicle.lapwatch.markers import BoardKind

_HEADING_RAD = math.radians(20.0)  # cars come to the line about squarely, whatever a board of a few pixels says
_FACING_RAD = math.radians(8.0)  # how squarely boards are set up; blur adds to it, and it is the same in each frame
_PAIR_RAD = math.radians(1.2)  # and how squarely the nearest pair stands: 3 cm in 1.3 m
_BEND_RAD = math.radians(9.0)  # other pairs stand as the road turns behind the line
_MIN_PAIR_M = 0.3  # boards nearer to each other than this are not on both sides of the road


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, and how well it is known: one standard deviation, in the same unit."""

    value: float
    sigma: float


def line_distances_m(poses: Sequence[MarkerPose]) -> dict[BoardKind, Estimate]:
    """Metres from the lens to the gate's line by each kind of boards in the frame, the nearest to the line first."""
    if not poses:
        return {}
    turn = _turn_rad(poses)
    return {kind: _distance_m(_of_kind(poses, kind), turn) for kind in _kinds(poses)}


def weighted_mean(estimates: Iterable[Estimate]) -> Estimate:
    """The mean of independent estimates of one value, each weighed by its inverse variance."""
    weights, total = 0.0, 0.0
    for one in estimates:
        weight = 1.0 / one.sigma**2
        weights += weight
        total += weight * one.value
    return Estimate(total / weights, 1.0 / math.sqrt(weights))


def _distance_m(poses: Sequence[MarkerPose], turn: Estimate) -> Estimate:
    # Beside the lens and not across the road: in bends this trusts the last frames more, and reports are better by it.
    beside_m = statistics.fmean(pose.left_m for pose in poses)
    seen_m = max(pose.sigma_m for pose in poses) / math.sqrt(len(poses))
    mean_m = statistics.fmean(pose.to_line_m(turn.value) for pose in poses)
    return Estimate(mean_m, math.hypot(seen_m, beside_m * turn.sigma))


def _turn_rad(poses: Sequence[MarkerPose]) -> Estimate:
    """How far to the left the road turns from our heading, at the line."""
    seen = [Estimate(0.0, _HEADING_RAD)]
    seen += [Estimate(pose.yaw_rad, math.hypot(pose.yaw_sigma_rad, _FACING_RAD)) for pose in poses]
    for number, kind in enumerate(_kinds(poses)):
        mine = sorted(_of_kind(poses, kind), key=lambda pose: pose.left_m)
        right, left = mine[0], mine[-1]
        apart_m = left.left_m - right.left_m
        if apart_m >= _MIN_PAIR_M:
            pixels_rad = math.hypot(left.sigma_m, right.sigma_m) / apart_m
            turn_rad = math.atan2(right.ahead_m - left.ahead_m, apart_m)
            seen.append(Estimate(turn_rad, math.hypot(pixels_rad, _BEND_RAD if number else _PAIR_RAD)))
    return weighted_mean(seen)


def _kinds(poses: Iterable[MarkerPose]) -> list[BoardKind]:
    """The kinds in the frame, the nearest to the line first."""
    return sorted({pose.kind for pose in poses}, key=lambda kind: (abs(kind.after_line_m), kind.id))


def _of_kind(poses: Iterable[MarkerPose], kind: BoardKind) -> list[MarkerPose]:
    return [pose for pose in poses if pose.kind == kind]
