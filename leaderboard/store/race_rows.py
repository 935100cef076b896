"""Reads and writes races. Each function is part of the transaction whose connection it is given."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord, is_race_id
from leaderboard.core.rank import BestAttempt, LineKey
from leaderboard.store import statements as sql
from leaderboard.store.tables import RACES
from shared.rules.ranking import RaceRules

MAX_ARROWS = 500  # lines: a change of more at once is shown without arrows
_RACE_FIELDS = [field.name for field in dataclasses.fields(RaceRecord)]


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


def race(db: sa.Connection, race_id: str, for_change: bool = False) -> RaceRecord:
    """The race; `for_change` lets other writers of this race wait (PostgreSQL). Raises UnknownRace."""
    return _race(_row_of(db, sql.RACE_FOR_CHANGE if for_change else sql.RACE, race_id))


def race_if_any(db: sa.Connection, race_id: str, for_change: bool = False) -> RaceRecord | None:
    """As `race`; None if there is none of this id."""
    try:
        return race(db, race_id, for_change)
    except UnknownRace:
        return None


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
