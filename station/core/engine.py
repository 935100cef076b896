"""The core's only entry point: `handle(event) -> facts`. Deterministic; nothing that the track can do raises here.

Called by the service for each input in order, and by each replay of a journal: the same inputs give the same facts.
A crossing goes through a pipeline of stages, each of which hands its output to the next:

    gate -> test filter -> backup timing -> attribution -> race -> car witness

Example: an edge that ends a lap gives `Crossing` (gate), `Attributed` and `LapCompleted` (race), maybe `LapConfirmed`
(car witness). Officials' commands go through command_handlers.py; starts and clock changes through set_up.py.
"""

from collections.abc import Iterable, Sequence

from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core import set_up
from station.core.attribution.attribution import LINE
from station.core.attribution.car_witness import WitnessFinding, facts_of
from station.core.attribution.decisions import Step
from station.core.command_handlers import before_the_start, handle_command
from station.core.race import starts, submission, time_limit
from station.core.race.counting import AssignedCrossing, count_crossing
from station.core.runs.proposals import missed_by_system_a
from station.core.runs.run import Run
from station.core.state import TimingState
from station.core.timing.backup_system import MissedByA
from station.core.timing.gate import Gate
from station.core.timing.readiness import TESTING

_COMPARED_AFTER = (f.RunFinished, f.SystemsPaired)
NO_GATE = text("the station has no such gate")


