"""What the runs of one submission make together: one of them is its result, as the conditions choose."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.conditions import Aggregate
from shared.rules.ranking import RaceRules, RunLap, score_run


@dataclass(frozen=True, slots=True)
class EvaluatedRun:
    """A run that was driven to its end. `run`: its number, from 1."""

    run: int
    laps: tuple[RunLap, ...]


def chosen_run(runs: Sequence[EvaluatedRun], rules: RaceRules, aggregate: Aggregate) -> EvaluatedRun:
    """The run that is the submission's result: the best, the worst, or the one in the middle.

    It is always a run that was driven, so that its laps, trace and score belong together: of an even number the
    median is the worse of the two in the middle. A run without a score is worse than every other; of equal ones the
    earlier is better.
    """
    assert runs, "a submission is driven once at least"
    ordered = sorted(runs, key=lambda run: _worth(run, rules))
    return ordered[{"best": 0, "median": len(ordered) // 2, "worst": -1}[aggregate]]


def _worth(run: EvaluatedRun, rules: RaceRules) -> tuple[bool, int, int]:
    score = score_run(run.laps, rules)
    return score is None, 0 if score is None else score.score_ms, run.run
