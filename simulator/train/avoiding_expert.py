"""The expert among boxes and bots: it sees the state, looks ahead along three lines and takes the one that stays free.

In each frame it drives every plan ahead for HORIZON_S: along its racing line, the inner or the outer lane, at each of
three speeds. It takes the plan that touches nothing for longest; among free ones the fastest, then the racing line.
Bots are foreseen where they will be, lane changes included.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from simulator.objects.bots import Bots, bot_place
from simulator.objects.lanes import INNER, OUTER, lanes_of
from simulator.objects.outlines import BOT_OUTLINE, BOX_OUTLINE, CAR_OUTLINE, Outline
from simulator.objects.placing import PlacedObject
from simulator.train.expert import LOOK_SHARES, ExpertDriver
from simulator.world.cars.profiles import PHYSICAL, car_profile
from simulator.world.geometry import Pose, Track, TrackPlace

HORIZON_S, STEP_S = 2.4, 0.08
TOUCH_ACROSS_M = 0.02  # nearer than this is a touch; along the road, so much more than the outlines:
BOX_ALONG_M, BOT_ALONG_M = 0.10, 0.20
SEEN = 9  # moments ahead at which bots are foreseen; between them they go straight
CLEAR_M = 0.12  # to the side of an object; more is no better
ASIDE_PER_M = 0.40  # how far the car gets to the side in a metre of road
SPEED_LAG_S = 0.3
LOOK_SHARE = 0.8  # it keeps to its lane more closely than to the racing line
WIDE = 1.4  # of a lane's distance from the middle: how far out it passes if it eases back
EASE_PER_M, EASE_LOOK_M = 0.09, 0.75  # towards the middle in a metre of road; how far ahead it aims for that
TRAIL_M = 0.18  # from the rear axle, which follows the line, to the point from which ExpertDriver steers
FAST, SLOW, STOP = 1.0, 0.0, -1.0  # as ExpertDriver says it, and a third: stand

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Advice:
    """Steering in [-1, 1] (+ is left), and FAST, SLOW or STOP."""

    steering: float
    speed: float


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Things on the road: where their middles are along (m) and to the side (m), (things, T) or (things, 1); and how
    near the car's middle may come, (things, 1)."""

    along_m: Array
    aside_m: Array
    reach_along_m: Array
    reach_aside_m: Array

    def beside(self, still: "Foreseen") -> "Foreseen":
        """These and those that stand still."""
        shape = (len(still.along_m), self.along_m.shape[1])
        return Foreseen(
            np.vstack([self.along_m, np.broadcast_to(still.along_m, shape)]),
            np.vstack([self.aside_m, np.broadcast_to(still.aside_m, shape)]),
            np.vstack([self.reach_along_m, still.reach_along_m]),
            np.vstack([self.reach_aside_m, still.reach_aside_m]),
        )


