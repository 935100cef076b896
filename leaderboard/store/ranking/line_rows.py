"""Reads and writes the lines of tables and counts them for ranks, within the transaction that is given."""

import dataclasses

import sqlalchemy as sa

from leaderboard.core.race import Venue
from leaderboard.core.rank import BestAttempt, LineKey
from leaderboard.core.search import folded
from leaderboard.store import statements as sql
from leaderboard.store.racer_rows import entry_name
from leaderboard.store.ranking import ranks


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
