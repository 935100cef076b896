"""Estimates when the car's nose passed the line, pure: boards seen in stamped frames go in, crossings come out.

Each frame in which boards are seen gives a distance to the line. A straight line fitted to the last few over time
gives the instant at which the distance is zero; once that is past and the boards are out of sight or behind, the line
was passed. Boards that stand farther behind the line are seen longer, but where the road bends their distance is not
the line's; so they are corrected by what the nearest kind measured in the same frames. Far away a few pixels show a
board, and it is wrong by decimetres: all of this weighs each distance by how well its pixels tell it.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from shared.units import NS_PER_MS, NS_PER_S, seconds_to_ns
from vehicle.lapwatch.gate_distance import Estimate, line_distances_m, weighted_mean
from vehicle.lapwatch.marker_finder import MarkerPose
from vehicle.lapwatch.markers import BoardKind

_MAX_FITTED = 5
_FIT_SPAN_NS = 600 * NS_PER_MS
_MIN_SIGHTINGS = 3
NEAR_M = 1.0  # boards lost farther away than this were not passed
_MAX_YAW_RAD = math.radians(60)  # a board seen more from the side is measured poorly
_MAX_DISTANCE_SIZES = 10.0  # and so is one farther away than this many times its size
_LOST_NS = 110 * NS_PER_MS
_RESET_NS = 2_000 * NS_PER_MS
_MIN_SPEED_MPS = 0.15
_BEHIND_M = 0.02
_MIN_APPROACH_M = 0.15  # an approach begins at least this far before the line
_WEIGHT_DECAY = 0.6  # of each older frame relative to the next: cars change their speed at the line
_MAX_UNCERTAINTY_NS = 350 * NS_PER_MS  # a worse estimate is not reported, for example when a car sets off
_EXTRAPOLATION_ERROR = 0.25  # by bends and changing speed, as a share of the extrapolated time
_UNCORRECTED = Estimate(0.0, 0.10)  # metres by which a kind is off before it is measured: a bend of 9 degrees does that
_STEADY_M = 0.005  # no distance is known better: boards are set up by hand, and the car nods
_STRIPE_SIGMA_M = 0.02


@dataclass(frozen=True, slots=True)
class LineCrossing:
    """The car's nose passed the line at `at_ns`, give or take `uncertainty_ns`."""

    at_ns: int
    frames_seen: int
    uncertainty_ns: int
    lap_ns: int | None


@dataclass(frozen=True, slots=True)
class _Sighting:
    at_ns: int
    distance_m: float
    sigma_m: float


class LineEstimator:
    """Every frame goes in, in order of time; a crossing comes out when the line was passed."""

    def __init__(self, min_lap_s: float, camera_ahead_m: float, near_m: float = NEAR_M) -> None:
        self._near_m = near_m
        self._min_lap_ns = seconds_to_ns(min_lap_s)
        self._camera_ahead_m = camera_ahead_m
        self._sightings: deque[_Sighting] = deque(maxlen=_MAX_FITTED)
        self._corrections: dict[BoardKind, Estimate] = {}
        self._frames_seen = 0
        self._standstill_ns: int | None = None
        self._last_crossing_ns: int | None = None
        self._last_frame_ns = -1

    def on_markers(self, at_ns: int, poses: Sequence[MarkerPose], *, moved: bool) -> LineCrossing | None:
        """Process the boards seen in one frame; returns a crossing once the line was passed, else None.

        `moved`: whether the picture has changed since the frame before.
        """
        if at_ns <= self._last_frame_ns:
            return None  # a repeated frame adds nothing
        return self._update(at_ns, self._lens_to_line_m([pose for pose in poses if _is_measurable(pose)]), moved=moved)

    def on_line_distance(self, at_ns: int, lens_to_line_m: float | None, *, moved: bool) -> LineCrossing | None:
        """Process the distance from the lens to the line in one frame, None if the line was not seen.

        Returns a crossing once the line was passed, else None.
        """
        if at_ns <= self._last_frame_ns:
            return None
        seen = None if lens_to_line_m is None else Estimate(lens_to_line_m, _STRIPE_SIGMA_M)
        return self._update(at_ns, seen, moved=moved)

    def _update(self, at_ns: int, lens_to_line_m: Estimate | None, *, moved: bool) -> LineCrossing | None:
        self._last_frame_ns = at_ns
        if lens_to_line_m is not None:
            nose_to_line_m = lens_to_line_m.value + self._camera_ahead_m
            self._add_sighting(_Sighting(at_ns, nose_to_line_m, math.hypot(lens_to_line_m.sigma, _STEADY_M)))
        elif not moved and self._standstill_ns is None:
            self._standstill_ns = at_ns
        return self._check_crossing(at_ns)

    def _add_sighting(self, sighting: _Sighting) -> None:
        if self._sightings and sighting.at_ns - self._sightings[-1].at_ns > _RESET_NS:
            self._reset()
        if not self._sightings and sighting.distance_m < _MIN_APPROACH_M:
            return  # the boards of a line that was just passed, or where the car was put down
        self._sightings.append(sighting)
        self._frames_seen += 1
        self._standstill_ns = None

    def _lens_to_line_m(self, poses: Sequence[MarkerPose]) -> Estimate | None:
        """Metres from the lens to the line, by the nearest kind of boards in the frame; None without boards."""
        distances = line_distances_m(poses)
        if not distances:
            return None
        (nearest, seen), *farther = distances.items()
        known = self._corrections.get(nearest, Estimate(0.0, 0.0))
        line_m = Estimate(seen.value - known.value, math.hypot(seen.sigma, known.sigma))
        for kind, other in farther:
            differs = Estimate(other.value - line_m.value, math.hypot(other.sigma, line_m.sigma))
            self._corrections[kind] = weighted_mean([self._corrections.get(kind, _UNCORRECTED), differs])
        return line_m

    def _check_crossing(self, now_ns: int) -> LineCrossing | None:
        """The crossing, if the line has been passed by now; else None."""
        sightings = [
            sighting for sighting in self._sightings if self._sightings[-1].at_ns - sighting.at_ns <= _FIT_SPAN_NS
        ]
        if not sightings:
            return None
        lost_ns = now_ns - sightings[-1].at_ns
        if lost_ns > _RESET_NS or (lost_ns > _LOST_NS and sightings[-1].distance_m > self._near_m):
            self._reset()
            return None
        if len(sightings) < _MIN_SIGHTINGS or not (lost_ns > _LOST_NS or sightings[-1].distance_m < -_BEHIND_M):
            return None
        last_m = _last_distance_m(sightings)
        if last_m.value + last_m.sigma > self._near_m:
            return None  # it may be far away still: a few pixels said otherwise
        fit = _fit_crossing(sightings)
        if fit is None or now_ns < fit[0] or fit[1] > _MAX_UNCERTAINTY_NS:
            return None
        if self._standstill_ns is not None and self._standstill_ns < fit[0]:
            return None  # it stopped before the line
        return self._report_crossing(*fit)

    def _report_crossing(self, at_ns: int, uncertainty_ns: int) -> LineCrossing | None:
        """The crossing at `at_ns`; None if it is too soon after the last one."""
        last_ns, seen = self._last_crossing_ns, self._frames_seen
        self._reset()
        if last_ns is not None and at_ns - last_ns < self._min_lap_ns:
            return None
        self._last_crossing_ns = at_ns
        return LineCrossing(at_ns, seen, uncertainty_ns, None if last_ns is None else at_ns - last_ns)

    def _reset(self) -> None:
        self._sightings.clear()
        self._corrections.clear()
        self._frames_seen = 0
        self._standstill_ns = None


