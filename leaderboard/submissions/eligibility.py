"""Who has models, may submit what to a virtual race now, and may know of a submission. Called by the services."""

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed, UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.core.submissions.states import SubmissionState
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.league.changes import seen_race
from leaderboard.store import entries
from leaderboard.store.submissions import model_rows, submission_rows
from leaderboard.store.submissions.model_rows import UnknownModel
from leaderboard.store.submissions.submission_rows import UnknownSubmission
from shared.errors import Refused
from shared.text import text
from shared.tracks.shipped import require_shipped


def submitter_of(caller: Caller) -> Caller:
    """The account whose models these are. Raises Unauthorized, NotAllowed."""
    access.require(caller.submitter(), "submission.make")
    if not caller.submitter().signed_in:
        raise NotAllowed(text("Only an account has models: sign in, or use a key of yours that submits models."))
    return caller.submitter()


def check_key_covers(caller: Caller, race_id: str) -> None:
    """Check that a key that is bound to races is bound to this one. Raises NotAllowed."""
    if caller.key_id and caller.key_races and race_id not in caller.key_races:
        raise NotAllowed(text("This key is not for this race."))


def racer_of(db: sa.Connection, race: RaceRecord, sender: Caller, now_utc_ns: int) -> str:
    """The caller's racer in a race that takes submissions now. Raises Refused, NotAllowed, BadInput."""
    if race.venue == "physical":
        raise Refused(text("This race is driven on a real track: it takes no submissions."))
    require_shipped(race.track)
    state = race.state(now_utc_ns)
    if state == "published":
        raise Refused(text("The race is not open yet: it takes no submissions."))
    if state != "open":
        raise Refused(text("The race is over: it takes no submissions any more."))
    entry = entries.of_account(db, race.race_id, sender.account_id)
    if entry is None or entry.state in ("invited", "withdrawn"):
        raise Refused(text("You have not entered this race: enter it first."))
    if entry.state != "entered":
        raise NotAllowed(text("You were taken out of this race: ask its organiser."))
    return entry.racer


def model_of(db: sa.Connection, account_id: str, sha256: str) -> tuple[str, SubmissionState]:
    """What the account calls the model, and in which state a submission of it begins. Raises UnknownModel."""
    there = model_rows.model(db, account_id, sha256)
    if there is not None:
        return there.name, "queued"
    under_way = model_rows.upload_of(db, account_id, sha256)
    if under_way is None:
        raise UnknownModel.of(sha256)
    return under_way.name, "uploading"


def seen_submission(db: sa.Connection, caller: Caller, submission_id: str) -> tuple[ModelSubmission, RaceRecord]:
    """The submission, if the caller may know of it: its racer, and who organises its race. Raises UnknownSubmission."""
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
