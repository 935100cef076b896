"""An index of all runs of the station and of the rulings on them, also of runs that are no longer in memory.

Kept up to date by restore.py with each stored input, at a start and while running. A run's line is worked out when it
is asked for, or before the run leaves the memory. Called on the timing thread only.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter

from shared.rules.ranking import lap_time_ns, successful
from shared.units import published_ms
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.core.race.race import Race
from station.core.ruling_handlers import race_of
from station.core.runs.phases import INCIDENTS, RULINGS
from station.core.runs.run import Run
from station.service.archive.own_acts import OwnActs
from station.service.archive.undo import OwnAct, RunBefore, run_before
from station.views.command_answers import RulingEffect
from station.views.projection import is_open_proposal, score_ms
from station.views.ruling_effect import RunSnapshot, ruling_effect, run_snapshot
from station.views.runs.ruling_words import act_words
from station.views.runs.run_archive import RulingRecord, RunSummary

_PROCEDURE = (e.OpenRun, e.StartRun, e.Relaunch, e.FinishRun, e.AbandonRun, e.MarkDnf, e.SubmitRun, e.DiscardRun)
_RECORDED = (*RULINGS, *INCIDENTS, e.Official, e.ReopenResults, *_PROCEDURE)


@dataclass(frozen=True, slots=True)
class CommandBefore:
    """What is read of the state before a command is handled."""

    run: RunBefore | None
    snapshot: RunSnapshot | None


@dataclass(frozen=True, slots=True)
class HandledInput:
    """The facts of one input, what was read before it, and what it changed if it is a ruling."""

    facts: tuple[f.Fact, ...]
    before: CommandBefore | None
    effect: RulingEffect | None


@dataclass(slots=True)
class IndexedRun:
    """A run's place in the index. `opened`, `ended`: the records that opened and ended it (0: it is on).

    `later`: the records that named it after its end.
    """

    race_id: str
    opened: int
    opened_utc_ns: int
    ended: int = 0
    later: list[int] = field(default_factory=list)
    summary: RunSummary | None = None


class RunIndex:
    """All runs by id, in the order in which they were opened; of two with one id, the later one."""

    def __init__(self) -> None:
        self.runs: dict[str, IndexedRun] = {}
        self.acts = OwnActs()
        self._rulings: defaultdict[str, list[RulingRecord]] = defaultdict(list)
        self._changed: dict[str, Run] = {}  # whose line has to be worked out again

    def _before(self, engine: Engine, event: e.Input) -> CommandBefore | None:
        """What has to be read before this input is handled; None for most."""
        if not isinstance(event, e.Command) or not isinstance(event, _RECORDED) or isinstance(event, e.OpenRun):
            return None
        race = race_of(engine, event)
        run = _run_of(race, event)
        return CommandBefore(None if run is None else run_before(run, event), run_snapshot(engine, event))

    def record(self, engine: Engine, seq: int, event: e.Input, handled: HandledInput) -> None:
        """Takes in one stored input, which the engine has handled."""
        facts = handled.facts
        named: set[str] = set()
        ended: set[str] = set()
        for fact in facts:
            if (run_of := _RUN_OF[type(fact)]) is None:
                continue
            named.add(run_of(fact))
            if isinstance(fact, f.RunFinished):
                ended.add(fact.run_id)
            elif isinstance(fact, f.RunOpened):
                self._open(engine, seq, event, fact)
        for run_id in named:
            self._note(engine, seq, run_id, run_id in ended)
        if not isinstance(event, e.Command) or not isinstance(event, _RECORDED):
            return
        if not any(isinstance(fact, f.CommandRefused) for fact in facts):
            self._rule(engine, seq, event, handled)

    def _note(self, engine: Engine, seq: int, run_id: str, ends: bool) -> None:
        """Takes in that the record names this run; `ends`: it ended it."""
        indexed = self.runs.get(run_id)
        race = engine.races.get(indexed.race_id) if indexed is not None else None
        if indexed is None or race is None or run_id not in race.runs:
            return
        if indexed.ended:
            indexed.later.append(seq)
        elif ends:
            indexed.ended = seq
        self._changed[run_id] = race.runs[run_id]

    def _open(self, engine: Engine, seq: int, event: e.Input, opened: f.RunOpened) -> None:
        self._refresh_ended()
        utc_ns = engine.scale.of_moment(event.moment) if isinstance(event, e.Command) else 0
        self.runs[opened.run_id] = IndexedRun(opened.race_id, seq, utc_ns)
        self._rulings.pop(opened.run_id, None)

    def handled(self, engine: Engine, event: e.Input) -> HandledInput:
        """Has the engine handle an input; returns its facts, and what a ruling found and changed."""
        before = self._before(engine, event)
        facts = engine.handle(event)
        effect = None if before is None else ruling_effect(before.snapshot, run_snapshot(engine, event))
        return HandledInput(facts, before, effect)

    def summaries(self, engine: Engine) -> tuple[RunSummary, ...]:
        """All runs of all races, newest first."""
        for run_id, run in self._changed.items():
            self.runs[run_id].summary = self._summary(run)
        self._changed = {run_id: run for run_id, run in self._changed.items() if run.on}
        lines = [self._now(engine, run_id, each) for run_id, each in reversed(self.runs.items())]
        return tuple(line for line in lines if line is not None)

    def summary(self, engine: Engine, run_id: str) -> RunSummary | None:
        """One run's line; None if there is no such run."""
        indexed = self.runs.get(run_id)
        if indexed is None:
            return None
        if run_id in self._changed:
            indexed.summary = self._summary(self._changed[run_id])
        return self._now(engine, run_id, indexed)

    def rulings(self, run_id: str, race_id: str) -> tuple[RulingRecord, ...]:
        """The rulings on a run and on the results of its race, in their order."""
        both = [*self._rulings.get(run_id, ()), *self._rulings.get(f"race {race_id}", ())]
        undone = self.acts.undone
        ordered = sorted(both, key=lambda each: each.seq)
        return tuple(replace(each, undone_by=undone[each.seq]) if each.seq in undone else each for each in ordered)

    def _rule(self, engine: Engine, seq: int, command: e.Command, handled: HandledInput) -> None:
        facts, before = handled.facts, handled.before
        opened = next((fact.run_id for fact in facts if isinstance(fact, f.RunOpened)), "")
        run_id = opened or (before.run.run_id if before is not None and before.run is not None else "")
        of_race = next((fact for fact in facts if isinstance(fact, f.ResultsOfficial) and not fact.run_id), None)
        key = f"race {of_race.race_id}" if of_race is not None else run_id
        utc_ns = engine.scale.of_moment(command.moment)
        who = (command.author, command.device, act_words(command), command.reason)
        self._rulings[key].append(RulingRecord(seq, utc_ns, *who, handled.effect, command.undoes))
        self.acts.record(OwnAct(seq, command, run_id, before.run if before is not None else None, facts))

    def _refresh_ended(self) -> None:
        """Works out the lines of runs that are over: opening a run may evict some of them from memory."""
        for run_id in [run_id for run_id, run in self._changed.items() if not run.on]:
            self.runs[run_id].summary = self._summary(self._changed.pop(run_id))

    def _summary(self, run: Run) -> RunSummary:
        laps, ranked = run.book.laps(), run.book.ranked()
        best_ns = min((lap_time_ns(lap, run.rules) for lap in ranked if successful(lap, run.rules)), default=None)
        indexed = self.runs[run.run_id]
        return RunSummary(
            run_id=run.run_id,
            race_id=run.race.race_id,
            race_name=run.race.name,
            racer=run.racer,
            car=run.car,
            attempt=run.attempt,
            phase=run.phase,
            opened_utc_ns=indexed.opened_utc_ns,
            laps=len(laps),
            best_ms=None if best_ns is None else published_ms(best_ns),
            score_ms=score_ms(run) if run.counts else None,
            counts=run.counts,
            disqualified=run.disqualified,
            official=run.official,
            questions=sum(is_open_proposal(proposal, run) for proposal in run.proposals),
            flagged=len(run.book.flagged),
            voided=sum(bool(segment.void) for segment in run.book.segments),
            by_hand=run.by_hand,
            hand_timed=run.hand_timed,
        )

    def _now(self, engine: Engine, run_id: str, indexed: IndexedRun) -> RunSummary | None:
        if indexed.summary is None:
            return None
        race = engine.races.get(indexed.race_id)
        official = indexed.summary.official or (race.official if race is not None else "")
        evicted = race is None or run_id not in race.runs
        rulings = len(self._rulings.get(run_id, ()))
        return replace(indexed.summary, official=official, evicted=evicted, rulings=rulings)


def _run_of(race: Race | None, command: e.Command) -> Run | None:
    if race is None:
        return None
    run_id = getattr(command, "run_id", "")
    return race.runs.get(run_id) if run_id else race.run


class _RunOf(dict[type[f.Fact], Callable[[f.Fact], str] | None]):
    """Of a kind of fact, what gives the run that it is about (maybe ""); None if it is about none.

    A start asks this of every fact ever stored, so that each kind is looked into once.
    """

    def __missing__(self, kind: type[f.Fact]) -> Callable[[f.Fact], str] | None:
        known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
        path = "lap.run_id" if "lap" in known else "run_id" if "run_id" in known else ""
        self[kind] = attrgetter(path) if path else None
        return self[kind]


_RUN_OF = _RunOf()
