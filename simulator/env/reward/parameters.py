"""The 27 parameters of the field's reward functions, from where the cars are.

Source: AWS DeepRacer developer guide, "Input parameters of the reward function", and what its simulator does where the
guide is silent (deepracer-simapp, markov/agent_ctrl and markov/track_geom): the place is that of the car's front, speed
and steering angle are those of the last action, `is_reversed` says that the track is driven clockwise, waypoints stand
in driving direction with the first one repeated at the end, progress starts at 0 where the episode starts.
"""

import copy
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.env.reward.function import Parameters
from simulator.env.reward.objects import NOTHING
from simulator.world.car import FRONT_M
from simulator.world.geometry import Track

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BACK, _AHEAD = 6, 12  # segments searched around the car's own


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What happened to one car in one step; angles of the action in degrees, + is left."""

    steps: int
    sim_time_s: float
    speed_mps: float
    steering_deg: float
    all_wheels_on_track: bool
    is_offtrack: bool
    is_crashed: bool = False


@dataclass(frozen=True, eq=False)
class FrontPlaces:
    """Where the fronts of N cars are on one track; each array has shape (N,)."""

    x: Floats
    y: Floats
    heading_deg: Floats  # -180 to 180
    projection_m: Floats  # along the centre line, from the start line
    from_centre_m: Floats
    is_left: NDArray[np.bool_]
    track_width_m: Floats


class RewardTrack:
    """One track in driving direction, as reward functions see it."""

    def __init__(self, track: Track) -> None:
        self.length_m = track.length_m
        self.clockwise = is_clockwise(track)
        rows = [(float(x), float(y)) for x, y in track.centre]
        self._waypoints = [*rows, rows[0]]
        self._at_m = [*(float(s) for s in track.s_m), track.length_m]
        self._centre, self._left, self._right = (ClosedLine(line) for line in (track.centre, track.left, track.right))

    def fronts(self, x: Floats, y: Floats, yaw: Floats, near: Integers) -> FrontPlaces:
        """The places of the fronts of cars at base `x`, `y` (m), `yaw` (rad), near segments `near`; all (N,)."""
        heading_deg = np.degrees(np.arctan2(np.sin(yaw), np.cos(yaw)))
        return self.places(x + FRONT_M * np.cos(yaw), y + FRONT_M * np.sin(yaw), near, heading_deg)

    def places(self, x: Floats, y: Floats, near: Integers, heading_deg: Floats | float = 0.0) -> FrontPlaces:
        """The places of points `x`, `y` (m) near segments `near`; all (N,)."""
        segment, share, centre_x, centre_y = self._centre.nearest(x, y, near)
        _, _, left_x, left_y = self._left.nearest(centre_x, centre_y, segment)
        _, _, right_x, right_y = self._right.nearest(centre_x, centre_y, segment)
        start = np.asarray(self._at_m)
        return FrontPlaces(
            x=x,
            y=y,
            heading_deg=np.broadcast_to(heading_deg, x.shape),
            projection_m=start[segment] + share * (start[segment + 1] - start[segment]),
            from_centre_m=np.hypot(x - centre_x, y - centre_y),
            is_left=np.hypot(x - left_x, y - left_y) < np.hypot(x - right_x, y - right_y),
            track_width_m=np.hypot(left_x - right_x, left_y - right_y),
        )

    def segments_at(self, s_m: Floats) -> Integers:
        """The segments at these distances along the centre line, (N,)."""
        return np.clip(np.searchsorted(self._at_m, s_m, side="right") - 1, 0, len(self._at_m) - 2)

    def closest_waypoints(self, projection_m: float) -> list[int]:
        """The indices of the waypoints behind and ahead of this distance along the centre line."""
        ahead = bisect_right(self._at_m, projection_m)
        return [ahead - 1, ahead % len(self._at_m)]

    def parameters(
        self, place: FrontPlaces, row: int, progress: float, facts: StepFacts, objects: Parameters | None = None
    ) -> Parameters:
        """The dictionary for car `row` of these places; new lists each time, since racers may change them.

        `objects`: what there is to say about boxes and bots, if there are any.
        """
        projection_m = float(place.projection_m[row])
        return {
            "all_wheels_on_track": facts.all_wheels_on_track,
            "x": float(place.x[row]),
            "y": float(place.y[row]),
            "heading": float(place.heading_deg[row]),
            "distance_from_center": float(place.from_centre_m[row]),
            "projection_distance": projection_m,
            "progress": progress,
            "steps": facts.steps,
            "speed": facts.speed_mps,
            "steering_angle": facts.steering_deg,
            "track_width": float(place.track_width_m[row]),
            "track_length": self.length_m,
            "waypoints": self._waypoints.copy(),
            "closest_waypoints": self.closest_waypoints(projection_m),
            "is_left_of_center": bool(place.is_left[row]),
            "is_reversed": self.clockwise,
            **(copy.deepcopy(NOTHING) if objects is None else objects),
            "is_crashed": facts.is_crashed,
            "is_offtrack": facts.is_offtrack,
            "sim_time": facts.sim_time_s,
        }


def is_clockwise(track: Track) -> bool:
    """True if the centre line runs clockwise, by the sign of the area that it encloses."""
    x, y = track.centre[:, 0], track.centre[:, 1]
    return bool(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0.0)


class ClosedLine:
    """A closed polyline, searched for the nearest point around a segment."""

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._from = np.asarray(points, np.float64)
        self._along = np.roll(self._from, -1, axis=0) - self._from
        self._squared = np.maximum((self._along**2).sum(axis=1), 1e-12)
        self._window = np.arange(-min(_BACK, len(points) // 2), min(_AHEAD, len(points) - len(points) // 2))

    def nearest(self, x: Floats, y: Floats, near: Integers) -> tuple[Integers, Floats, Floats, Floats]:
        """Segment, share of it, x and y of the nearest points around segments `near`; all (N,)."""
        around = (near[:, None] + self._window) % len(self._from)
        (from_x, from_y), (along_x, along_y) = self._from[around].T, self._along[around].T
        dx, dy = x - from_x, y - from_y  # (W, N)
        share = np.clip((dx * along_x + dy * along_y) / self._squared[around].T, 0.0, 1.0)
        off_x, off_y = dx - share * along_x, dy - share * along_y
        best = np.argmin(off_x * off_x + off_y * off_y, axis=0)
        row = np.arange(len(near))
        return around[row, best], share[best, row], x - off_x[best, row], y - off_y[best, row]
