"""Exact ranks without counting a board: lines are counted in buckets of scores, in the transaction that changes a line.

A rank is the sum of the coarse buckets before the line's, of the fine ones before it within that, and of the lines
before it in its own. Buckets begin a millisecond wide. Where scores spread so far that the coarse ones become many, all
are made wider: a rank reads at most MAX_COARSE + SPAN counts, and the lines of one fine bucket.
"""

from typing import Any

import sqlalchemy as sa

from leaderboard.core.rank import BestAttempt, RankKey
from leaderboard.store.direct import DirectStatement

SPAN = 256  # fine buckets in a coarse one
MAX_COARSE = 1024
_WIDER = 4
_CHECK_EVERY = 64  # lines that are added

_INTS = ("score_ms", "set_utc_ns", "order", "width_ms", "span")


def _text(statement: str) -> sa.TextClause:
    given = [sa.bindparam(name, type_=sa.BigInteger) for name in _INTS if f":{name}" in statement]
    return sa.text(statement).bindparams(*given)


def _direct(statement: str) -> DirectStatement:
    return DirectStatement(_text(statement))


_WIDTH = _direct("SELECT width_ms FROM boards WHERE race_id = :race_id AND kind = :kind")
_RANKED = _direct("SELECT ranked FROM boards WHERE race_id = :race_id AND kind = :kind")
_ONE_MORE = _direct(
    "INSERT INTO boards (race_id, kind, width_ms, ranked) VALUES (:race_id, :kind, 1, 1) "
    "ON CONFLICT (race_id, kind) DO UPDATE SET ranked = boards.ranked + 1 RETURNING width_ms, ranked"
)
_ONE_LESS = _direct(
    "UPDATE boards SET ranked = ranked - 1 WHERE race_id = :race_id AND kind = :kind RETURNING width_ms"
)
_COUNT = _direct(
    "INSERT INTO rank_buckets (race_id, kind, level, bucket, n) VALUES (:race_id, :kind, :level, :bucket, :n) "
    "ON CONFLICT (race_id, kind, level, bucket) DO UPDATE SET n = rank_buckets.n + excluded.n"
)
_AHEAD = _direct("""
    SELECT b.ranked,
        coalesce((SELECT sum(r.n) FROM rank_buckets r WHERE r.race_id = b.race_id AND r.kind = b.kind
            AND r.level = 0 AND r.bucket < :score_ms / (b.width_ms * :span)), 0)
        + coalesce((SELECT sum(r.n) FROM rank_buckets r WHERE r.race_id = b.race_id AND r.kind = b.kind
            AND r.level = 1 AND r.bucket >= :score_ms / (b.width_ms * :span) * :span
            AND r.bucket < :score_ms / b.width_ms), 0)
        + (SELECT count(*) FROM lines l WHERE l.race_id = b.race_id AND l.kind = b.kind
            AND l.score_ms >= :score_ms / b.width_ms * b.width_ms
            AND (l.score_ms, l.set_utc_ns, l."order") < (:score_ms, :set_utc_ns, :order)) AS ahead
    FROM boards b WHERE b.race_id = :race_id AND b.kind = :kind
""")
_FAR = _text("SELECT count(*) FROM rank_buckets WHERE race_id = :race_id AND kind = :kind AND level = 0 AND n > 0")
_DROP = _text("DELETE FROM rank_buckets WHERE race_id = :race_id AND kind = :kind")
_FILL = _text(
    "INSERT INTO rank_buckets (race_id, kind, level, bucket, n) "
    "SELECT race_id, kind, :level, bucket, count(*) FROM (SELECT race_id, kind, score_ms / :width_ms AS bucket "
    "FROM lines WHERE race_id = :race_id AND kind = :kind) AS counted GROUP BY race_id, kind, bucket"
).bindparams(sa.bindparam("level", type_=sa.Integer))
_SET_BOARD = _text(
    "INSERT INTO boards (race_id, kind, width_ms, ranked) VALUES (:race_id, :kind, :width_ms, "
    "(SELECT count(*) FROM lines WHERE race_id = :race_id AND kind = :kind)) "
    "ON CONFLICT (race_id, kind) DO UPDATE SET width_ms = excluded.width_ms, ranked = excluded.ranked"
)


def count_change(db: sa.Connection, race_id: str, kind: str, old: BestAttempt | None, new: BestAttempt | None) -> None:
    """Count a line that has changed from `old` to `new` (None: there is none), in the transaction that changes it."""
    table = {"race_id": race_id, "kind": kind}
    if (old and old.score_ms) == (new and new.score_ms):
        return
    if old is None:
        width_ms, ranked = _row(_ONE_MORE.first(db, table))
    else:
        (width_ms,) = _row((_ONE_LESS if new is None else _WIDTH).first(db, table))
        ranked = 1
    # Sorted: two processes take the rows in one order.
    for (level, bucket), n in sorted(_changes(old, new, width_ms).items()):
        if n:
            _COUNT.run(db, table | {"level": level, "bucket": bucket, "n": n})
    if ranked % _CHECK_EVERY == 0 and db.execute(_FAR, table).scalar_one() > MAX_COARSE:
        rebuild(db, race_id, kind, width_ms * _WIDER)


def _changes(old: BestAttempt | None, new: BestAttempt | None, width_ms: int) -> dict[tuple[int, int], int]:
    """By level and bucket, how many lines more it holds."""
    changes: dict[tuple[int, int], int] = {}
    for line, by in ((old, -1), (new, 1)):
        if line is not None:
            for level, width in ((0, width_ms * SPAN), (1, width_ms)):
                bucket = level, line.score_ms // width
                changes[bucket] = changes.get(bucket, 0) + by
    return changes


def ahead_of(db: sa.Connection, race_id: str, kind: str, key: RankKey) -> tuple[int, int]:
    """How many lines of the table come before `key`, and how many it has."""
    score_ms, set_utc_ns, order = key
    keys = {"score_ms": score_ms, "set_utc_ns": set_utc_ns, "order": order, "span": SPAN}
    row = _AHEAD.first(db, keys | {"race_id": race_id, "kind": kind})
    return (0, 0) if row is None else (int(row[1]), int(row[0]))


def ranked(db: sa.Connection, race_id: str, kind: str) -> int:
    """How many lines the table has."""
    row = _RANKED.first(db, {"race_id": race_id, "kind": kind})
    return 0 if row is None else int(row[0])


def rebuild(db: sa.Connection, race_id: str, kind: str, width_ms: int = 1) -> int:
    """Count all lines of a table anew, in buckets of this width or wider if their spread asks for it; the width."""
    table = {"race_id": race_id, "kind": kind}
    while True:
        db.execute(_DROP, table)
        db.execute(_FILL, table | {"level": 0, "width_ms": width_ms * SPAN})
        if db.execute(_FAR, table).scalar_one() <= MAX_COARSE:
            break
        width_ms *= _WIDER
    db.execute(_FILL, table | {"level": 1, "width_ms": width_ms})
    db.execute(_SET_BOARD, table | {"width_ms": width_ms})
    return width_ms


def _row(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    assert row is not None, "a table that has a line is counted"
    return row
