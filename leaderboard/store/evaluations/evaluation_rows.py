"""Reads and writes evaluations: the runs of submissions, as they stand."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from leaderboard.core.submissions.states import IN_WORK
from leaderboard.store.direct import DirectStatement
from leaderboard.store.tables import EVALUATIONS, SUBMISSIONS
from shared.protocol.farm import PREPARATION

EvaluationState = Literal["waiting", "running", "done", "void"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of one submission; number 0 is its preparation. `repeats`: what it checks, "" of one that counts.

    `round`: of its submission. `apart_from`: nodes that are not to drive it. `node`: that has it or has driven it.
    `report`: the RunReport (PreparationReport) as JSON, once done. `reason`: why the last attempt came to nothing.
    """

    evaluation_id: str
    submission_id: str
    round: int
    run: int
    race_id: str
    account_id: str
    seed: int
    conditions_sha256: str
    queued_utc_ns: int
    repeats: str = ""
    state: EvaluationState = "waiting"
    attempt: int = 0
    apart_from: tuple[str, ...] = ()
    node: str = ""
    engine: str = ""
    trace_sha256: str = ""
    report: str = ""
    cost_ms: int = 0
    ended_utc_ns: int | None = None
    reason: str = ""


_GIVEN: dict[str, sa.BindParameter[Any]] = {
    column.name: sa.bindparam(f"new_{column.name}") for column in EVALUATIONS.columns
}
_ONE = sa.select(EVALUATIONS).where(EVALUATIONS.c.evaluation_id == sa.bindparam("evaluation_id"))
_STORE = DirectStatement(
    sa.update(EVALUATIONS).where(EVALUATIONS.c.evaluation_id == sa.bindparam("which")).values(_GIVEN)
)
_OF_ROUND = (
    sa.select(EVALUATIONS)
    .where(
        (EVALUATIONS.c.submission_id == sa.bindparam("submission_id")) & (EVALUATIONS.c.round == sa.bindparam("round"))
    )
    .where((EVALUATIONS.c.state != "void") & (EVALUATIONS.c.repeats == "") & (EVALUATIONS.c.run != PREPARATION))
    .order_by(EVALUATIONS.c.run)
)

_BEGUN = SUBMISSIONS.c.state.in_(sorted(IN_WORK)) & (SUBMISSIONS.c.round == EVALUATIONS.c.round)
_WAITING = (
    sa.select(EVALUATIONS)
    .join(SUBMISSIONS, SUBMISSIONS.c.submission_id == EVALUATIONS.c.submission_id)
    .where((EVALUATIONS.c.state == "waiting") & (_BEGUN | (EVALUATIONS.c.repeats != "")))
    .order_by(EVALUATIONS.c.queued_utc_ns, EVALUATIONS.c.evaluation_id)
)


def add(db: sa.Connection, added: Iterable[Evaluation]) -> None:
    """Store new ones."""
    rows = [_values(each) for each in added]
    if rows:
        db.execute(sa.insert(EVALUATIONS), rows)


def get(db: sa.Connection, evaluation_id: str) -> Evaluation:
    """The evaluation of this id, which a claim or another evaluation names."""
    return _one(db.execute(_ONE, {"evaluation_id": evaluation_id}).mappings().one())


def store(db: sa.Connection, changed: Evaluation) -> Evaluation:
    """Store it as it is now."""
    values = {f"new_{name}": value for name, value in _values(changed).items()}
    _STORE.run(db, values | {"which": changed.evaluation_id})
    return changed


def of_round(db: sa.Connection, submission_id: str, number: int) -> list[Evaluation]:
    """The runs of a submission that count in this round, by their number; none before a farm has begun it."""
    rows = db.execute(_OF_ROUND, {"submission_id": submission_id, "round": number}).mappings()
    return [_one(row) for row in rows]


def preparation(db: sa.Connection, submission_id: str, conditions_sha256: str) -> Evaluation | None:
    """The newest preparation of a submission by these conditions that was done and still counts."""
    which = (EVALUATIONS.c.submission_id == submission_id) & (EVALUATIONS.c.run == PREPARATION)
    which &= (EVALUATIONS.c.state == "done") & (EVALUATIONS.c.conditions_sha256 == conditions_sha256)
    found = _several(db, which, EVALUATIONS.c.round.desc())
    return found[0] if found else None


def preparations(db: sa.Connection, submission_ids: Sequence[str]) -> list[Evaluation]:
    """All preparations of these submissions that were done and still count, the newest last."""
    which = EVALUATIONS.c.submission_id.in_(list(submission_ids)) & (EVALUATIONS.c.run == PREPARATION)
    return _several(db, which & (EVALUATIONS.c.state == "done"), EVALUATIONS.c.ended_utc_ns)


def repetitions(db: sa.Connection, evaluation_id: str) -> list[Evaluation]:
    """The evaluations that check this one."""
    return _several(db, EVALUATIONS.c.repeats == evaluation_id, EVALUATIONS.c.queued_utc_ns)


def waiting(db: sa.Connection) -> list[Evaluation]:
    """All that wait: further runs of submissions that were begun, and repetitions. In order of their arrival."""
    return [_one(row) for row in db.execute(_WAITING).mappings()]


def driven_by(db: sa.Connection, node: str, after_utc_ns: int) -> list[Evaluation]:
    """What a node has driven since then and is still taken for right, repetitions left out."""
    which = (EVALUATIONS.c.node == node) & (EVALUATIONS.c.ended_utc_ns > after_utc_ns)
    return _several(
        db, which & (EVALUATIONS.c.state == "done") & (EVALUATIONS.c.repeats == ""), EVALUATIONS.c.ended_utc_ns
    )


def any_done(db: sa.Connection, race_id: str) -> bool:
    """Whether anything of the race was driven to its end."""
    which = (EVALUATIONS.c.race_id == race_id) & (EVALUATIONS.c.state == "done")
    return db.execute(sa.select(EVALUATIONS.c.evaluation_id).where(which).limit(1)).first() is not None


def void(db: sa.Connection, submission_id: str, why: str) -> None:
    """Nothing that was, is or was to be driven of this submission counts any more."""
    which = (EVALUATIONS.c.submission_id == submission_id) & (EVALUATIONS.c.state != "void")
    db.execute(sa.update(EVALUATIONS).where(which).values(state="void", reason=why))


def _several(db: sa.Connection, which: sa.ColumnElement[bool], *order: sa.ColumnElement[Any]) -> list[Evaluation]:
    return [_one(row) for row in db.execute(sa.select(EVALUATIONS).where(which).order_by(*order)).mappings()]


def _one(row: sa.RowMapping) -> Evaluation:
    return Evaluation(**(dict(row) | {"apart_from": tuple(json.loads(row["apart_from"]))}))


def _values(each: Evaluation) -> dict[str, Any]:
    return dataclasses.asdict(each) | {"apart_from": json.dumps(each.apart_from)}
