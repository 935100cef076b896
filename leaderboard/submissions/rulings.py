"""What is done to a submission: cancelled, driven once more, disqualified.

Every move is a row of the submission's history; what an official does to somebody's is in the audit too.
"""

from collections.abc import Callable

import sqlalchemy as sa

from leaderboard.attempts.service import AttemptService
from leaderboard.core import acceptance, access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownAttempt
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.states import SENTENCES, SubmissionMove, submission_after, with_reason
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.store import attempt_rows, audit, race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.submissions.eligibility import seen_submission
from shared.errors import BadInput, Refused
from shared.text import text


class SubmissionRulings:
    """Moves of submissions of one store. `changed(race_id)` is called after each commit that moved one."""

    def __init__(self, store: Store, attempts: AttemptService, changed: Callable[[str], None]) -> None:
        self._store, self._attempts, self._changed = store, attempts, changed

    def check_may(self, caller: Caller, submission_id: str, what: SubmissionMove) -> None:
        """Check that the caller may do this to the submission. Raises UnknownSubmission, NotAllowed."""
        with self._store.read() as db:
            submission, race = seen_submission(db, caller, submission_id)
            own = caller.submitter().account_id == submission.account_id
            if not (own and what == "cancel"):
                access.require(caller.submitter(), _action(what), race)

    def cancel(self, caller: Caller, submission_id: str, why: str, now_utc_ns: int) -> ModelSubmission:
        """Cancel one's own, or as an official anybody's with a reason. Raises as `rerun` does."""
        return self._move(caller, submission_id, "cancel", why, now_utc_ns)

    def rerun(self, caller: Caller, submission_id: str, why: str, now_utc_ns: int) -> ModelSubmission:
        """Have it driven once more, by an official with a reason. Raises UnknownSubmission, NotAllowed, Refused."""
        return self._move(caller, submission_id, "rerun", why, now_utc_ns)

    def disqualify(self, caller: Caller, submission_id: str, why: str, now_utc_ns: int) -> ModelSubmission:
        """Disqualify it, with what it became on the board. Raises UnknownSubmission, NotAllowed, Refused, BadInput."""
        self.check_may(caller, submission_id, "disqualify")
        with self._store.read() as db:
            submission = submission_rows.get(db, submission_id)
            posted = _is_posted(db, submission)
        submission_after(submission.state, "disqualify")
        if not posted:
            return self._move(caller, submission_id, "disqualify", why, now_utc_ns)
        self._attempts.disqualify(caller, submission.result_id, why, now_utc_ns)  # and with it the submission
        with self._store.read() as db:
            return submission_rows.get(db, submission_id)

    def _move(
        self, caller: Caller, submission_id: str, what: SubmissionMove, why: str, now_utc_ns: int
    ) -> ModelSubmission:
        sender = caller.submitter()
        with self._store.write() as db:
            _, race = seen_submission(db, caller, submission_id)
            race_rows.race(db, race.race_id, for_change=True)
            before = submission_rows.get(db, submission_id, for_change=True)
            own = what == "cancel" and sender.account_id == before.account_id
            if not own:
                access.require(sender, _action(what), race)
            submission_after(before.state, what)
            if what == "rerun":
                _check_may_rerun(db, race, before)
            sentence = SENTENCES[what] if own else with_reason(what, _reason(why))
            after = submission_rows.move(db, before, what, audit.actor_of(sender), now_utc_ns, sentence)
            if not own:
                audit.record(
                    db,
                    sender,
                    now_utc_ns,
                    f"submission.{what}",
                    f"submission:{submission_id}",
                    {"state": before.state},
                    {"state": after.state},
                    race_id=race.race_id,
                    season_id=race.season_id,
                    why=why.strip(),
                )
        self._changed(race.race_id)
        return after


def _action(what: SubmissionMove) -> str:
    return "attempt.rule" if what == "disqualify" else "submission.manage"


def _is_posted(db: sa.Connection, submission: ModelSubmission) -> bool:
    try:
        attempt_rows.attempt(db, submission.result_id)
    except UnknownAttempt:
        return False
    return True


def _check_may_rerun(db: sa.Connection, race: RaceRecord, submission: ModelSubmission) -> None:
    if race.stage == "final":
        raise Refused(text("The results of this race are final: an official unlocks them first."))
    if model_rows.model(db, submission.account_id, submission.model_sha256) is None:
        raise Refused(text("The racer has deleted this model: it cannot be driven any more."))


def _reason(why: str) -> str:
    reason = why.strip()
    if not reason:
        raise BadInput(text("Give the reason (`why`): it is kept with the decision, and the racer is shown it."))
    return acceptance.check_name("why", reason)
