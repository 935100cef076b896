"""Reads and writes attempts as they stand, and what officials decided of them, within the caller's transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as given

from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.errors import UnknownAttempt
from leaderboard.core.race import ResultKind
from leaderboard.core.rank import Attempt, LineKey
from leaderboard.core.states import AttemptState
from leaderboard.store.tables import DISQUALIFIED_ATTEMPTS, ENTRIES, GIVEN_BACK, RESULTS
from shared.protocol.results import Result, decode_result


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt of a race as it stands, with what was posted; `number` orders the attempts of a board by arrival."""

    number: int
    race_id: str
    racer: str
    name: str
    kind: ResultKind
    state: AttemptState
    reason: str
    score_ms: int | None
    finished_utc_ns: int
    result: Result


_SET_STATE = (
    sa.update(RESULTS).where(RESULTS.c.seq == given("of_seq")).values(state=given("state"), reason=given("reason"))
)
_SET_VERDICT = (
    sa.update(RESULTS)
    .where(RESULTS.c.seq == given("of_seq"))
    .values(score_ms=given("score_ms"), verdict=given("verdict"), verdict_reason=given("verdict_reason"))
)
_GIVEN_BACK = sa.select(GIVEN_BACK.c.day, GIVEN_BACK.c.attempts).where(
    (GIVEN_BACK.c.race_id == given("race_id"))
    & (GIVEN_BACK.c.kind == given("kind"))
    & (GIVEN_BACK.c.racer == given("racer"))
)
_GIVE_BACK = sa.insert(GIVEN_BACK)
_GIVE_MORE_BACK = (
    sa.update(GIVEN_BACK)
    .where(
        (GIVEN_BACK.c.race_id == given("of_race"))
        & (GIVEN_BACK.c.kind == given("of_kind"))
        & (GIVEN_BACK.c.racer == given("of_racer"))
        & (GIVEN_BACK.c.day == given("of_day"))
    )
    .values(attempts=given("attempts"))
)
_LATER = RESULTS.alias("later")
_NEWEST = ~sa.exists().where((_LATER.c.result_id == RESULTS.c.result_id) & (_LATER.c.revision > RESULTS.c.revision))
_ROWS = (
    sa.select(RESULTS, sa.func.coalesce(ENTRIES.c.name, RESULTS.c.racer).label("name"))
    .outerjoin(ENTRIES, (ENTRIES.c.race_id == RESULTS.c.race_id) & (ENTRIES.c.racer == RESULTS.c.racer))
    .where(_NEWEST)
)
_OF_RESULT = _ROWS.where(RESULTS.c.result_id == given("result_id"))


def set_states(db: sa.Connection, before: Iterable[Attempt], now: Iterable[Attempt]) -> None:
    """Store the states that differ between the two."""
    stored = {each.seq: (each.state, each.reason) for each in before}
    changed = [
        {"of_seq": each.seq, "state": each.state, "reason": each.reason}
        for each in now
        if stored[each.seq] != (each.state, each.reason)
    ]
    if changed:
        db.execute(_SET_STATE, changed)


def set_verdict(db: sa.Connection, seq: int, verdict: AttemptVerdict) -> None:
    """Store what other rules make of an accepted revision."""
    values = {"score_ms": verdict.score_ms, "verdict": verdict.state, "verdict_reason": str(verdict.reason)}
    db.execute(_SET_VERDICT, values | {"of_seq": seq})


def given_back(db: sa.Connection, race_id: str, key: LineKey) -> dict[str, int]:
    """By day, how many attempts officials gave back to this racer in this table."""
    rows = db.execute(_GIVEN_BACK, {"race_id": race_id, "kind": key.kind, "racer": key.racer})
    return {row.day: row.attempts for row in rows}


def give_back(db: sa.Connection, race_id: str, key: LineKey, day: str, attempts: int) -> None:
    """Store how many attempts of this day are given back to the racer, in all."""
    if day in given_back(db, race_id, key):
        values = {"of_race": race_id, "of_kind": key.kind, "of_racer": key.racer, "of_day": day, "attempts": attempts}
        db.execute(_GIVE_MORE_BACK, values)
    else:
        values = {"race_id": race_id, "kind": key.kind, "racer": key.racer, "day": day, "attempts": attempts}
        db.execute(_GIVE_BACK, values)


def disqualify(db: sa.Connection, race_id: str, result_id: str, reason: str, at_utc_ns: int) -> None:
    values = {"race_id": race_id, "result_id": result_id, "reason": reason, "at_utc_ns": at_utc_ns}
    db.execute(sa.insert(DISQUALIFIED_ATTEMPTS), values)


def restore(db: sa.Connection, result_id: str) -> bool:
    """Take a disqualification back; False if there was none."""
    deleted = db.execute(sa.delete(DISQUALIFIED_ATTEMPTS).where(DISQUALIFIED_ATTEMPTS.c.result_id == result_id))
    return deleted.rowcount == 1


def attempt(db: sa.Connection, result_id: str) -> AttemptRow:
    """The newest revision of a result. Raises UnknownAttempt."""
    row = db.execute(_OF_RESULT, {"result_id": result_id}).first() if result_id.isprintable() else None
    if row is None:
        raise UnknownAttempt.of(result_id)
    return _row(row)


def attempts(
    db: sa.Connection,
    race_id: str,
    *,
    racers: Iterable[str] | None = None,
    state: AttemptState | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AttemptRow]:
    """The attempts of a race, those that came last first; `racers` None: of all; `before`: older than this number."""
    query = _ROWS.where(RESULTS.c.race_id == race_id).order_by(RESULTS.c.seq.desc()).limit(limit)
    if racers is not None:
        query = query.where(RESULTS.c.racer.in_(list(racers)))
    if state is not None:
        query = query.where(RESULTS.c.state == state)
    if before is not None:
        query = query.where(RESULTS.c.seq < before)
    return [_row(row) for row in db.execute(query)]


def counts(db: sa.Connection, race_id: str) -> Mapping[AttemptState, int]:
    """How many attempts of the race stand in each state."""
    query = sa.select(RESULTS.c.state, sa.func.count()).where((RESULTS.c.race_id == race_id) & _NEWEST)
    return {row.state: row[1] for row in db.execute(query.group_by(RESULTS.c.state))}


def _row(row: sa.Row[Any]) -> AttemptRow:
    return AttemptRow(
        number=row.seq,
        race_id=row.race_id,
        racer=row.racer,
        name=row.name,
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        score_ms=row.score_ms,
        finished_utc_ns=row.finished_utc_ns,
        result=decode_result(bytes(row.payload)),
    )
