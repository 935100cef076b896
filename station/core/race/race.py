"""One race: its runs, those on the track, its standing. Commands, crossings and time come in; facts go out.

Each run has its own phase by the table of run.py, and is armed, started, finished and ruled by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from shared.errors import Refused
from shared.protocol.messages import RunPhase
from shared.protocol.topics import checked_device
from shared.rules.ranking import Score
from station.core import facts as f
from station.core import inputs as e
from station.core.race.car_models import Models, enter
from station.core.race.incidents import happened, take_back, tapped
from station.core.race.lap_book import LapBook
from station.core.race.lap_doubts import weighed
from station.core.race.laps import Mark, Stretch
from station.core.race.racer_names import Names, Spellings
from station.core.race.recount import Retold, TransponderPass, begun_at, retold
from station.core.race.result_identity import Identity
from station.core.race.rulings import dismiss, give, kept, lose, rule, take
from station.core.race.run import LATE_EDGE_NS, NAMES, Run, Trigger, next_phase, whose
from station.core.race.run_registry import Register, RunIds
from station.core.race.standings import Standing, qualify, result, uncertainty_of
from station.core.timing.utc_scale import Correction, UtcScale

MOST_DOUBTS = 4096
SIGNAL_NS = 50_000_000  # an official's finger, and its way to the station
OTHER_CLOCK_NS = 50_000_000  # two clocks that are compared by the time of day


class Race:
    """All that belongs to one race id."""

    def __init__(
        self, info: e.OpenRace, scale: UtcScale, names: Names, models: Models, ids: RunIds, identity: Identity
    ) -> None:
        self.info = info
        self._models, self._ids, self._identity = models, ids, identity
        self._register = Register()
        self._spellings = Spellings(names)
        self.on_track: list[Run] = []  # armed or running, in the order in which they were opened
        self.standing = Standing()
        self.doubtful: dict[int, f.Crossing] = {}  # crossings that an official may give to a run
        self._last: Run | None = None
        self._fastest: dict[str, int] = {}  # of each finished run that counts
        self._scale = scale

    @property
    def runs(self) -> dict[str, Run]:
        """Those that a ruling can name, by id."""
        return self._register.runs

    @property
    def run(self) -> Run | None:
        """The newest one on the track, or the last one that was."""
        return self.on_track[-1] if self.on_track else self._last

    @property
    def phase(self) -> RunPhase:
        return "idle" if self.run is None else self.run.phase

    @property
    def on(self) -> bool:
        """A run is armed or running."""
        return bool(self.on_track)

    def keep_doubtful(self, crossing: f.Crossing) -> None:
        """An official may give it to a run."""
        self.doubtful[crossing.number] = crossing
        while len(self.doubtful) > MOST_DOUBTS:
            del self.doubtful[next(iter(self.doubtful))]

    def afterwards(self, run: Run, crossings: Sequence[f.Crossing], command: e.GiveTransponder) -> list[f.Fact]:
        """Crossings of a run that went on, or ended, before it was known that they were its own."""
        told = [fact for crossing in crossings for fact in self._place(run, crossing, command)]
        if not told:
            return []
        recast = f.LapsRecast(run.run_id, run.book.laps(), command.author, command.reason)
        return [*(fact for fact in told if not isinstance(fact, f.LapsRecast)), recast, *self._again(run, command)]

    def holder(self, crossing: int) -> Run | None:
        """The run that a crossing was counted for."""
        return next((each for each in self.runs.values() if each.book.holds(crossing)), None)

    def counted_elsewhere(self, run: Run) -> frozenset[int]:
        """The crossings that other runs have."""
        others = [each.book.stretches for each in self.runs.values() if each is not run]
        return frozenset(stretch.mark.crossing for stretches in others for stretch in stretches)

    def taken_over(self, run: Run, crossings: Sequence[f.Crossing], command: e.GiveTransponder) -> list[f.Fact]:
        """Those of them that other runs have are this one's: what becomes of the others."""
        told: list[f.Fact] = []
        for other in [each for each in self.runs.values() if each is not run]:
            gone = [crossing for crossing in crossings if other.book.holds(crossing.number)]
            if gone:
                for crossing in gone:
                    self.keep_doubtful(crossing)
                told += self._without(other, gone, command)
        return told

    def retold(
        self, run: Run, passes: Sequence[TransponderPass], gone: Mapping[int, f.Crossing], command: e.GiveTransponder
    ) -> tuple[list[f.Fact], Retold]:
        """Its marks are those of its own transponders; crossings that are `gone` were other owners'."""
        told: list[f.Fact] = []
        if run.signal is not None and passes and run.book.stretches:
            told = self._rebase(run, run.signal, self._mark(passes[0].crossing, passes[0].source))
        found = retold(run, passes, gone, lambda each: self._mark(each.crossing, each.source))
        before, was, phase = [stretch.mark for stretch in run.book.stretches], run.book.held, run.phase
        run.book.retell(found.marks, found.flagged, gone)
        if found.marks == before:
            return told, found
        for mark in before:
            if mark.crossing in gone:
                self.keep_doubtful(gone[mark.crossing])
        for mark in found.marks:
            if mark not in before:
                self._settled(mark.crossing)
        told += begun_at(run, before, command)
        told.append(f.LapsRecast(run.run_id, run.book.laps(), command.author, command.reason))
        if run.phase != phase:
            told.append(f.PhaseChanged(run.run_id, run.phase))
        told += self._weighed(run, was) if found.marks else []
        if found.last_lap and run.phase == "running":
            last = found.marks[-1]
            over = self._finish(run, "time up", "time is up, the last lap is done", True, last.utc_ns, last.boot)
            return [*told, *over], found
        return [*told, *self._again(run, command)], found

    def _without(self, run: Run, gone: Sequence[f.Crossing], command: e.GiveTransponder) -> list[f.Fact]:
        """These crossings were not its own; if it has none left it has not begun."""
        told, was = lose(run, gone, command), run.book.held
        return [*told, *(self._weighed(run, was) if run.book.stretches else []), *self._again(run, command)]

    def _place(self, run: Run, crossing: f.Crossing, command: e.GiveTransponder) -> list[f.Fact]:
        """By its own stamp; nothing if a crossing of the run is too near, or its time was over."""
        ends_ns, mark = run.strikes_ns(crossing.boot), self._mark(crossing, "gate")
        over = run.full() or not run.counts or (ends_ns is not None and crossing.at_ns > ends_ns)
        if over or run.book.near(crossing.boot, crossing.at_ns):
            return []
        if not run.book.stretches:  # it ended before it began
            run.book.add(mark)
            run.begun = True
            run.start_at(mark)
            self._settled(crossing.number)
            why = f"its transponder {crossing.transponder}, given by {command.author}"
            started = f.RunStarted(run.run_id, mark.crossing, mark.at_ns, mark.boot, mark.utc_ns)
            return [f.Attributed(crossing.number, run.run_id, run.car, why, 100), started]
        given = e.GiveCrossing(
            author=command.author,
            reason=command.reason,
            number=crossing.number,
            run_id=run.run_id,
            moment=command.moment,
        )
        try:
            return self._given_to(run, given, crossing)
        except Refused:  # it has no place there; it stays a doubtful one
            return []

    def respell(self) -> list[f.Fact]:
        """Names are read otherwise than before: spellings that were several racers become one, the first one's."""
        merged = False
        self._spellings.forget()
        for racer in self._register.racers():
            first = self._spellings.keep(racer)
            if first != racer:
                self._register.merge(racer, first)
                self.standing.merge(racer, first)
                merged = True
        return [f.StandingChanged(self.info.race_id, self.standing.lines())] if merged else []

    def command(self, command: e.Command) -> list[f.Fact]:
        """The facts of an official's order. Raises Refused."""
        if isinstance(command, e.OpenRun):
            return self._open(command)
        run = self.meant(command)
        match command:
            case e.ArmRun():
                return [self._ordered(run, "arm")]
            case e.StartRun():
                return self._start(run, command)
            case e.ResumeRun():
                return [self._ordered(run, "resume" if run.released else "rearm")]
            case e.FinishRun() | e.AbandonRun():
                return self._end(run, command)
            case e.OffTrack() | e.Collision() | e.CarReset():
                return happened(run, command)
        return self._rule(run, command)

    def given(
        self, run: Run, crossing: f.Crossing, kind: e.GateKind, source: f.Source, why: str = "", sure_percent: int = 0
    ) -> tuple[list[f.Fact], Stretch | None]:
        """What a crossing means for the run whose it was, and the mark that it made if it counts."""
        whose_it_is = whose(crossing, run.phase, run.released, run.run_id, run.car, why, sure_percent)
        late = run.phase == "running" and self._late(run, crossing)
        if late and run.rules.at_time_limit == "stop":
            utc_ns = self._scale.utc_ns(crossing.boot, crossing.at_ns)
            over = self._time_up(run, utc_ns, crossing.boot)
            return [*over, f.Unattributed(crossing.number, "it came after the time limit")], None
        if isinstance(whose_it_is, f.Unattributed) or kind == "split":
            return [whose_it_is], None
        mark = self._mark(crossing, source)
        begun: list[f.Fact] = []
        if run.signal is not None:
            begun = self._rebase(run, run.signal, mark)
            if run.book.drove_off(mark):
                why = "the car drove off over the line: lap 1 had begun"
                return [*begun, f.Unattributed(crossing.number, why)], None
        facts, stretch = self._count(run, mark)
        if late and stretch is not None and run.phase == "running":
            facts += self._finish(run, "time up", "time is up, the last lap is done", True, mark.utc_ns, mark.boot)
        return [*begun, whose_it_is, *facts], stretch

    def _late(self, run: Run, crossing: f.Crossing) -> bool:
        """By its own stamp; where the limit is not known on its clock, by whether it struck on the station's."""
        ends_ns = run.strikes_ns(crossing.boot)
        if ends_ns is None:
            return run.last_lap and run.race.officiating >= e.REBOOTS
        return crossing.at_ns > ends_ns

    def tick(self, now: e.Moment, undecided: f.Crossing | None = None) -> list[f.Fact]:
        """The time limits, measured on the station's clock; a run waits for what is `undecided` within its limit."""
        return [fact for run in tuple(self.on_track) for fact in self._limit(run, now, undecided)]

    def _limit(self, run: Run, now: e.Moment, undecided: f.Crossing | None) -> list[f.Fact]:
        if run.phase != "running" or run.rules.time_limit_s is None:
            return []
        facts = self._clocked(run, now)
        ends_ns = run.strikes_ns(now.boot)
        if ends_ns is None or now.at_ns < ends_ns + LATE_EDGE_NS or self._may_count(run, undecided):
            return facts
        if run.rules.at_time_limit == "stop":
            return facts + self._time_up(run, self._scale.of_moment(now), now.boot)
        if not run.last_lap:
            run.last_lap = True
            facts.append(f.TimeUp(run.run_id, self._scale.of_moment(now)))
        return facts

    def _clocked(self, run: Run, now: e.Moment) -> list[f.Fact]:
        """When the run began on the station's clock, as soon as that is known, or is known better."""
        clock = e.clock_of(now.boot)
        if clock in run.clocks and clock not in run.restarts:
            return []
        first, sure = run.book.stretches[0].mark, run.race.officiating >= e.REBOOTS
        known = self._scale.on_station(first.boot, first.at_ns, clock) if sure else None
        if clock in run.clocks and known is None:
            return []
        by_day_ns = now.at_ns - max(0, self._scale.of_moment(now) - run.started_utc_ns)
        latest_ns = None
        if known is not None:
            run.restarts.pop(clock, None)
            run.clocks[clock] = min(now.at_ns, known)
        elif clock in run.restarts:
            latest_ns = run.latest_ns(clock)
            trusted = self._scale.trusts(first.boot) and self._scale.trusts(now.boot)
            run.clocks[clock] = min(by_day_ns, latest_ns) if trusted else latest_ns
        else:
            run.clocks[clock] = by_day_ns
        return [f.RunClock(run.run_id, now.boot, run.clocks[clock], latest_ns)]

    def rebooted(self, moment: e.Moment, last: Mapping[str, int]) -> None:
        """Another boot of the station; `last`: the newest stamp that was kept of each clock."""
        for run in self.on_track:
            if run.phase == "running" and run.race.officiating >= e.REBOOTS:
                run.restarted(moment, last)

    def _may_count(self, run: Run, undecided: f.Crossing | None) -> bool:
        ends_ns = run.strikes_ns(undecided.boot) if undecided is not None else None
        return undecided is not None and ends_ns is not None and undecided.at_ns <= ends_ns

    def _mark(self, crossing: f.Crossing, source: f.Source) -> Mark:
        utc_ns = self._scale.utc_ns(crossing.boot, crossing.at_ns)
        return Mark(crossing.number, crossing.at_ns, crossing.boot, utc_ns, crossing.uncertainty_ns, source)

    def _count(self, run: Run, mark: Mark) -> tuple[list[f.Fact], Stretch | None]:
        if run.book.too_soon(mark):
            run.book.flagged.append(mark)
            sentence = f"sooner than {run.rules.min_lap_s:g} s after the last crossing: it ends no lap."
            return [f.CrossingFlagged(mark.crossing, run.run_id, mark.at_ns, sentence)], None
        was = run.book.held
        run.book.add(mark)
        stretch = run.book.stretches[-1]
        if run.phase == "armed":
            run.begin(mark)
            started = f.RunStarted(run.run_id, mark.crossing, mark.at_ns, mark.boot, mark.utc_ns)
            return [started, f.PhaseChanged(run.run_id, "running")], stretch
        done = [f.LapDone(run.book.lap(run.book.done)), *self._weighed(run, was, run.book.done)]
        return [*done, *self._finish_if_full(run, mark.utc_ns, mark.boot)], stretch

    def _weighed(self, run: Run, was: frozenset[int], ended: int = 0) -> list[f.Fact]:
        """What the run's own laps say of its crossings."""
        return weighed(run, was, alone=len(self.on_track) < 2, ended=ended) if run.race.officiating else []

    def _start(self, run: Run, command: e.StartRun) -> list[f.Fact]:
        """The start is given; by the race's rules lap 1 and the time limit may begin with it."""
        driven = self._models.started(run)
        again, run.released = run.released, True
        run.by_hand = command.by_hand
        facts: list[f.Fact] = [f.RunReleased(run.run_id, command.author, command.by_hand), *driven]
        if run.rules.lap_1_from == "signal" and not again:
            run.signal = now = command.moment
            mark = Mark(0, now.at_ns, now.boot, self._scale.utc_ns(now.boot, now.at_ns), SIGNAL_NS, "official")
            run.book.add(mark)
            run.begin(mark)
            facts.append(f.RunStarted(run.run_id, 0, mark.at_ns, mark.boot, mark.utc_ns))
            facts.append(f.PhaseChanged(run.run_id, "running"))
        return facts if run.by_hand else [*facts, self._ordered(run, "start")]

    def _rebase(self, run: Run, signal: e.Moment, mark: Mark) -> list[f.Fact]:
        """The start signal is put on the clock of the gate that sees the first crossing, as well as both are known."""
        at_ns, uncertainty_ns = signal.at_ns, SIGNAL_NS
        if run.rebooted and e.clock_of(signal.boot) != e.clock_of(mark.boot):
            known = self._scale.on_device(signal, mark.boot)
            if known is None:
                return []  # lap 1 spans a reboot, and only the time of day would tell how long it was
            at_ns, uncertainty_ns = known, SIGNAL_NS + OTHER_CLOCK_NS
        elif e.clock_of(signal.boot) != e.clock_of(mark.boot):
            at_ns = self._scale.utc_ns(signal.boot, signal.at_ns) - self._scale.utc_ns(mark.boot, 0)
            uncertainty_ns += OTHER_CLOCK_NS
        if not run.book.rebase(mark, at_ns, uncertainty_ns):
            return []
        run.clocks.setdefault(e.clock_of(mark.boot), at_ns)
        return [f.RunStarted(run.run_id, 0, at_ns, mark.boot, run.started_utc_ns)]

    def _finish_if_full(self, run: Run, utc_ns: int, boot: str) -> list[f.Fact]:
        if not run.full() or run.phase != "running":
            return []
        return self._finish(run, "laps done", "all laps done", True, utc_ns, boot)

    def _time_up(self, run: Run, utc_ns: int, boot: str) -> list[f.Fact]:
        """Where the limit was measured it was over at its time; else when it struck: by this clock at this time."""
        if run.unsure(boot):
            return self._finish(run, "time up", "time is up", True, utc_ns, boot)
        limit_ns = round((run.rules.time_limit_s or 0) * 1_000_000_000)
        ended_utc_ns, boot = run.started_utc_ns + limit_ns, run.book.stretches[0].mark.boot
        return self._finish(run, "time up", "time is up", True, ended_utc_ns, boot)

    def corrected(self, correction: Correction) -> list[f.Fact]:
        """Times of day were wrong: of each run that has some of them, and of its result if one was due."""

        def wrong(boot: str) -> bool:
            return self._scale.of(boot) in correction.boots

        for run in self.on_track:
            run.forget_clocks(wrong)
        facts: list[f.Fact] = []
        for run in [each for each in self.runs.values() if any(map(wrong, each.boots))]:
            run.correct(wrong, correction.by_ns)
            if correction.by_ns and run.book.done:
                facts.append(f.LapsRecast(run.run_id, run.book.laps(), "station", "the clock was put right"))
            if run.phase == "finished":
                facts += self._judge(run)
        return facts

    def _finish(self, run: Run, trigger: Trigger, reason: str, counts: bool, utc_ns: int, boot: str) -> list[f.Fact]:
        """At this time of day, by the clock of `boot`."""
        run.finish(trigger, reason, counts, utc_ns)
        run.finished_boot = boot
        self.on_track.remove(run)
        self._last = run
        return [
            f.RunFinished(run.run_id, reason, run.book.done, counts, utc_ns),
            f.PhaseChanged(run.run_id, "finished"),
            self._ordered(run, "stop"),
            *self._judge(run),
        ]

    def _judge(self, run: Run) -> list[f.Fact]:
        """What a finished run is worth now: its score, the result that is due, the standing."""
        laps = run.book.laps()
        score = qualify(laps, run.rules) if run.counts else None
        run.score = score
        self._remember(run, laps)
        facts: list[f.Fact] = []
        if run.counts:
            first, last = (score.first_lap, score.last_lap) if score else (0, 0)
            facts.append(f.Qualified(run.run_id, run.racer, score.score_ms if score else None, first, last))
        if score is not None or run.posted is not None:
            facts += self._due(run, laps, score)
        uncertainty_ns = uncertainty_of(run.race, laps, score) if self.info.ties_by_uncertainty else 0
        if self.standing.score(run.run_id, run.racer, score, uncertainty_ns):
            facts.append(f.StandingChanged(self.info.race_id, self.standing.lines()))
        return facts

    def _due(self, run: Run, laps: Sequence[f.Lap], score: Score | None) -> list[f.Fact]:
        """The run's result, if it is another one than was due last."""
        last, identity = run.posted, self._identity
        result_id = last.result_id if last else identity.result_id(self.info.race_id, run.run_id)
        due = result(run, laps, score, result_id, last.revision if last else 1)
        due = replace(due, evidence=replace(due.evidence, clock_trusted=all(map(self._scale.trusts, run.boots))))
        if due == last:
            return []
        if last is not None:
            due = replace(due, revision=identity.revision_after(last.revision, run.posted_in))
        run.posted, run.posted_in = due, identity.start
        return [f.ResultDue(due)]

    def _remember(self, run: Run, laps: Sequence[f.Lap]) -> None:
        """How fast cars of this race are."""
        fastest_ns = min((lap.lap_ns for lap in laps if lap.valid), default=None) if run.counts else None
        self._fastest.pop(run.run_id, None)
        if fastest_ns is not None:
            self._fastest[run.run_id] = fastest_ns

    def meant(self, command: e.Command) -> Run:
        """The run that a command is about. Raises Refused: none, one of several that it does not name, or not now."""
        run_id = getattr(command, "run_id", "")
        if not run_id and len(self.on_track) > 1 and not isinstance(command, e.HandTap):
            on = ", ".join(f"{run.run_id} ({run.racer})" for run in self.on_track)
            raise Refused(f"`{NAMES[type(command)]}` must name its run in `run_id`: {on} are on.")
        run = self.runs.get(run_id) if run_id else self.run
        if self._register.gone(run_id):
            raise Refused(f"The run {run_id!r} lies too far back for a ruling; the journal has it.")
        if run_id and run is None:
            raise Refused(f"There is no run {run_id!r} in the race {self.info.race_id}.")
        next_phase(self.phase if run is None else run.phase, type(command), self.info.officiating)
        if run is None:
            raise Refused(f"There is no run {run_id!r} in the race {self.info.race_id}.")
        return run

    def allow(self, command: e.OpenRun | e.ArmRun) -> None:
        """Raises Refused if the track has no place for it."""
        if isinstance(command, e.ArmRun):
            self.meant(command)
        elif not self.on_track or self.info.cars_on_track == 1:
            next_phase(self.phase, e.OpenRun, self.info.officiating)
        elif len(self.on_track) >= self.info.cars_on_track:
            raise Refused(f"{len(self.on_track)} runs are on: the race allows no more at a time (`cars_on_track`).")

    def _open(self, command: e.OpenRun) -> list[f.Fact]:
        self.allow(command)
        racer, car = self._spellings.of(command.racer), checked_device(command.car)
        for other in self.on_track:
            if car == other.car or racer == other.racer:
                raise Refused(f"{car if car == other.car else racer} is on the track already, in {other.run_id}.")
        run_id = self._new_id(command)
        throttle = command.throttle_percent
        if throttle is not None and not 1 <= throttle <= 100:
            raise Refused("`throttle_percent` is 1 to 100.")
        attempt = self._next_attempt(racer)
        if not self.on_track:
            self._scale.note(command.moment, run_is_on=False)
        model, sha = command.model, command.model_sha256
        book = LapBook(run_id, self.info.rules, self.info.officiating > 0, min(self._fastest.values(), default=None))
        run = Run(run_id, self.info, racer, car, model, sha, attempt, book, throttle)
        self.on_track.append(run)
        self._spellings.keep(racer)
        self._register.add(run)
        self._ids.add(run_id)
        for old in self._register.let_go(keeps=lambda each: self.standing.run_behind(each.racer) == each.run_id):
            self._fastest.pop(old.run_id, None)
            self.standing.let_go(old.run_id, old.racer)
        return [
            f.RunOpened(run_id, self.info.race_id, racer, car, model, sha, attempt, throttle),
            f.PhaseChanged(run_id, "armed"),
            self._ordered(run, "arm"),
        ]

    def _new_id(self, command: e.OpenRun) -> str:
        """Of the run that begins. Raises Refused for one that was given before."""
        by_race = self._ids.by_race
        fresh = self._register.new_id() if by_race else self._ids.new_id()
        run_id = checked_device(command.run_id or fresh)
        if self._register.used(run_id):
            raise Refused(f"There was already a run {run_id!r} in the race {self.info.race_id}: take another id.")
        if self._ids.used(run_id) and not by_race:
            raise Refused(f"There was already a run {run_id!r} in another race of this station: take another id.")
        return run_id

    def _next_attempt(self, racer: str) -> int:
        """The number of the racer's next attempt. Raises Refused if there is none."""
        attempt = 1 + self._register.attempts(racer)
        allowed = self.info.rules.attempts_per_racer
        if allowed is not None and attempt > allowed:
            raise Refused(f"{racer} has used all {allowed} attempts of the race {self.info.race_id}.")
        return attempt

    def _ordered(self, run: Run, action: Literal["arm", "start", "stop", "resume", "rearm"]) -> f.CarOrdered:
        return f.CarOrdered(run.car, run.run_id, action, run.throttle_percent)

    def _end(self, run: Run, command: e.Command) -> list[f.Fact]:
        reason = command.reason or f"ended by {command.author}"
        return self._finish(run, type(command), reason, isinstance(command, e.FinishRun), *self._when(command))

    def _give(self, run: Run, command: e.GiveCrossing) -> list[f.Fact]:
        crossing = self.doubtful.get(command.number)
        if crossing is None:
            raise Refused(f"The crossing {command.number} is not in doubt, so it cannot be given to {run.run_id}.")
        return [*self._given_to(run, command, crossing), *self._again(run, command)]

    def _given_to(self, run: Run, command: e.GiveCrossing, crossing: f.Crossing) -> list[f.Fact]:
        holder = self.holder(crossing.number)
        was = run.book.held
        if holder is run:
            facts = kept(run, command)
        else:
            facts = give(run, command, crossing, self._mark(crossing, "gate"), holder)
        if holder is not None and holder is not run:
            facts = [*take(holder, command), *self._again(holder, command), *facts]
            facts += self._weighed(holder, holder.book.held)
        self._settled(command.number)
        return [*facts, *self._weighed(run, was)]

    def _settled(self, number: int) -> None:
        """It is known whose crossing it was: nobody is asked any more."""
        self.doubtful.pop(number, None)
        for each in self.runs.values():
            each.proposals = [asked for asked in each.proposals if asked.crossing != number]

    def _rule(self, run: Run, command: e.Command) -> list[f.Fact]:
        match command:
            case e.HandTap():
                return tapped(run, self.on_track, command)
            case e.GiveCrossing():
                return self._give(run, command)
            case e.DismissProposal() if not run.race.officiating:
                return dismiss(run, command)
            case e.TakeBack():
                return [*take_back(run, command), *self._again(run, command)]
            case e.EnterModel():
                return enter(run, command)
        racer, was = run.racer, run.book.held
        if isinstance(command, e.ReassignRun):
            command = replace(command, racer=self._spellings.of(command.racer))
            if command.racer != racer:
                # The leaderboard counts so many attempts of a racer: one more here would stand only here.
                self._next_attempt(command.racer)
        facts = rule(run, command, self._scale)
        facts += self._weighed(run, was)
        if run.racer != racer:
            self._spellings.keep(run.racer)
            self._register.moved(run, racer)
        if run.phase == "finished" and run.racer != racer and self.standing.score(run.run_id, racer, None):
            facts.append(f.StandingChanged(self.info.race_id, self.standing.lines()))
        return [*facts, *self._again(run, command)]

    def _again(self, run: Run, command: e.Command) -> list[f.Fact]:
        """After a ruling: the run may be full now, or worth something else."""
        return self._judge(run) if run.phase == "finished" else self._finish_if_full(run, *self._when(command))

    def _when(self, command: e.Command) -> tuple[int, str]:
        """The time of day on the scale that laps have too, so that a correction moves both; and whose clock it is."""
        return self._scale.of_moment(command.moment), command.moment.boot
