"""What counts in a run: its laps, its resets and its end, from what happens in the world. Pure.

A penalty is a pause that counts. Where a car drives alone nothing moves in it, so the world is not stepped: the race's
clock is the time as driven and the penalties until then. Where somebody waits for nobody, a rival or an audience, it is
served: the car stands while time goes on. Either way laps are written down as driven, with what happened in them; the
rules of the race add the penalties when they are ranked (shared/rules/ranking.py), as on a physical track.
"""

from typing import Literal

from shared.conditions import Conditions, DrivenRules
from shared.rules.ranking import RunLap
from shared.traces.trace import EventKind, TraceEvent

RunEnd = Literal["laps", "time", "resets"]
FaultKind = Literal["off_track", "crashed", "reversed", "immobilized"]

NS_PER_MS = 1_000_000
MIN_LAP_SHARE = (
    0.5  # of a lap that lies between two crossings: a car that was put back before the line crosses it again
)


def laps_of(conditions: Conditions) -> int:
    """How many laps a run has."""
    return min(conditions.laps, conditions.rules.max_laps or conditions.laps)


class RunBook:
    """The book of one run. Times are ns of the world since the start, `progress_m` is metres made good since then.

    `crossings_ns`: of the race's clock, the first begins lap 1; `reached_m`: how far it got beyond the start line, laps
    included, and when. `waits_until_ns`: when a penalty that is `served` is over.
    """

    def __init__(self, conditions: Conditions, length_m: float, before_line_m: float, served: bool = False) -> None:
        self._rules: DrivenRules = conditions.rules
        self._length_m = length_m
        self._wanted = laps_of(conditions)
        self._max_resets = conditions.resets
        self._limit_ns = conditions.run_limit_ms * NS_PER_MS
        self.before_line_m = self._line_m = before_line_m
        self.served = served
        self._began_ns: int | None = 0 if conditions.rules.lap_1_from == "signal" else None
        self._counted_from_ns = self._began_ns
        self._counts: dict[FaultKind, int] = {}
        self._penalties_ns = 0  # beside the world's time
        self._stood_ns = 0  # in this lap, serving penalties
        self._furthest_m = 0.0
        self.waits_until_ns = 0
        self.reached_m, self.reached_ns = -before_line_m, 0
        self.laps: list[RunLap] = []
        self.crossings_ns: list[int] = [] if self._began_ns is None else [0]
        self.events: list[TraceEvent] = []
        self.resets = 0
        self.end: RunEnd | None = None
        if self._began_ns is not None:
            self.events.append(TraceEvent(0, "line"))

    @property
    def progress_ppm(self) -> int:
        """How far the car came in the lap that it did not finish, in millionths of it."""
        return round(min(1.0, max(0.0, self._furthest_m / self._length_m)) * 1_000_000)

    @property
    def lap_began_ns(self) -> int | None:
        """When the lap in progress began; None before lap 1."""
        return self._began_ns

    def stop(self, at_ns: int) -> None:
        """Somebody ends the run."""
        if self.end is None:
            self._end(at_ns, "time")

    def clock_ns(self, at_ns: int) -> int:
        """The race's clock."""
        return at_ns + self._penalties_ns

    def cross(self, at_ns: int, progress_m: float) -> None:
        """The car crossed the start line forwards."""
        if self.end is not None:
            return
        if self._began_ns is None:
            self._began_ns = self._counted_from_ns = at_ns
            self.crossings_ns.append(self.clock_ns(at_ns))
            self._begin_lap(progress_m)
            self.events.append(TraceEvent(at_ns, "line"))
            return
        lap_ns = at_ns - self._began_ns - self._stood_ns
        if progress_m - self._line_m < MIN_LAP_SHARE * self._length_m or lap_ns < self._rules.min_lap_ns:
            return
        late = self._is_late(at_ns)
        if late and self._rules.at_time_limit == "stop":
            self._end(at_ns, "time")
            return
        self._write_lap(at_ns, lap_ns)
        self.crossings_ns.append(self.clock_ns(at_ns))
        self._began_ns = at_ns
        self._begin_lap(progress_m)
        self.events.append(TraceEvent(at_ns, "line", lap_ns))
        if len(self.laps) >= self._wanted:
            self._end(at_ns, "laps")
        elif late:
            self._end(at_ns, "time")

    def fault(self, kind: FaultKind, at_ns: int, frame_ns: int) -> bool:
        """The car must be put back for this at the frame of `frame_ns`; False if its resets are used up: it is over."""
        if self.end is not None:
            return False
        penalty_ns = self._penalty_ns(kind)
        self.events.append(TraceEvent(at_ns, kind, penalty_ns))
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if not self.served:
            self._penalties_ns += penalty_ns
        if self.resets >= self._max_resets:
            self._end(frame_ns, "resets")
            return False
        self.resets += 1
        if self.served:
            self.waits_until_ns = frame_ns + penalty_ns
            self._stood_ns += penalty_ns
        self.events.append(TraceEvent(frame_ns, "put_back"))
        return True

    def look(self, at_ns: int, progress_m: float) -> None:
        """At each frame: how far the car has come, and whether its time is up."""
        if self.end is not None:
            return
        if progress_m - self.before_line_m > self.reached_m:
            self.reached_m, self.reached_ns = progress_m - self.before_line_m, self.clock_ns(at_ns)
        if self._began_ns is not None:
            self._furthest_m = max(self._furthest_m, progress_m - self._line_m)
        over = self.clock_ns(at_ns) >= self._limit_ns
        if over or (self._is_late(at_ns) and self._rules.at_time_limit == "stop"):
            self._end(at_ns, "time")

    def _is_late(self, at_ns: int) -> bool:
        limit_ns, from_ns = self._rules.time_limit_ns, self._counted_from_ns
        return limit_ns is not None and from_ns is not None and self.clock_ns(at_ns) - from_ns > limit_ns

    def _penalty_ns(self, kind: FaultKind) -> int:
        return self._rules.collision_penalty_ns if kind == "crashed" else self._rules.off_track_penalty_ns

    def _begin_lap(self, progress_m: float) -> None:
        self._line_m = progress_m
        self._counts = {}
        self._stood_ns = 0
        self._furthest_m = 0.0

    def _write_lap(self, at_ns: int, lap_ns: int) -> None:
        stuck = self._counts.get("reversed", 0) + self._counts.get("immobilized", 0)
        self.laps.append(
            RunLap(
                number=len(self.laps) + 1,
                lap_ns=lap_ns,
                ended_ns=self.clock_ns(at_ns),
                off_tracks=self._counts.get("off_track", 0),
                collisions=self._counts.get("crashed", 0),
                resets=sum(self._counts.values()),
                penalty_ns=stuck * self._rules.off_track_penalty_ns,
            )
        )

    def _end(self, at_ns: int, why: RunEnd) -> None:
        self.end = why
        if why == "time":
            kind: EventKind = "time_up"
            self.events.append(TraceEvent(at_ns, kind))
