"""Reads and writes rows of the store. Each function is part of the transaction whose connection it is given."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord, ResultKind, Venue, is_race_id
from leaderboard.core.rank import Attempt, BestAttempt, LineKey, newest
from leaderboard.core.search import folded
from leaderboard.core.states import EntryState
from leaderboard.store import statements as sql
from leaderboard.store.ranking import ranks
from leaderboard.store.tables import RACERS, RACES
from shared.protocol.results import Result, decode_result
from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules


@dataclass(frozen=True, slots=True)
class Receipt:
    """The reply that a webhook-id got, and for which body."""

    body_sha256: str
    answer: bytes


@dataclass(frozen=True, slots=True)
class ShownRace:
    """A race with what its page shows of it. `undo`: lines before the last change, None where there was none."""

    race: RaceRecord
    version: int
    undo: dict[LineKey, BestAttempt | None]
    results: int


@dataclass(frozen=True, slots=True)
class RaceHead:
    """A race with what the index shows of it."""

    race: RaceRecord
    version: int
    racers: int
    results: int
    leader: str | None
    leader_score_ms: int | None


MAX_ARROWS = 500  # lines: a change of more at once is shown without arrows
_RACE_FIELDS = [field.name for field in dataclasses.fields(RaceRecord)]


def receipt(db: sa.Connection, webhook_id: str) -> Receipt | None:
    """The reply that this id got; None if it is new (or no result could have it)."""
    row = sql.RECEIPT.first(db, {"webhook_id": webhook_id}) if webhook_id.isprintable() else None
    return None if row is None else Receipt(row[0], bytes(row[1]))


def add_receipt(
    db: sa.Connection, webhook_id: str, body_sha256: str, status: int, answer: bytes, at_utc_ns: int
) -> None:
    values = {"body_sha256": body_sha256, "status": status, "answer": answer, "at_utc_ns": at_utc_ns}
    sql.ADD_RECEIPT.run(db, values | {"webhook_id": webhook_id})


def race(db: sa.Connection, race_id: str, for_change: bool = False) -> RaceRecord:
    """The race; `for_change` lets other writers of this race wait (PostgreSQL). Raises UnknownRace."""
    return _race(_row_of(db, sql.RACE_FOR_CHANGE if for_change else sql.RACE, race_id))


def _row_of(db: sa.Connection, query: sa.Select[Any], race_id: str) -> sa.Row[Any]:
    # PostgreSQL fails on text that no id of ours can be.
    row = db.execute(query, {"race_id": race_id}).first() if is_race_id(race_id) else None
    if row is None:
        raise UnknownRace.of(race_id)
    return row


def _race(row: sa.Row[Any]) -> RaceRecord:
    values = {name: getattr(row, name) for name in _RACE_FIELDS}
    return RaceRecord(**(values | {"rules": RaceRules(**json.loads(row.rules))}))


def _race_values(race: RaceRecord) -> dict[str, Any]:
    values = {name: getattr(race, name) for name in _RACE_FIELDS}
    return values | {"rules": json.dumps(dataclasses.asdict(race.rules), sort_keys=True)}


def add_race(db: sa.Connection, race: RaceRecord, created_utc_ns: int) -> None:
    db.execute(sql.ADD_RACE, _race_values(race) | {"created_utc_ns": created_utc_ns, "version": 1, "undo": "[]"})


def change_race(db: sa.Connection, race: RaceRecord) -> None:
    db.execute(sa.update(RACES).where(RACES.c.race_id == race.race_id).values(**_race_values(race)))


def bump(db: sa.Connection, race_id: str, undo: dict[LineKey, BestAttempt | None] | None = None) -> None:
    """Count a change that a page of this race shows; `undo` (the lines it changed) is what arrows compare with now."""
    if undo is None:
        sql.BUMP.run(db, {"of_race": race_id})
        return
    kept = undo if len(undo) <= MAX_ARROWS else {}
    text = json.dumps([[*key, line and dataclasses.asdict(line)] for key, line in kept.items()])
    sql.BUMP_WITH_UNDO.run(db, {"of_race": race_id, "undo": text})


def spelling(db: sa.Connection, race_id: str, racer: str) -> str:
    """The spelling that came first for this racer in this race; stores the given one if there is none yet."""
    keys = {"race_id": race_id, "key_sha256": name_key_sha256(racer)}
    first = sql.SPELLING.first(db, keys)
    if first is None:
        sql.ADD_SPELLING.run(db, keys | {"racer": racer, "former_sha256": ""})
        return racer
    return str(first[0])


def name_key_sha256(racer: str) -> str:
    """The key that all spellings of a racer share in the store."""
    return hashlib.sha256(name_key(racer).encode()).hexdigest()


def entry_name(db: sa.Connection, race_id: str, racer: str) -> str | None:
    """The name that the racer entered with, or None if not entered."""
    name: str | None = db.execute(sql.ENTRY_NAME, {"race_id": race_id, "racer": racer}).scalar()
    return name


def entry_state(db: sa.Connection, race_id: str, racer: str) -> EntryState | None:
    """The state of the racer's entry; None without one."""
    state: EntryState | None = db.execute(sql.ENTRY_STATE, {"race_id": race_id, "racer": racer}).scalar()
    return state


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


