"""Gates: the exact instants at which the car breaks and clears a beam across the track.

Between two steps of the world each end of the car moves in a straight line; the crossing instant is interpolated
on it in exact integer arithmetic as far as the nanosecond grid allows. A beam is broken when the leading end passes
the line and restored when the trailing end has; driven backwards, the rear leads.
"""

import math
from dataclasses import dataclass

from simulator.world.car import FRONT_M, REAR_M, CarPose
from simulator.world.geometry import Track
from simulator.world.world_events import FORWARD, REVERSE, BeamEdge, TrueCrossing

REACH_M = 0.25  # the beam's reach beyond the edges of the road


@dataclass(frozen=True, slots=True)
class GateLine:
    """A line across the track; `ahead_m` of a point is its distance beyond the line in driving direction."""

    name: str
    middle: tuple[float, float]
    along: tuple[float, float]  # unit vector in driving direction
    half_m: float

    def ahead_m(self, x: float, y: float) -> float:
        """Metres beyond the line (negative: before it)."""
        return (x - self.middle[0]) * self.along[0] + (y - self.middle[1]) * self.along[1]

    def beside_m(self, x: float, y: float) -> float:
        """Metres left of the middle of the line."""
        return (y - self.middle[1]) * self.along[0] - (x - self.middle[0]) * self.along[1]


def line_across(track: Track, name: str, s_m: float = 0.0) -> GateLine:
    """The gate line at `s_m` along the track, from post to post."""
    (lx, ly), (rx, ry) = track.line_at(s_m)
    width = math.hypot(rx - lx, ry - ly)
    along = ((ly - ry) / width, (rx - lx) / width)
    return GateLine(name, ((lx + rx) / 2, (ly + ry) / 2), along, width / 2 + REACH_M)


class Beam:
    """One gate's light beam; `move` returns what changed between two poses of the car."""

    def __init__(self, line: GateLine) -> None:
        self.line = line
        self._broken = False

    def move(self, before: CarPose, before_ns: int, after: CarPose, after_ns: int) -> list[BeamEdge | TrueCrossing]:
        """The edge of one step, and the crossing if an end of the car broke the beam."""
        blocked = self._blocked_by(after)
        if blocked == self._broken:
            return []
        self._broken = blocked
        at_ns, direction = self._passing(before, before_ns, after, after_ns)
        edge = BeamEdge(self.line.name, blocked, at_ns)
        return [edge, TrueCrossing(at_ns, direction, self.line.name)] if blocked and direction else [edge]

    def lift(self, at_ns: int) -> list[BeamEdge]:
        """Restore a broken beam: the car was taken off the track."""
        if not self._broken:
            return []
        self._broken = False
        return [BeamEdge(self.line.name, False, at_ns)]

    def _blocked_by(self, pose: CarPose) -> bool:
        """True if the car is in the beam, between the posts."""
        front, rear = pose.ahead(FRONT_M), pose.ahead(REAR_M)
        front_m, rear_m = self.line.ahead_m(*front), self.line.ahead_m(*rear)
        if (front_m < 0.0) == (rear_m < 0.0):
            return False
        share = front_m / (front_m - rear_m)
        beside = (1.0 - share) * self.line.beside_m(*front) + share * self.line.beside_m(*rear)
        return abs(beside) <= self.line.half_m

    def _passing(self, before: CarPose, before_ns: int, after: CarPose, after_ns: int) -> tuple[int, int]:
        """(time in ns, direction) at which an end of the car crossed the line; direction 0: it slid past a post."""
        for end_m in (FRONT_M, REAR_M):
            a, b = self.line.ahead_m(*before.ahead(end_m)), self.line.ahead_m(*after.ahead(end_m))
            if (a < 0.0) != (b < 0.0):
                at_ns = before_ns + round(a / (a - b) * (after_ns - before_ns))
                return at_ns, FORWARD if a < 0.0 else REVERSE
        return after_ns, 0
