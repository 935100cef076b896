"""The laps of one run as they are read: the series of its counted crossings, and what lies between them. Pure.

lap_book.py changes the crossings. Lap n lies between the crossings n-1 and n, counted from 0. A lap, and the score of
all of them, is computed once after each change, because many ask for it: results, rulings, pages.
"""

from typing import Literal

from shared.rules.ranking import RaceRules, RunLap, Score, score_run
from shared.units import seconds_to_ns
from station.core.facts import Lap
from station.core.moment import clock_of
from station.core.runs.laps import CountedCrossing, LapDoubt, LapSegment, lap_between, run_lap
from station.core.runs.usual_lap import LapDoubts

IncidentKind = Literal["off_track", "collision", "reset"]


class CountedLaps:
    """The counted crossings of a run, and the laps between them.

    `doubts` True: a lap that is much shorter than usual is held until an official decides. `fastest_ns`: the race's
    fastest lap when the run was opened; None: none is known.

    Example: with crossings at 1 s, 9 s and 18 s, `laps()` gives laps 1 and 2 of 8 s and 9 s.
    """

    def __init__(self, run_id: str, rules: RaceRules, doubts: bool = False, fastest_ns: int | None = None) -> None:
        self.run_id = run_id
        self.segments: list[LapSegment] = []
        self.timed_by_b = False  # True if system B times the whole run, by its own stamps
        self.doubts = LapDoubts(doubts, fastest_ns)
        self._rules = rules
        self._min_lap_ns = seconds_to_ns(rules.min_lap_s)
        # Computed since the last change: laps by number, all of them, as the ranking uses them, and their score.
        self._known: dict[int, Lap] = {}
        self._every: tuple[Lap, ...] = ()
        self._ranked: tuple[RunLap, ...] = ()
        self._score: Score | None = None

    @property
    def done(self) -> int:
        """How many laps have ended."""
        return len(self.segments) - 1 if self.segments else 0

    @property
    def boots(self) -> frozenset[str]:
        """The boots whose clocks stamped the run's crossings."""
        return frozenset(segment.start.boot for segment in self.segments)

    def too_soon(self, counted: CountedCrossing) -> bool:
        """Whether the crossing is closer to the last one than the shortest lap: then it is flagged, not counted."""
        last = self.segments[-1].start if self.segments else None
        return last is not None and last.boot == counted.boot and counted.at_ns - last.at_ns < self._min_lap_ns

    def near(self, boot: str, at_ns: int) -> bool:
        """Whether a counted crossing is closer to this stamp than the shortest possible lap."""
        counted_crossings = (segment.start for segment in self.segments)
        return any(
            counted.boot == boot and abs(counted.at_ns - at_ns) < self._min_lap_ns for counted in counted_crossings
        )

    def could_end_lap(self, boot: str, at_ns: int) -> bool:
        """Whether a lap could end here: after three quarters of the usual lap, on the same clock.

        Always True before the first crossing.
        """
        last = self.segments[-1].start if self.segments else None
        if last is None:
            return True
        laps = sorted(lap.lap_ns for lap in self.laps() if lap.lap_ns)
        min_ns = 3 * laps[len(laps) // 2] // 4 if laps else self._min_lap_ns
        return last.boot == boot and at_ns - last.at_ns >= min_ns

    def lap_at(self, boot: str, at_ns: int | None) -> int:
        """The number of the lap that was on at that time, 0 before lap 1.

        Without a time, or with one of another clock: the lap in progress.
        """
        clock = clock_of(boot)
        if at_ns is None or not self.segments or clock_of(self.segments[-1].start.boot) != clock:
            return len(self.segments)
        return sum(1 for s in self.segments if clock_of(s.start.boot) != clock or s.start.at_ns <= at_ns)

    def drove_off(self, counted: CountedCrossing) -> bool:
        """Whether the car only drove off over the line after the start signal, which ends no lap."""
        return self.done == 0 and self.too_soon(counted)

    def fits(self, number: int, at_ns: int) -> bool:
        """Whether crossing `number` would still lie between its neighbours at this stamp of the same clock."""
        boot = self.segments[number].start.boot
        before = [s.start.at_ns for s in self.segments[:number] if s.start.boot == boot]
        after = [s.start.at_ns for s in self.segments[number + 1 :] if s.start.boot == boot]
        return max(before, default=at_ns - 1) < at_ns < min(after, default=at_ns + 1)

    def holds(self, crossing: int) -> bool:
        """Whether this crossing was counted for the run."""
        return any(segment.start.crossing == crossing for segment in self.segments)

    def place_of(self, crossing: int) -> int:
        """The place (from 0) of this crossing among those counted."""
        return next(n for n, segment in enumerate(self.segments) if segment.start.crossing == crossing)

    def laps_with(self, kind: IncidentKind) -> list[int]:
        """The numbers of the laps that have such an incident, including the lap in progress."""
        return [number for number, segment in enumerate(self.segments, 1) if getattr(segment, f"{kind}s")]

    def lap(self, number: int) -> Lap:
        """Lap `number` as it stands (1..done)."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._lap(number)
        return known

    def laps(self) -> tuple[Lap, ...]:
        """All laps that have ended, in order."""
        every, done = self._every, self.done
        if len(every) != done:
            known = every if len(every) < done else ()
            self._every = every = (*known, *[self.lap(number) for number in range(len(known) + 1, done + 1)])
        return every

    def ranked(self) -> tuple[RunLap, ...]:
        """All laps in the form that the ranking uses, in order."""
        self._rank()
        return self._ranked

    def score(self) -> Score | None:
        """The score of the laps so far; None if they do not qualify."""
        self._rank()
        return self._score

    def _rank(self) -> None:
        laps, ranked = self.laps(), self._ranked
        if len(ranked) != len(laps):
            known = ranked if len(ranked) < len(laps) else ()
            self._ranked = (*known, *map(run_lap, laps[len(known) :]))
            self._score = score_run(self._ranked, self._rules)

    def _weigh(self) -> None:
        """Judges all crossings again, after any change except one more at the end."""
        self._forget_laps()
        self.doubts.weigh(self.segments)

    def _forget_laps(self) -> None:
        """Discards the computed laps, because something changed: they are computed again when they are next used."""
        self._known.clear()
        self._every, self._ranked, self._score = (), (), None

    def _lap(self, number: int) -> Lap:
        begun, ended = self.segments[number - 1], self.segments[number]
        doubt = LapDoubt(begun=number - 1 in self.doubts.held, ended=number in self.doubts.held)
        return lap_between(self.run_id, number, begun, ended, doubt, self._rules, self.timed_by_b)
