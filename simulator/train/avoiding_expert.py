"""The expert among boxes and bots: it sees the state, looks ahead along three lines and takes the one that stays free.

In each frame it drives every plan ahead for HORIZON_S: along its racing line, the inner or the outer lane, at each of
three speeds. It takes the plan that touches nothing for longest; among free ones the fastest, then the racing line.
Bots are foreseen where they will be, lane changes included.
"""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from simulator.objects.bots import Bots, bot_place
from simulator.objects.lanes import INNER, OUTER, lanes_of
from simulator.objects.outlines import BOT_OUTLINE, BOX_OUTLINE, CAR_OUTLINE, Outline
from simulator.objects.placing import PlacedObject
from simulator.train.expert import ExpertDriver
from simulator.world.geometry import Pose, Track, TrackPlace

HORIZON_S, STEP_S = 2.4, 0.08
TOUCH_ALONG_M, TOUCH_ACROSS_M = 0.10, 0.02  # nearer than this is a touch
CLEAR_M = 0.12  # to the side of an object; more is no better
ASIDE_PER_M = 0.40  # how far the car gets to the side in a metre of road
SPEED_LAG_S = 0.3
LOOK_SHARE = 0.8  # it keeps to its lane more closely than to the racing line
TRAIL_M = 0.18  # from the rear axle, which follows the line, to the point from which ExpertDriver steers
FAST, SLOW, STOP = 1.0, 0.0, -1.0  # as ExpertDriver says it, and a third: stand

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Advice:
    """Steering in [-1, 1] (+ is left), and FAST, SLOW or STOP."""

    steering: float
    speed: float


