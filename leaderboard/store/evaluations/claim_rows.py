"""Reads and writes claims: who was given which run, until when, and what came of it."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from leaderboard.core.errors import NotHere
from leaderboard.core.evaluations.queue import HOUR_NS, RacerLoad
from leaderboard.store.direct import DirectStatement
from leaderboard.store.tables import EVALUATIONS, RUN_CLAIMS, SUBMISSIONS
from shared.text import text

ClaimState = Literal["running", "done", "prepared", "failed", "over"]
_FARM_LOCK = 0x6661726D


class UnknownClaim(NotHere):
    """No claim of this id was given to this farm."""

    @classmethod
    def of(cls, claim_id: str) -> "UnknownClaim":
        """The refusal for this id."""
        return cls(text("No run was claimed here as {id}.", id=repr(claim_id[:80])))


@dataclass(frozen=True, slots=True)
class RunClaim:
    """A run that was given to a node. `farm`: the key that it was claimed with; `account_id`: whose work it is.

    `body_sha256` and `answer`: of the message that ended it, so that its repetition has the same answer.
    """

    claim_id: str
    evaluation_id: str
    account_id: str
    farm: str
    node: str
    claimed_utc_ns: int
    until_utc_ns: int
    state: ClaimState = "running"
    ended_utc_ns: int | None = None
    cost_ms: int = 0
    body_sha256: str = ""
    answer: bytes = b""


_ADD = DirectStatement(sa.insert(RUN_CLAIMS))
_ONE = sa.select(RUN_CLAIMS).where(RUN_CLAIMS.c.claim_id == sa.bindparam("claim_id"))
_STORE = DirectStatement(
    sa.update(RUN_CLAIMS)
    .where(RUN_CLAIMS.c.claim_id == sa.bindparam("which"))
    .values({column.name: sa.bindparam(f"new_{column.name}") for column in RUN_CLAIMS.columns})
)


def lock_farm(db: sa.Connection) -> None:
    """Let other farms' calls wait for this transaction, also those to other processes (PostgreSQL).

    A few short transactions a second: one after another they need no order of locks among submissions and runs.
    """
    if db.dialect.name == "postgresql":
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(_FARM_LOCK)))


def add(db: sa.Connection, claim: RunClaim) -> None:
    """Store a new one."""
    _ADD.run(db, dataclasses.asdict(claim))


def get(db: sa.Connection, claim_id: str) -> RunClaim:
    """The claim of this id. Raises UnknownClaim."""
    row = None
    if claim_id.isascii() and claim_id.isalnum():
        row = db.execute(_ONE, {"claim_id": claim_id}).mappings().first()
    if row is None:
        raise UnknownClaim.of(claim_id)
    return _claim(row)


def store(db: sa.Connection, changed: RunClaim) -> RunClaim:
    """Store it as it is now."""
    values = {f"new_{name}": value for name, value in dataclasses.asdict(changed).items()}
    _STORE.run(db, values | {"which": changed.claim_id})
    return changed


def expired(db: sa.Connection, now_utc_ns: int) -> list[RunClaim]:
    """Claims whose time is up."""
    which = (RUN_CLAIMS.c.state == "running") & (RUN_CLAIMS.c.until_utc_ns <= now_utc_ns)
    rows = db.execute(sa.select(RUN_CLAIMS).where(which).order_by(RUN_CLAIMS.c.until_utc_ns)).mappings()
    return [_claim(row) for row in rows]


def running(db: sa.Connection, *, node: str = "", submission_id: str = "") -> list[RunClaim]:
    """The claims that run: of one node, of one submission, or all."""
    query = sa.select(RUN_CLAIMS).where(RUN_CLAIMS.c.state == "running")
    if node:
        query = query.where(RUN_CLAIMS.c.node == node)
    if submission_id:
        its = sa.select(EVALUATIONS.c.evaluation_id).where(EVALUATIONS.c.submission_id == submission_id)
        query = query.where(RUN_CLAIMS.c.evaluation_id.in_(its))
    return [_claim(row) for row in db.execute(query).mappings()]


def drives_model(db: sa.Connection, farm: str, model_sha256: str) -> bool:
    """Whether a run of this model is the farm's to drive now."""
    query = (
        sa.select(RUN_CLAIMS.c.claim_id)
        .join(EVALUATIONS, EVALUATIONS.c.evaluation_id == RUN_CLAIMS.c.evaluation_id)
        .join(SUBMISSIONS, SUBMISSIONS.c.submission_id == EVALUATIONS.c.submission_id)
        .where((RUN_CLAIMS.c.state == "running") & (RUN_CLAIMS.c.farm == farm))
        .where(SUBMISSIONS.c.model_sha256 == model_sha256)
    )
    return db.execute(query.limit(1)).first() is not None


def end(db: sa.Connection, claims: list[RunClaim], now_utc_ns: int) -> None:
    """These are over: what is still said of them changes nothing."""
    for claim in claims:
        cost_ms = (now_utc_ns - claim.claimed_utc_ns) // 1_000_000
        store(db, dataclasses.replace(claim, state="over", ended_utc_ns=now_utc_ns, cost_ms=cost_ms))


def loads(db: sa.Connection, now_utc_ns: int) -> dict[str, RacerLoad]:
    """What the farms do for each account: runs of now, and work of the last hour."""
    claims = RUN_CLAIMS.c
    count = sa.select(claims.account_id, sa.func.count()).where(claims.state == "running").group_by(claims.account_id)
    running_now = {account_id: int(n) for account_id, n in db.execute(count)}
    recent = claims.ended_utc_ns > now_utc_ns - HOUR_NS
    work = sa.select(claims.account_id, sa.func.sum(claims.cost_ms)).where(recent).group_by(claims.account_id)
    work_ms = {account_id: int(ms) for account_id, ms in db.execute(work)}
    return {each: RacerLoad(running_now.get(each, 0), work_ms.get(each, 0)) for each in running_now.keys() | work_ms}


@dataclass(frozen=True, slots=True)
class HourOfWork:
    """What was driven in the last hour: runs that were done, and what they took."""

    runs: int
    cost_ms: int


def last_hour(db: sa.Connection, now_utc_ns: int) -> HourOfWork:
    """What all farms have driven in the last hour."""
    recent = (RUN_CLAIMS.c.ended_utc_ns > now_utc_ns - HOUR_NS) & (RUN_CLAIMS.c.state == "done")
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(RUN_CLAIMS.c.cost_ms), 0)).where(recent)
    runs, cost_ms = db.execute(query).one()
    return HourOfWork(int(runs), int(cost_ms))


def _claim(row: sa.RowMapping) -> RunClaim:
    return RunClaim(**(dict(row) | {"answer": bytes(row["answer"])}))
