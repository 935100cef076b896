"""What a racer repeats a result with: the document of what was driven, once the race is over, and the own model.

Safe to call from any thread.
"""

import pathlib

from pydantic import TypeAdapter

from leaderboard.core.access import Caller
from leaderboard.core.errors import NotHere
from leaderboard.core.submissions.states import IN_WORK
from leaderboard.evaluations.race_conditions import RaceConditions
from leaderboard.store.database import Store
from leaderboard.store.evaluations import condition_rows, evaluation_rows
from leaderboard.store.submissions.submission_rows import UnknownSubmission
from leaderboard.submissions.checkpoint_choices import checkpoint_of
from leaderboard.submissions.eligibility import submitter_of
from leaderboard.submissions.services import SubmissionServices
from shared.protocol.driven_results import DrivenResult, ResultRun
from shared.protocol.farm import RunReport
from shared.text import text

_REPORT = TypeAdapter(RunReport)


class DrivenResults:
    """The driven results of one store."""

    def __init__(self, store: Store, submissions: SubmissionServices, conditions: RaceConditions) -> None:
        self._store, self._submissions, self._conditions = store, submissions, conditions

    def result(self, caller: Caller, submission_id: str, now_utc_ns: int) -> DrivenResult:
        """All runs of the submission's newest round. Raises UnknownSubmission, NotHere, Conflict before the close."""
        submission = self._submissions.submissions.submission(caller, submission_id, now_utc_ns).submission
        self._conditions.seeds(caller, submission.race_id, now_utc_ns)
        with self._store.read() as db:
            runs = evaluation_rows.of_round(db, submission_id, submission.round)
            if submission.state in IN_WORK or not runs or any(each.state != "done" for each in runs):
                raise NotHere(text("There is no result of this submission: it was not driven to its end yet."))
            conditions = condition_rows.conditions(db, runs[0].conditions_sha256)
            race = condition_rows.virtual_race(db, submission.race_id)
            checkpoint = checkpoint_of(db, submission, runs[0].conditions_sha256)
        assert conditions is not None, "they were stored before the first of these runs was given out"
        driven = []
        for each in runs:
            laps = _REPORT.validate_json(each.report).laps
            driven.append(ResultRun(each.seed, tuple(lap.lap_ns for lap in laps), each.trace_sha256))
        return DrivenResult(
            conditions,
            submission.model_sha256,
            tuple(driven),
            checkpoint,
            node_class="" if race is None else race.node_class,
        )

    def model(self, caller: Caller, submission_id: str, now_utc_ns: int) -> pathlib.Path:
        """The file of the submission's model, to its owner alone. Raises UnknownSubmission, NotHere, StorageError."""
        owner = submitter_of(caller).account_id
        submission = self._submissions.submissions.submission(caller, submission_id, now_utc_ns).submission
        if submission.account_id != owner:
            raise UnknownSubmission.of(submission_id)
        return self._submissions.archives.file(submission.model_sha256)[0]