class AvoidingExpert:
    """The expert for one track with its boxes and bots; `speeds_mps` are those of fast and slow."""

    def __init__(
        self,
        track: Track,
        boxes: tuple[PlacedObject, ...] = (),
        bots: Bots | None = None,
        speeds_mps: tuple[float, float] = (1.8, 1.2),
    ) -> None:
        self.track = track
        self._bots = bots
        self._speeds = {FAST: speeds_mps[0], SLOW: speeds_mps[1], STOP: 0.0}
        lanes = lanes_of(track)
        lines = {0: None, INNER: lanes.points[1], OUTER: lanes.points[0]}
        self._drivers = {n: ExpertDriver(track, points, LOOK_SHARE if n else 1.0) for n, points in lines.items()}
        self._bends = {n: _bends(driver.line) if n else np.zeros(1) for n, driver in self._drivers.items()}
        self._asides = {line: _asides(track, driver.line) for line, driver in self._drivers.items()}
        self._plans = list(product(lines, (FAST, SLOW) if bots is None else (FAST, SLOW, STOP)))
        places = [track.locate(box.pose.x, box.pose.y) for box in boxes]
        self._boxes = np.array([(place.s_m, place.lateral_m) for place in places]).reshape(-1, 2)
        sample = lanes.pose(0.0, INNER)
        self._inner_side = 1.0 if track.locate(sample.x, sample.y).lateral_m > 0.0 else -1.0
        self._times = np.arange(1, round(HORIZON_S / STEP_S) + 1) * STEP_S
        self._last: int | None = None

    def advise(self, pose: Pose, speed_mps: float, clock_s: float = 0.0, segment: int | None = None) -> Advice:
        """What to do at `pose`, at this speed, when the bots' clock shows `clock_s`."""
        place = self.track.locate(pose.x, pose.y, segment)
        half_lane_m = self.track.half_width_at(place.segment) / 2
        things = self._things(clock_s, half_lane_m)
        best: tuple[tuple[float, ...], Advice, int] | None = None
        commands = {
            n: driver.command(self._turned(pose, n, place.s_m), place.segment) for n, driver in self._drivers.items()
        }
        for line, speed in self._plans:
            steering, fast = commands[line]
            if speed == FAST and fast < 1.0:
                continue
            free_s, clear_m = self._outlook(place, line, speed_mps, self._speeds[speed], things)
            score = (free_s, clear_m, speed, float(line == 0), float(line == self._last))
            if best is None or score > best[0]:
                best = score, Advice(steering, speed), line
        assert best is not None
        self._last = best[2]
        return best[1]

    def _things(self, clock_s: float, half_lane_m: float) -> list[tuple[Array, Array, Outline]]:
        """What is on the road in the time ahead: along (m), to the side (m), each (T,) or a number; and its outline."""
        boxes = [(np.array(s_m), np.array(aside_m), BOX_OUTLINE) for s_m, aside_m in self._boxes.tolist()]
        return boxes + [(*self._bot(n, clock_s, half_lane_m), BOT_OUTLINE) for n in range(len(self._bots or ()))]

    def _bot(self, n: int, clock_s: float, half_lane_m: float) -> tuple[Array, Array]:
        bots = self._bots
        assert bots is not None
        start_m, inner, period_s = (float(each[n]) for each in (bots.starts_m, bots.first_inner, bots.periods_s))
        ahead = [
            bot_place(start_m, bots.speed_mps, inner, bots.changes_s[n], period_s, clock_s + float(t))
            for t in self._times
        ]
        along, share, _ = np.array(ahead).T
        return along, (2.0 * share - 1.0) * self._inner_side * half_lane_m

    def _turned(self, pose: Pose, line: int, s_m: float) -> Pose:
        """The pose with the direction in which the line bends on from the rear axle, so that curves are not cut."""
        bends = self._bends[line]
        bend = float(bends[int(s_m / self.track.length_m * len(bends)) % len(bends)])
        return Pose(pose.x, pose.y, pose.yaw + bend * TRAIL_M)

    def _outlook(
        self, place: TrackPlace, line: int, speed_mps: float, to_mps: float, things: list[tuple[Array, Array, Outline]]
    ) -> tuple[float, float]:
        """How long (s, at most HORIZON_S) the car touches nothing if it goes over to that line and that speed, and how
        far (m, at most CLEAR_M) it stays to the side of what it passes."""
        fades = np.exp(-self._times / SPEED_LAG_S)
        way_m = to_mps * self._times + (speed_mps - to_mps) * SPEED_LAG_S * (1.0 - fades)
        table = self._asides[line]
        length_m = self.track.length_m
        wanted = table[((place.s_m + way_m) / length_m * len(table)).astype(int) % len(table)]
        aside = place.lateral_m + np.clip(wanted - place.lateral_m, -way_m * ASIDE_PER_M, way_m * ASIDE_PER_M)
        free_s, clear_m = HORIZON_S, CLEAR_M
        for along, beside, outline in things:
            gap = place.s_m + way_m - along
            gap = np.abs(gap - length_m * np.round(gap / length_m))
            passing = gap < CAR_OUTLINE.front_m + outline.front_m + TOUCH_ALONG_M
            room_m = np.abs(aside - beside) - CAR_OUTLINE.half_width_m - outline.half_width_m
            if passing.any():
                clear_m = min(clear_m, float(room_m[passing].min()))
            touching = passing & (room_m < TOUCH_ACROSS_M)
            if touching.any():
                free_s = min(free_s, float(self._times[int(touching.argmax())]))
        return round(free_s, 2), round(clear_m, 2)


def _bends(line: Array) -> Array:
    """Signed curvature (1/m, + is left) of a closed line at each of its points, over about 0.3 m."""
    ahead = np.roll(line, -3, axis=0) - np.roll(line, 3, axis=0)
    heading = np.arctan2(ahead[:, 1], ahead[:, 0])
    turn = np.roll(heading, -3) - np.roll(heading, 3)
    return np.asarray((turn - math.tau * np.round(turn / math.tau)) / np.hypot(*ahead.T))


def _asides(track: Track, line: Array) -> Array:
    """How far (m, + is left) a line lies from the centre line at each of its points."""
    return np.array([track.locate(x, y).lateral_m for x, y in line.tolist()])
