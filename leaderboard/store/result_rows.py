"""Reads and writes posted results and the replies to their posts, within the transaction that is given."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.race import ResultKind
from leaderboard.core.rank import Attempt, newest
from leaderboard.store import statements as sql
from leaderboard.store.tables import RESULTS
from shared.protocol.results import Result, decode_result


@dataclass(frozen=True, slots=True)
class Receipt:
    """The reply that a webhook-id got, and for which body."""

    body_sha256: str
    answer: bytes


def receipt(db: sa.Connection, webhook_id: str) -> Receipt | None:
    """The reply that this id got; None if it is new (or no result could have it)."""
    row = sql.RECEIPT.first(db, {"webhook_id": webhook_id}) if webhook_id.isprintable() else None
    return None if row is None else Receipt(row[0], bytes(row[1]))


def add_receipt(
    db: sa.Connection, webhook_id: str, body_sha256: str, status: int, answer: bytes, at_utc_ns: int
) -> None:
    values = {"body_sha256": body_sha256, "status": status, "answer": answer, "at_utc_ns": at_utc_ns}
    sql.ADD_RECEIPT.run(db, values | {"webhook_id": webhook_id})


@dataclass(frozen=True, slots=True)
class ResultOrigin:
    """What a result's accepted revisions say of it: race, racer, kind and time of the newest, its station, its clock.

    `key`: the station's that it was first posted with, "" if none of its revisions bears one. `provisional`: no
    revision came from a station whose clock was set.
    """

    race_id: str
    racer: str
    kind: ResultKind
    finished_utc_ns: int
    key: str
    provisional: bool


def origin_of(db: sa.Connection, result_id: str) -> ResultOrigin | None:
    """What the accepted revisions of a result say of it; None if there is none."""
    row = sql.ORIGIN_OF.first(db, {"result_id": result_id})
    if row is None:
        return None
    race_id, racer, kind, finished_utc_ns = row
    payloads = db.execute(sql.PAYLOADS_OF, {"result_id": result_id}).scalars()
    evidence = [decode_result(bytes(payload)).evidence for payload in payloads]
    key = next((each.public_key for each in evidence if each.public_key), "")
    provisional = not any(each.clock_trusted for each in evidence)
    return ResultOrigin(race_id, racer, kind, finished_utc_ns, key, provisional)


def newest_revision(db: sa.Connection, result_id: str) -> int:
    """The highest accepted revision of a result; 0 if there is none."""
    query = sa.select(sa.func.coalesce(sa.func.max(RESULTS.c.revision), 0)).where(RESULTS.c.result_id == result_id)
    return int(db.execute(query).scalar_one())


def add_result(db: sa.Connection, result: Result, payload: bytes, verdict: AttemptVerdict, at_utc_ns: int) -> int:
    """Store an accepted revision; returns its number in the order of acceptance."""
    values = {
        "result_id": result.result_id,
        "revision": result.revision,
        "race_id": result.race_id,
        "racer": result.racer,
        "score_ms": verdict.score_ms,
        "finished_utc_ns": result.finished_utc_ns,
        "uncertainty_ns": result.evidence.uncertainty_ns,
        "accepted_utc_ns": at_utc_ns,
        "payload": payload,
        "discarded": result.discarded,
        "kind": result.kind,
        "state": verdict.state,
        "reason": str(verdict.reason),
        "verdict": verdict.state,
        "verdict_reason": str(verdict.reason),
    }
    sql.ONE_MORE_RESULT.run(db, {"of_race": result.race_id})
    row = sql.ADD_RESULT.first(db, values)
    assert row is not None
    return int(row[0])


def results_of(db: sa.Connection, race_id: str) -> list[tuple[int, AttemptVerdict, Result]]:
    """Every accepted revision of a race: its number, how it stands by itself, and the result (its racer as stored)."""
    rows = db.execute(sql.RESULTS_OF_RACE, {"race_id": race_id}).all()
    return [
        (
            row.seq,
            AttemptVerdict(row.verdict, row.verdict_reason, row.score_ms),
            dataclasses.replace(decode_result(bytes(row.payload)), racer=row.racer),
        )
        for row in rows
    ]


def attempts_of(db: sa.Connection, race_id: str, racer: str) -> list[Attempt]:
    """The newest revisions of this racer's results. A result that was reassigned is the new racer's only."""
    rows = db.execute(sql.ATTEMPTS_OF, {"race_id": race_id, "racer": racer})
    return [attempt for attempt in newest(_attempt(row) for row in rows) if attempt.racer == racer]


def attempts_of_race(db: sa.Connection, race_id: str) -> list[Attempt]:
    """The newest revisions of all results of a race."""
    return newest(_attempt(row) for row in db.execute(sql.ATTEMPTS_OF_RACE, {"race_id": race_id}))


def _attempt(row: Any) -> Attempt:
    return Attempt(
        seq=row.seq,
        order=row.seq,
        result_id=row.result_id,
        revision=row.revision,
        racer=row.racer,
        score_ms=row.score_ms,
        finished_utc_ns=row.finished_utc_ns,
        discarded=row.discarded,
        kind=row.kind,
        verdict=row.verdict,
        verdict_reason=row.verdict_reason,
        disqualified_for=row.disqualified_for,
        state=row.state,
        reason=row.reason,
    )


def runs_of(db: sa.Connection, race_id: str, racer: str) -> list[tuple[Attempt, Result]]:
    """The newest revisions of this racer's results with the results themselves, the newest run first."""
    attempts = attempts_of(db, race_id, racer)
    payloads = {row.seq: row.payload for row in db.execute(sql.PAYLOADS, {"seqs": [each.seq for each in attempts]})}
    runs = [(each, decode_result(bytes(payloads[each.seq]))) for each in attempts]
    return sorted(runs, key=lambda run: (run[0].finished_utc_ns, run[0].order), reverse=True)


def results(db: sa.Connection, seqs: Sequence[int]) -> dict[int, Result]:
    """The results of these revisions as they were posted, by their number."""
    found: dict[int, Result] = {}
    for start in range(0, len(seqs), 500):
        rows = db.execute(sql.PAYLOADS, {"seqs": seqs[start : start + 500]})
        found |= {row.seq: decode_result(bytes(row.payload)) for row in rows}
    return found
