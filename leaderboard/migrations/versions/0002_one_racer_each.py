"""Spellings of one racer become one: the first that each race was given. What was posted stays as it was.

Until now "Ann" and "ann", or one name in two Unicode forms, were two racers of a race. Their results keep their bytes
and point to the first spelling; their lines are derived again, as a post derives them.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from leaderboard.core.attempts import AttemptQuota, settle
from leaderboard.core.rank import Attempt, line_of, newest
from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules, rules_from

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The columns as of this migration: later ones may add others.
_RACES = sa.table("races", *map(sa.column, ("race_id", "rules", "version", "undo")))
_ENTRIES = sa.table("entries", *map(sa.column, ("race_id", "racer", "entered_utc_ns")))
_OF_RESULT = ("seq", "result_id", "revision", "race_id", "racer", "score_ms", "finished_utc_ns", "accepted_utc_ns")
_RESULTS = sa.table("results", *map(sa.column, _OF_RESULT))
_OF_LINE = ("race_id", "racer", "score_ms", "set_utc_ns", "order", "seq", "attempts")
_LINES = sa.table("lines", *map(sa.column, _OF_LINE))


def upgrade() -> None:
    racers = op.create_table(
        "racers",
        sa.Column("race_id", sa.Text, sa.ForeignKey("races.race_id"), primary_key=True),
        sa.Column("key_sha256", sa.Text, primary_key=True),
        sa.Column("racer", sa.Text, nullable=False),
    )
    db = op.get_bind()
    for race in db.execute(sa.select(_RACES)).all():
        first: dict[str, str] = {}
        merged: dict[str, str] = {}
        for racer in _in_order(db, race.race_id):
            first_spelling = first.setdefault(hashlib.sha256(name_key(racer).encode()).hexdigest(), racer)
            if first_spelling != racer:
                merged[racer] = first_spelling
        for key, racer in first.items():
            db.execute(sa.insert(racers), {"race_id": race.race_id, "key_sha256": key, "racer": racer})
        if merged:
            _merge(db, race, merged)


def _in_order(db: sa.Connection, race_id: str) -> list[str]:
    """The spellings of a race's racers, by when they were entered or posted."""
    entered = sa.select(_ENTRIES.c.racer, _ENTRIES.c.entered_utc_ns.label("at")).where(_ENTRIES.c.race_id == race_id)
    posted = sa.select(_RESULTS.c.racer, _RESULTS.c.accepted_utc_ns.label("at"), _RESULTS.c.seq)
    dated = [(row.at, 0, row.racer) for row in db.execute(entered)]
    dated += [(row.at, row.seq, row.racer) for row in db.execute(posted.where(_RESULTS.c.race_id == race_id))]
    return list(dict.fromkeys(racer for _, _, racer in sorted(dated)))


def _merge(db: sa.Connection, race: Any, merged: dict[str, str]) -> None:
    for racer, first_spelling in merged.items():
        of_racer = (_RESULTS.c.race_id == race.race_id) & (_RESULTS.c.racer == racer)
        db.execute(sa.update(_RESULTS).where(of_racer).values(racer=first_spelling))
        _enter_once(db, race.race_id, racer, first_spelling)
    rules = rules_from(json.loads(race.rules))
    for racer in sorted({*merged, *merged.values()}):
        of_racer = (_LINES.c.race_id == race.race_id) & (_LINES.c.racer == racer)
        db.execute(sa.delete(_LINES).where(of_racer))
        _add_line(db, race.race_id, racer, rules)
    new = {"version": race.version + 1, "undo": "{}"}
    db.execute(sa.update(_RACES).where(_RACES.c.race_id == race.race_id).values(**new))


def _enter_once(db: sa.Connection, race_id: str, racer: str, first_spelling: str) -> None:
    """Rename the entry of the other spelling to the first one, or delete it if the first one is entered too."""
    of_racer, other = ((_ENTRIES.c.race_id == race_id) & (_ENTRIES.c.racer == name) for name in (racer, first_spelling))
    if db.execute(sa.select(_ENTRIES.c.racer).where(other)).first() is None:
        db.execute(sa.update(_ENTRIES).where(of_racer).values(racer=first_spelling))
    else:
        db.execute(sa.delete(_ENTRIES).where(of_racer))


def _add_line(db: sa.Connection, race_id: str, racer: str, rules: RaceRules) -> None:
    ids = sa.select(_RESULTS.c.result_id).where((_RESULTS.c.race_id == race_id) & (_RESULTS.c.racer == racer))
    revisions: Iterable[Any] = db.execute(sa.select(_RESULTS).where(_RESULTS.c.result_id.in_(ids)))
    every = newest(Attempt(r.seq, r.seq, r.result_id, r.revision, r.racer, r.score_ms, r.finished_utc_ns) for r in revisions)
    own = [attempt for attempt in every if attempt.racer == racer]
    line = line_of(settle(own, AttemptQuota(rules.attempts_per_racer)))
    if line is not None:
        values = {name: getattr(line, name) for name in _OF_LINE if name != "race_id"}
        db.execute(sa.insert(_LINES), values | {"race_id": race_id})
