"""Submissions of models to virtual races: make one, look at one's own or (officials) at all, cancel, rerun, disqualify.

Every move is a row of the submission's history; what an official does to somebody's is in the audit too.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.attempts.service import AttemptService
from leaderboard.core import acceptance, access
from leaderboard.core.access import Caller
from leaderboard.core.attempts import AttemptsLeft
from leaderboard.core.errors import Conflict, NotAllowed, UnknownAttempt, UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.archive import check_sha256
from leaderboard.core.submissions.states import (
    BEING_UPLOADED,
    SENTENCES,
    SubmissionMove,
    SubmissionState,
    submission_after,
    with_reason,
)
from leaderboard.core.submissions.submission import ModelSubmission, SubmissionStep
from leaderboard.league.changes import seen_race
from leaderboard.store import attempt_rows, audit, entries, race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.submission_rows import UnknownSubmission
from leaderboard.submissions.eligibility import check_key_covers, model_of, racer_of
from leaderboard.submissions.queue_places import QueuePlace, QueuePlaces
from leaderboard.submissions.quotas import SubmissionQuotas
from leaderboard.submissions.uploads import submitter_of
from shared.errors import BadInput, Refused
from shared.text import text


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """A model to submit. `checkpoint`: which of the archive's, "" for the platform's choice.

    `request_id`: the sender's own, so that the same request again makes no second one; "" without.
    """

    model_sha256: str
    checkpoint: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SubmissionList:
    """Some submissions of a race, those that came last first. `every`: of all racers, as officials see them.

    `more`: older ones follow. `left`: how many more the caller may submit; None to whom has no entry.
    """

    race: RaceRecord
    submissions: tuple[ModelSubmission, ...]
    every: bool
    more: bool
    left: AttemptsLeft | None


@dataclass(frozen=True, slots=True)
class SubmissionDetail:
    """A submission with its history, its place in the queue (None: it does not wait), and what its racer has left."""

    submission: ModelSubmission
    race: RaceRecord
    history: tuple[SubmissionStep, ...]
    place: QueuePlace | None
    left: AttemptsLeft


class SubmissionService:
    """Submissions of all races of one store. `changed(race_id)` is called after each commit that moved one."""

    def __init__(
        self,
        store: Store,
        attempts: AttemptService,
        quotas: SubmissionQuotas,
        places: QueuePlaces,
        changed: Callable[[str], None],
    ) -> None:
        self._store, self._attempts, self._quotas = store, attempts, quotas
        self._places, self._changed = places, changed

    def submit(
        self, caller: Caller, race_id: str, wanted: NewSubmission, now_utc_ns: int
    ) -> tuple[ModelSubmission, bool]:
        """Submit a model of the caller's, and whether that is new. A model still on its way waits for its last byte.

        Raises UnknownRace, UnknownModel, NotAllowed, Refused (closed, not entered, no attempts left), Conflict for a
        `request_id` that stood for another model.
        """
        sender = submitter_of(caller)
        sha256 = check_sha256(wanted.model_sha256)
        checkpoint = acceptance.check_name("checkpoint", wanted.checkpoint, empty=True)
        request_id = acceptance.check_name("Idempotency-Key", wanted.request_id, empty=True)
        with self._store.write() as db:
            race = seen_race(db, sender, race_id, for_change=True)
            check_key_covers(caller, race_id)
            if request_id and (before := submission_rows.of_request(db, race_id, sender.account_id, request_id)):
                return self._same(before, sha256, checkpoint), False
            racer = racer_of(db, race, sender, now_utc_ns)
            self._quotas.check_room(db, race, sender.account_id, racer, now_utc_ns)
            name, state = model_of(db, sender.account_id, sha256)
            made = ModelSubmission(
                secrets.token_hex(8),
                race_id,
                sender.account_id,
                racer,
                sha256,
                name,
                checkpoint,
                state,
                str(BEING_UPLOADED if state == "uploading" else SENTENCES["arrive"]),
                now_utc_ns,
                now_utc_ns,
                None if state == "uploading" else now_utc_ns,
                request_id=request_id,
            )
            made = submission_rows.add(db, made, audit.actor_of(sender))
        self._changed(race_id)
        return made, True

    @staticmethod
    def _same(before: ModelSubmission, sha256: str, checkpoint: str) -> ModelSubmission:
        if (before.model_sha256, before.checkpoint) != (sha256, checkpoint):
            raise Conflict(text("This Idempotency-Key stood for another submission: a new one needs a new key."))
        return before

    def submissions(
        self,
        caller: Caller,
        race_id: str,
        *,
        every: bool = False,
        state: SubmissionState | None = None,
        before: int | None = None,
        limit: int = 100,
        now_utc_ns: int,
    ) -> SubmissionList:
        """The caller's own submissions in the race; `every`: those of all, for its organiser and officials.

        Raises UnknownRace, Unauthorized, NotAllowed.
        """
        with self._store.read() as db:
            sender = caller if every else submitter_of(caller)
            race = seen_race(db, sender, race_id)
            if every:
                access.require(caller, "submission.manage", race)
            else:
                check_key_covers(caller, race_id)
            account_id = None if every else sender.account_id
            rows = submission_rows.of_race(
                db, race_id, account_id=account_id, state=state, before=before, limit=limit + 1
            )
            entry = entries.of_account(db, race_id, sender.account_id)
            left = None if entry is None else self._quotas.left(db, race, sender.account_id, entry.racer, now_utc_ns)
        return SubmissionList(race, tuple(rows[:limit]), every, len(rows) > limit, left)

    def submission(self, caller: Caller, submission_id: str, now_utc_ns: int) -> SubmissionDetail:
        """A submission, to its racer and to the race's organiser and officials. Raises UnknownSubmission."""
        with self._store.read() as db:
            submission, race = self._seen(db, caller, submission_id)
            return SubmissionDetail(
                submission,
                race,
                submission_rows.history(db, submission_id),
                self._places.place(db, submission, now_utc_ns),
                self._quotas.left(db, race, submission.account_id, submission.racer, now_utc_ns),
            )

    def details(self, found: SubmissionList, now_utc_ns: int) -> tuple[SubmissionDetail, ...]:
        """Each of a list with its history and its place."""
        with self._store.read() as db:
            histories = submission_rows.histories(db, [each.submission_id for each in found.submissions])
            left = found.left or AttemptsLeft(None, None)
            return tuple(
                SubmissionDetail(
                    each, found.race, histories[each.submission_id], self._places.place(db, each, now_utc_ns), left
                )
                for each in found.submissions
            )

    def counts(self, caller: Caller, race_id: str) -> dict[SubmissionState, int]:
        """How many submissions of the race are in each state. Raises UnknownRace, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            access.require(caller, "submission.manage", seen_race(db, caller, race_id))
            return submission_rows.counts(db, race_id)

    def why_closed(self, caller: Caller, race_id: str, now_utc_ns: int) -> str:
        """Why the caller can submit nothing to this race now; "" if it can. Raises UnknownRace."""
        sender = submitter_of(caller)
        with self._store.read() as db:
            race = seen_race(db, sender, race_id)
            try:
                racer = racer_of(db, race, sender, now_utc_ns)
                self._quotas.check_room(db, race, sender.account_id, racer, now_utc_ns)
            except Refused as refusal:
                return str(refusal)
        return ""

    def _seen(self, db: sa.Connection, caller: Caller, submission_id: str) -> tuple[ModelSubmission, RaceRecord]:
        """The submission, if the caller may know of it. Raises UnknownSubmission."""
        submission = submission_rows.get(db, submission_id)
        sender = caller.submitter()
        try:
            race = seen_race(db, sender, submission.race_id)
            check_key_covers(caller, submission.race_id)
        except (UnknownRace, NotAllowed):
            raise UnknownSubmission.of(submission_id) from None
        own = sender.signed_in and sender.account_id == submission.account_id
        if not (own or access.may(sender, "submission.manage", race)):
            raise UnknownSubmission.of(submission_id)
        return submission, race

    def check_may(self, caller: Caller, submission_id: str, what: SubmissionMove) -> None:
        """Check that the caller may do this to the submission. Raises UnknownSubmission, NotAllowed."""
        with self._store.read() as db:
            submission, race = self._seen(db, caller, submission_id)
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
            _, race = self._seen(db, caller, submission_id)
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
