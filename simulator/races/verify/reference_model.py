"""The small model: a race kept on paper, from crossings and rulings alone. It shares no code with the product.

A run is a strip of strokes (crossings that count), each with what happened until the next one. Lap n lies between
stroke n-1 and stroke n. A stroke sooner than `min_lap_s` after the last is only noted. The run is full at
`max_laps`, and over at its time limit, judged by stamps (or with the lap that is on then). A lap that is far shorter
than the others is not believed, nor is the one after it, until an official has looked at the stroke between them. The
score is the best window, truncated at the end.
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
    """A crossing that counts, and what happened until the next one."""

    boot: str
    at_ns: int
    since: Counter[str] = field(default_factory=Counter)
    penalty_ns: int = 0
    void: bool = False
    looked_at: bool = False  # by an official, who takes the lap that ends here for one


@dataclass(frozen=True, slots=True)
class ReferenceLap:
    """A lap as the paper has it; `lap_ns` 0 and not valid if it spans two boots."""

    number: int
    lap_ns: int
    valid: bool
    off_tracks: int
    collisions: int
    resets: int
    penalty_ns: int


@dataclass(slots=True)
class ReferenceRun:
    """One turn on the track. `fastest_ns`: the race's fastest lap when it began; `believing`: every lap is believed."""

    run_id: str
    race_id: str
    racer: str
    car: str
    rules: RaceRules
    released: bool = False
    over: bool = False
    told_over: bool = False  # by the station, at the time limit: decides only where our own stamps cannot
    counts: bool = True
    strip: list[ReferenceCrossing] = field(default_factory=list)
    noted: list[Stamp] = field(default_factory=list)
    crossed_out: set[Stamp] = field(default_factory=set)  # noted since an official took them for none
    started: dict[str, int] = field(default_factory=dict)  # on the clock of each boot that measures the limit
    fastest_ns: int | None = None
    believing: bool = False
    signalled: bool = False  # lap 1 began with the start signal

    def release(self, boot: str, at_ns: int) -> None:
        """The start is given; where the rules say so, lap 1 begins with it."""
        if self.rules.lap_1_from == "signal" and not self.released:
            self.signalled = True
            self.strip.append(ReferenceCrossing(boot, at_ns))
            self.started[boot] = at_ns
        self.released = True

    def crossing(self, boot: str, at_ns: int) -> None:
        """A forward crossing while this run is the open one."""
        late = self._too_late(boot, at_ns)
        if not self.released or self.over or (late and self.rules.at_time_limit == "stop"):
            return
        last = self.strip[-1] if self.strip else None
        if last and last.boot == boot and at_ns - last.at_ns < _ns(self.rules.min_lap_s):
            if not self.signalled or len(self.strip) > 1:
                self.noted.append((boot, at_ns))
            return
        self.over = late
        self.strip.append(ReferenceCrossing(boot, at_ns))
        if last is None:
            self.started[boot] = at_ns
        self.close_if_full()

    def close_if_full(self) -> None:
        if self.rules.max_laps is not None and len(self.strip) - len(self.unbelieved()) > self.rules.max_laps:
            self.over = True

    def happened(self, kind: str, boot: str, at_ns: int | None) -> None:
        """Off-track, collision or reset at that time, or now."""
        if not self.strip:
            return
        at = len(self.strip)
        if at_ns is not None and self.strip[-1].boot == boot:
            at = sum(s.boot != boot or s.at_ns <= at_ns for s in self.strip)
        if at:
            self.strip[at - 1].since[kind] += 1

    def add_stroke(self, at_ns: int) -> None:
        """An official counts a crossing that the gate missed or that was only noted."""
        boot = self.strip[-1].boot
        place = sum(s.boot != boot or s.at_ns < at_ns for s in self.strip)
        self.strip.insert(place, ReferenceCrossing(boot, at_ns))
        for crossing in self.strip[place : place + 2]:
            crossing.looked_at = True
        if place == 0:
            self.started = {boot: at_ns}
        self.noted = [stamp for stamp in self.noted if stamp != (boot, at_ns)]

    def drop_stroke(self, number: int) -> None:
        """The crossing that ended lap `number` was none; 0: the one that began lap 1."""
        if number == 0:
            self._begin_later()
            return
        gone, into = self.strip.pop(number), self.strip[number - 1]
        into.since += gone.since
        into.penalty_ns += gone.penalty_ns
        into.void = into.void or gone.void
        self._cross_out(gone)

    def _cross_out(self, crossing: ReferenceCrossing) -> None:
        self.noted.append((crossing.boot, crossing.at_ns))
        self.crossed_out.add((crossing.boot, crossing.at_ns))

    def _begin_later(self) -> None:
        """At the next stroke, be it one that was only noted since it came so soon after the false one."""
        first = self.strip.pop(0)
        until = self.strip[0].at_ns - _ns(self.rules.min_lap_s) if self.strip else None
        same = not self.strip or self.strip[0].boot == first.boot
        later = [
            (boot, at_ns)
            for boot, at_ns in sorted(set(self.noted) - self.crossed_out, key=lambda stamp: stamp[1])
            if same and boot == first.boot and at_ns > first.at_ns and (until is None or at_ns <= until)
        ]
        if later:
            self.noted.remove(later[0])
            self.strip.insert(0, ReferenceCrossing(*later[0]))
        self._cross_out(first)
        self.started = {crossing.boot: crossing.at_ns for crossing in self.strip[:1]}

    def void(self, number: int) -> None:
        self.strip[number - 1].void = True

    def restore(self, number: int) -> None:
        """A void is taken back, or a lap that was not believed is believed."""
        if self.strip[number - 1].void:
            self.strip[number - 1].void = False
            return
        for place in self.unbelieved() & {number, number - 1}:
            self.strip[place].looked_at = True

    def believe(self, at_ns: int) -> None:
        """An official looked at the stroke of that time."""
        for place in self.unbelieved():
            if self.strip[place].at_ns == at_ns:
                self.strip[place].looked_at = True

    def take_back(self, kind: str, number: int | None) -> None:
        """One of these was none; None: the newest."""
        if number is None:
            number = max(place for place, crossing in enumerate(self.strip, 1) if crossing.since[kind])
        assert self.strip[number - 1].since[kind] > 0
        self.strip[number - 1].since[kind] -= 1

    def unbelieved(self) -> set[int]:
        """The strokes that end a lap far shorter than the others: a car that turned round, a hand in the beam."""
        if self.believing:
            return set()
        gaps = {
            place: end.at_ns - start.at_ns
            for place, (start, end) in enumerate(zip(self.strip, self.strip[1:], strict=False), 1)
            if start.boot == end.boot and end.at_ns != start.at_ns
        }
        row = sorted(gaps.values())
        return {place for place, gap in gaps.items() if not self.strip[place].looked_at and self._far_off(gap, row)}

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
        crossing = self.strip[number - 1]
        crossing.penalty_ns = max(0, crossing.penalty_ns + _ns(seconds))

    def laps(self) -> list[ReferenceLap]:
        """All laps, in order."""
        found, odd = [], self.unbelieved()
        for number, (start, end) in enumerate(zip(self.strip, self.strip[1:], strict=False), 1):
            whole = start.boot == end.boot
            lap_ns = end.at_ns - start.at_ns if whole else 0
            off, hit, put = (start.since[kind] for kind in ("off_track", "collision", "reset"))
            fair = whole and not start.void and not odd & {number, number - 1}
            found.append(ReferenceLap(number, lap_ns, fair, off, hit, put, start.penalty_ns))
        return found

    def score_ms(self) -> int | None:
        """The best window of laps in a row that all succeeded; None without one."""
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
        if limit_s is None or not self.strip:
            return False
        return at_ns - self.started[boot] > _ns(limit_s) if boot in self.started else self.told_over


@dataclass(frozen=True, slots=True)
class ReferenceResult:
    """A run's newest result as the leaderboard got it; `order`: when its first revision came."""

    racer: str
    score_ms: int | None
    finished_utc_ns: int
    order: int
    uncertainty_ns: int = 0


def board(posted: Iterable[ReferenceResult], attempts: int | None) -> list[tuple[str, int]]:
    """(racer, score) best first: each racer's best of the first `attempts` runs; earlier finished wins a tie."""
    return [(line.racer, line.score_ms or 0) for line in best_lines(posted, attempts)]


def tied(posted: Iterable[ReferenceResult], attempts: int | None) -> set[str]:
    """The racers whose line some other line is so close to that the uncertainties of both reach over it."""
    lines = best_lines(posted, attempts)
    return {
        a.racer
        for a in lines
        for b in lines
        if a is not b and abs((a.score_ms or 0) - (b.score_ms or 0)) * 1_000_000 <= a.uncertainty_ns + b.uncertainty_ns
    }


def best_lines(posted: Iterable[ReferenceResult], attempts: int | None) -> list[ReferenceResult]:
    """Each racer's best, in the order of the standing."""
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
