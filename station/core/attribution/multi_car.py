"""Several runs on the track at once: their crossings wait until no report can change whose they were.

They wait only while it is in doubt who broke the beam: with one run on the track, and no car that has just left it, a
crossing is that run's at once. Reports and moments are converted to the gate's clock here, and decisions become facts;
whatever is doubtful, missing or false becomes a proposal, and does not count until an official rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from shared.text import text
from shared.units import seconds_to_ns
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.assignment import HOLD_NS, CarReportAt, CrossingAssigner, GateCrossing
from station.core.attribution.decisions import Decision, LateContradiction, MissingCrossing, Step
from station.core.attribution.likelihood import LEAVES_NS
from station.core.race.counting import AssignedCrossing
from station.core.race.race import MAX_DOUBTS, Race
from station.core.runs import proposals
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale

NEAR_NS = 1_000_000_000  # two witnesses this close are about the same pass
LOCKOUT_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PendingCrossing:
    """A crossing that is not decided yet, and who timed it."""

    crossing: f.Crossing
    source: f.Source


class MultiCarAttribution:
    """The cars of one race that are on the track together.

    Steps come one at a time: the caller counts an `AssignedCrossing` before it asks for the next step, because what
    follows depends on what that crossing did to its run.
    """

    def __init__(self, race: Race, scale: UtcScale) -> None:
        self.race = race
        self._scale = scale
        self._assigner: CrossingAssigner | None = None
        self.on = False  # True while more than one car may break the beam
        self._pending: dict[int, PendingCrossing] = {}
        self._decided: dict[int, PendingCrossing] = {}
        self._in: dict[str, Run] = {}  # car -> its run, current or just over
        self._gone: dict[str, int] = {}  # car -> when it left, on the gate's clock
        self._boot = ""  # boot that stamped the newest crossing
        self._now_ns = 0

    @property
    def undecided(self) -> f.Crossing | None:
        """The oldest crossing that waits for a decision; None if there is none."""
        return min((pending.crossing for pending in self._pending.values()), key=lambda each: each.at_ns, default=None)

    def sync(self, now: e.Moment) -> None:
        """Updates which cars are on the track, after a command or the end of a run."""
        self._sync(self._on_gate(now))

    def if_clear(self, crossing: f.Crossing, kind: e.GateKind, source: f.Source) -> Step | None:
        """The step of a crossing that only one car can have made; None if it has to be weighed."""
        if self._assigner is None and kind == "start_finish":
            if e.clock_of(crossing.boot) != e.clock_of(self._boot):
                self._now_ns = crossing.at_ns
            self._boot = crossing.boot
            self._sync(crossing.at_ns)
        return None if self._assigner is not None else self._only_run(crossing, kind, source)

    def crossing(self, crossing: f.Crossing, source: f.Source, lockout_ns: int) -> Iterator[Step]:
        """Adds a crossing that several cars can have made; gives the steps of older ones that can be decided now.

        This one waits until no report can change whose it was.
        """
        if e.clock_of(crossing.boot) != e.clock_of(self._boot):
            yield from self.decide_all()
            self._now_ns = crossing.at_ns
            if self._assigner is not None:
                self._assigner.restart()
        self._boot = crossing.boot
        yield from self._decide(crossing.at_ns)
        self._sync(crossing.at_ns)
        if self._assigner is None:  # the other cars that it might have been have left the track by now
            yield self._only_run(crossing, "start_finish", source)
            return
        self._assigner.lockout_ns = lockout_ns
        self._pending[crossing.number] = PendingCrossing(crossing, source)
        self._assigner.add_crossing(GateCrossing(crossing.number, crossing.at_ns))

    def named(self, run: Run, at_ns: int) -> None:
        """A transponder or an official places the run's car on the line at `at_ns` of the gate's clock."""
        if self._assigner is not None:
            self._assigner.ruled(run.car, at_ns)

    def report(self, report: e.CarReport) -> None:
        """Adds a car's report of a passing."""
        if self._assigner is None:
            return
        clock = e.clock_of(self._boot or report.taken.boot)
        stated = CarReportAt(report.car, report.at_ns, report.uncertainty_ns, report.car_boot)
        self._assigner.add_report(stated, self._on_gate(report.taken), report.car_boot == clock)

    def tick(self, now: e.Moment) -> Iterator[Step]:
        """The steps of what has waited long enough."""
        if self._assigner is not None and self._boot:
            yield from self._decide(self._on_gate(now))

    def decide_all(self) -> Iterator[Step]:
        """The steps of everything that waits, by what is known now: the cars on the track are about to change."""
        newest_ns = max((pending.crossing.at_ns for pending in self._pending.values()), default=None)
        if newest_ns is not None:
            yield from self._decide(newest_ns + HOLD_NS)

    def _decide(self, now_ns: int) -> Iterator[Step]:
        if self._assigner is None:
            return
        decisions = self._assigner.decide(now_ns)
        for each in decisions:
            match each:
                case MissingCrossing():
                    yield from self._missed(each)
                case Decision():
                    yield from self._steps_of(each)
                case LateContradiction():
                    yield from self._contradicted(each)
        if decisions:
            self._sync(now_ns)

    def _steps_of(self, decision: Decision) -> list[Step]:
        pending = self._decided[decision.crossing] = self._pending.pop(decision.crossing)
        if len(self._decided) > MAX_DOUBTS:
            del self._decided[next(iter(self._decided))]
        run = self._in.get(decision.car)
        if not decision.sure or run is None:
            return self._doubtful(decision, pending)
        if not run.on:
            return [
                f.Unattributed(
                    decision.crossing,
                    text("it was {car}'s, whose run is over: {why}", car=decision.car, why=decision.why),
                )
            ]
        percent = int(100 * decision.odds)
        return [AssignedCrossing(run, pending.crossing, "start_finish", pending.source, decision.why, percent)]

    def _doubtful(self, decision: Decision, pending: PendingCrossing) -> list[Step]:
        names = [name for name in (decision.car, *decision.others) if name]
        runs = [self._in[name] for name in names if self._in[name].on]
        if not runs:
            return [f.Unattributed(decision.crossing, decision.why)]
        self.race.add_doubtful(pending.crossing)
        crossing, at_ns = decision.crossing, decision.at_ns
        if decision.car:
            percent = int(100 * decision.odds)
            proposal = proposals.doubtful_among_cars(runs, crossing, at_ns, decision.car, decision.why, percent)
            why = text("it is doubtful whose it was: an official is asked")
        else:
            proposal = proposals.false_among_cars(runs, crossing, at_ns, decision.why)
            why = text("{why}: an official is asked", why=decision.why)
        runs[0].proposals.append(proposal)
        return [f.Unattributed(decision.crossing, why), proposal]

    def _contradicted(self, late: LateContradiction) -> list[f.Fact]:
        """Reports that a crossing is in doubt after all; it stays with its run until an official decides otherwise."""
        run, other = self._in[late.car], self._in[late.other]
        facts: list[f.Fact] = [f.CrossingMissed(other.run_id, late.other, late.at_ns, text("its own report"))]
        if not other.begun:
            return facts
        self.race.doubtful[late.crossing] = self._decided[late.crossing].crossing
        run.proposals.append(proposals.contradicted(run, other, late.crossing, late.at_ns, late.why))
        return [*facts, run.proposals[-1]]

    def _missed(self, missing: MissingCrossing) -> list[f.Fact]:
        """Reports a crossing that the gate missed, and proposes it once if the run has begun."""
        run = self._in[missing.car]
        facts: list[f.Fact] = [f.CrossingMissed(run.run_id, missing.car, missing.at_ns, missing.witness)]
        near = [each.at_ns for each in run.proposals] + [segment.start.at_ns for segment in run.book.segments]
        if not run.begun or any(abs(at_ns - missing.at_ns) < NEAR_NS for at_ns in near):
            return facts
        proposal = proposals.missed_among_cars(run.run_id, missing.car, missing.at_ns, missing.witness)
        run.proposals.append(proposal)
        return [*facts, run.proposals[-1]]

    def _sync(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        race = self.race
        if self._assigner is None:
            if len(race.on_track) < 2:
                return
            self.on = True
            self._assigner = CrossingAssigner((), seconds_to_ns(race.info.rules.min_lap_s), LOCKOUT_NS)
        for run in race.on_track:
            if run.released and (self._in.get(run.car) is not run or run.car in self._gone):
                self._enter(self._assigner, run)
        for car, run in self._in.items():
            if not (run.on and run.released) and car not in self._gone:
                self._gone[car] = self._now_ns
                self._assigner.leave(car, self._now_ns)
        recent = any(self._now_ns - left_ns < LEAVES_NS for left_ns in self._gone.values())
        if not self._pending and not recent and len(race.on_track) < 2:
            self.on = False
            self._assigner = None  # one run is left and all other cars are away: no doubt is possible any more
            self._in.clear()
            self._gone.clear()

    def _only_run(self, crossing: f.Crossing, kind: e.GateKind, source: f.Source) -> Step:
        """The crossing belongs to the run on the track; to none if there is none."""
        on_track = self.race.on_track
        if not on_track:
            return f.Unattributed(crossing.number, text("no run is on"))
        return AssignedCrossing(on_track[-1], crossing, kind, source)

    def _enter(self, cars: CrossingAssigner, run: Run) -> None:
        """The run's car comes onto the track, with what its laps so far teach."""
        begun = 0 if run.signal is None else 1  # a start signal is no pass
        counted_crossings = [segment.start for segment in run.book.segments[begun:][-8:]]
        laps = [
            after.at_ns - before.at_ns for before, after in pairwise(counted_crossings) if before.boot == after.boot
        ]
        cars.enter(run.car, counted_crossings[-1].at_ns if counted_crossings else None, laps, self._now_ns)
        self._in[run.car] = run
        self._gone.pop(run.car, None)

    def _on_gate(self, moment: e.Moment) -> int:
        """A moment of the station, converted to the gate's clock."""
        if e.clock_of(moment.boot) == e.clock_of(self._boot):
            return moment.at_ns
        return self._scale.utc_ns(moment.boot, moment.at_ns) - self._scale.utc_ns(self._boot, 0)
