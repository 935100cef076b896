"""The standings of a race, and the result of a run that is posted, by the rules of shared/rules/ranking.py.

Called by results.py when a run is over and after each ruling. The leaderboard ranks by the same rules.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from shared.protocol.results import Evidence, ModelSource, Result
from shared.rules.ranking import Placed, RaceRules, RunLap, Score, Scored, best_of, rank
from station.core.facts import Lap
from station.core.inputs import DISCARDS, OpenRace
from station.core.runs.run import Run

POSTED_LAPS = 100  # a result must stay below 20 kB; the laps around the scoring window give the same score


class Standings:
    """The runs of one race that have a score, and the best one of each racer."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, Scored]] = {}  # racer -> run_id -> score
        self._best: dict[str, Scored] = {}
        self._gone: Counter[str] = Counter()  # racer -> how many of the scores are too old to change
        self._evicted_best: dict[str, tuple[str, Scored]] = {}  # racer -> the best of those, with its run
        self._lines: tuple[Placed, ...] | None = ()  # as they were last worked out; None: something changed
        self._named: tuple[tuple[Placed, ...], dict[str, Placed]] = ((), {})  # lines, and the same by racer

    def copied(self) -> "Standings":
        """A copy that shares nothing that changes."""
        copied = Standings()
        vars(copied).update(vars(self))
        copied._runs = {racer: dict(runs) for racer, runs in self._runs.items()}
        copied._best, copied._gone, copied._evicted_best = dict(self._best), self._gone.copy(), dict(self._evicted_best)
        return copied

    def score(self, run_id: str, racer: str, score: Score | None, uncertainty_ns: int = 0) -> bool:
        """Stores the run's score (None: it has none) and its uncertainty in ns; True if the standings changed."""
        runs = self._runs.setdefault(racer, {})
        was, gone = self._best.pop(racer, None), runs.pop(run_id, None)
        if score is not None:
            runs[run_id] = Scored(racer, score.score_ms, score.set_ns, uncertainty_ns)
        # All runs are compared only if the one that changed was the best.
        fresh = [runs[run_id]] if score is not None else []
        best = best_of(self._every(racer) if was is None or gone == was else [was, *fresh])
        if best:
            self._best[racer] = best[0]
        changed = was != self._best.get(racer)
        if changed:
            self._lines = None
        return changed

    def _every(self, racer: str) -> list[Scored]:
        older = [self._evicted_best[racer][1]] if racer in self._evicted_best else []
        return [*older, *self._runs.get(racer, {}).values()]

    def merge(self, was: str, racer: str) -> None:
        """Merges two spellings of one racer: the scores of `was` become those of `racer`."""
        runs = {**self._runs.get(racer, {}), **self._runs.pop(was, {})}
        self._runs[racer] = {run_id: replace(each, racer=racer) for run_id, each in runs.items()}
        self._gone[racer] += self._gone.pop(was, 0)
        for run_id, scored in [self._evicted_best.pop(name) for name in (racer, was) if name in self._evicted_best]:
            self._add_evicted(run_id, replace(scored, racer=racer))
        self._best.pop(was, None)
        self._lines = None
        if best := best_of(self._every(racer)):
            self._best[racer] = best[0]

    def lines(self) -> tuple[Placed, ...]:
        """The places, from the best racer to the last."""
        if self._lines is None:
            self._lines = tuple(rank(self._best.values()))
        return self._lines

    def line_of(self, racer: str) -> Placed | None:
        """The racer's line; None if it has none."""
        lines = self.lines()
        if self._named[0] is not lines:
            self._named = lines, {line.racer: line for line in lines}
        return self._named[1].get(racer)

    def runs_of(self, racer: str) -> int:
        """How many of the racer's runs have a score."""
        return len(self._runs.get(racer, {})) + self._gone[racer]

    def evict(self, run_id: str, racer: str) -> None:
        """Forgets a run whose score cannot change any more; of those, only the racer's best score is stored."""
        scored = self._runs.get(racer, {}).pop(run_id, None)
        if scored is not None:
            self._gone[racer] += 1
            self._add_evicted(run_id, scored)

    def _add_evicted(self, run_id: str, scored: Scored) -> None:
        older = self._evicted_best.get(scored.racer)
        if older is None or best_of([older[1], scored]) == [scored]:
            self._evicted_best[scored.racer] = run_id, scored

    def run_behind(self, racer: str) -> str:
        """The run that holds the racer's place; "" if there is none."""
        best = self._best.get(racer)
        older, scored = self._evicted_best.get(racer, ("", None))
        if scored == best:
            return older
        return next((run_id for run_id, scored in self._runs.get(racer, {}).items() if scored == best), "")


def uncertainty_of(race: OpenRace, laps: Sequence[Lap], score: Score | None) -> int:
    """The greatest uncertainty (ns) of the laps that made the score; of all laps in races that do not tie by it."""
    if race.ties_by_uncertainty and score is not None:
        laps = [lap for lap in laps if score.first_lap <= lap.number <= score.last_lap]
    return max((lap.uncertainty_ns for lap in laps), default=0)


def posted_laps(every: Sequence[RunLap], score: Score | None, rules: RaceRules) -> tuple[RunLap, ...]:
    """The laps that are posted with the result: all of them or, in a very long run, those around the scoring window."""
    counted = every if rules.max_laps is None else every[: rules.max_laps]
    if len(every) <= POSTED_LAPS or score is None:
        return tuple(every[:POSTED_LAPS])
    # A window has at most ten laps, so it lies well within the hundred around its end.
    start = max(0, min(score.last_lap - POSTED_LAPS // 2, len(counted) - POSTED_LAPS))
    return tuple(counted[start : start + POSTED_LAPS])


def result(
    run: Run, laps: Sequence[Lap], ranked: Sequence[RunLap], score: Score | None, result_id: str, revision: int
) -> Result:
    """The result to post; `ranked` are the run's `laps` in the form that the ranking uses.

    A run that lost its score by a ruling gets score 0, and the leaderboard withdraws it. The station's name, the
    journal's head and the record numbers are added when the journal appends it.
    """
    race = run.race
    model, model_sha256 = run.posted_model
    return Result(
        result_id=result_id,
        revision=revision,
        race_id=race.race_id,
        racer=run.racer,
        run_id=run.run_id,
        car=run.car,
        model=model,
        model_sha256=model_sha256,
        laps=posted_laps(ranked, score, race.rules),
        score_ms=0 if score is None else score.score_ms,
        finished_utc_ns=max(1, run.finished_utc_ns),  # even a clock set back beyond 1970 gives a valid time
        evidence=_evidence(run, uncertainty_of(race, laps, score)),
        kind=race.kind,
        discarded=not run.counts and race.officiating >= DISCARDS,
    )


def by_version(due: Result, run: Run, *, known: bool) -> Result:
    """The result with what version 2 of the contract says of a run without a score.

    `known`: the run had a score once, so that a leaderboard of version 1 has it too and reads this as a withdrawal.
    """
    qualified = due.score_ms > 0
    version = 1 if qualified or known else 2
    return replace(due, v=version, qualified=qualified, disqualified=bool(run.disqualified) and not due.discarded)


def _evidence(run: Run, uncertainty_ns: int) -> Evidence:
    reported_by: ModelSource = "" if run.race.officiating == 0 else "nobody" if run.driven is None else "car"
    evidence = Evidence("", "", 0, 0, uncertainty_ns, model_by=reported_by, model_changes=run.model_changes)
    return replace(evidence, by_hand=run.by_hand, hand_timed=run.hand_timed)
