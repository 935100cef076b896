"""A car's own lap reports beside the gate's laps: they confirm, or expose a missed or a false crossing.

The car has a clock of its own. Where it is the gate's (the same boot) stamps are compared; otherwise the offset
between the two is found from laps of equal length, never later than the report arrived, and then kept: stamps and
durations must both agree. A report is never a crossing: what it exposes is proposed to an official.
"""

import itertools
from collections import deque
from dataclasses import dataclass

from station.core.inputs import CarReport, clock_of
from station.core.race.laps import LapBook, Mark, Stretch

STAMP_NS = 1_500_000_000  # a slow car has the board out of its picture so long before the line
DURATION_NS = 300_000_000  # two frames at 15 Hz at either end, and speed that differs
CLOSE_NS = 100_000_000  # offsets that fit better than others by this much are better
REMEMBERED = 32
PATIENCE = 3  # so many reports in a row that meet nothing: the offset was guessed wrong


@dataclass(slots=True)
class Passing:
    """A mark as the witness looks at it. `open` False: an official dropped it."""

    book: LapBook
    stretch: Stretch
    report: CarReport | None = None
    doubted: bool = False

    @property
    def mark(self) -> Mark:
        return self.stretch.mark

    @property
    def clock(self) -> str:
        """Whose ns its stamp counts: a gate that was restarted may still stamp with the station's clock."""
        return clock_of(self.stretch.mark.boot)


@dataclass(frozen=True, slots=True)
class Agreed:
    """This lap is confirmed; `difference_ns` is the car's duration minus the gate's."""

    book: LapBook
    number: int
    car_lap_ns: int | None
    difference_ns: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """`missed`: the car passed where the gate has no crossing; else: the gate has one where the car has none."""

    run_id: str
    missed: bool
    at_ns: int


