"""What has to be done before a submission is driven: its archive is read once, and one of its checkpoints is chosen.

A preparation is given out, extended, charged and tried again like a run: it is number 0 of them. The choice holds for
the conditions by which the checkpoints were driven, so that finals and reruns drive the same one.
"""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.store.evaluations import evaluation_rows
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.submissions import model_rows
from shared.conditions import Conditions
from shared.protocol.farm import PREPARATION


def needs_preparation(db: sa.Connection, submission: ModelSubmission, conditions: Conditions) -> bool:
    """Whether a farm must read the submission's archive, or choose from it, before it drives."""
    archive = model_rows.archive(db, submission.model_sha256)
    if archive is None:  # deleted by its racer; whoever drives it finds out
        return False
    if not archive.checkpoints:
        return True
    chooses = archive.checkpoints > 1 and not submission.checkpoint
    return chooses and evaluation_rows.preparation(db, submission.submission_id, conditions.sha256) is None


def preparation_row(submission: ModelSubmission, conditions: Conditions, now_utc_ns: int) -> Evaluation:
    """The preparation as a row among the submission's runs; no seed of the race is used for it."""
    return _row(submission, PREPARATION, 0, conditions, now_utc_ns)


def run_rows(
    submission: ModelSubmission, conditions: Conditions, seeds: Sequence[int], now_utc_ns: int
) -> list[Evaluation]:
    """All runs of a submission, which wait."""
    return [_row(submission, run, seeds[run - 1], conditions, now_utc_ns) for run in range(1, conditions.runs + 1)]


def _row(submission: ModelSubmission, run: int, seed: int, conditions: Conditions, now_utc_ns: int) -> Evaluation:
    return Evaluation(
        evaluation_id=f"{run}-{secrets.token_hex(12)}",  # of one moment they wait in this order
        submission_id=submission.submission_id,
        round=submission.round,
        run=run,
        race_id=submission.race_id,
        account_id=submission.account_id,
        seed=seed,
        conditions_sha256=conditions.sha256,
        queued_utc_ns=submission.queued_utc_ns or now_utc_ns,
    )
