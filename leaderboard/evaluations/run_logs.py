"""What is left of the runs of a submission, for whoever may have it: traces, and the field's files made from them.

The racer and the race's officials have all runs; everybody else who sees the race those of a submission that is scored.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotHere, UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.evaluations.run_traces import RunTraces
from leaderboard.league.changes import seen_race
from leaderboard.store import result_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import evaluation_rows
from leaderboard.store.evaluations.evaluation_rows import Evaluation
from leaderboard.store.submissions import submission_rows
from leaderboard.store.submissions.submission_rows import UnknownSubmission
from shared.text import text
from shared.traces.trace import DriveTrace


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A run that was driven. `counts`: it is the one that the submission's result comes from."""

    race: RaceRecord
    submission: ModelSubmission
    run: int
    counts: bool
    trace_sha256: str
    ended_utc_ns: int


class RunLogs:
    """The runs of all submissions of one store. Safe to call from any thread."""

    def __init__(self, store: Store, traces: RunTraces) -> None:
        self._store, self._traces = store, traces

    def runs(self, caller: Caller, submission_id: str) -> list[LoggedRun]:
        """The runs of the submission's newest round that are driven, by number. Raises UnknownSubmission."""
        with self._store.read() as db:
            submission, race = _seen(db, caller, submission_id)
            runs = evaluation_rows.of_round(db, submission_id, submission.round)
            chosen = _chosen(db, submission)
            return [_logged(race, submission, each, chosen) for each in runs if each.state == "done"]

    def run(self, caller: Caller, submission_id: str, number: int | None = None) -> LoggedRun:
        """The run of this number; None: the one that counts, or else the first. Raises UnknownSubmission, NotHere."""
        runs = self.runs(caller, submission_id)
        wanted = [each for each in runs if (each.counts if number is None else each.run == number)]
        if not wanted and number is None:
            wanted = runs
        if not wanted:
            raise NotHere(text("No run of this submission was driven."))
        return wanted[0]

    def file(self, run: LoggedRun) -> bytes:
        """The file of the run's trace. Raises NotHere, StorageError."""
        return self._traces.file(run.trace_sha256)

    def trace(self, run: LoggedRun) -> DriveTrace:
        """The run's trace. Raises NotHere, StorageError."""
        return self._traces.trace(run.trace_sha256)


def _seen(db: sa.Connection, caller: Caller, submission_id: str) -> tuple[ModelSubmission, RaceRecord]:
    submission = submission_rows.get(db, submission_id)
    sender = caller.submitter()
    try:
        race = seen_race(db, sender, submission.race_id)
    except UnknownRace:
        raise UnknownSubmission.of(submission_id) from None
    own = sender.signed_in and sender.account_id == submission.account_id
    if own or submission.state == "scored" or access.may(sender, "submission.manage", race):
        return submission, race
    raise UnknownSubmission.of(submission_id)


def _chosen(db: sa.Connection, submission: ModelSubmission) -> str:
    """The evaluation that the submission's newest result comes from; "" without one."""
    return result_rows.newest_run_id(db, submission.result_id)


def _logged(race: RaceRecord, submission: ModelSubmission, run: Evaluation, chosen: str) -> LoggedRun:
    return LoggedRun(race, submission, run.run, run.evaluation_id == chosen, run.trace_sha256, run.ended_utc_ns or 0)
