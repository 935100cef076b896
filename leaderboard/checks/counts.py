"""Counts of lines by score, of ranked racers and of results, against the rows that they count."""

from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa

from leaderboard.checks.check import StoredCheck
from leaderboard.core.race import RaceRecord
from leaderboard.store.ranking import ranks
from leaderboard.store.tables import BOARDS, LINES, RACES, RANK_BUCKETS, RESULTS


def _find(db: sa.Connection, race: RaceRecord) -> Iterator[str]:
    of_race = {"race_id": race.race_id}
    counted = db.execute(_COUNTED, of_race).scalar_one()
    if (stored := db.execute(_RESULTS, of_race).scalar_one()) != counted:
        yield f"the race counts {stored} results, and has {counted}"
    boards = {row.kind: row for row in db.execute(sa.select(BOARDS).where(BOARDS.c.race_id == race.race_id))}
    with_lines = set(db.execute(_KINDS, of_race).scalars())
    for kind in sorted(boards.keys() | with_lines):
        board = boards.get(kind)
        if board is None:
            yield f"{kind}: its lines are not counted"
        elif board.width_ms < 1:
            yield f"{kind}: its buckets are {board.width_ms} ms wide"
        else:
            yield from _wrong_counts(db, race.race_id, kind, board.width_ms, board.ranked)


def _wrong_counts(db: sa.Connection, race_id: str, kind: str, width_ms: int, ranked: int) -> Iterator[str]:
    table = {"race_id": race_id, "kind": kind}
    wanted: Counter[tuple[int, int]] = Counter()
    lines = 0
    for score_ms, n in db.execute(_SCORES, table):
        lines += n
        wanted[0, score_ms // (width_ms * ranks.SPAN)] += n
        wanted[1, score_ms // width_ms] += n
    if ranked != lines:
        yield f"{kind}: it counts {ranked} ranked racers, and has {lines}"
    stored = {(row.level, row.bucket): row.n for row in db.execute(_BUCKETS, table)}
    for at in sorted(stored.keys() | wanted.keys()):
        if stored.get(at, 0) != wanted[at]:
            level, bucket = at
            yield f"{kind}: bucket {bucket} of level {level} counts {stored.get(at, 0)} lines, and has {wanted[at]}"


def _repair(db: sa.Connection, race: RaceRecord) -> None:
    of_race = {"race_id": race.race_id}
    kinds = set(db.execute(_KINDS, of_race).scalars())
    for table in (BOARDS, RANK_BUCKETS):
        db.execute(sa.delete(table).where(table.c.race_id == race.race_id))
    for kind in sorted(kinds):
        ranks.rebuild(db, race.race_id, kind)
    counted = db.execute(_COUNTED, of_race).scalar_one()
    db.execute(sa.update(RACES).where(RACES.c.race_id == race.race_id).values(results=counted))


def _of_race(table: sa.Table) -> sa.ColumnElement[bool]:
    return table.c.race_id == sa.bindparam("race_id")


def _of_kind(table: sa.Table) -> sa.ColumnElement[bool]:
    return _of_race(table) & (table.c.kind == sa.bindparam("kind"))


_COUNTED = sa.select(sa.func.count()).select_from(RESULTS).where(_of_race(RESULTS))
_RESULTS = sa.select(RACES.c.results).where(_of_race(RACES))
_KINDS = sa.select(LINES.c.kind).distinct().where(_of_race(LINES))
_SCORES = sa.select(LINES.c.score_ms, sa.func.count()).where(_of_kind(LINES)).group_by(LINES.c.score_ms)
_BUCKETS = sa.select(RANK_BUCKETS).where(_of_kind(RANK_BUCKETS))

COUNTS = StoredCheck("counts", _find, _repair)
