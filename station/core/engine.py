"""The core's one door: `handle(event) -> facts`. Deterministic, and nothing that the track can do raises here.

It has no rule of its own; it hands each input to the room that knows: edges to their gate, crossings to the race,
reports to the car's witness, commands to the race. Replaying the same inputs gives the same facts.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from shared.errors import Refused
from shared.protocol.topics import checked_device
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.attribution import Attribution
from station.core.attribution.car_witness import Doubt, Found, Witness
from station.core.attribution.transponders import Stranger
from station.core.race.car_models import Models
from station.core.race.lap_doubts import ask
from station.core.race.laps import Stretch
from station.core.race.proposals import false_by_car, missed_by_car
from station.core.race.race import Race
from station.core.race.racer_names import FIRST_EDITION, Names
from station.core.race.result_identity import Identity
from station.core.race.run import NAMES, Run, next_phase
from station.core.race.run_registry import RunIds
from station.core.stop_all import StopLatch
from station.core.timing.gate import Count, Gate
from station.core.timing.last_stamps import LastStamps
from station.core.timing.readiness import Fitness
from station.core.timing.utc_scale import UtcScale

NO_GATE = "the station has no such gate"
EARLIEST_MS, LATEST_MS = 1_577_836_800_000, 4_102_444_800_000  # 2020 to 2100


class Engine:
    """The state of the station, made of nothing but its inputs."""

    def __init__(self) -> None:
        self.gates: dict[str, Gate] = {}
        self.races: dict[str, Race] = {}
        self.race: Race | None = None
        self.fitness = Fitness()
        self.models = Models()
        self.stop = StopLatch()
        self._scale = UtcScale()
        self._ids = RunIds()
        self.identity = Identity(self._ids)
        self._names = Names()
        self._attribution = Attribution(self.fitness, self._scale, self._names, self._counted)
        self._count = Count()
        self._witnesses: dict[str, Witness] = {}
        self._heard: dict[tuple[str, str], set[int]] = {}
        self._booted: e.Booted | None = None
        self._last = LastStamps()

    @property
    def run(self) -> Run | None:
        """The run on the track, or the last one of the race that is on."""
        return None if self.race is None else self.race.run

    @property
    def strangers(self) -> tuple[Stranger, ...]:
        """Transponders that passed in this race, and of whom nobody knows whose they are."""
        return self._attribution.strangers

    @property
    def paired(self) -> frozenset[str]:
        """The boots whose stamps can be shown as a time of day."""
        return self._scale.boots

    def trusts(self, boot: str) -> bool:
        """Are this boot's stamps shown at the right time of day, as far as anybody can tell?"""
        return self._scale.trusts(boot)

    def time_of_day(self, boot: str, at_ns: int) -> int:
        """A stamp as UTC ns, for display."""
        return self._scale.utc_ns(boot, at_ns)

    def kept(self, gate: str) -> Mapping[str, int]:
        """The last seq that was handled of each boot of a gate."""
        known = self.gates.get(gate)
        return MappingProxyType({} if known is None else known.kept)

    def handle(self, event: e.Input) -> tuple[f.Fact, ...]:
        """What follows from one input. No facts: nothing changed."""
        facts = self._take(event)
        if self._scale.waiting is not None and not self._run_is_on():
            facts += self._pair(e.ClockPair(*self._scale.waiting))
        if facts:  # what has none is not kept, and does not come in a replay
            self._last.note(event)
        return (*facts, *self._attribution.summed(facts))

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
                return self._pair(event)
            case e.Booted() | e.JournalBegan():
                return self._boot(event) if isinstance(event, e.Booted) else self._began(event)
            case e.GateReported() | e.GateNote() | e.CarModel():
                return self._hear(event)

    def _hear(self, event: e.GateReported | e.GateNote | e.CarModel) -> list[f.Fact]:
        """A gate's driver or a car speaks of itself."""
        if isinstance(event, e.CarModel):
            return self.models.hear(event, self.race.on_track if self.race is not None else [])
        return self.fitness.hear(event, self._scale)

    def _pair(self, pair: e.ClockPair) -> list[f.Fact]:
        """A pair may put right what was stamped before: results that are due then are corrected."""
        boot = pair.moment.boot
        used, correction = self._scale.pair(pair.moment, self._run_is_on(), pair.trusted, pair.paced)
        if pair.trusted:
            self.identity.trusted(pair.moment.utc_ns)
        told: list[f.Fact] = [f.ClockNoted(boot, used)]
        if correction is not None:
            told.append(f.ClockCorrected(boot, correction.by_ns, pair.trusted))
            told += [fact for race in self.races.values() for fact in race.corrected(correction)]
        return told

    def _set_clock(self, command: e.SetClock) -> list[f.Fact]:
        """An official says what time it is."""
        if not EARLIEST_MS <= command.utc_ms < LATEST_MS:
            raise Refused("`utc_ms` is no time of day of these years: set the clock of the device that you hold first.")
        right = replace(command.moment, utc_ns=command.utc_ms * 1_000_000)
        return self._pair(e.ClockPair(right))

    def _run_is_on(self) -> bool:
        return self.race is not None and self.race.on

    def _boot(self, booted: e.Booted) -> list[f.Fact]:
        """A gate that is built as before keeps its memory: what it remembers beyond will come again."""
        if self.race is not None and self._booted is not None and booted.moment.boot != self._booted.moment.boot:
            self.race.rebooted(booted.moment, self._last.of_clock)
        self._scale.corrects = booted.edition > FIRST_EDITION
        self._scale.booted(booted.moment, self._run_is_on(), booted.clock_trusted)
        for spec in booted.gates:
            known = self.gates.get(spec.name)
            if known is None or known.spec != spec:
                self.gates[spec.name] = Gate(spec, self._count)
                if known is not None:
                    self.gates[spec.name].kept.update(known.kept)
        self._booted = booted
        self._ids.by_race = booted.edition <= FIRST_EDITION
        self.identity.began(booted.station, booted.start)
        if booted.clock_trusted:
            self.identity.trusted(booted.moment.utc_ns)
        self.models.restart()
        self.fitness.rebuilt(booted.gates)
        self._attribution.wire(booted.transponders)
        told: list[f.Fact] = [f.StationBooted(booted.station, booted.moment.boot)]
        if booted.edition != self._names.edition:
            self._names.edition = booted.edition
            told += [fact for race in self.races.values() for fact in race.respell()]
        return told

    def _began(self, journal: e.JournalBegan) -> list[f.Fact]:
        """The journal has a name; one that goes on for another counts on from its runs."""
        self.identity.journal = journal.journal
        self._ids.reached(journal.runs)
        return [f.JournalNamed(journal.journal, journal.old_journal, journal.old_seq, journal.old_head)]

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
            more = (self._names, self.models, self._ids, self.identity)
            known = self.races[wanted.race_id] = Race(wanted, self._scale, *more)
        known.info = wanted
        self.race = known
        return [*self._attribution.open(known), f.RaceOpened(wanted.race_id)]

    def _edge(self, edge: e.Edge) -> list[f.Fact]:
        gate = self.gates.get(edge.gate)
        if gate is None:
            return [f.EdgeIgnored(edge.gate, edge.seq, NO_GATE)]
        return self._weigh(gate, gate.handle(edge))

    def _weigh(self, gate: Gate, facts: list[f.Fact]) -> list[f.Fact]:
        """After each crossing, what it means for the race."""
        told: list[f.Fact] = []
        for fact in facts:
            told.append(fact)
            if isinstance(fact, f.Crossing):
                self._scale.meet(fact.boot)
                told += self._attribution.seen(fact, gate.spec)
            elif isinstance(fact, f.LayoutDoubted):
                told += self.fitness.noted_layout(fact, self._scale.utc_ns(fact.boot, fact.at_ns))
        return told

    def _counted(self, run: Run, stretch: Stretch) -> list[f.Fact]:
        """A crossing counted: the car's own reports may agree. Among several cars doubts are weighed elsewhere."""
        return self._told(self._witness(run.car).passed(run.book, stretch))

    def _told(self, found: list[Found]) -> list[f.Fact]:
        told: list[f.Fact] = []
        for each in found:
            if isinstance(each, f.LapConfirmed):
                told.append(each)
                continue
            if self._attribution.several:
                continue
            proposal = _proposal(each)
            told.append(proposal)
            if self.race is not None and proposal.run_id in self.race.runs:
                ask(self.race.runs[proposal.run_id], proposal)
        return told

    def _tick(self, now: e.Moment) -> list[f.Fact]:
        told: list[f.Fact] = []
        for gate in self.gates.values():
            told += self._weigh(gate, gate.tick(now))
        return told + self._attribution.tick(now)

    def _report(self, report: e.CarReport) -> list[f.Fact]:
        heard = self._heard.setdefault((report.car, report.boot), set())
        if report.seq in heard:
            return []
        heard.add(report.seq)
        self._attribution.report(report)
        witness = self._witnesses.get(report.car)
        kept = f.CarHeard(report.car, report.boot, report.seq, self._run_of(report.car))
        return [kept, *(self._told(witness.reported(report)) if witness is not None else [])]

    def _witness(self, car: str) -> Witness:
        known = self._witnesses.get(car)
        if known is None:
            known = self._witnesses[car] = Witness(car)
        return known

    def _command(self, command: e.Command) -> list[f.Fact]:
        settled = self._attribution.settle() if isinstance(command, _CHANGES) else []
        if isinstance(command, e.StartRun):
            settled += self._attribution.starting()
        try:
            facts = self._obey(command)
        except Refused as refusal:
            return [*settled, f.CommandRefused(NAMES.get(type(command), "command"), str(refusal))]
        if isinstance(command, e.OpenRun):
            self._witness(command.car)
        self._attribution.sync(command.moment)
        return [*settled, *facts, *self._recast(command, facts)]

    def _obey(self, command: e.Command) -> list[f.Fact]:
        self.stop.check(command)
        match command:
            case e.StopAll() | e.ReleaseStop():
                return self.stop.obey(command)
            case e.OrderCar():
                return self._order(command)
            case e.SetClock():
                return self._set_clock(command)
            case e.GiveTransponder():
                self._open_one()
                return self._attribution.name(command)
            case e.SetMode():
                self._free_for(e.SetMode)
                return self.fitness.change(command)
            case e.TryGate():
                return self._try(command)
            case e.OpenRun() | e.ArmRun():
                race = self._open_one()
                race.allow(command)
                return [*self.fitness.check(self.gates, command), *race.command(command)]
        return self._open_one().command(command)

    def _free_for(self, order: type[e.Command]) -> None:
        """Raises Refused while a run is on."""
        if self.race is None:
            next_phase("idle", order)
        else:
            next_phase(self.race.phase, order, self.race.info.officiating)

    def _try(self, command: e.TryGate) -> list[f.Fact]:
        gate = self.gates.get(command.gate)
        if gate is None:
            raise Refused(f"The station has no gate {command.gate!r}; it has {', '.join(self.gates)}.")
        if self._run_is_on():
            raise Refused("A run is on: try the gate when it is over.")
        gate.forget()
        return [f.GateTried(gate.spec.name, command.author)]

    def _open_one(self) -> Race:
        if self.race is None:
            raise Refused("No race is open: the station's config names it under [race].")
        return self.race

    def _recast(self, command: e.Command, facts: list[f.Fact]) -> list[f.Fact]:
        """A ruling moved a run's marks: its car's witness looks again."""
        moved = (f.Attributed, f.LapsRecast) if isinstance(command, e.GiveCrossing) else f.LapsRecast
        recast = list(dict.fromkeys(fact.run_id for fact in facts if isinstance(fact, moved)))
        if not recast or self.race is None or isinstance(command, e.SetClock):
            return []
        told: list[f.Fact] = []
        for run_id in recast if isinstance(command, e.GiveTransponder) else recast[:1]:
            run = self.race.runs[run_id]
            if isinstance(command, e.AddCrossing | e.GiveCrossing | e.GiveTransponder) and run.book.stretches:
                self._attribution.ruled(run)
            told += self._told(self._witness(run.car).recast(run.book))
        return told

    def _order(self, command: e.OrderCar) -> list[f.Fact]:
        device, run_id = checked_device(command.car), self._run_of(command.car)
        return [f.CarOrdered(device, run_id, command.action, command.throttle_percent)]

    def _run_of(self, car: str) -> str:
        """The run of this car that is on, or the last one of all if it was this car's."""
        runs = [] if self.race is None else [*self.race.on_track, *([self.race.run] if self.race.run else [])]
        return next((run.run_id for run in runs if run.car == car), "")


_CHANGES = (e.StartRun, e.FinishRun, e.AbandonRun, e.GiveTransponder)  # of who is on the track, or of whose it was


def _same(a: e.OpenRace, b: e.OpenRace) -> bool:
    return replace(a, moment=b.moment) == b


def _proposal(doubt: Doubt) -> f.Proposal:
    return (missed_by_car if doubt.missed else false_by_car)(doubt.run_id, doubt.at_ns)
