"""The core's one door: `handle(event) -> facts`. Deterministic, and nothing that the track can do raises here.

It has no rule of its own; it hands each input to the room that knows: edges to their gate, crossings to the race,
reports to the car's witness, commands to the race. Replaying the same inputs gives the same facts.
"""

from collections.abc import Mapping
from types import MappingProxyType

from shared.errors import Refused
from shared.topics import checked_device
from station.core import events as e
from station.core import facts as f
from station.core.confirm import Agreed, Doubt, Witness
from station.core.fitness import TESTING, Fitness
from station.core.gate import Count, Gate
from station.core.race import Race
from station.core.run import NAMES, Run, next_phase
from station.core.scale import UtcScale
from station.core.second import Missed, SecondSystem


class Engine:
    """The state of the station, made of nothing but its inputs."""

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.races: dict[str, Race] = {}
        self.race: Race | None = None
        self.fitness = Fitness()
        self._scale = UtcScale()
        self._second = SecondSystem(self._scale)
        self._count = Count()
        self._witnesses: dict[str, Witness] = {}
        self._heard: dict[tuple[str, str], set[int]] = {}
        self._booted: e.Booted | None = None

    @property
    def run(self) -> Run | None:
        """The run on the track, or the last one of the race that is on."""
        return None if self.race is None else self.race.run

    @property
    def paired(self) -> frozenset[str]:
        """The boots whose stamps can be shown as a time of day."""
        return self._scale.boots

    def kept(self, gate: str) -> Mapping[str, int]:
        """The last seq that was handled of each boot of a gate."""
        known = self.gates.get(gate)
        return MappingProxyType({} if known is None else known.kept)

    def handle(self, event: e.Input) -> tuple[f.Fact, ...]:
        """What follows from one input. No facts: nothing changed."""
        facts = self._take(event)
        return (*facts, *self._summed(facts))

    def _take(self, event: e.Input) -> list[f.Fact]:
        match event:
            case e.Edge():
                return self._edge(event)
            case e.Tick():
                return self._tick(event.moment)
            case e.CarReport():
                return self._report(event)
            case e.Command():
                return self._command(event)
            case e.OpenRace():
                return self._open_race(event)
            case e.ClockPair():
                return [f.ClockNoted(event.moment.boot, self._scale.note(event.moment, self._run_is_on()))]
            case e.Booted():
                return self._boot(event)
            case e.GateReported():
                return self.fitness.report(event)

    def _run_is_on(self) -> bool:
        return self.race is not None and self.race.on

    def _boot(self, booted: e.Booted) -> list[f.Fact]:
        """A gate that is built as before keeps its memory: what it remembers beyond will come again."""
        self._scale.note(booted.moment, self._run_is_on())
        for spec in booted.gates:
            known = self.gates.get(spec.name)
            if known is None or known.spec != spec:
                self.gates[spec.name] = Gate(spec, self._count)
                if known is not None:
                    self.gates[spec.name].kept.update(known.kept)
        self._booted = booted
        self.fitness.rebuilt(booted.gates)
        return [f.StationBooted(booted.station, booted.moment.boot)]

    def _open_race(self, wanted: e.OpenRace) -> list[f.Fact]:
        now = self.race
        if now is not None and _same(now.info, wanted):
            return []
        if now is not None and now.on:
            return [f.CommandRefused("open_race", f"A run of the race {now.info.race_id} is on: finish it first.")]
        known = self.races.get(wanted.race_id)
        if known is not None and known.runs and known.info.rules != wanted.rules:
            sentence = f"The race {wanted.race_id} has runs under other rules: give the new race another id."
            return [f.CommandRefused("open_race", sentence)]
        if known is None:
            known = self.races[wanted.race_id] = Race(wanted, self._scale)
        known.info = wanted
        self.race = known
        return [f.RaceOpened(wanted.race_id)]

    def _edge(self, edge: e.Edge) -> list[f.Fact]:
        gate = self.gates.get(edge.gate)
        if gate is None:
            return [f.EdgeIgnored(edge.gate, edge.seq, "the station has no such gate")]
        return self._weigh(gate, gate.handle(edge))

    def _weigh(self, gate: Gate, facts: list[f.Fact]) -> list[f.Fact]:
        """After each crossing, what it means for the race."""
        told: list[f.Fact] = []
        for fact in facts:
            told.append(fact)
            if isinstance(fact, f.Crossing):
                told += self._seen(fact, gate.spec)
        return told

    def _seen(self, crossing: f.Crossing, spec: e.GateSpec) -> list[f.Fact]:
        """Of which system? B stands by: it is compared with A, and counts where A missed."""
        if spec.kind == "split":
            return self._crossing(crossing, spec.kind)
        if spec.system == "B":
            if self.fitness.keeps(crossing, self._scale):
                return [f.Unattributed(crossing.number, TESTING)]
            return self._second.seen_by_b(crossing)
        before = self._missed(self._second.missed_before(crossing))
        facts = self._crossing(crossing, spec.kind)
        run_id = next((fact.run_id for fact in facts if isinstance(fact, f.Attributed)), "")
        return [*before, *facts, *(self._second.seen_by_a(crossing, run_id) if run_id else [])]

    def _missed(self, missed: list[Missed]) -> list[f.Fact]:
        """A missed these: B's corrected stamp counts, or an official is asked. Outside a run it means nothing."""
        told: list[f.Fact] = []
        for each in missed:
            run, crossing = self.run, each.crossing
            if run is None or not run.on or not run.released:
                told.append(f.Unattributed(crossing.number, "only system B saw it, and no run is on"))
            elif each.fact is not None and run.book.fits(crossing.boot, crossing.at_ns):
                told += [each.fact, *self._crossing(crossing, "start_finish", "system_b")]
            else:
                told.append(f.Unattributed(crossing.number, "only system B saw it"))
                told += self._doubted(run, crossing)
        return told

    def _doubted(self, run: Run, crossing: f.Crossing) -> list[f.Fact]:
        if not run.begun:
            return []
        sentence = "System B saw a car where A saw none: was a crossing missed?"
        proposal = f.Proposal(run.run_id, "missed_crossing", crossing.at_ns, "system B", sentence)
        run.proposals.append(proposal)
        return [proposal]

    def _summed(self, facts: list[f.Fact]) -> list[f.Fact]:
        """A run that ends gets the summary of both systems, and anew with each pair that comes late."""
        told = {fact.run_id for fact in facts if isinstance(fact, (f.RunFinished, f.SystemsPaired))}
        if not told:
            return []
        runs = self.race.runs if self.race is not None else {}
        over = [run_id for run_id in sorted(told) if run_id in runs and not runs[run_id].on]
        return [fact for run_id in over if (fact := self._second.summary(run_id)) is not None]

    def _crossing(self, crossing: f.Crossing, kind: e.GateKind, source: f.Source = "gate") -> list[f.Fact]:
        if self.fitness.keeps(crossing, self._scale):
            return [f.Unattributed(crossing.number, TESTING)]
        if self.race is None:
            return [f.Unattributed(crossing.number, "no race is open")]
        facts, stretch = self.race.crossing(crossing, kind, source)
        run = self.race.run
        if stretch is None or run is None:
            return facts
        return facts + self._told(self._witness(run.car).passed(run.book, stretch))

    def _told(self, found: list[Agreed | Doubt]) -> list[f.Fact]:
        told: list[f.Fact] = []
        for each in found:
            if isinstance(each, Agreed):
                told.append(_confirmed(each))
                continue
            proposal = _proposal(each)
            told.append(proposal)
            if self.race is not None and proposal.run_id in self.race.runs:
                self.race.runs[proposal.run_id].proposals.append(proposal)
        return told

    def _tick(self, now: e.Moment) -> list[f.Fact]:
        told: list[f.Fact] = []
        for gate in self.gates.values():
            told += self._weigh(gate, gate.tick(now))
        told += self._missed(self._second.missed_by(now))
        return told + (self.race.tick(now) if self.race is not None else [])

    def _report(self, report: e.CarReport) -> list[f.Fact]:
        heard = self._heard.setdefault((report.car, report.boot), set())
        if report.seq in heard:
            return []
        heard.add(report.seq)
        witness = self._witnesses.get(report.car)
        run = self.run
        kept = f.CarHeard(report.car, report.boot, report.seq, run.run_id if run and run.car == report.car else "")
        return [kept, *(self._told(witness.reported(report)) if witness is not None else [])]

    def _witness(self, car: str) -> Witness:
        return self._witnesses.setdefault(car, Witness(car))

    def _command(self, command: e.Command) -> list[f.Fact]:
        try:
            facts = self._obey(command)
        except Refused as refusal:
            return [f.CommandRefused(NAMES.get(type(command), "command"), str(refusal))]
        if isinstance(command, e.OpenRun):
            self._witness(command.car)
        return facts + self._recast(facts)

    def _obey(self, command: e.Command) -> list[f.Fact]:
        match command:
            case e.OrderCar():
                return self._order(command)
            case e.SetMode():
                next_phase("idle" if self.race is None else self.race.phase, e.SetMode)
                return self.fitness.change(command)
            case e.OpenRun() | e.ArmRun():
                race = self._open_one()
                next_phase(race.phase, type(command))
                return [*self.fitness.check(self.gates, command), *race.command(command)]
        return self._open_one().command(command)

    def _open_one(self) -> Race:
        if self.race is None:
            raise Refused("No race is open: the station's config names it under [race].")
        return self.race

    def _recast(self, facts: list[f.Fact]) -> list[f.Fact]:
        """A ruling moved a run's marks: its car's witness looks again."""
        recast = next((fact.run_id for fact in facts if isinstance(fact, f.LapsRecast)), None)
        if recast is None or self.race is None:
            return []
        run = self.race.runs[recast]
        return self._told(self._witness(run.car).recast(run.book))

    def _order(self, command: e.OrderCar) -> list[f.Fact]:
        run = self.run
        run_id = run.run_id if run is not None and run.car == command.car else ""
        return [f.CarOrdered(checked_device(command.car), run_id, command.action, command.throttle_percent)]


def _same(a: e.OpenRace, b: e.OpenRace) -> bool:
    return (a.race_id, a.name, a.rules, a.track, a.kind) == (b.race_id, b.name, b.rules, b.track, b.kind)


def _confirmed(agreed: Agreed) -> f.LapConfirmed:
    return f.LapConfirmed(agreed.book.lap(agreed.number), agreed.car_lap_ns, agreed.difference_ns)


def _proposal(doubt: Doubt) -> f.Proposal:
    if doubt.missed:
        sentence = "The car saw the gate where the gate saw no car: was a crossing missed?"
        return f.Proposal(doubt.run_id, "missed_crossing", doubt.at_ns, "car", sentence)
    sentence = "The gate saw a crossing within what the car reports as one lap: was it false?"
    return f.Proposal(doubt.run_id, "false_crossing", doubt.at_ns, "car", sentence)
