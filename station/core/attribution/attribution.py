"""Whose crossing is it? By its transponder, as the one run that is on, or as the cars on the track together weigh it.

At a line with two timing systems A times and B stands by: it is compared with A, and counts where A missed.
"""

from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.multi_car import Counted, Together
from station.core.attribution.transponders import Stranger, Transponders, given_by
from station.core.attribution.wrong_owner import Change, LastRead, told_anew
from station.core.race.proposals import missed_by_system_a
from station.core.race.race import Race
from station.core.race.racer_names import Names
from station.core.race.recount import TransponderPass
from station.core.race.run import Run
from station.core.timing.backup_system import Missed, SecondSystem
from station.core.timing.readiness import TESTING, Fitness
from station.core.timing.utc_scale import UtcScale

LINE: e.GateKind = "start_finish"
OWNERS = 256  # whose last reading is remembered


class Attribution:
    """Crossings in, facts of their runs out. `counted` hears of each mark that was made."""

    def __init__(self, fitness: Fitness, scale: UtcScale, names: Names, counted: Counted) -> None:
        self._fitness, self._scale, self._names, self._counted = fitness, scale, names, counted
        self._second = SecondSystem(scale)
        self._transponders = Transponders(names)
        self._last_read: LastRead = {}
        self._race: Race | None = None
        self._together: Together | None = None
        self._by_b = ""  # the run that B times, since A has not even begun it

    @property
    def several(self) -> bool:
        """More than one car may break the beam."""
        return self._together is not None and self._together.on

    def wire(self, transponders: tuple[e.Transponder, ...]) -> None:
        """The station started: whose transponders are read."""
        self._transponders.wire(transponders)

    @property
    def strangers(self) -> tuple[Stranger, ...]:
        """Transponders that passed in this race, and of whom nobody knows whose they are; the latest last."""
        return tuple(self._transponders.strangers.values())

    def name(self, command: e.GiveTransponder) -> list[f.Fact]:
        """A transponder is this car's or racer's from now on, and so is what it passed before. Raises Refused."""
        known, told = given_by(command, self._names), list[f.Fact]()
        again, race = self._transponders.is_given(known.id), self._race
        stranger = not self._transponders.is_known(known.id)
        passes = self._transponders.give(known)
        if race is not None and passes and self._transponders.retells:
            change = Change(known, passes, again, stranger, command)
            told = told_anew(race, self._transponders, change, self._last_read)
        elif race is not None and passes:
            told = self._taken_over(race, known, [(each.crossing, each.on) for each in passes], command, again)
        own = {each.crossing.number for each in passes}
        count = sum(isinstance(fact, f.Attributed) and fact.crossing in own for fact in told)
        given = f.TransponderGiven(known.id, known.car, known.racer, count, command.author, command.reason)
        return [given, *told]

    def _taken_over(
        self,
        race: Race,
        known: e.Transponder,
        passes: list[tuple[f.Crossing, tuple[str, ...]]],
        command: e.GiveTransponder,
        again: bool,
    ) -> list[f.Fact]:
        """As records of an older edition were judged."""
        told: list[f.Fact] = []
        for run in tuple(race.runs.values()):
            mine = [crossing for crossing, on in passes if run.run_id in on]
            if mine and self._transponders.is_of(known, run):
                if run.on or again:
                    told += race.taken_over(run, mine, command)
                mine = [crossing for crossing in mine if race.holder(crossing.number) is None]
                told += self._afterwards(race, run, mine, command)
        return told

    def _afterwards(
        self, race: Race, run: Run, crossings: list[f.Crossing], command: e.GiveTransponder
    ) -> list[f.Fact]:
        """As if they came now while nothing came since; what lies before that has its place by its own stamp."""
        told: list[f.Fact] = []
        earlier: list[f.Crossing] = []
        for crossing in crossings:
            last = run.book.stretches[-1].mark if run.book.stretches else None
            if run.book.near(crossing.boot, crossing.at_ns):
                continue  # the same pass, by its other transponder
            if run.on and (last is None or last.boot != crossing.boot or last.at_ns < crossing.at_ns):
                why = f"its transponder {crossing.transponder}, given by {command.author}"
                race.doubtful.pop(crossing.number, None)
                told += self._given(race, run, crossing, LINE, "gate", why, 100)
            else:
                earlier.append(crossing)
        return told + race.afterwards(run, earlier, command)

    def open(self, race: Race) -> list[f.Fact]:
        """Crossings are this race's from now on; what waits of another one is decided."""
        told = self.settle()
        if self._race is not race:
            self._race, self._together = race, Together(race, self._scale, self._counted)
            self._transponders.forget()
        return told

    def settle(self) -> list[f.Fact]:
        """Who is on the track is about to change."""
        return self._together.decide_all() if self._together is not None else []

    def sync(self, now: e.Moment) -> None:
        """Who is on the track may have changed."""
        if self._together is not None:
            self._together.sync(now)

    def report(self, report: e.CarReport) -> None:
        """A car says that it passed."""
        if self._together is not None:
            self._together.report(report)

    def ruled(self, run: Run) -> None:
        """An official gave it a crossing."""
        if self._together is not None:
            self._together.named(run, run.book.stretches[-1].mark.at_ns)

    def seen(self, crossing: f.Crossing, spec: e.GateSpec) -> list[f.Fact]:
        """Of which system? B stands by: it is compared with A, and counts where A missed."""
        if crossing.transponder and self._is_twin(crossing, spec.lockout_ns):
            if spec.kind == LINE and spec.system == "A":
                self._remember_twin(crossing, spec.lockout_ns)
            return [f.Unattributed(crossing.number, "the same car's other transponder in the same pass")]
        if spec.kind == "split":
            return self._crossing(crossing, spec.kind)
        if spec.system == "B":
            if self._keeps(crossing):
                return [f.Unattributed(crossing.number, TESTING)]
            return self._seen_by_b(crossing)
        before = self._missed(self._second.missed_before(crossing))
        if self._led_by_b is not None and not self._keeps(crossing):
            told = f.Unattributed(crossing.number, "system B times this run")
            return [*before, told, *self._second.seen_by_a(crossing, self._by_b)]
        facts = self._crossing(crossing, spec.kind, lockout_ns=spec.lockout_ns)
        run_id = next((fact.run_id for fact in facts if isinstance(fact, f.Attributed)), "")
        if run_id or self.several:
            facts += self._second.seen_by_a(crossing, "" if self.several else run_id)
        return [*before, *facts]

    def _keeps(self, crossing: f.Crossing) -> bool:
        """It was made in test mode."""
        by_clocks = self._race is not None and self._race.info.officiating >= e.REBOOTS
        return self._fitness.keeps(crossing, self._scale, by_clocks)

    def starting(self) -> list[f.Fact]:
        """A start is given: what B saw before it, and A did not, begins no run."""
        if any(run.released for run in self._race.on_track) if self._race is not None else False:
            return []
        before = "only system B saw it, before the start"
        return [f.Unattributed(crossing.number, before) for crossing in self._second.forget_b()]

    @property
    def _led_by_b(self) -> Run | None:
        """The run that B times to its end."""
        run = self._race.run if self._race is not None and not self.several else None
        return run if run is not None and run.on and run.run_id == self._by_b else None

    def _seen_by_b(self, crossing: f.Crossing) -> list[f.Fact]:
        if self._led_by_b is None:
            return self._second.seen_by_b(crossing)
        return [*self._own(crossing), *self._second.seen_by_b(crossing, counted=True)]

    def _own(self, crossing: f.Crossing) -> list[f.Fact]:
        """B's crossing counts by B's own stamp."""
        stands = f.SystemReplaced(crossing.number, crossing.boot, crossing.at_ns, 0, 0, 0)
        return [stands, *self._crossing(crossing, LINE, "system_b")]

    def tick(self, now: e.Moment) -> list[f.Fact]:
        """What only time tells: that A missed a crossing, that no report will come, that a run is over."""
        told = self._missed(self._second.missed_by(now))
        if self._race is None or self._together is None:
            return told
        told += self._together.tick(now)
        over = self._race.tick(now, self._together.undecided)
        if over:
            self._together.sync(now)
        return told + over

    def summed(self, facts: list[f.Fact]) -> list[f.Fact]:
        """A run that ends gets the summary of both systems, and anew with each pair that comes late."""
        told = {fact.run_id for fact in facts if isinstance(fact, (f.RunFinished, f.SystemsPaired))}
        if not told:
            return []
        runs = self._race.runs if self._race is not None else {}
        over = [run_id for run_id in sorted(told) if run_id in runs and not runs[run_id].on]
        return [fact for run_id in over if (fact := self._second.summary(run_id)) is not None]

    def _is_twin(self, crossing: f.Crossing, lockout_ns: int) -> bool:
        """A car with two transponders is read twice in one pass: the first reading is the crossing."""
        known = self._transponders.of(crossing.transponder).known
        if known is None or self._names.exact:
            return False
        on_track = self._race.on_track if self._race is not None else []
        run = next((run.run_id for run in on_track if self._transponders.is_of(known, run)), "")
        owner = (crossing.gate, run or f"{known.car} of {known.racer}")
        last = self._last_read.get(owner)
        if (
            last is not None
            and last.boot == crossing.boot
            and last.transponder != crossing.transponder
            and abs(crossing.at_ns - last.at_ns) < lockout_ns
        ):
            return True
        self._last_read.pop(owner, None)
        self._last_read[owner] = crossing
        if len(self._last_read) > OWNERS:
            del self._last_read[next(iter(self._last_read))]
        return False

    def _crossing(
        self, crossing: f.Crossing, kind: e.GateKind, source: f.Source = "gate", lockout_ns: int = 0
    ) -> list[f.Fact]:
        """What it means for the race; and where a transponder that nobody knows was counted for nobody, a question."""
        told = self._meant(crossing, kind, source, lockout_ns)
        race = self._race
        if not crossing.transponder or self._names.exact or race is None or kind != LINE:
            return told
        if self._tested(told):
            return told
        on = tuple(run.run_id for run in race.on_track if run.released)
        attributed = {fact.crossing: fact.run_id for fact in told if isinstance(fact, f.Attributed)}
        whose = attributed.get(crossing.number, "")
        self._transponders.remember(TransponderPass(crossing, on, source, lockout_ns, whose))
        if attributed:
            return told
        if self._transponders.of(crossing.transponder).known is not None:
            if on and not self._owner_is_on(race, crossing):  # or is it of somebody else?
                race.keep_doubtful(crossing)
            return told
        asks = self._transponders.any or self.several
        asked = self._transponders.ask(crossing) if asks else None
        if asked is None:
            return told
        race.keep_doubtful(crossing)
        return [*told, asked]

    def _remember_twin(self, crossing: f.Crossing, lockout_ns: int) -> None:
        """It is a crossing of its own if one of the two transponders turns out to be another car's."""
        race = self._race
        if race is None or not self._transponders.retells or self._led_by_b is not None:
            return
        if not self._keeps(crossing):
            found = self._read(race, crossing)
            whose = found.run_id if isinstance(found, Run) else ""
            on = tuple(run.run_id for run in race.on_track if run.released)
            self._transponders.remember(TransponderPass(crossing, on, "gate", lockout_ns, whose))

    def _owner_is_on(self, race: Race, crossing: f.Crossing) -> bool:
        known = self._transponders.of(crossing.transponder).known
        return known is not None and any(self._transponders.is_of(known, run) for run in race.on_track)

    def _tested(self, told: list[f.Fact]) -> bool:
        return any(isinstance(fact, f.Unattributed) and fact.why == TESTING for fact in told)

    def _meant(self, crossing: f.Crossing, kind: e.GateKind, source: f.Source, lockout_ns: int) -> list[f.Fact]:
        race, together = self._race, self._together
        if self._keeps(crossing):
            return [f.Unattributed(crossing.number, TESTING)]
        if race is None or together is None:
            return [f.Unattributed(crossing.number, "no race is open")]
        if crossing.transponder and (found := self._read(race, crossing)) is not None:
            if isinstance(found, f.Unattributed):
                return [found]
            together.named(found, crossing.at_ns)
            why = self._transponders.of(crossing.transponder).why
            return self._given(race, found, crossing, kind, source, why, 100)
        if crossing.direction < 0 and together.on:
            return [f.Unattributed(crossing.number, "it went backwards through the gate")]
        if kind == "split" and together.on:
            return [f.Unattributed(crossing.number, "several cars are on the track")]
        told, waits = together.crossing(crossing, source, lockout_ns) if kind == LINE else ([], False)
        return told if waits else [*told, *self._given(race, race.run, crossing, kind, source)]

    def _given(
        self,
        race: Race,
        run: Run | None,
        crossing: f.Crossing,
        kind: e.GateKind,
        source: f.Source,
        why: str = "",
        sure_percent: int = 0,
    ) -> list[f.Fact]:
        if run is None or not run.on:
            return [f.Unattributed(crossing.number, "no run is on")]
        facts, stretch = race.given(run, crossing, kind, source, why, sure_percent)
        return facts if stretch is None else facts + self._counted(run, stretch)

    def _read(self, race: Race, crossing: f.Crossing) -> Run | f.Unattributed | None:
        """The run of a transponder; None: nothing is known of it, and a run without one is on."""
        found = self._transponders.of(crossing.transponder)
        if (known := found.known) is None:
            if not race.on or any(not self._transponders.worn(run) for run in race.on_track):
                return None
            why = f"the transponder {crossing.transponder} is nobody's here" if self._names.exact else found.why
            return f.Unattributed(crossing.number, why)
        run = next((run for run in race.on_track if self._transponders.is_of(known, run)), None)
        if run is not None:
            return run
        name = known.car or known.racer
        return f.Unattributed(crossing.number, f"its transponder is of {name}, who has no run that is on")

    def _missed(self, missed: list[Missed]) -> list[f.Fact]:
        """A missed these: B's corrected stamp counts, or an official is asked. Outside a run it means nothing."""
        told: list[f.Fact] = []
        run = self._race.run if self._race is not None else None
        for each in missed:
            crossing = each.crossing
            if run is None or not run.on or not (run.released or self.several):
                told.append(f.Unattributed(crossing.number, "only system B saw it, and no run is on"))
            elif each.fact is not None and (self.several or run.book.fits(crossing.boot, crossing.at_ns)):
                told += [each.fact, *self._crossing(crossing, LINE, "system_b")]
            elif not run.begun and not self.several:
                self._by_b, run.book.by_b = run.run_id, True
                told += self._own(each.own)
            else:
                told.append(f.Unattributed(crossing.number, "only system B saw it"))
                told += self._doubted(run, crossing)
        return told

    def _doubted(self, run: Run, crossing: f.Crossing) -> list[f.Fact]:
        if not run.begun or self.several:
            return []
        proposal = missed_by_system_a(run.run_id, crossing.at_ns)
        run.proposals.append(proposal)
        return [proposal]
