"""The expert: pure pursuit (Coulter 1992) along a smoothed line, slower where the road bends.

It decides by the pose alone, never by speed or the car's own gains, since the network sees only one picture. The line
cuts corners where the road is wide and stays in the middle where it is narrow.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.world.car import MAX_STEERING_RAD, WHEELBASE_M
from simulator.world.cars.profiles import car_profile
from simulator.world.geometry import Pose, Track

STEP_M = 0.05
NOMINAL_STEERING_GAIN = 0.65
KEEP_FROM_EDGE_M = 0.28  # the line stays this far inside the edge
MAX_CUT_M = 0.18
LEAD_M = 0.10  # distance that the car drives until the command takes effect
LOOK_WIDE_M, LOOK_NARROW_M = 0.72, 0.60
BEND_FROM_M, BEND_TO_M = 0.2, 1.7
LOOK_SHARES = {"console-2022": 2.0}  # of cars that turn in late: nearer, the expert would swing from side to side
FAST_BELOW_CURVATURE = 0.75  # 1/m
FAST_BELOW_OFFSET_M, FAST_BELOW_TURN_RAD = 0.16, 0.30

Array = NDArray[np.float64]


class ExpertDriver:
    """The expert driver for one track, or for one line along it: points (N, 2) at equal steps of the centre line.

    `look_share` below 1 keeps it closer to its line, with more steering; `steering_gain` is about that of the car.
    """

    def __init__(
        self,
        track: Track,
        line: Array | None = None,
        look_share: float = 1.0,
        steering_gain: float = NOMINAL_STEERING_GAIN,
    ) -> None:
        self.track = track
        self._steering_gain = steering_gain
        self._look_share = look_share
        count = max(16, round(track.length_m / STEP_M)) if line is None else len(line)
        self._step_m = track.length_m / count
        s_m = np.arange(count, dtype=np.float64) * self._step_m
        self._line = _smoothed_line(track, s_m) if line is None else line
        self._curvature = _curvature(self._line)

    @property
    def line(self) -> Array:
        """The line that it follows, points (N, 2) in metres at equal steps of the centre line."""
        return self._line

    @classmethod
    def of_profile(cls, track: Track, profile: str) -> "ExpertDriver":
        """The expert for cars of a profile."""
        return cls(track, None, LOOK_SHARES.get(profile, 1.0), car_profile(profile).middle.steering_gain)

    def command(self, pose: Pose, segment: int | None = None) -> tuple[float, float]:
        """(steering in [-1, 1], + is left; 1.0 for fast or 0.0) for a car at `pose`, near `segment` if known."""
        place = self.track.locate(pose.x, pose.y, segment)
        x, y = pose.x + LEAD_M * math.cos(pose.yaw), pose.y + LEAD_M * math.sin(pose.yaw)
        here = self._nearest(x, y, place.s_m)
        half = self.track.half_width_at(place.segment)
        look_m = self._look_share * float(np.interp(half, (0.33, 0.53), (LOOK_NARROW_M, LOOK_WIDE_M)))
        tx, ty = self._line[(here + round(look_m / self._step_m)) % len(self._line)]
        return self.steering_to(pose, float(tx), float(ty)), self._fast(x, y, pose.yaw, here)

    def steering_to(self, pose: Pose, target_x: float, target_y: float) -> float:
        """The steering, in [-1, 1], of a circle from where a command at `pose` takes effect through the target."""
        x, y = target_x - pose.x - LEAD_M * math.cos(pose.yaw), target_y - pose.y - LEAD_M * math.sin(pose.yaw)
        bearing = math.remainder(math.atan2(y, x) - pose.yaw, math.tau)
        bend = 2.0 * math.sin(max(-1.5, min(1.5, bearing))) / max(0.2, math.hypot(x, y))
        steering = math.atan(WHEELBASE_M * bend) / self._steering_gain / MAX_STEERING_RAD
        return max(-1.0, min(1.0, steering))

    def _fast(self, x: float, y: float, yaw: float, here: int) -> float:
        """True if the road ahead is straight enough, and the car placed well enough, to go fast."""
        first, last = round(BEND_FROM_M / self._step_m), round(BEND_TO_M / self._step_m)
        ahead = self._curvature[np.arange(here + first, here + last) % len(self._line)]
        (ax, ay), (bx, by) = self._line[here], self._line[(here + 1) % len(self._line)]
        turn = abs(math.remainder(math.atan2(by - ay, bx - ax) - yaw, math.tau))
        straight = float(ahead.max()) < FAST_BELOW_CURVATURE
        placed = math.hypot(ax - x, ay - y) < FAST_BELOW_OFFSET_M and turn < FAST_BELOW_TURN_RAD
        return 1.0 if straight and placed else 0.0

    def _nearest(self, x: float, y: float, s_m: float) -> int:
        middle = round(s_m / self._step_m)
        around = np.arange(middle - 24, middle + 25) % len(self._line)
        offsets = self._line[around] - (x, y)
        return int(around[int(np.argmin((offsets**2).sum(axis=1)))])


def _smoothed_line(track: Track, s_m: Array) -> Array:
    """The line to follow, one point per `s_m`, shape (N, 2): centre line pulled straight within the allowed cut."""
    poses = [track.pose_at(float(s)) for s in s_m]
    centre = np.array([(p.x, p.y) for p in poses])
    half = np.interp(s_m, track.s_m, [track.half_width_at(i) for i in range(len(track.s_m))], period=track.length_m)
    ahead = np.roll(centre, -1, axis=0) - np.roll(centre, 1, axis=0)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1)[:, None]
    room = np.clip(half - KEEP_FROM_EDGE_M, 0.02, MAX_CUT_M)
    aside = np.zeros(len(s_m))
    for _ in range(60):
        line = centre + normal * aside[:, None]
        pulled = _blur(line, 8)
        aside = np.clip(((pulled - centre) * normal).sum(axis=1), -room, room)
    return _blur(centre + normal * aside[:, None], 3)


def _blur(line: Array, reach: int) -> Array:
    """Replace each point of a closed line by the mean of its neighbours within `reach` steps."""
    total = sum((np.roll(line, shift, axis=0) for shift in range(-reach, reach + 1)), np.zeros_like(line))
    return np.asarray(total / (2 * reach + 1))


def _curvature(line: Array) -> Array:
    """Absolute curvature of a closed line at each point, 1/m, over about 0.3 m."""
    ahead = np.roll(line, -3, axis=0) - np.roll(line, 3, axis=0)
    heading = np.arctan2(ahead[:, 1], ahead[:, 0])
    turn = np.roll(heading, -3) - np.roll(heading, 3)
    steps = np.linalg.norm(np.roll(line, -3, axis=0) - np.roll(line, 3, axis=0), axis=1)
    return np.asarray(np.abs((turn + np.pi) % math.tau - np.pi) / np.maximum(steps, 1e-6))