def was_erased(db: sa.Connection, race_id: str, racer: str, former: str) -> bool:
    """Whether this racer of the race is what is left of a deleted account that was called `former`."""
    which = (RACERS.c.race_id == race_id) & (RACERS.c.racer == racer)
    stored = db.execute(sa.select(RACERS.c.former_sha256).where(which)).scalar()
    return bool(stored) and stored == name_key_sha256(former)


def known_spelling(db: sa.Connection, race_id: str, racer: str) -> str | None:
    """The spelling under which this racer is stored in the race; None if no result or entry named him."""
    first = sql.SPELLING.first(db, {"race_id": race_id, "key_sha256": name_key_sha256(racer)})
    return None if first is None else str(first[0])


def runs_of(db: sa.Connection, race_id: str, racer: str) -> list[tuple[Attempt, Result]]:
    """The newest revisions of this racer's results with the results themselves, the newest run first."""
    attempts = attempts_of(db, race_id, racer)
    payloads = {row.seq: row.payload for row in db.execute(sql.PAYLOADS, {"seqs": [each.seq for each in attempts]})}
    runs = [(each, decode_result(bytes(payloads[each.seq]))) for each in attempts]
    return sorted(runs, key=lambda run: (run[0].finished_utc_ns, run[0].order), reverse=True)


def line(db: sa.Connection, race_id: str, key: LineKey) -> BestAttempt | None:
    row = sql.LINE.first(db, _keys(race_id, key))
    return None if row is None else BestAttempt(*row)


def _keys(race_id: str, key: LineKey) -> dict[str, str]:
    return {"of_race": race_id, "of_kind": key.kind, "of_racer": key.racer}


def set_line(db: sa.Connection, race_id: str, key: LineKey, old: BestAttempt | None, new: BestAttempt | None) -> None:
    """Replace the line `old` of this key by `new` (None: no line), and count it where ranks are read from."""
    keys = _keys(race_id, key)
    if new is None:
        sql.DROP_LINE.run(db, keys)
    elif old is None:
        name = entry_name(db, race_id, key.racer) or key.racer
        sql.ADD_LINE.run(db, dataclasses.asdict(new) | {"race_id": race_id, "folded": folded(name)})
    else:
        sql.CHANGE_LINE.run(db, dataclasses.asdict(new) | keys)
    ranks.count_change(db, race_id, key.kind, old, new)


def fold_name(db: sa.Connection, race_id: str, racer: str) -> None:
    """Have the racer's lines found by the name that is shown now; whoever changes a shown name calls this."""
    name = entry_name(db, race_id, racer) or racer
    db.execute(sql.FOLD_NAME, {"of_race": race_id, "of_racer": racer, "folded": folded(name)})


def rank_of(db: sa.Connection, race_id: str, table: Venue, line: BestAttempt | None) -> tuple[int | None, int]:
    """The place of a line (None: no line) and how many are ranked in its table."""
    if line is None:
        return None, ranks.ranked(db, race_id, table)
    ahead, ranked = ranks.ahead_of(db, race_id, table, line.rank_key)
    return ahead + 1, ranked


def lines(db: sa.Connection, race_id: str, table: Venue) -> list[BestAttempt]:
    """All lines of a table of a race, in the order of their rank."""
    return [BestAttempt(*row) for row in db.execute(sql.LINES_IN_RANK, {"race_id": race_id, "kind": table})]


def line_keys(db: sa.Connection, race_id: str) -> list[LineKey]:
    """What names each line of a race, in all its tables."""
    return [LineKey(row.kind, row.racer) for row in db.execute(sql.LINE_KEYS, {"race_id": race_id})]


def results(db: sa.Connection, seqs: Sequence[int]) -> dict[int, Result]:
    """The results of these revisions as they were posted, by their number."""
    found: dict[int, Result] = {}
    for start in range(0, len(seqs), 500):
        rows = db.execute(sql.PAYLOADS, {"seqs": seqs[start : start + 500]})
        found |= {row.seq: decode_result(bytes(row.payload)) for row in rows}
    return found


def shown(db: sa.Connection, race_id: str) -> ShownRace:
    """The race with what its page shows of it. Raises UnknownRace."""
    row = _row_of(db, sql.RACE, race_id)
    return ShownRace(_race(row), row.version, _undo(row.undo), row.results)


def heads(db: sa.Connection) -> list[RaceHead]:
    """All races, newest first."""
    return [_head(row) for row in db.execute(sql.HEADS)]


def _head(row: sa.Row[Any]) -> RaceHead:
    return RaceHead(_race(row), row.version, row.racers, row.results, row.leader, row.leader_score_ms)


def _undo(text: str) -> dict[LineKey, BestAttempt | None]:
    return {LineKey(kind, racer): line and BestAttempt(**line) for kind, racer, line in json.loads(text)}
