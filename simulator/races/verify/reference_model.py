"""The reference model: an independent, minimal race from crossings and rulings. It shares no code with the product.

A run is a list of counted crossings, each with the incidents until the next one. Lap n lies between crossings n-1 and
n. A crossing sooner than `min_lap_s` after the last one is ignored. The run is full at `max_laps`, and over at its time
limit, judged by stamps (or with the lap in progress then). A lap far shorter than the others is implausible, and so is
the one after it, until an official has reviewed the crossing between them. The score is the best window of laps,
truncated to milliseconds at the end.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from shared.rules.ranking import RaceRules

NS = 1_000_000_000
Stamp = tuple[str, int]  # boot, ns


@dataclass(slots=True)
class ReferenceCrossing:
    """A counted crossing, with the incidents and rulings until the next one."""

    boot: str
    at_ns: int
    since: Counter[str] = field(default_factory=Counter)
    penalty_ns: int = 0
    void: bool = False
    reviewed: bool = False  # by an official, who accepts the lap that ends here


@dataclass(frozen=True, slots=True)
class ReferenceLap:
    """A lap by the reference model; `lap_ns` is 0 and the lap not valid if it spans two boots."""

    number: int
    lap_ns: int
    valid: bool
    off_tracks: int
    collisions: int
    resets: int
    penalty_ns: int


@dataclass(slots=True)
class ReferenceRun:
    """One run. `fastest_ns`: the race's fastest lap when the run began; `accepts_all`: no lap is implausible."""

    run_id: str
    race_id: str
    racer: str
    car: str
    rules: RaceRules
    released: bool = False
    over: bool = False
    reported_over: bool = False  # by the station, at the time limit: used only where the stamps here do not decide
    counts: bool = True
    crossings: list[ReferenceCrossing] = field(default_factory=list)
    ignored: list[Stamp] = field(default_factory=list)
    rejected: set[Stamp] = field(default_factory=set)  # ignored because an official dropped them
    started: dict[str, int] = field(default_factory=dict)  # boot -> start on its clock, for the time limit
    fastest_ns: int | None = None
    accepts_all: bool = False
    signalled: bool = False  # lap 1 began with the start signal

    def release(self, boot: str, at_ns: int) -> None:
        """Give the start; lap 1 begins with it if the rules say so."""
        if self.rules.lap_1_from == "signal" and not self.released:
            self.signalled = True
            self.crossings.append(ReferenceCrossing(boot, at_ns))
            self.started[boot] = at_ns
        self.released = True

    def crossing(self, boot: str, at_ns: int) -> None:
        """Add a forward crossing while this run is the open one."""
        late = self._too_late(boot, at_ns)
        if not self.released or self.over or (late and self.rules.at_time_limit == "stop"):
            return
        last = self.crossings[-1] if self.crossings else None
        if last and last.boot == boot and at_ns - last.at_ns < _ns(self.rules.min_lap_s):
            if not self.signalled or len(self.crossings) > 1:
                self.ignored.append((boot, at_ns))
            return
        self.over = late
        self.crossings.append(ReferenceCrossing(boot, at_ns))
        if last is None:
            self.started[boot] = at_ns
        self.close_if_full()

    def close_if_full(self) -> None:
        """End the run if it has all its laps; implausible ones do not count."""
        if self.rules.max_laps is not None and len(self.crossings) - len(self.implausible()) > self.rules.max_laps:
            self.over = True

    def add_incident(self, kind: str, boot: str, at_ns: int | None) -> None:
        """Add an off-track, collision or reset at that time (ns), or now if None."""
        if not self.crossings:
            return
        at = len(self.crossings)
        if at_ns is not None and self.crossings[-1].boot == boot:
            at = sum(s.boot != boot or s.at_ns <= at_ns for s in self.crossings)
        if at:
            self.crossings[at - 1].since[kind] += 1

    def add_crossing(self, at_ns: int) -> None:
        """Count a crossing that the gate missed or that was ignored, as an official rules."""
        boot = self.crossings[-1].boot
        place = sum(s.boot != boot or s.at_ns < at_ns for s in self.crossings)
        self.crossings.insert(place, ReferenceCrossing(boot, at_ns))
        for crossing in self.crossings[place : place + 2]:
            crossing.reviewed = True
        if place == 0:
            self.started = {boot: at_ns}
        self.ignored = [stamp for stamp in self.ignored if stamp != (boot, at_ns)]

    def drop_crossing(self, number: int) -> None:
        """Drop the crossing that ended lap `number`; 0: the one that began lap 1."""
        if number == 0:
            self._drop_first()
            return
        gone, into = self.crossings.pop(number), self.crossings[number - 1]
        into.since += gone.since
        into.penalty_ns += gone.penalty_ns
        into.void = into.void or gone.void
        self._reject(gone)

    def _reject(self, crossing: ReferenceCrossing) -> None:
        self.ignored.append((crossing.boot, crossing.at_ns))
        self.rejected.add((crossing.boot, crossing.at_ns))

    def _drop_first(self) -> None:
        """Begin lap 1 at the next crossing, even one that was ignored for following the false one too soon."""
        first = self.crossings.pop(0)
        until = self.crossings[0].at_ns - _ns(self.rules.min_lap_s) if self.crossings else None
        same = not self.crossings or self.crossings[0].boot == first.boot
        later = [
            (boot, at_ns)
            for boot, at_ns in sorted(set(self.ignored) - self.rejected, key=lambda stamp: stamp[1])
            if same and boot == first.boot and at_ns > first.at_ns and (until is None or at_ns <= until)
        ]
        if later:
            self.ignored.remove(later[0])
            self.crossings.insert(0, ReferenceCrossing(*later[0]))
        self._reject(first)
        self.started = {crossing.boot: crossing.at_ns for crossing in self.crossings[:1]}

    def void(self, number: int) -> None:
        self.crossings[number - 1].void = True

    def restore(self, number: int) -> None:
        """Withdraw a void, or accept an implausible lap."""
        if self.crossings[number - 1].void:
            self.crossings[number - 1].void = False
            return
        for place in self.implausible() & {number, number - 1}:
            self.crossings[place].reviewed = True

    def accept(self, at_ns: int) -> None:
        """Mark the crossing of that time as reviewed by an official."""
        for place in self.implausible():
            if self.crossings[place].at_ns == at_ns:
                self.crossings[place].reviewed = True

    def take_back(self, kind: str, number: int | None) -> None:
        """Remove one incident of this kind from lap `number`, or the newest one if None."""
        if number is None:
            number = max(place for place, crossing in enumerate(self.crossings, 1) if crossing.since[kind])
        assert self.crossings[number - 1].since[kind] > 0
        self.crossings[number - 1].since[kind] -= 1

    def implausible(self) -> set[int]:
        """Indices of crossings that end a lap far shorter than the others: a car turned round, a hand in the beam."""
        if self.accepts_all:
            return set()
        gaps = {
            place: end.at_ns - start.at_ns
            for place, (start, end) in enumerate(zip(self.crossings, self.crossings[1:], strict=False), 1)
            if start.boot == end.boot and end.at_ns != start.at_ns
        }
        row = sorted(gaps.values())
        return {place for place, gap in gaps.items() if not self.crossings[place].reviewed and self._far_off(gap, row)}

    def _far_off(self, gap: int, row: list[int]) -> bool:
        if self.fastest_ns is not None and gap * 2 >= self.fastest_ns:
            return False
        alike = [other for other in row if Fraction(max(gap, other), min(gap, other)) <= Fraction(3, 2)]
        if self.fastest_ns is None and gap < 4 * NS and max(row) >= gap * 2 and len(alike) < 3:
            return True
        if len(row) > 2:
            return gap * 2 < row[len(row) // 2]
        if self.fastest_ns is None and len(row) == 1:
            return gap < 4 * NS
        if self.fastest_ns is None:
            return Fraction(gap, max(row)) < Fraction(2, 5)
        return len(alike) == 1

    def penalise(self, number: int, seconds: float) -> None:
        crossing = self.crossings[number - 1]
        crossing.penalty_ns = max(0, crossing.penalty_ns + _ns(seconds))

    def laps(self) -> list[ReferenceLap]:
        """All laps, in order; the last crossing ends the last one."""
        laps, implausible = [], self.implausible()
        for number, (start, end) in enumerate(zip(self.crossings, self.crossings[1:], strict=False), 1):
            one_boot = start.boot == end.boot
            lap_ns = end.at_ns - start.at_ns if one_boot else 0
            off, hit, put = (start.since[kind] for kind in ("off_track", "collision", "reset"))
            valid = one_boot and not start.void and not implausible & {number, number - 1}
            laps.append(ReferenceLap(number, lap_ns, valid, off, hit, put, start.penalty_ns))
        return laps

    def score_ms(self) -> int | None:
        """The best window of consecutive laps that all count; None without one."""
        laps = self.laps()[: self.rules.max_laps] if self.rules.max_laps else self.laps()
        size, best = self.rules.consecutive_laps, None
        for first in range(len(laps) - size + 1):
            window = laps[first : first + size]
            if all(self._good(lap) for lap in window):
                value = self._value([self._time(lap) for lap in window])
                best = value if best is None else min(best, value)
        return None if best is None or not self.counts else best

    def _value(self, times: list[int]) -> int:
        if self.rules.method == "best_lap":
            return min(times) // 1_000_000
        share = len(times) if self.rules.method == "average" else 1
        return int(Fraction(sum(times), share) // 1_000_000)

    def _time(self, lap: ReferenceLap) -> int:
        off_ns, hit_ns = _ns(self.rules.off_track_penalty_s), _ns(self.rules.collision_penalty_s)
        return lap.lap_ns + lap.off_tracks * off_ns + lap.collisions * hit_ns + lap.penalty_ns

    def _good(self, lap: ReferenceLap) -> bool:
        allowed = self.rules.max_resets_per_lap
        enough = lap.lap_ns >= _ns(self.rules.min_lap_s)
        return lap.valid and enough and (allowed is None or lap.resets <= allowed)

    def _too_late(self, boot: str, at_ns: int) -> bool:
        limit_s = self.rules.time_limit_s
        if limit_s is None or not self.crossings:
            return False
        return at_ns - self.started[boot] > _ns(limit_s) if boot in self.started else self.reported_over


@dataclass(frozen=True, slots=True)
class ReferenceResult:
    """A run's newest result as the leaderboard received it; `order`: the rank of its first revision's arrival."""

    racer: str
    score_ms: int | None
    finished_utc_ns: int
    order: int
    uncertainty_ns: int = 0


def board(posted: Iterable[ReferenceResult], attempts: int | None) -> list[tuple[str, int]]:
    """(racer, score), sorted: each racer's best of the first `attempts` runs; the earlier finish wins a tie."""
    return [(line.racer, line.score_ms or 0) for line in best_lines(posted, attempts)]


def tied(posted: Iterable[ReferenceResult], attempts: int | None) -> set[str]:
    """The racers whose score differs from another's by no more than the uncertainties of both."""
    lines = best_lines(posted, attempts)
    return {
        a.racer
        for a in lines
        for b in lines
        if a is not b and abs((a.score_ms or 0) - (b.score_ms or 0)) * 1_000_000 <= a.uncertainty_ns + b.uncertainty_ns
    }


def best_lines(posted: Iterable[ReferenceResult], attempts: int | None) -> list[ReferenceResult]:
    """Each racer's best result, in the order of the standing."""
    by_racer: dict[str, list[ReferenceResult]] = {}
    for result in sorted(posted, key=lambda r: (r.finished_utc_ns, r.order)):
        by_racer.setdefault(result.racer, []).append(result)
    lines = []
    for results in by_racer.values():
        best = [r for r in results[:attempts] if r.score_ms is not None]
        if best:
            line = min(best, key=lambda r: (r.score_ms or 0, r.finished_utc_ns, r.order))
            lines.append(line)
    return sorted(lines, key=lambda r: (r.score_ms or 0, r.finished_utc_ns, r.order, r.racer))


def _ns(seconds: float) -> int:
    return round(seconds * NS)
