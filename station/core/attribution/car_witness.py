"""A car's own lap reports beside the gate's laps: they confirm a lap, or expose a missed or a false crossing.

The car usually has a clock of its own. Where it stamps with the gate's clock (the same boot), the stamps are compared;
otherwise the offset between the two clocks is found from laps of equal length, and then follows the drift
(car_clock.py): stamps and durations must both agree. A report is never a crossing: what it exposes is proposed to an
official. The last stage of the engine's pipeline, called by engine.py for each counted crossing and each report.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from station.core import facts as f
from station.core.attribution.car_clock import DURATION_NS, STAMP_NS, CarClock, as_long
from station.core.attribution.report_lead import LeadSample, ReportLead
from station.core.inputs import CarReport, clock_of
from station.core.runs.book.lap_book import LapBook
from station.core.runs.lap_doubts import add_proposal
from station.core.runs.laps import CountedCrossing, LapSegment
from station.core.runs.proposals import false_by_car, missed_by_car
from station.core.runs.run import Run

REMEMBERED = 32


@dataclass(slots=True)
class WitnessedCrossing:
    """A counted crossing, with the car's report about it if one was found."""

    book: LapBook
    segment: LapSegment
    report: CarReport | None = None
    doubted: bool = False

    @property
    def start(self) -> CountedCrossing:
        """The crossing itself, with which its lap segment starts."""
        return self.segment.start

    @property
    def clock(self) -> str:
        """The clock that stamped it; a gate that was restarted may still use the station's."""
        return clock_of(self.segment.start.boot)


@dataclass(frozen=True, slots=True)
class CrossingDoubt:
    """A doubt about the gate, by the car's report, at `at_ns` of the gate's clock.

    `missed` True: the car passed where the gate has no crossing. False: the gate has one where the car has none.
    """

    run_id: str
    missed: bool
    at_ns: int


WitnessFinding = f.LapConfirmed | CrossingDoubt


