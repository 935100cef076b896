"""One race: its runs, those on the track, its standing. Commands, crossings and time come in; facts go out.

Each run has its own phase by the table of run.py, and is armed, started, finished and ruled by itself.
"""

from dataclasses import replace
from typing import Literal

from shared.errors import Refused
from shared.messages import RunPhase
from shared.topics import checked_device
from station.core import events as e
from station.core import facts as f
from station.core.incidents import happened, tapped
from station.core.laps import LapBook, Mark, Stretch
from station.core.names import Names, Spellings
from station.core.register import Register
from station.core.rulings import dismiss, give, kept, rule, take
from station.core.run import LATE_EDGE_NS, NAMES, Run, Trigger, next_phase, whose
from station.core.scale import UtcScale
from station.core.standing import Standing, qualify, result, uncertainty_of


class Race:
    """All that belongs to one race id."""

    def __init__(self, info: e.OpenRace, scale: UtcScale, names: Names) -> None:
        self.info = info
        self._register = Register()
        self._spellings = Spellings(names)
        self.on_track: list[Run] = []  # armed or running, in the order in which they were opened
        self.standing = Standing()
        self.doubtful: dict[int, f.Crossing] = {}  # crossings that an official may give to a run
        self._last: Run | None = None
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
                run.released = True
                return [f.RunReleased(run.run_id, command.author), self._ordered(run, "start")]
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
        ends_ns = run.ends_ns(crossing.boot)
        if run.phase == "running" and ends_ns is not None and crossing.at_ns > ends_ns:
            late = f.Unattributed(crossing.number, "it came after the time limit")
            return [*self._time_up(run), late], None
        if isinstance(whose_it_is, f.Unattributed) or kind == "split":
            return [whose_it_is], None
        facts, stretch = self._count(run, self._mark(crossing, source))
        return [whose_it_is, *facts], stretch

    def tick(self, now: e.Moment, undecided: f.Crossing | None = None) -> list[f.Fact]:
        """The time limits, measured on the station's clock; a run waits for what is `undecided` within its limit."""
        return [fact for run in tuple(self.on_track) for fact in self._limit(run, now, undecided)]

    def _limit(self, run: Run, now: e.Moment, undecided: f.Crossing | None) -> list[f.Fact]:
        if run.phase != "running" or run.rules.time_limit_s is None:
            return []
        facts: list[f.Fact] = []
        clock = e.clock_of(now.boot)
        if clock not in run.clocks:
            run.clocks[clock] = now.at_ns - max(0, now.utc_ns - run.started_utc_ns)
            facts.append(f.RunClock(run.run_id, now.boot, run.clocks[clock]))
        ends_ns = run.ends_ns(now.boot)
        if ends_ns is None or now.at_ns < ends_ns + LATE_EDGE_NS or self._may_count(run, undecided):
            return facts
        return facts + self._time_up(run)

    def _may_count(self, run: Run, undecided: f.Crossing | None) -> bool:
        ends_ns = run.ends_ns(undecided.boot) if undecided is not None else None
        return undecided is not None and ends_ns is not None and undecided.at_ns <= ends_ns

    def _mark(self, crossing: f.Crossing, source: f.Source) -> Mark:
        utc_ns = self._scale.utc_ns(crossing.boot, crossing.at_ns)
        return Mark(crossing.number, crossing.at_ns, crossing.boot, utc_ns, crossing.uncertainty_ns, source)

    def _count(self, run: Run, mark: Mark) -> tuple[list[f.Fact], Stretch | None]:
        if run.book.too_soon(mark):
            run.book.flagged.append(mark)
            sentence = f"sooner than {run.rules.min_lap_s:g} s after the last crossing: it ends no lap."
            return [f.CrossingFlagged(mark.crossing, run.run_id, mark.at_ns, sentence)], None
        run.book.add(mark)
        stretch = run.book.stretches[-1]
        if run.phase == "armed":
            run.begin(mark)
            started = f.RunStarted(run.run_id, mark.crossing, mark.at_ns, mark.boot, mark.utc_ns)
            return [started, f.PhaseChanged(run.run_id, "running")], stretch
        return [f.LapDone(run.book.lap(run.book.done)), *self._finish_if_full(run, mark.utc_ns)], stretch

    def _finish_if_full(self, run: Run, utc_ns: int) -> list[f.Fact]:
        if not run.full() or run.phase != "running":
            return []
        return self._finish(run, "laps done", "all laps done", True, utc_ns)

    def _time_up(self, run: Run) -> list[f.Fact]:
        limit_ns = round((run.rules.time_limit_s or 0) * 1_000_000_000)
        return self._finish(run, "time up", "time is up", True, run.started_utc_ns + limit_ns)

    def _finish(self, run: Run, trigger: Trigger, reason: str, counts: bool, utc_ns: int) -> list[f.Fact]:
        run.finish(trigger, reason, counts, utc_ns)
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
        facts: list[f.Fact] = []
        if run.counts:
            first, last = (score.first_lap, score.last_lap) if score else (0, 0)
            facts.append(f.Qualified(run.run_id, run.racer, score.score_ms if score else None, first, last))
        if score is not None or run.posted is not None:
            revision = run.posted.revision if run.posted else 1
            model = (run.model, run.model_sha256)
            due = result(run.race, run.run_id, run.racer, run.car, model, laps, score, run.finished_utc_ns, revision)
            if due != run.posted:
                run.posted = replace(due, revision=revision + 1) if run.posted else due
                facts.append(f.ResultDue(run.posted))
        uncertainty_ns = uncertainty_of(run.race, laps, score) if self.info.ties_by_uncertainty else 0
        if self.standing.score(run.run_id, run.racer, score, uncertainty_ns):
            facts.append(f.StandingChanged(self.info.race_id, self.standing.lines()))
        return facts

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
        next_phase(self.phase if run is None else run.phase, type(command))
        if run is None:
            raise Refused(f"There is no run {run_id!r} in the race {self.info.race_id}.")
        return run

    def allow(self, command: e.OpenRun | e.ArmRun) -> None:
        """Raises Refused if the track has no place for it."""
        if isinstance(command, e.ArmRun):
            self.meant(command)
        elif not self.on_track or self.info.cars_on_track == 1:
            next_phase(self.phase, e.OpenRun)
        elif len(self.on_track) >= self.info.cars_on_track:
            raise Refused(f"{len(self.on_track)} runs are on: the race allows no more at a time (`cars_on_track`).")

    def _open(self, command: e.OpenRun) -> list[f.Fact]:
        self.allow(command)
        racer, car = self._spellings.of(command.racer), checked_device(command.car)
        for other in self.on_track:
            if car == other.car or racer == other.racer:
                raise Refused(f"{car if car == other.car else racer} is on the track already, in {other.run_id}.")
        run_id = checked_device(command.run_id or self._register.new_id())
        if self._register.used(run_id):
            raise Refused(f"There was already a run {run_id!r} in the race {self.info.race_id}: take another id.")
        throttle = command.throttle_percent
        if throttle is not None and not 1 <= throttle <= 100:
            raise Refused("`throttle_percent` is 1 to 100.")
        attempt = self._next_attempt(racer)
        if not self.on_track:
            self._scale.note(command.moment, run_is_on=False)
        model, sha = command.model, command.model_sha256
        book = LapBook(run_id, self.info.rules)
        run = Run(run_id, self.info, racer, car, model, sha, attempt, book, throttle)
        self.on_track.append(run)
        self._spellings.keep(racer)
        self._register.add(run)
        for old in self._register.let_go(keeps=lambda each: self.standing.run_behind(each.racer) == each.run_id):
            self.standing.let_go(old.run_id, old.racer)
        return [
            f.RunOpened(run_id, self.info.race_id, racer, car, model, sha, attempt, throttle),
            f.PhaseChanged(run_id, "armed"),
            self._ordered(run, "arm"),
        ]

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
        return self._finish(run, type(command), reason, isinstance(command, e.FinishRun), command.moment.utc_ns)

    def _give(self, run: Run, command: e.GiveCrossing) -> list[f.Fact]:
        crossing = self.doubtful.get(command.number)
        if crossing is None:
            raise Refused(f"The crossing {command.number} is not in doubt, so it cannot be given to {run.run_id}.")
        holder = next((each for each in self.runs.values() if each.book.holds(crossing.number)), None)
        if holder is run:
            facts = kept(run, command)
        else:
            facts = give(run, command, crossing, self._mark(crossing, "gate"), holder)
        if holder is not None and holder is not run:
            facts = [*take(holder, command), *self._again(holder, command), *facts]
        del self.doubtful[command.number]
        for each in self.runs.values():
            each.proposals = [asked for asked in each.proposals if asked.crossing != command.number]
        return [*facts, *self._again(run, command)]

    def _rule(self, run: Run, command: e.Command) -> list[f.Fact]:
        match command:
            case e.HandTap():
                return tapped(run, self.on_track, command)
            case e.GiveCrossing():
                return self._give(run, command)
            case e.DismissProposal():
                return dismiss(run, command)
        racer = run.racer
        if isinstance(command, e.ReassignRun):
            command = replace(command, racer=self._spellings.of(command.racer))
            if command.racer != racer:
                # The leaderboard counts so many attempts of a racer: one more here would stand only here.
                self._next_attempt(command.racer)
        facts = rule(run, command, self._scale)
        if run.racer != racer:
            self._spellings.keep(run.racer)
            self._register.moved(run, racer)
        if run.phase == "finished" and run.racer != racer and self.standing.score(run.run_id, racer, None):
            facts.append(f.StandingChanged(self.info.race_id, self.standing.lines()))
        return [*facts, *self._again(run, command)]

    def _again(self, run: Run, command: e.Command) -> list[f.Fact]:
        """After a ruling: the run may be full now, or worth something else."""
        return self._judge(run) if run.phase == "finished" else self._finish_if_full(run, command.moment.utc_ns)