def _last_distance_m(sightings: Sequence[_Sighting]) -> Estimate:
    """How far the line was at the last sighting, as the fitted line has it."""
    times_s, weights = _times_s(sightings), _weights(sightings)
    middle_s, total = _mean(times_s, weights), sum(weights)
    spread = _mean([(time_s - middle_s) ** 2 for time_s in times_s], weights)
    shares = [
        weight / total * (1 - middle_s * (time_s - middle_s) / spread)
        for time_s, weight in zip(times_s, weights, strict=True)
    ]
    value_m = sum(share * one.distance_m for share, one in zip(shares, sightings, strict=True))
    return Estimate(value_m, math.hypot(*(share * one.sigma_m for share, one in zip(shares, sightings, strict=True))))


def _fit_crossing(sightings: Sequence[_Sighting]) -> tuple[int, int] | None:
    """When the fitted distance is zero, and its uncertainty, both in ns; None if the car does not approach."""
    origin_ns = sightings[-1].at_ns
    times_s, weights = _times_s(sightings), _weights(sightings)
    distances_m = [sighting.distance_m for sighting in sightings]
    slope, at_origin_m = _fit_line(times_s, distances_m, weights)
    if -slope < _MIN_SPEED_MPS:
        return None
    ahead_s = at_origin_m / -slope
    misses = [(d - (at_origin_m + slope * t)) ** 2 for t, d in zip(times_s, distances_m, strict=True)]
    scatter_s = math.sqrt(_mean(misses, weights)) / -slope
    uncertainty_s = scatter_s + _EXTRAPOLATION_ERROR * abs(ahead_s)
    return origin_ns + round(ahead_s * NS_PER_S), max(NS_PER_MS, round(uncertainty_s * NS_PER_S))


def _times_s(sightings: Sequence[_Sighting]) -> list[float]:
    """When each was, in seconds after the last one."""
    return [(sighting.at_ns - sightings[-1].at_ns) / NS_PER_S for sighting in sightings]


def _weights(sightings: Sequence[_Sighting]) -> list[float]:
    ages = reversed(range(len(sightings)))
    return [_WEIGHT_DECAY**age / sighting.sigma_m**2 for age, sighting in zip(ages, sightings, strict=True)]


def _fit_line(x: Sequence[float], y: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """The weighted line of least squares: slope, and value at x = 0."""
    middle_x, middle_y = _mean(x, weights), _mean(y, weights)
    spread = _mean([(a - middle_x) ** 2 for a in x], weights)
    slope = _mean([(a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True)], weights) / spread
    return slope, middle_y - slope * middle_x


def _is_measurable(pose: MarkerPose) -> bool:
    """Whether the board is seen well enough to measure by."""
    return abs(pose.yaw_rad) <= _MAX_YAW_RAD and 0 < pose.ahead_m <= _MAX_DISTANCE_SIZES * pose.kind.size_m


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
