"""Reads and writes submissions and their history, each within the transaction whose connection it is given."""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any, cast

import sqlalchemy as sa

from leaderboard.core.errors import NotHere
from leaderboard.core.states import AttemptState
from leaderboard.core.submissions.states import (
    COUNTED,
    IN_WORK,
    SENTENCES,
    SubmissionMove,
    SubmissionState,
    submission_after,
    with_reason,
)
from leaderboard.core.submissions.submission import ModelSubmission, SubmissionStep, submission_of_result
from leaderboard.store.tables import BRACKETS, SUBMISSION_STATES, SUBMISSIONS
from shared.errors import Refused
from shared.text import text

_FIELDS = [field.name for field in dataclasses.fields(ModelSubmission)]
_COLUMNS = [SUBMISSIONS.c[name] for name in _FIELDS]


class UnknownSubmission(NotHere):
    """There is no submission of this id, or none that the caller may know of: one sentence for both."""

    @classmethod
    def of(cls, submission_id: str) -> "UnknownSubmission":
        """The refusal for this id."""
        return cls(text("There is no submission {id} on this leaderboard.", id=repr(submission_id[:80])))


def add(db: sa.Connection, submission: ModelSubmission, who: str) -> ModelSubmission:
    """Store a new one with the first row of its history; returned with its number."""
    values = {name: getattr(submission, name) for name in _FIELDS if name != "number"}
    number = db.execute(sa.insert(SUBMISSIONS).returning(SUBMISSIONS.c.number), values).scalar_one()
    _remember(db, submission, 1, who)
    return dataclasses.replace(submission, number=int(number))


def get(db: sa.Connection, submission_id: str, for_change: bool = False) -> ModelSubmission:
    """The submission; `for_change` lets other writers of it wait (PostgreSQL). Raises UnknownSubmission."""
    row = _row_of(db, submission_id, for_change)
    if row is None:
        raise UnknownSubmission.of(submission_id)
    return _submission(row)


def _row_of(db: sa.Connection, submission_id: str, for_change: bool) -> sa.Row[Any] | None:
    query = sa.select(*_COLUMNS).where(SUBMISSIONS.c.submission_id == submission_id)
    query = query.with_for_update() if for_change else query
    # PostgreSQL fails on text that no id of ours can be.
    return db.execute(query).first() if submission_id.isascii() and submission_id.isalnum() else None


def move(
    db: sa.Connection,
    submission: ModelSubmission,
    what: SubmissionMove,
    who: str,
    now_utc_ns: int,
    sentence: str = "",
) -> ModelSubmission:
    """Give the submission the state that follows, and a row of its history. `who`: as the audit names people.

    `sentence` "": the usual one. Raises Refused where the state does not allow it, or is not what it was any more.
    """
    state = submission_after(submission.state, what)
    again = what == "rerun"
    after = dataclasses.replace(
        submission,
        state=state,
        sentence=str(sentence or SENTENCES[what]),
        state_utc_ns=now_utc_ns,
        queued_utc_ns=now_utc_ns if what in ("arrive", "rerun") else submission.queued_utc_ns,
        round=submission.round + 1 if again else submission.round,
    )
    as_it_was = (SUBMISSIONS.c.number == submission.number) & (SUBMISSIONS.c.state == submission.state)
    values = {name: getattr(after, name) for name in ("state", "sentence", "state_utc_ns", "queued_utc_ns", "round")}
    if db.execute(sa.update(SUBMISSIONS).where(as_it_was).values(values)).rowcount != 1:
        raise Refused(text("The submission has changed meanwhile: look at it again."))
    steps = sa.select(sa.func.max(SUBMISSION_STATES.c.step)).where(
        SUBMISSION_STATES.c.submission_id == submission.submission_id
    )
    _remember(db, after, int(db.execute(steps).scalar() or 0) + 1, who)
    return after