class Witness:
    """One car: its recent marks by the gate, its reports that found no mark yet, and its clocks' offsets."""

    def __init__(self, car: str) -> None:
        self.car = car
        self._passings: deque[Passing] = deque(maxlen=REMEMBERED)
        self._waiting: deque[CarReport] = deque(maxlen=REMEMBERED)
        self._proposed: deque[CarReport] = deque(maxlen=REMEMBERED)  # may find their mark by a ruling
        self._offsets: dict[tuple[str, str], int] = {}  # (car boot, gate boot) -> car minus gate
        self._misses: dict[tuple[str, str], int] = {}

    def passed(self, book: LapBook, stretch: Stretch) -> list[Agreed | Doubt]:
        """The gate counted a crossing of this car."""
        self._passings.append(Passing(book, stretch))
        return self._settle()

    def reported(self, report: CarReport) -> list[Agreed | Doubt]:
        """The car says that it passed."""
        self._waiting.append(report)
        return self._settle()

    def recast(self, book: LapBook) -> list[Agreed | Doubt]:
        """A ruling changed the run's marks: look at its newest ones afresh (agreed reports stay with their marks)."""
        held = {id(p.stretch): p for p in self._passings if p.book is book}
        others = [p for p in self._passings if p.book is not book]
        again = [held.get(id(s)) or Passing(book, s) for s in book.stretches[-REMEMBERED // 2 :]]
        orphans = [p.report for p in held.values() if p.report is not None and p not in again]
        self._passings = deque([*others, *again], maxlen=REMEMBERED)
        self._waiting.extend([*orphans, *self._proposed])
        self._proposed.clear()
        found = self._settle() if self._passings else []
        for index, passing in enumerate(self._passings):
            if passing.report is not None:
                found += self._agree(index, passing.report)
        return found

    def _settle(self) -> list[Agreed | Doubt]:
        found: list[Agreed | Doubt] = []
        waiting, self._waiting = self._waiting, deque(maxlen=REMEMBERED)
        reports = list(waiting)
        for report in reports:
            offset_ns = self._offset(report, reports)
            if offset_ns is None:
                self._waiting.append(report)
                continue
            at = self._nearest(report, offset_ns)
            found += self._match(at, report) if at is not None else self._unmet(report, offset_ns)
        return found

    def _unmet(self, report: CarReport, offset_ns: int) -> list[Agreed | Doubt]:
        """No mark for this report: wait for the gate, or propose a missed crossing, or forget it (a repeat)."""
        newest, at_ns = self._passings[-1], report.at_ns - offset_ns
        key = (report.car_boot, newest.clock)
        if at_ns > newest.mark.at_ns - STAMP_NS:
            self._waiting.append(report)
            if clock_of(report.taken.boot) == newest.clock and at_ns > report.taken.at_ns + STAMP_NS:
                self._mistrust(key)  # it arrived before it happened
            return []
        self._mistrust(key)
        doubt = self._missed(report, offset_ns)
        if doubt is None:
            return []
        self._proposed.append(report)
        return [doubt]

    def _mistrust(self, key: tuple[str, str]) -> None:
        self._misses[key] = self._misses.get(key, 0) + 1
        if self._misses[key] >= PATIENCE:
            self._offsets.pop(key, None)

    def _offset(self, report: CarReport, reports: list[CarReport]) -> int | None:
        """Car clock minus gate clock, for the gate's clock of the newest mark."""
        if not self._passings:
            return None
        clock = self._passings[-1].clock
        if report.car_boot == clock:
            return 0
        key = (report.car_boot, clock)
        if key not in self._offsets and (found := self._guess(reports, report.car_boot, clock)) is not None:
            self._offsets[key], self._misses[key] = found, 0
        return self._offsets.get(key)

    def _guess(self, waiting: list[CarReport], car_boot: str, clock: str) -> int | None:
        """The offset under which most reports meet a mark, most closely, with the least delay on their way."""
        reports = [r for r in waiting if r.car_boot == car_boot][-8:]
        passings = [p for p in self._passings if p.clock == clock][-9:]
        best: tuple[int, int, int] | None = None
        for report in reports:
            for before, after in itertools.pairwise(passings):
                if before.book is not after.book or not _alike(report, after.mark.at_ns - before.mark.at_ns):
                    continue
                offset_ns = report.at_ns - after.mark.at_ns
                met, off_ns = _meets(reports, passings, offset_ns)
                fit = (met, -off_ns // CLOSE_NS, -offset_ns)
                if met and (best is None or fit > best):
                    best = fit
        return None if best is None else -best[2]

    def _nearest(self, report: CarReport, offset_ns: int) -> int | None:
        """The index of the mark that this report is about."""
        best, best_ns = None, STAMP_NS + report.uncertainty_ns
        clock = self._passings[-1].clock
        for index, passing in enumerate(self._passings):
            off_ns = abs(report.at_ns - offset_ns - passing.mark.at_ns)
            if passing.report is None and passing.clock == clock and off_ns <= best_ns:
                best, best_ns = index, off_ns
        return best

    def _match(self, index: int, report: CarReport) -> list[Agreed | Doubt]:
        passing = self._passings[index]
        passing.report = report
        clock = passing.clock
        if report.car_boot != clock:
            self._offsets[report.car_boot, clock] = report.at_ns - passing.mark.at_ns  # follows the clocks' drift
            self._misses[report.car_boot, clock] = 0
        found: list[Agreed | Doubt] = [*self._agree(index, report)]
        if index + 1 < len(self._passings) and (later := self._passings[index + 1].report) is not None:
            found += self._agree(index + 1, later)  # reports came in another order
        return found + self._false(index, report)

    def _agree(self, index: int, report: CarReport) -> list[Agreed]:
        """The lap that ended here, if the car's duration is the gate's."""
        passing = self._passings[index]
        before = self._passings[index - 1] if index else None
        if before is None or before.book is not passing.book or before.mark.boot != passing.mark.boot:
            return []
        lap_ns = passing.mark.at_ns - before.mark.at_ns
        car_lap_ns = report.lap_ns
        if car_lap_ns is None and before.report is not None and before.report.car_boot == report.car_boot:
            car_lap_ns = report.at_ns - before.report.at_ns  # it says no duration, but when it passed both times
        if car_lap_ns is None or abs(car_lap_ns - lap_ns) > DURATION_NS + report.uncertainty_ns:
            return []
        if passing.stretch.witnessed:
            return []
        passing.stretch.witnessed = True
        return [Agreed(passing.book, passing.book.stretches.index(passing.stretch), report.lap_ns, car_lap_ns - lap_ns)]

    def _false(self, index: int, report: CarReport) -> list[Doubt]:
        """The car's lap reaches over a crossing in between: that one was not the car."""
        if index < 2 or report.lap_ns is None:
            return []
        first, between, last = (self._passings[i] for i in (index - 2, index - 1, index))
        one_run = first.book is between.book is last.book and first.mark.boot == last.mark.boot
        if not one_run or between.report is not None or between.doubted:
            return []
        if not _alike(report, last.mark.at_ns - first.mark.at_ns):
            return []
        between.doubted = True
        return [Doubt(last.book.run_id, False, between.mark.at_ns)]

    def _missed(self, report: CarReport, offset_ns: int) -> Doubt | None:
        """The gate has gone on without a crossing at that time: it was missed, within a run that was on."""
        at_ns = report.at_ns - offset_ns
        clock = self._passings[-1].clock
        around = [p for p in self._passings if p.clock == clock]
        before = [p for p in around if p.mark.at_ns < at_ns]
        after = [p for p in around if p.mark.at_ns > at_ns]
        if not before or not after or before[-1].book is not after[0].book:
            return None
        if min(at_ns - before[-1].mark.at_ns, after[0].mark.at_ns - at_ns) <= STAMP_NS:
            return None  # a second report of the same passing
        return Doubt(after[0].book.run_id, True, at_ns)


def _meets(reports: list[CarReport], passings: list[Passing], offset_ns: int) -> tuple[int, int]:
    """How many reports meet a mark, and how far off they are in sum; none if one arrived before it happened."""
    met, off_ns = 0, 0
    for report in reports:
        at_ns = report.at_ns - offset_ns
        one_clock = clock_of(report.taken.boot) == passings[-1].clock
        if one_clock and at_ns > report.taken.at_ns + STAMP_NS:
            return 0, 0
        nearest_ns = min(abs(at_ns - passing.mark.at_ns) for passing in passings)
        if nearest_ns <= DURATION_NS:
            met, off_ns = met + 1, off_ns + nearest_ns
    return met, off_ns


def _alike(report: CarReport, lap_ns: int) -> bool:
    return report.lap_ns is not None and abs(report.lap_ns - lap_ns) <= DURATION_NS + report.uncertainty_ns
