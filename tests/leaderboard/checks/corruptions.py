"""Random corruptions of what a board derives and stores, one a call; the bench plants more of them than the test."""

import random
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from leaderboard.store.tables import BOARDS, LINES, RACES, RANK_BUCKETS, RESULTS

_COUNTING = sa.select(RANK_BUCKETS).where(RANK_BUCKETS.c.n != 0)  # one that counts nothing may be there or not
Corruption = Callable[[sa.Connection, random.Random], str]


def _some_row(db: sa.Connection, table: sa.Table, draw: random.Random) -> dict[str, Any]:
    rows = db.execute(sa.select(table) if table is not RANK_BUCKETS else _COUNTING).all()
    return dict(draw.choice(rows)._mapping)


def _where(table: sa.Table, row: dict[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == row[column.name] for column in table.primary_key))


def _numbers_of(table: sa.Table, *columns: str) -> Corruption:
    """A number of a row is another."""

    def corrupt(db: sa.Connection, draw: random.Random) -> str:
        row, column = _some_row(db, table, draw), draw.choice(columns)
        by = draw.choice([-1000, -7, -1, 1, 3, 256, 10**6]) * (10**8 if column == "bucket" else 1)
        db.execute(sa.update(table).where(_where(table, row)).values({column: row[column] + by}))
        return f"{table.name}.{column} {by:+} of {row}"

    return corrupt


def _deleted(table: sa.Table) -> Corruption:
    def corrupt(db: sa.Connection, draw: random.Random) -> str:
        row = _some_row(db, table, draw)
        db.execute(sa.delete(table).where(_where(table, row)))
        return f"deleted {table.name} {row}"

    return corrupt


def _invented_line(db: sa.Connection, draw: random.Random) -> str:
    row = _some_row(db, LINES, draw) | {"racer": f"nobody {draw.random()}"}
    db.execute(sa.insert(LINES), row)
    return f"invented {row}"


def _other_name(db: sa.Connection, draw: random.Random) -> str:
    row, column = _some_row(db, LINES, draw), draw.choice(["folded", "racer", "kind"])
    value = "virtual" if column == "kind" else f"{row[column]}x"
    db.execute(sa.update(LINES).where(_where(LINES, row)).values({column: value}))
    return f"{column} of {row}"


def _invented_bucket(db: sa.Connection, draw: random.Random) -> str:
    row = _some_row(db, RANK_BUCKETS, draw)
    row |= {"bucket": 10**9 + draw.randrange(10**6), "n": draw.choice([-1, 1, 5])}
    db.execute(sa.insert(RANK_BUCKETS), row)
    return f"invented {row}"


def _other_state(db: sa.Connection, draw: random.Random) -> str:
    """Of a newest revision: that of an older one says nothing."""
    newest = {row.result_id: row.seq for row in db.execute(sa.select(RESULTS).order_by(RESULTS.c.revision))}
    result_id = draw.choice(sorted(newest))
    db.execute(sa.update(RESULTS).where(RESULTS.c.seq == newest[result_id]).values(state="refused"))
    return f"state of {result_id}"


CORRUPTIONS: tuple[Corruption, ...] = (
    _numbers_of(LINES, "score_ms", "set_utc_ns", "order", "seq", "attempts"),
    _numbers_of(RANK_BUCKETS, "n", "bucket"),
    _numbers_of(BOARDS, "width_ms", "ranked"),
    _numbers_of(RACES, "results"),
    _deleted(LINES),
    _deleted(RANK_BUCKETS),
    _deleted(BOARDS),
    _invented_line,
    _invented_bucket,
    _other_name,
    _other_state,
)
