"""One race: its runs, the run on the track, its standing. Commands, crossings and time come in; facts go out."""

from dataclasses import replace
from typing import Any, Literal

from shared.errors import Refused
from shared.messages import RunPhase
from shared.topics import checked_device
from station.core import events as e
from station.core import facts as f
from station.core.attribution import whose
from station.core.laps import LapBook, Mark, Stretch
from station.core.rulings import checked_racer, rule
from station.core.run import LATE_EDGE_NS, Run, Trigger, next_phase
from station.core.scale import UtcScale
from station.core.standing import Standing, qualify, result


class Race:
    """All that belongs to one race id."""

    def __init__(self, info: e.OpenRace, scale: UtcScale) -> None:
        self.info = info
        self.runs: dict[str, Run] = {}
        self.run: Run | None = None  # the one on the track, or the last one
        self.standing = Standing()
        self._by_racer: dict[str, list[Run]] = {}
        self._scale = scale

    @property
    def phase(self) -> RunPhase:
        return "idle" if self.run is None else self.run.phase

    @property
    def on(self) -> bool:
        """A run is armed or running."""
        return self.run is not None and self.run.on

    def command(self, command: e.Command) -> list[f.Fact]:
        """The facts of an official's order. Raises Refused."""
        if isinstance(command, e.OpenRun):
            return self._open(command)
        run_id = getattr(command, "run_id", "")  # rulings may name an earlier run; all else is about the one that is on
        next_phase(self._meant(run_id).phase if run_id else self.phase, type(command))
        run = self._meant(run_id)
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
                return self._incident(run, command)
            case e.HandTap():
                return self._tap(run, command)
        return self._rule(run, command)

    def crossing(
        self, crossing: f.Crossing, kind: e.GateKind, source: f.Source = "gate"
    ) -> tuple[list[f.Fact], Stretch | None]:
        """What a crossing means for the run that is on, and the mark that it made if it counts."""
        run = self.run
        if run is None or not run.on:
            return [f.Unattributed(crossing.number, "no run is on")], None
        whose_it_is = whose(crossing, run.phase, run.released, run.run_id, run.car)
        ends_ns = run.ends_ns(crossing.boot)
        if run.phase == "running" and ends_ns is not None and crossing.at_ns > ends_ns:
            late = f.Unattributed(crossing.number, "it came after the time limit")
            return [*self._time_up(run), late], None
        if isinstance(whose_it_is, f.Unattributed) or kind == "split":
            return [whose_it_is], None
        utc_ns = self._scale.utc_ns(crossing.boot, crossing.at_ns)
        mark = Mark(crossing.number, crossing.at_ns, crossing.boot, utc_ns, crossing.uncertainty_ns, source)
        facts, stretch = self._count(run, mark)
        return [whose_it_is, *facts], stretch

    def tick(self, now: e.Moment) -> list[f.Fact]:
        """The time limit, measured on the station's clock."""
        run = self.run
        if run is None or run.phase != "running" or run.rules.time_limit_s is None:
            return []
        facts: list[f.Fact] = []
        if now.boot not in run.clocks:
            run.clocks[now.boot] = now.at_ns - max(0, now.utc_ns - run.started_utc_ns)
            facts.append(f.RunClock(run.run_id, now.boot, run.clocks[now.boot]))
        ends_ns = run.ends_ns(now.boot)
        if ends_ns is not None and now.at_ns >= ends_ns + LATE_EDGE_NS:
            facts += self._time_up(run)
        return facts

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
        if self.standing.score(run.run_id, run.racer, score):
            facts.append(f.StandingChanged(self.info.race_id, self.standing.lines()))
        return facts

    def _meant(self, run_id: str) -> Run:
        run = self.runs.get(run_id) if run_id else self.run
        if run is None:
            raise Refused(f"There is no run {run_id!r} in the race {self.info.race_id}.")
        return run

    def _open(self, command: e.OpenRun) -> list[f.Fact]:
        phase = next_phase(self.phase, e.OpenRun)
        racer, car = checked_racer(command.racer), checked_device(command.car)
        run_id = checked_device(command.run_id or f"run-{len(self.runs) + 1}")
        if run_id in self.runs:
            raise Refused(f"There was already a run {run_id!r} in the race {self.info.race_id}: take another id.")
        throttle = command.throttle_percent
        if throttle is not None and not 1 <= throttle <= 100:
            raise Refused("`throttle_percent` is 1 to 100.")
        attempt = self._next_attempt(racer)
        self._scale.note(command.moment, run_is_on=False)
        model, sha = command.model, command.model_sha256
        book = LapBook(run_id, self.info.rules)
        self.run = Run(run_id, self.info, racer, car, model, sha, attempt, book, throttle, phase)
        self.runs[run_id] = self.run
        self._by_racer.setdefault(racer, []).append(self.run)
        return [
            f.RunOpened(run_id, self.info.race_id, racer, car, model, sha, attempt, throttle),
            f.PhaseChanged(run_id, "armed"),
            self._ordered(self.run, "arm"),
        ]

    def _next_attempt(self, racer: str) -> int:
        """The number of the racer's next attempt. Raises Refused if there is none."""
        attempt = 1 + sum(1 for run in self._by_racer.get(racer, ()) if run.begun and run.counts)
        allowed = self.info.rules.attempts_per_racer
        if allowed is not None and attempt > allowed:
            raise Refused(f"{racer} has used all {allowed} attempts of the race {self.info.race_id}.")
        return attempt

    def _ordered(self, run: Run, action: Literal["arm", "start", "stop", "resume", "rearm"]) -> f.CarOrdered:
        return f.CarOrdered(run.car, run.run_id, action, run.throttle_percent)

    def _end(self, run: Run, command: e.Command) -> list[f.Fact]:
        reason = command.reason or f"ended by {command.author}"
        return self._finish(run, type(command), reason, isinstance(command, e.FinishRun), command.moment.utc_ns)

    def _incident(self, run: Run, command: Any) -> list[f.Fact]:
        number = run.book.at(command.moment.boot, command.at_ns)
        kind, field = _INCIDENTS[type(command)]
        if number:
            stretch = run.book.stretches[number - 1]
            setattr(stretch, field, getattr(stretch, field) + 1)
        facts: list[f.Fact] = [f.Incident(run.run_id, number, kind, command.author)]
        if 1 <= number <= run.book.done:
            facts.append(f.LapRuled(run.book.lap(number), command.author, kind))
        return facts

    def _tap(self, run: Run, command: e.Command) -> list[f.Fact]:
        now = command.moment
        offs = [now.at_ns - s.mark.at_ns for s in run.book.stretches if s.mark.boot == now.boot]
        return [f.Tapped(run.run_id, now, command.author, min(offs, key=abs) if offs else None)]

    def _rule(self, run: Run, command: e.Command) -> list[f.Fact]:
        racer = run.racer
        if isinstance(command, e.ReassignRun) and checked_racer(command.racer) != racer:
            # The leaderboard counts so many attempts of a racer: one more here would stand only here.
            self._next_attempt(checked_racer(command.racer))
        facts = rule(run, command, self._scale)
        if run.racer != racer:
            self._by_racer[racer].remove(run)
            self._by_racer.setdefault(run.racer, []).append(run)
        if run.phase != "finished":
            return [*facts, *self._finish_if_full(run, command.moment.utc_ns)]
        if run.racer != racer and self.standing.score(run.run_id, racer, None):
            facts.append(f.StandingChanged(self.info.race_id, self.standing.lines()))
        return [*facts, *self._judge(run)]


_INCIDENTS: dict[type[e.Command], tuple[Any, str]] = {
    e.OffTrack: ("off_track", "off_tracks"),
    e.Collision: ("collision", "collisions"),
    e.CarReset: ("reset", "resets"),
}
