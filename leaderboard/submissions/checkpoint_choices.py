"""Which checkpoint of a submission is driven, and why, from how a farm drove each of them on seeds of validation.

Read by whoever gives out its runs, and shown to its racer. The farm says how they drove, this says which is the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import TypeAdapter

from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.store.evaluations import evaluation_rows
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from shared.protocol.farm import CheckpointTrial, PreparationReport
from shared.rules.checkpoint_order import checkpoint_worth, why_best
from shared.text import Sentence

_REPORT = TypeAdapter(PreparationReport)


@dataclass(frozen=True, slots=True)
class ChosenCheckpoint:
    """The checkpoint that is driven, why, and how each of them drove, the best first."""

    best: str
    reason: Sentence
    trials: tuple[CheckpointTrial, ...]


def choice_of(db: sa.Connection, submission_id: str, conditions_sha256: str) -> ChosenCheckpoint | None:
    """The choice among the submission's checkpoints by these conditions; None if there was none."""
    prepared = evaluation_rows.preparation(db, submission_id, conditions_sha256)
    return None if prepared is None else _choice(prepared)


def checkpoint_of(db: sa.Connection, submission: ModelSubmission, conditions_sha256: str) -> str:
    """Which checkpoint of the submission is driven by these conditions; "" if its archive's own notes decide."""
    if submission.checkpoint:
        return submission.checkpoint
    choice = choice_of(db, submission.submission_id, conditions_sha256)
    return "" if choice is None else choice.best


def choices_of(db: sa.Connection, submission_ids: Sequence[str]) -> dict[str, ChosenCheckpoint]:
    """The newest choice of each of these submissions of which there was one."""
    found = {each.submission_id: _choice(each) for each in evaluation_rows.preparations(db, submission_ids)}
    return {submission_id: choice for submission_id, choice in found.items() if choice is not None}


def _choice(prepared: Evaluation) -> ChosenCheckpoint | None:
    trials = _REPORT.validate_json(prepared.report).trials
    if not trials:
        return None
    ordered = tuple(sorted(trials, key=checkpoint_worth))
    return ChosenCheckpoint(ordered[0].name, why_best(ordered), ordered)