class AvoidingExpert:
    """The expert for one track with its boxes and bots; `speeds_mps` are those of fast and slow.

    `eases_back`: beside a box a camera sees it no more, and a model that has nothing else must not come back into its
    lane at once. So it has no racing line: it passes wider, then comes back towards the middle slowly, seen or not.
    """

    def __init__(
        self,
        track: Track,
        boxes: tuple[PlacedObject, ...] = (),
        bots: Bots | None = None,
        speeds_mps: tuple[float, float] = (1.8, 1.2),
        *,
        eases_back: bool = False,
        profile: str = PHYSICAL,
    ) -> None:
        self.track = track
        self._bots, self._eases_back = bots, eases_back
        self._lines = lines = _lines_of(track, profile, WIDE if eases_back else 1.0)
        self._plans = list(product(lines.drivers, (FAST, SLOW) if bots is None else (FAST, SLOW, STOP)))
        speeds = {FAST: speeds_mps[0], SLOW: speeds_mps[1], STOP: 0.0}
        self._to_mps = np.array([[speeds[speed]] for _, speed in self._plans])
        self._plan_lines = np.array([[list(lines.drivers).index(line)] for line, _ in self._plans])
        places = np.array([track.locate(box.pose.x, box.pose.y)[1:] for box in boxes]).reshape(-1, 2)
        self._boxes = Foreseen(places[:, :1], places[:, 1:], *_reach(BOX_OUTLINE, len(boxes), BOX_ALONG_M))
        self._times = np.arange(1, round(HORIZON_S / STEP_S) + 1) * STEP_S
        self._seen_s = np.linspace(0.0, HORIZON_S, SEEN).tolist()
        self._last: int | None = None

    def advise(self, pose: Pose, speed_mps: float, clock_s: float = 0.0, segment: int | None = None) -> Advice:
        """What to do at `pose`, at this speed, when the bots' clock shows `clock_s`."""
        place = self.track.locate(pose.x, pose.y, segment)
        commands = {
            n: each.command(self._turned(pose, n, place.s_m), place.segment) for n, each in self._lines.drivers.items()
        }
        if self._eases_back:
            commands[0] = self._easing_back(pose, place), max(fast for _, fast in commands.values())
        free_s, clear_m = self._outlook(place, speed_mps, self._foreseen(clock_s, place.segment))
        best: tuple[tuple[float, ...], Advice, int] | None = None
        for n, (line, speed) in enumerate(self._plans):
            steering, fast = commands[line]
            if speed == FAST and fast < 1.0:
                continue
            score = (float(free_s[n]), float(clear_m[n]), speed, float(line == 0), float(line == self._last))
            if best is None or score > best[0]:
                best = score, Advice(steering, speed), line
        assert best is not None
        self._last = best[2]
        return best[1]

    def _easing_back(self, pose: Pose, place: TrackPlace) -> float:
        """The steering along the road, slowly towards its middle."""
        aside_m = math.copysign(max(0.0, abs(place.lateral_m) - EASE_PER_M * EASE_LOOK_M), place.lateral_m)
        target = self.track.pose_at(place.s_m + EASE_LOOK_M, aside_m)
        count = len(self._lines.middle_bend)
        bend = float(self._lines.middle_bend[int(place.s_m / self.track.length_m * count) % count])
        turned = Pose(pose.x, pose.y, pose.yaw + bend * TRAIL_M)
        return self._lines.drivers[0].steering_to(turned, target.x, target.y)

    def _foreseen(self, clock_s: float, segment: int) -> Foreseen:
        """Where everything on the road is in the time ahead."""
        bots = self._bots
        if bots is None:
            return self._boxes
        half_lane_m = self.track.half_width_at(segment) / 2
        along, aside = np.empty((len(bots), len(self._times))), np.empty((len(bots), len(self._times)))
        for n in range(len(bots)):
            start_m, inner, period_s = (float(each[n]) for each in (bots.starts_m, bots.first_inner, bots.periods_s))
            seen = [
                bot_place(start_m, bots.speed_mps, inner, bots.changes_s[n], period_s, clock_s + at_s)
                for at_s in self._seen_s
            ]
            along[n] = np.interp(self._times, self._seen_s, [each[0] for each in seen])
            share = np.interp(self._times, self._seen_s, [each[1] for each in seen])
            aside[n] = (2.0 * share - 1.0) * self._lines.inner_side * half_lane_m
        both = Foreseen(along, aside, *_reach(BOT_OUTLINE, len(bots), BOT_ALONG_M))
        return both.beside(self._boxes)

    def _turned(self, pose: Pose, line: int, s_m: float) -> Pose:
        """The pose with the direction in which the line bends on from the rear axle, so that curves are not cut."""
        bends = self._lines.bends[line]
        bend = float(bends[int(s_m / self.track.length_m * len(bends)) % len(bends)])
        return Pose(pose.x, pose.y, pose.yaw + bend * TRAIL_M)

    def _outlook(self, place: TrackPlace, speed_mps: float, things: Foreseen) -> tuple[Array, Array]:
        """Of each plan (P,): how long (s, at most HORIZON_S) the car touches nothing, and how far (m, at most CLEAR_M)
        it stays to the side of what it passes."""
        fades = 1.0 - np.exp(-self._times / SPEED_LAG_S)
        way_m = self._to_mps * self._times + (speed_mps - self._to_mps) * SPEED_LAG_S * fades  # (P, T)
        length_m, count = self.track.length_m, self._lines.asides_m.shape[1]
        at = ((place.s_m + way_m) / length_m * count).astype(int) % count
        wanted = self._lines.asides_m[self._plan_lines, at] - place.lateral_m
        if self._eases_back:
            eased = -math.copysign(1.0, place.lateral_m) * np.minimum(abs(place.lateral_m), EASE_PER_M * way_m)
            wanted = np.where(self._plan_lines == 0, eased, wanted)
        aside = place.lateral_m + np.clip(wanted, -way_m * ASIDE_PER_M, way_m * ASIDE_PER_M)
        gap = place.s_m + way_m[:, None] - things.along_m
        there = (things.along_m / length_m * count).astype(int) % count
        shorter = np.clip(
            1.0 - self._lines.middle_bend[there] * things.aside_m, 0.3, 1.0
        )  # a metre of the track, inside a bend
        gap = np.abs(gap - length_m * np.round(gap / length_m)) * shorter  # (P, things, T)
        passing = gap < things.reach_along_m
        room_m = np.where(passing, np.abs(aside[:, None] - things.aside_m) - things.reach_aside_m, CLEAR_M)
        touching = np.any(room_m < TOUCH_ACROSS_M, axis=1)
        first = np.where(np.any(touching, axis=1), self._times[touching.argmax(axis=1)], HORIZON_S)
        clear_m = np.minimum(room_m.min(axis=(1, 2), initial=CLEAR_M), CLEAR_M)
        return np.asarray(np.round(first, 2), np.float64), np.asarray(np.round(clear_m, 2), np.float64)