class Engine(TimingState):
    """The station's state, with `handle` to change it."""

    def handle(self, event: e.Input) -> tuple[f.Fact, ...]:
        """The facts that follow from one input, in order; none if it changes nothing.

        Never raises for what the track can do.
        """
        facts = self._dispatch(event)
        if self.scale.waiting is not None and not self.run_is_on:
            facts += set_up.pair_clocks(self, e.ClockPair(*self.scale.waiting))
        if facts:  # an input without facts is not stored, so a replay does not have it
            self._record_stamp(event)
        return (*facts, *self._compared(facts))

    def _dispatch(self, event: e.Input) -> list[f.Fact]:
        match event:
            case e.Edge():
                return self._edge(event)
            case e.Tick():
                return self._tick(event.moment)
            case e.CarReport():
                return self._report(event)
            case e.Command():
                return handle_command(self, event, self._count, self._witness_facts)
            case e.OpenRace():
                return self._open_race(event)
        return set_up.change(self, event)

    def _open_race(self, wanted: e.OpenRace) -> list[f.Fact]:
        if set_up.is_open(self, wanted):
            return []
        if sentence := set_up.refusal_to_open(self, wanted):
            return [f.CommandRefused("open_race", sentence)]
        settled = self._count(self.attribution.settle())  # decides what still waits in the previous race
        self.event.configured(wanted)
        return [*settled, *set_up.open_race(self, wanted)]

    # The pipeline, from the edge to the car's witness

    def _edge(self, edge: e.Edge) -> list[f.Fact]:
        gate = self.gates.get(edge.gate)
        if gate is None:
            return [f.EdgeIgnored(edge.gate, edge.seq, NO_GATE)]
        started = self._started_before(edge)
        return [*started, *self._hand_on(gate, gate.handle(edge))]

    def _started_before(self, edge: e.Edge) -> list[f.Fact]:
        """The start that the lights gave before this edge, if no tick has come since then; returns its facts."""
        if self.race is None or not self.race.on_track or self.booted is None:
            return []
        if not any(run.staged for run in self.race.on_track):
            return []
        boot = self.booted.moment.boot
        at_ns = self.scale.on_station(edge.boot, edge.at_ns, boot)
        if at_ns is None:
            return []
        return self._starts(e.Moment(boot, at_ns, self.scale.utc_ns(boot, at_ns)))

    def _tick(self, now: e.Moment) -> list[f.Fact]:
        """The facts that only the passing of time gives: stuck sensors, missed or waiting crossings, time limits."""
        facts: list[f.Fact] = []
        for gate in self.gates.values():
            facts += self._hand_on(gate, gate.tick(now))
        facts += self._missed(self.backup.missed_by(now))
        if self.race is None:
            return facts
        facts += self._starts(now)
        facts += self._count(self.attribution.tick(now))
        over = time_limit.tick(self.race, now, self.attribution.undecided)
        if over:
            self.attribution.sync(now)
        submitted = [fact for race in self.races.values() for fact in submission.tick(race, now)]
        return facts + over + submitted

    def _starts(self, now: e.Moment) -> list[f.Fact]:
        """The starts whose lights are over; crossings that wait are decided first, as before any start."""
        due = starts.due(self.race, now) if self.race is not None else []
        if self.race is None or not due:
            return []
        facts = [*self._count(self.attribution.settle()), *before_the_start(self)]
        for run in due:
            facts += starts.finish_lights(self.race, run, now)
        self.attribution.sync(now)
        return facts

    def _hand_on(self, gate: Gate, gate_facts: list[f.Fact]) -> list[f.Fact]:
        """A gate's facts, each crossing followed by its consequences for the race."""
        facts: list[f.Fact] = []
        for fact in gate_facts:
            facts.append(fact)
            if isinstance(fact, f.Crossing):
                self.scale.meet(fact.boot)
                facts += self._crossing(fact, gate.spec)
            elif isinstance(fact, f.LayoutDoubted):
                facts += self.readiness.record_layout_doubt(fact, self.scale.utc_ns(fact.boot, fact.at_ns))
        return facts

    def _crossing(self, crossing: f.Crossing, spec: e.GateSpec) -> list[f.Fact]:
        """Passes a crossing through the test filter, and on to the timing system that its gate belongs to."""
        test = self._is_test(crossing)
        if crossing.transponder and self.attribution.is_twin(crossing, spec.lockout_ns):
            if spec.kind == LINE and spec.system == "A" and not test and self._run_timed_by_b is None:
                self.attribution.remember_twin(crossing, spec.lockout_ns)
            return [f.Unattributed(crossing.number, text("the same car's other transponder in the same pass"))]
        if spec.kind == LINE and spec.system == "B":
            return [f.Unattributed(crossing.number, TESTING)] if test else self._on_crossing_of_b(crossing)
        if spec.kind == LINE:
            return self._on_crossing_of_a(crossing, spec.lockout_ns, test)
        if test:
            return [f.Unattributed(crossing.number, TESTING)]
        return self._count(self.attribution.assign(crossing, spec.kind))

    def _is_test(self, crossing: f.Crossing) -> bool:
        """The test filter: whether the crossing was made in test mode and must not reach a race."""
        by_clocks = self.race is not None and self.race.info.officiating >= e.REBOOTS
        return self.readiness.is_test_crossing(crossing, self.scale, by_clocks)

    def _on_crossing_of_a(self, crossing: f.Crossing, lockout_ns: int, test: bool) -> list[f.Fact]:
        """Backup timing: counts what A missed before this crossing, then compares it with B."""
        before = self._missed(self.backup.missed_before(crossing))
        run = self._run_timed_by_b
        if run is not None and not test:
            unattributed = f.Unattributed(crossing.number, text("system B times this run"))
            return [*before, unattributed, *self.backup.add_from_a(crossing, run.run_id)]
        facts = self._attribute(crossing, "gate", lockout_ns, test)
        run_id = next((fact.run_id for fact in facts if isinstance(fact, f.Attributed)), "")
        several = self.attribution.several
        if run_id or several:
            facts += self.backup.add_from_a(crossing, "" if several else run_id)
        return [*before, *facts]

    def _on_crossing_of_b(self, crossing: f.Crossing) -> list[f.Fact]:
        """Compares a crossing of system B with A; it counts if A missed it, or if B times the whole run."""
        if self._run_timed_by_b is None:
            return self.backup.add_from_b(crossing)
        return [*self._count_own_of_b(crossing), *self.backup.add_from_b(crossing, counted=True)]

    def _count_own_of_b(self, crossing: f.Crossing) -> list[f.Fact]:
        """Counts B's crossing by B's own stamp."""
        replacement = f.ReplacementTime(crossing.number, crossing.boot, crossing.at_ns, 0, 0, 0)
        return [replacement, *self._attribute(crossing, "system_b", 0, self._is_test(crossing))]

    @property
    def _run_timed_by_b(self) -> Run | None:
        """The run that B times to its end because A missed even its start."""
        run = self.run if self.timed_by_b and not self.attribution.several else None
        return run if run is not None and run.on and run.run_id == self.timed_by_b else None

    def _missed(self, missed: Sequence[MissedByA]) -> list[f.Fact]:
        """Handles crossings that A missed: within a run, B's corrected stamps count or an official is asked."""
        facts: list[f.Fact] = []
        for each in missed:
            crossing, run, several = each.crossing, self.run, self.attribution.several
            if run is None or not run.on or not (run.released or several):
                facts.append(f.Unattributed(crossing.number, text("only system B saw it, and no run is on")))
            elif each.fact is not None and (several or run.book.could_end_lap(crossing.boot, crossing.at_ns)):
                facts += [each.fact, *self._attribute(crossing, "system_b", 0, self._is_test(crossing))]
            elif not run.begun and not several:
                self.timed_by_b, run.book.timed_by_b = run.run_id, True
                facts += self._count_own_of_b(each.own)
            else:
                facts.append(f.Unattributed(crossing.number, text("only system B saw it")))
                if run.begun and not several:
                    run.proposals.append(missed_by_system_a(run.run_id, crossing.at_ns))
                    facts.append(run.proposals[-1])
        return facts

    def _attribute(self, crossing: f.Crossing, source: f.Source, lockout_ns: int, test: bool) -> list[f.Fact]:
        """Attributes a crossing of the line to a run; asks an official if its transponder is unknown."""
        if test:
            return [f.Unattributed(crossing.number, TESTING)]
        facts = self._count(self.attribution.assign(crossing, LINE, source, lockout_ns))
        if crossing.transponder:
            facts += self.attribution.remember(crossing, source, lockout_ns, facts)
        return facts

    def _count(self, steps: Iterable[Step]) -> list[f.Fact]:
        """Hands each crossing that has a run to the race, and those that count on to the car's witness."""
        facts: list[f.Fact] = []
        for step in steps:
            if not isinstance(step, AssignedCrossing):
                facts.append(step)
                continue
            assert self.race is not None, "crossings are assigned to runs of the race that is open"
            counted_facts, segment = count_crossing(self.race, step)
            facts += counted_facts
            if segment is not None:
                facts += self._witness_facts(self.witnesses.on_crossing(step.run, segment))
        return facts

    def _report(self, report: e.CarReport) -> list[f.Fact]:
        """Stores a car's report of a passing once, and compares it with what the gate saw."""
        stored = self.reports.setdefault((report.car, report.boot), set())
        if report.seq in stored:
            return []
        stored.add(report.seq)
        self.attribution.report(report)
        receipt = f.CarReportStored(report.car, report.boot, report.seq, self.run_of(report.car))
        return [receipt, *self._witness_facts(self.witnesses.on_report(report))]

    def _witness_facts(self, findings: list[WitnessFinding]) -> list[f.Fact]:
        """The facts of what a car's witness found; with several cars, the attribution weighs doubts instead."""
        if not findings:
            return []
        return facts_of(findings, {} if self.race is None else self.race.runs, self.attribution.several)

    def _record_stamp(self, event: e.Input) -> None:
        """Records the newest stamp of the input's clock; a car's report counts by when the station received it."""
        if isinstance(event, e.Edge):
            boot, at_ns = event.boot, event.at_ns
        else:
            moment = event.taken if isinstance(event, e.CarReport) else event.moment
            boot, at_ns = moment.boot, moment.at_ns
        clock = e.clock_of(boot)
        if at_ns > self.last_of_clock.get(clock, at_ns - 1):
            self.last_of_clock[clock] = at_ns

    def _compared(self, facts: Sequence[f.Fact]) -> list[f.Fact]:
        """The comparison of both systems for each run that ends, and again after each late pair."""
        run_ids = {fact.run_id for fact in facts if isinstance(fact, _COMPARED_AFTER)}
        if not run_ids or self.race is None:
            return []
        summaries = [each for run_id in sorted(run_ids) if (each := self.backup.summary(run_id)) is not None]
        return [each for each in summaries if self._is_over(each.run_id)]

    def _is_over(self, run_id: str) -> bool:
        run = self.race.runs.get(run_id) if self.race is not None else None
        return run is not None and not run.on
