"""The submissions that wait, read so that a claim costs one look-up a racer, however long the queue is."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core.submissions.states import IN_WORK
from leaderboard.store.tables import EVALUATIONS, SUBMISSIONS


@dataclass(frozen=True, slots=True)
class QueuedSubmission:
    """A submission of which nothing is driven yet."""

    submission_id: str
    race_id: str
    account_id: str
    queued_utc_ns: int
    number: int


_QUEUED = SUBMISSIONS.c.state == "queued"
# Of one whose evaluation was interrupted the runs themselves wait.
_BEGUN = (
    sa.exists()
    .where((EVALUATIONS.c.submission_id == SUBMISSIONS.c.submission_id) & (EVALUATIONS.c.round == SUBMISSIONS.c.round))
    .where(EVALUATIONS.c.state != "void")
    .correlate(SUBMISSIONS)
)
_ORDER = (SUBMISSIONS.c.queued_utc_ns, SUBMISSIONS.c.number)
_COLUMNS = tuple(SUBMISSIONS.c[name] for name in ("submission_id", "race_id", "account_id", "queued_utc_ns", "number"))


def _races() -> sa.Select[Any]:
    """The races in which submissions wait: a step in the index for each."""
    first = sa.select(sa.func.min(SUBMISSIONS.c.race_id).label("race_id")).where(_QUEUED)
    found = first.cte("waiting_races", recursive=True)
    following = sa.select(sa.func.min(SUBMISSIONS.c.race_id)).where(_QUEUED & (SUBMISSIONS.c.race_id > found.c.race_id))
    steps = found.union_all(sa.select(following.scalar_subquery()).where(found.c.race_id.is_not(None)))
    return sa.select(steps.c.race_id).where(steps.c.race_id.is_not(None))


def _heads() -> sa.Select[Any]:
    """The first submission of each account in a race: some steps in the index for each account."""
    here = _QUEUED & (SUBMISSIONS.c.race_id == sa.bindparam("race_id"))
    start = sa.select(sa.func.min(SUBMISSIONS.c.account_id).label("account_id")).where(here)
    line = start.cte("waiting_accounts", recursive=True)
    following = sa.select(sa.func.min(SUBMISSIONS.c.account_id)).where(
        here & (SUBMISSIONS.c.account_id > line.c.account_id)
    )
    steps = line.union_all(sa.select(following.scalar_subquery()).where(line.c.account_id.is_not(None)))
    own = here & (SUBMISSIONS.c.account_id == steps.c.account_id) & ~_BEGUN
    first = sa.select(SUBMISSIONS.c.number).where(own).order_by(*_ORDER).limit(1).correlate(steps)
    numbers = sa.select(first.scalar_subquery()).where(steps.c.account_id.is_not(None))
    return sa.select(*_COLUMNS).where(SUBMISSIONS.c.number.in_(numbers))


_RACES, _HEADS = _races(), _heads()


def races(db: sa.Connection) -> list[str]:
    """The races in which submissions wait."""
    return list(db.execute(_RACES).scalars())


def heads(db: sa.Connection, race_id: str) -> list[QueuedSubmission]:
    """The first of each account in the race, of those that were not begun."""
    return [QueuedSubmission(*row) for row in db.execute(_HEADS, {"race_id": race_id})]


def of_account(
    db: sa.Connection, race_id: str, account_id: str, limit: int, after: QueuedSubmission | None = None
) -> list[QueuedSubmission]:
    """The account's submissions that wait in the race and were not begun, the oldest first; `after` this one."""
    which = _QUEUED & (SUBMISSIONS.c.race_id == race_id) & (SUBMISSIONS.c.account_id == account_id) & ~_BEGUN
    if after is not None:
        later = (_ORDER[0] > after.queued_utc_ns) | ((_ORDER[0] == after.queued_utc_ns) & (_ORDER[1] > after.number))
        which &= later
    rows = db.execute(sa.select(*_COLUMNS).where(which).order_by(*_ORDER).limit(limit))
    return [QueuedSubmission(*row) for row in rows]


def waiting_by_account(db: sa.Connection) -> dict[str, int]:
    """How many submissions of each account wait, in all races."""
    query = sa.select(SUBMISSIONS.c.account_id, sa.func.count()).where(_QUEUED).group_by(SUBMISSIONS.c.account_id)
    return {account_id: int(count) for account_id, count in db.execute(query)}


def waiting_by_race(db: sa.Connection) -> dict[str, int]:
    """How many submissions wait in each race."""
    query = sa.select(SUBMISSIONS.c.race_id, sa.func.count()).where(_QUEUED).group_by(SUBMISSIONS.c.race_id)
    return {race_id: int(count) for race_id, count in db.execute(query)}


def older_of_account(db: sa.Connection, account_id: str, queued_utc_ns: int, number: int) -> int:
    """How many of the account's own submissions wait before this one."""
    older = (_ORDER[0] < queued_utc_ns) | ((_ORDER[0] == queued_utc_ns) & (_ORDER[1] < number))
    query = sa.select(sa.func.count()).select_from(SUBMISSIONS).where(_QUEUED & older)
    return int(db.execute(query.where(SUBMISSIONS.c.account_id == account_id)).scalar_one())


def begun_of_race(db: sa.Connection, race_id: str) -> list[str]:
    """The race's submissions that are not settled yet and of which something was, is or is to be driven."""
    its = (SUBMISSIONS.c.submission_id == EVALUATIONS.c.submission_id) & (SUBMISSIONS.c.round == EVALUATIONS.c.round)
    query = (
        sa.select(EVALUATIONS.c.submission_id)
        .join(SUBMISSIONS, its)
        .where((EVALUATIONS.c.race_id == race_id) & EVALUATIONS.c.state.in_(("waiting", "running", "done")))
        .where(SUBMISSIONS.c.state.in_(sorted(IN_WORK)))
        .distinct()
    )
    return sorted(db.execute(query).scalars())


def any_to_drive(db: sa.Connection, race_id: str) -> bool:
    """Whether submissions of the race are driven or wait for it; one whose archive is still on its way does not."""
    query = sa.select(SUBMISSIONS.c.submission_id).where(SUBMISSIONS.c.race_id == race_id)
    return db.execute(query.where(SUBMISSIONS.c.state.in_(IN_WORK - {"uploading"})).limit(1)).first() is not None