def _reach(outline: Outline, count: int, margin_m: float) -> tuple[Array, Array]:
    """How near the car's middle may come to that of `count` outlines, along and to the side: (count, 1) each."""
    along_m = CAR_OUTLINE.front_m + outline.front_m + margin_m
    return np.full((count, 1), along_m), np.full((count, 1), CAR_OUTLINE.half_width_m + outline.half_width_m)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The three lines of a track, which all its experts share: the racing line (0), INNER and OUTER."""

    drivers: dict[int, ExpertDriver]
    bends: dict[int, Array]  # 1/m, + is left; 0 of the racing line, which may cut its curves
    asides_m: Array  # from the centre line, + is left, (lines, N)
    middle_bend: Array
    inner_side: float  # 1 if the inner lane is the left one, else -1


@lru_cache(maxsize=64)
def _lines_of(track: Track, profile: str, wide: float) -> _Lines:
    lanes = lanes_of(track)
    middle = lanes.points.mean(axis=0)
    outer, inner = middle + wide * (lanes.points - middle)
    lines = {0: None, INNER: inner, OUTER: outer}
    gain, look = car_profile(profile).middle.steering_gain, LOOK_SHARES.get(profile, 1.0)
    drivers = {n: ExpertDriver(track, points, look * (LOOK_SHARE if n else 1.0), gain) for n, points in lines.items()}
    bends = {n: _bends(driver.line) if n else np.zeros(1) for n, driver in drivers.items()}
    asides = np.stack([_asides(track, driver.line) for driver in drivers.values()])
    return _Lines(drivers, bends, asides, _bends(middle), float(np.sign(asides[1, 0])))


def _bends(line: Array) -> Array:
    """Signed curvature (1/m, + is left) of a closed line at each of its points, over about 0.3 m."""
    ahead = np.roll(line, -3, axis=0) - np.roll(line, 3, axis=0)
    heading = np.arctan2(ahead[:, 1], ahead[:, 0])
    turn = np.roll(heading, -3) - np.roll(heading, 3)
    return np.asarray((turn - math.tau * np.round(turn / math.tau)) / np.hypot(*ahead.T))


def _asides(track: Track, line: Array) -> Array:
    """How far (m, + is left) a line lies from the centre line at each of its points."""
    return np.array([track.locate(x, y).lateral_m for x, y in line.tolist()])