class CarWitness:
    """One car's crossings, its reports that have no crossing yet, and its clocks."""

    def __init__(self, car: str) -> None:
        self.car = car
        self._passings: deque[WitnessedCrossing] = deque(maxlen=REMEMBERED)
        self._waiting: deque[CarReport] = deque(maxlen=REMEMBERED)
        self._proposed: deque[CarReport] = deque(maxlen=REMEMBERED)  # a ruling may still give them a crossing
        self._clocks: dict[tuple[str, str], CarClock] = {}  # (car boot, gate clock)
        self._leads: dict[tuple[str, str], ReportLead] = {}
        self._newest_lead: ReportLead | None = None

    def on_crossing(self, book: LapBook, segment: LapSegment) -> list[WitnessFinding]:
        """The gate counted a crossing of this car: the findings that follow."""
        self._passings.append(WitnessedCrossing(book, segment))
        return self._settle()

    def on_report(self, report: CarReport) -> list[WitnessFinding]:
        """The car reports a passing: the findings that follow."""
        self._waiting.append(report)
        return self._settle()

    def time_of(self, segment: LapSegment) -> tuple[int, int] | None:
        """When the car passed here by its own report, in ns of the gate's clock, and how far that may be off.

        None: no report was found for this crossing.
        """
        passing = next((p for p in self._passings if p.segment is segment), None)
        if passing is None or passing.report is None:
            return None
        report, gate = passing.report, passing.clock
        clock = self._clocks.get((report.car_boot, gate))
        return None if clock is None else clock.on_gate(report.at_ns, report.uncertainty_ns)

    @property
    def lead_doubt_ns(self) -> int | None:
        """By how much this car's reports are constantly ahead of the gate, or behind (negative), in ns; None: not."""
        return self._newest_lead.doubt_ns if self._newest_lead is not None else None

    def on_recount(self, book: LapBook) -> list[WitnessFinding]:
        """A ruling changed the run's crossings: compares the newest again; gives the findings.

        Reports whose crossing is still there stay matched with it.
        """
        known = {id(p.segment): p for p in self._passings if p.book is book}
        others = [p for p in self._passings if p.book is not book]
        newest = [known.get(id(s)) or WitnessedCrossing(book, s) for s in book.segments[-REMEMBERED // 2 :]]
        orphans = [p.report for p in known.values() if p.report is not None and p not in newest]
        self._passings = deque([*others, *newest], maxlen=REMEMBERED)
        self._waiting.extend([*orphans, *self._proposed])
        self._proposed.clear()
        findings = self._settle() if self._passings else []
        for index, passing in enumerate(self._passings):
            if passing.report is not None:
                findings += self._agree(index, passing.report)
        return findings

    def _settle(self) -> list[WitnessFinding]:
        """Gives each waiting report its crossing, or exposes a missed crossing, or lets the report wait on."""
        if not self._waiting:
            return []
        findings: list[WitnessFinding] = []
        reports = list(self._waiting)
        self._waiting.clear()
        for report in reports:
            clock = self._clock_of(report, reports)
            if clock is None or clock.newest_ns is None:
                self._waiting.append(report)
                continue
            at_ns = report.at_ns + clock.newest_ns
            index = self._nearest(report, at_ns)
            findings += self._match(index, report) if index is not None else self._unmatched(report, at_ns, clock)
        return findings

    def _unmatched(self, report: CarReport, at_ns: int, clock: CarClock) -> list[WitnessFinding]:
        """Handles a report without a crossing: it waits for the gate, exposes a missed crossing, or is a repeat."""
        newest = self._passings[-1]
        if at_ns > newest.start.at_ns - STAMP_NS:
            self._waiting.append(report)
            if clock_of(report.taken.boot) == newest.clock and at_ns > report.taken.at_ns + STAMP_NS:
                clock.mismatch()  # it arrived before it happened
            return []
        clock.mismatch()
        doubt = self._missed(at_ns)
        if doubt is None:
            return []
        self._proposed.append(report)
        return [doubt]

    def _clock_of(self, report: CarReport, reports: list[CarReport]) -> CarClock | None:
        """The car's clock against that of the newest crossing; None: the gate has not seen this car yet."""
        if not self._passings:
            return None
        boot, gate = report.car_boot, self._passings[-1].clock
        clock = self._clocks.setdefault((boot, gate), CarClock(boot == gate))
        if clock.newest_ns is None:
            crossings = [(p.book, p.start.at_ns) for p in self._passings if p.clock == gate]
            clock.find([each for each in reports if each.car_boot == boot], crossings, gate)
        return clock

    def _nearest(self, report: CarReport, at_ns: int) -> int | None:
        """The index of the crossing that this report is about, which it puts at `at_ns` of the gate's clock."""
        best, best_ns = None, STAMP_NS + report.uncertainty_ns
        clock = self._passings[-1].clock
        for index, passing in enumerate(self._passings):
            off_ns = abs(at_ns - passing.start.at_ns)
            if passing.report is None and passing.clock == clock and off_ns <= best_ns:
                best, best_ns = index, off_ns
        return best

    def _match(self, index: int, report: CarReport) -> list[WitnessFinding]:
        passing = self._passings[index]
        passing.report = report
        if report.car_boot != passing.clock:
            self._clocks[report.car_boot, passing.clock].learn(report.at_ns, passing.start.at_ns)
        self._learn_lead(passing, report)
        findings: list[WitnessFinding] = [*self._agree(index, report)]
        if index + 1 < len(self._passings) and (later := self._passings[index + 1].report) is not None:
            findings += self._agree(index + 1, later)  # reports arrived out of order
        return findings + self._false(index, report)

    def _learn_lead(self, passing: WitnessedCrossing, report: CarReport) -> None:
        """Remembers how far the report is ahead of its crossing."""
        boots = (report.car_boot, passing.clock)
        taken_ns = report.taken.at_ns if clock_of(report.taken.boot) == passing.clock else None
        self._newest_lead = self._leads.setdefault(boots, ReportLead(report.car_boot == passing.clock))
        self._newest_lead.add(
            LeadSample(passing.start.at_ns, report.at_ns, report.decided_at_ns, taken_ns, report.uncertainty_ns)
        )

    def _agree(self, index: int, report: CarReport) -> list[f.LapConfirmed]:
        """Confirms the lap that ended here, if the car's duration agrees with the gate's."""
        passing = self._passings[index]
        before = self._passings[index - 1] if index else None
        if before is None or before.book is not passing.book or before.start.boot != passing.start.boot:
            return []
        lap_ns = passing.start.at_ns - before.start.at_ns
        car_lap_ns = report.lap_ns
        if car_lap_ns is None and before.report is not None and before.report.car_boot == report.car_boot:
            car_lap_ns = report.at_ns - before.report.at_ns  # no duration is stated, but both times of passing are
        if car_lap_ns is None or abs(car_lap_ns - lap_ns) > DURATION_NS + report.uncertainty_ns:
            return []
        if passing.segment.witnessed:
            return []
        return [f.LapConfirmed(passing.book.confirm(passing.segment), report.lap_ns, car_lap_ns - lap_ns)]

    def _false(self, index: int, report: CarReport) -> list[CrossingDoubt]:
        """Doubts a crossing in the middle of what the car reports as one lap: it was not the car."""
        if index < 2 or report.lap_ns is None:
            return []
        first, between, last = (self._passings[i] for i in (index - 2, index - 1, index))
        one_run = first.book is between.book is last.book and first.start.boot == last.start.boot
        if not one_run or between.report is not None or between.doubted:
            return []
        if not as_long(report, last.start.at_ns - first.start.at_ns):
            return []
        between.doubted = True
        return [CrossingDoubt(last.book.run_id, False, between.start.at_ns)]

    def _missed(self, at_ns: int) -> CrossingDoubt | None:
        """The doubt about a crossing that the gate missed at that time, between two crossings of one run."""
        clock = self._passings[-1].clock
        around = [p for p in self._passings if p.clock == clock]
        before = [p for p in around if p.start.at_ns < at_ns]
        after = [p for p in around if p.start.at_ns > at_ns]
        if not before or not after or before[-1].book is not after[0].book:
            return None
        if min(at_ns - before[-1].start.at_ns, after[0].start.at_ns - at_ns) <= STAMP_NS:
            return None  # a second report of the same pass
        return CrossingDoubt(after[0].book.run_id, True, at_ns)


class CarWitnesses:
    """The witnesses of all cars that have had a run here."""

    def __init__(self) -> None:
        self._by_car: dict[str, CarWitness] = {}

    def of(self, car: str) -> CarWitness:
        """The witness of this car, created on the first call."""
        known = self._by_car.get(car)
        if known is None:
            known = self._by_car[car] = CarWitness(car)
        return known

    def lead_doubt_ns(self, car: str) -> int | None:
        """`CarWitness.lead_doubt_ns` of this car; None for one that has had no run here. Asking changes nothing."""
        known = self._by_car.get(car)
        return None if known is None else known.lead_doubt_ns

    def on_crossing(self, run: Run, segment: LapSegment) -> list[WitnessFinding]:
        """The gate counted a crossing of the run's car: the findings that follow."""
        return self.of(run.car).on_crossing(run.book, segment)

    def on_report(self, report: CarReport) -> list[WitnessFinding]:
        """A car reports a passing: the findings that follow; none for a car that has had no run here."""
        known = self._by_car.get(report.car)
        return [] if known is None else known.on_report(report)


def facts_of(findings: Sequence[WitnessFinding], runs: Mapping[str, Run], several: bool) -> list[f.Fact]:
    """The facts of findings: confirmed laps, and doubts as proposals, which are also added to their run's list.

    With `several` cars on the track, doubts give no facts: the attribution weighs them instead.
    """
    facts: list[f.Fact] = []
    for each in findings:
        if isinstance(each, f.LapConfirmed):
            facts.append(each)
            continue
        if several:
            continue
        proposal = (missed_by_car if each.missed else false_by_car)(each.run_id, each.at_ns)
        facts.append(proposal)
        if proposal.run_id in runs:
            add_proposal(runs[proposal.run_id], proposal)
    return facts
