"""Submissions of models to virtual races: make one, look at one's own or (officials) at all. See also rulings.py."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from leaderboard.core import acceptance, access
from leaderboard.core.access import Caller
from leaderboard.core.attempts import AttemptsLeft
from leaderboard.core.errors import Conflict
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.archive import check_sha256
from leaderboard.core.submissions.states import BEING_UPLOADED, SENTENCES, SubmissionState
from leaderboard.core.submissions.submission import ModelSubmission, SubmissionStep
from leaderboard.league.changes import seen_race
from leaderboard.store import audit, entries
from leaderboard.store.database import Store
from leaderboard.store.submissions import submission_rows
from leaderboard.submissions.checkpoint_choices import ChosenCheckpoint, choices_of
from leaderboard.submissions.eligibility import check_key_covers, model_of, racer_of, seen_submission, submitter_of
from leaderboard.submissions.queue_places import QueuePlace, QueuePlaces
from leaderboard.submissions.quotas import SubmissionQuotas
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
    """A submission with its history, its place in the queue (None: it does not wait), and what its racer has left.

    `choice`: among its checkpoints, if there was one.
    """

    submission: ModelSubmission
    race: RaceRecord
    history: tuple[SubmissionStep, ...]
    place: QueuePlace | None
    left: AttemptsLeft
    choice: ChosenCheckpoint | None = None


class SubmissionService:
    """Submissions of all races of one store. `changed(race_id)` is called after each commit that moved one."""

    def __init__(
        self,
        store: Store,
        quotas: SubmissionQuotas,
        places: QueuePlaces,
        changed: Callable[[str], None],
    ) -> None:
        self._store, self._quotas = store, quotas
        self._places, self._changed = places, changed

    def submit(
        self, caller: Caller, race_id: str, wanted: NewSubmission, now_utc_ns: int
    ) -> tuple[ModelSubmission, bool]:
        """Submit a model of the caller's, and whether that is new. A model still on its way waits for its last byte.

        Raises UnknownRace, UnknownModel, NotAllowed, BadInput, Refused (closed, not entered, no attempts left), and
        Conflict for a `request_id` that stood for another model.
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
            submission, race = seen_submission(db, caller, submission_id)
            return SubmissionDetail(
                submission,
                race,
                submission_rows.history(db, submission_id),
                self._places.place(db, submission, now_utc_ns),
                self._quotas.left(db, race, submission.account_id, submission.racer, now_utc_ns),
                choices_of(db, [submission_id]).get(submission_id),
            )

    def details(self, found: SubmissionList, now_utc_ns: int) -> tuple[SubmissionDetail, ...]:
        """Each of a list with its history and its place."""
        with self._store.read() as db:
            ids = [each.submission_id for each in found.submissions]
            histories, choices = submission_rows.histories(db, ids), choices_of(db, ids)
            left = found.left or AttemptsLeft(None, None)
            return tuple(
                SubmissionDetail(
                    each,
                    found.race,
                    histories[each.submission_id],
                    self._places.place(db, each, now_utc_ns),
                    left,
                    choices.get(each.submission_id),
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
            except (Refused, BadInput) as refusal:
                return str(refusal)
        return ""