def follow_ruling(
    db: sa.Connection, result_id: str, attempt: AttemptState, why: str, who: str, now_utc_ns: int
) -> None:
    """What an official rules of an attempt holds for the submission that it comes from, if it comes from one."""
    submission_id = submission_of_result(result_id)
    row = None if submission_id is None else _row_of(db, submission_id, for_change=True)
    if row is None:
        return
    submission = _submission(row)
    if attempt == "disqualified" and submission.state in ("scored", "unqualified"):
        move(db, submission, "disqualify", who, now_utc_ns, with_reason("disqualify", why))
    elif attempt != "disqualified" and submission.state == "disqualified":
        move(db, submission, "restore_score" if attempt == "ranked" else "restore_unqualified", who, now_utc_ns)


def _remember(db: sa.Connection, submission: ModelSubmission, step: int, who: str) -> None:
    values = {"submission_id": submission.submission_id, "step": step, "state": submission.state, "who": who}
    values |= {"sentence": submission.sentence, "at_utc_ns": submission.state_utc_ns}
    db.execute(sa.insert(SUBMISSION_STATES), values)


def history(db: sa.Connection, submission_id: str) -> tuple[SubmissionStep, ...]:
    """All states that it had, the first one first."""
    query = (
        sa.select(SUBMISSION_STATES)
        .where(SUBMISSION_STATES.c.submission_id == submission_id)
        .order_by(SUBMISSION_STATES.c.step)
    )
    return tuple(SubmissionStep(row.state, row.sentence, row.at_utc_ns, row.who) for row in db.execute(query))


def histories(db: sa.Connection, submission_ids: Sequence[str]) -> dict[str, tuple[SubmissionStep, ...]]:
    """All states of each of these submissions."""
    query = sa.select(SUBMISSION_STATES).where(SUBMISSION_STATES.c.submission_id.in_(list(submission_ids)))
    found: dict[str, tuple[SubmissionStep, ...]] = dict.fromkeys(submission_ids, ())
    for row in db.execute(query.order_by(SUBMISSION_STATES.c.submission_id, SUBMISSION_STATES.c.step)):
        found[row.submission_id] += (SubmissionStep(row.state, row.sentence, row.at_utc_ns, row.who),)
    return found


def of_race(
    db: sa.Connection,
    race_id: str,
    *,
    account_id: str | None = None,
    state: SubmissionState | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[ModelSubmission]:
    """Submissions of a race, those that came last first: of one account, or (None) of all.

    `before`: those that came before this number.
    """
    query = sa.select(*_COLUMNS).where(SUBMISSIONS.c.race_id == race_id)
    query = query.order_by(SUBMISSIONS.c.number.desc()).limit(limit)
    if account_id is not None:
        query = query.where(SUBMISSIONS.c.account_id == account_id)
    if state is not None:
        query = query.where(SUBMISSIONS.c.state == state)
    if before is not None:
        query = query.where(SUBMISSIONS.c.number < before)
    return [_submission(row) for row in db.execute(query)]


def newest_of_racer(
    db: sa.Connection, race_id: str, racer: str, account_id: str, states: Collection[SubmissionState]
) -> ModelSubmission | None:
    """The submission in one of these states that came last, of this racer or this account ("": none)."""
    whose = SUBMISSIONS.c.racer == racer
    if account_id:
        whose = whose | (SUBMISSIONS.c.account_id == account_id)
    query = sa.select(*_COLUMNS).where((SUBMISSIONS.c.race_id == race_id) & whose)
    query = query.where(SUBMISSIONS.c.state.in_(sorted(states))).order_by(SUBMISSIONS.c.number.desc()).limit(1)
    row = db.execute(query).first()
    return None if row is None else _submission(row)


def driven_brackets(db: sa.Connection, model_sha256: str) -> list[str]:
    """The races with a bracket whose heats farms drive in which the model was scored."""
    query = (
        sa.select(SUBMISSIONS.c.race_id)
        .join(BRACKETS, BRACKETS.c.race_id == SUBMISSIONS.c.race_id)
        .where((SUBMISSIONS.c.model_sha256 == model_sha256) & (SUBMISSIONS.c.state == "scored"))
        .where(BRACKETS.c.settings.like('%"driven": true%'))
    )
    return list(db.execute(query.distinct()).scalars())


def of_request(db: sa.Connection, race_id: str, account_id: str, request_id: str) -> ModelSubmission | None:
    """The submission that the account's request of this id made in the race."""
    ours = (SUBMISSIONS.c.race_id == race_id) & (SUBMISSIONS.c.account_id == account_id)
    row = db.execute(sa.select(*_COLUMNS).where(ours & (SUBMISSIONS.c.request_id == request_id))).first()
    return None if row is None else _submission(row)


def counted(db: sa.Connection, race_id: str, account_id: str) -> list[tuple[int, bool]]:
    """When each submission of the account that counts was submitted, and whether it is still in work."""
    query = sa.select(SUBMISSIONS.c.submitted_utc_ns, SUBMISSIONS.c.state).where(
        (SUBMISSIONS.c.race_id == race_id) & (SUBMISSIONS.c.account_id == account_id) & SUBMISSIONS.c.state.in_(COUNTED)
    )
    return [(row.submitted_utc_ns, row.state in IN_WORK) for row in db.execute(query)]


def counts(db: sa.Connection, race_id: str) -> dict[SubmissionState, int]:
    """How many submissions of the race are in each state."""
    query = sa.select(SUBMISSIONS.c.state, sa.func.count().label("n")).where(SUBMISSIONS.c.race_id == race_id)
    return {row.state: row.n for row in db.execute(query.group_by(SUBMISSIONS.c.state))}


def of_model(db: sa.Connection, account_id: str, sha256: str, *states: SubmissionState) -> list[ModelSubmission]:
    """The account's submissions of this model in one of these states, the oldest first."""
    query = sa.select(*_COLUMNS).where(
        (SUBMISSIONS.c.account_id == account_id)
        & (SUBMISSIONS.c.model_sha256 == sha256)
        & SUBMISSIONS.c.state.in_(states)
    )
    return [_submission(row) for row in db.execute(query.order_by(SUBMISSIONS.c.number))]


def in_work_of(db: sa.Connection, account_id: str) -> list[ModelSubmission]:
    """Everything of the account that is in work, in all races."""
    query = sa.select(*_COLUMNS).where((SUBMISSIONS.c.account_id == account_id) & SUBMISSIONS.c.state.in_(IN_WORK))
    return [_submission(row) for row in db.execute(query.order_by(SUBMISSIONS.c.number))]


def waiting_in(db: sa.Connection, race_id: str) -> int:
    """How many submissions of the race have arrived and are not driven yet."""
    waits = SUBMISSIONS.c.state.in_(IN_WORK - {"uploading"})
    query = sa.select(sa.func.count()).where((SUBMISSIONS.c.race_id == race_id) & waits)
    return int(db.execute(query).scalar_one())


def queued_before(db: sa.Connection, submission: ModelSubmission) -> int:
    """How many submissions of all races wait longer than this one."""
    waits = SUBMISSIONS.c.queued_utc_ns, SUBMISSIONS.c.number
    earlier = (waits[0] < submission.queued_utc_ns) | (
        (waits[0] == submission.queued_utc_ns) & (waits[1] < submission.number)
    )
    query = sa.select(sa.func.count()).select_from(SUBMISSIONS).where((SUBMISSIONS.c.state == "queued") & earlier)
    return int(db.execute(query).scalar_one())


def _submission(row: Any) -> ModelSubmission:
    values = {name: getattr(row, name) for name in _FIELDS}
    return ModelSubmission(**(values | {"state": cast(SubmissionState, row.state)}))
