"""Where the name of a racer stands in the store: every column, and how it is renamed. A test compares it with METADATA.

A new table with a racer in it gets a line here; without one the test of this module fails.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.errors import Conflict
from leaderboard.core.redaction import redacted, renamed_json
from leaderboard.store import racer_rows
from leaderboard.store.tables import ENTRIES, METADATA, RACERS, RACES
from shared.rules.person_names import name_key
from shared.text import text

# Of tables with a `race_id`: columns that hold a racer's name, by race.
OF_RACE: dict[str, tuple[str, ...]] = {
    "attempts_given_back": ("racer",),
    "divisions": ("racer",),
    "entries": ("racer", "name"),
    "lines": ("racer",),
    "live_queue": ("racer", "name", "rival", "rival_name", "ahead"),
    "live_sessions": ("winner",),
    "notice_records": ("racer",),
    "results": ("racer",),
    "submissions": ("racer",),
}
# Of tables with a `race_id`: columns of JSON in which a racer's name may stand, by race.
JSON_OF_RACE: dict[str, tuple[str, ...]] = {
    "brackets": ("seeds",),
    "notices": ("body",),
}
# Handled by functions below, because their keys are made of the name or their race stands elsewhere.
ELSEWHERE = frozenset({"heats", "members", "races", "racers"})
_KEY = "key_sha256"


@dataclass(frozen=True, slots=True)
class RacerTrace:
    """A racer of a race that belongs to an account. `shown`: the name of the entry, as pages show it."""

    race_id: str
    season_id: str
    racer: str
    shown: str


def traces_of(db: sa.Connection, account_id: str) -> list[RacerTrace]:
    """The account's racers, by race."""
    query = (
        sa.select(ENTRIES.c.race_id, RACES.c.season_id, ENTRIES.c.racer, ENTRIES.c.name)
        .join(RACES, RACES.c.race_id == ENTRIES.c.race_id)
        .where(ENTRIES.c.account_id == account_id)
        .order_by(ENTRIES.c.race_id)
    )
    return [RacerTrace(*row) for row in db.execute(query)]


def rename(db: sa.Connection, trace: RacerTrace, new: str, *, forget: bool) -> None:
    """Rename a racer of a race wherever the store names it. Raises Conflict if another racer is called so.

    `forget`: of a deleted account, whose shown name goes too, and whose former name finds only corrections. Otherwise
    the former name stays a spelling of the same racer, so that a station may go on to use it.
    """
    race_id, racer = trace.race_id, trace.racer
    # Who is shown by the alias, in whatever spelling, is shown by the new one.
    shown_too = forget or name_key(trace.shown) == name_key(racer)
    names = {racer: new} | ({trace.shown: new} if shown_too else {})
    _rename_spelling(db, race_id, racer, new, forget)
    for table, columns in _known(OF_RACE):
        for name in columns:
            column = table.c[name]
            which = (table.c.race_id == race_id) & column.in_(names)
            db.execute(sa.update(table).where(which).values({column: new}))
    for table, columns in _known(JSON_OF_RACE):
        _rename_json(db, table, columns, table.c.race_id == race_id, names)
    racer_rows.fold_name(db, race_id, new)
    # What the arrows compare with: there are none until the next result.
    db.execute(sa.update(RACES).where(RACES.c.race_id == race_id).values(undo="[]"))
    _rename_heats(db, race_id, names)
    _rename_in_reasons(db, race_id, names)
    if trace.season_id:
        _rename_member(db, trace.season_id, racer, new)


def show_as(db: sa.Connection, trace: RacerTrace, name: str) -> None:
    """Show the account's racer under this name in a race and its queue; the racer and the results stay."""
    for table, racer, shown in (
        ("entries", "racer", "name"),
        ("live_queue", "racer", "name"),
        ("live_queue", "rival", "rival_name"),
    ):
        rows = METADATA.tables[table]
        which = (rows.c.race_id == trace.race_id) & (rows.c[racer] == trace.racer)
        db.execute(sa.update(rows).where(which).values({shown: name}))
    racer_rows.fold_name(db, trace.race_id, trace.racer)


def redact_results(db: sa.Connection, race_id: str, new: str) -> int:
    """Take the old name out of the posted documents of a racer that is called `new` already; returns how many."""
    results = METADATA.tables["results"]
    found = sa.select(results.c.seq, results.c.payload).where((results.c.race_id == race_id) & (results.c.racer == new))
    rows = db.execute(found).all()
    for row in rows:
        payload = redacted(bytes(row.payload), new)
        db.execute(sa.update(results).where(results.c.seq == row.seq).values(payload=payload))
    return len(rows)


def _known(policy: dict[str, tuple[str, ...]]) -> list[tuple[sa.Table, tuple[str, ...]]]:
    return [(METADATA.tables[name], columns) for name, columns in policy.items() if name in METADATA.tables]


def _rename_json(
    db: sa.Connection, table: sa.Table, columns: tuple[str, ...], which: sa.ColumnElement[bool], names: dict[str, str]
) -> None:
    keys = list(table.primary_key.columns)
    for row in db.execute(sa.select(table).where(which)).mappings().all():
        changed = {}
        for name in columns:
            stored = row[name]
            document = stored.decode() if isinstance(stored, bytes) else stored
            if document and (now := renamed_json(document, names)) != document:
                changed[name] = now.encode() if isinstance(stored, bytes) else now
        if changed:
            db.execute(sa.update(table).where(*(key == row[key.name] for key in keys)).values(changed))


def _rename_spelling(db: sa.Connection, race_id: str, racer: str, new: str, forget: bool) -> None:
    key, former = racer_rows.name_key_sha256(new), racer_rows.name_key_sha256(racer)
    taken = sa.select(RACERS.c.racer).where((RACERS.c.race_id == race_id) & (RACERS.c[_KEY] == key))
    holder = db.execute(taken).scalar()
    if holder not in (None, racer):
        raise Conflict(text("In the race {race} another racer is called {racer}.", race=repr(race_id), racer=repr(new)))
    which = (RACERS.c.race_id == race_id) & (RACERS.c.racer == racer)
    if forget:
        db.execute(sa.delete(RACERS).where(which & (RACERS.c[_KEY] != former)))  # spellings of an earlier rename
        db.execute(sa.update(RACERS).where(which).values({"racer": new, _KEY: key, "former_sha256": former}))
        return
    known = db.execute(sa.update(RACERS).where(which).values(racer=new)).rowcount
    if known and holder is None:
        db.execute(sa.insert(RACERS), {"race_id": race_id, _KEY: key, "racer": new, "former_sha256": ""})


def _rename_heats(db: sa.Connection, race_id: str, names: dict[str, str]) -> None:
    if "heats" not in METADATA.tables:
        return
    heats, brackets = METADATA.tables["heats"], METADATA.tables["brackets"]
    of_race = sa.select(brackets.c.bracket_id).where(brackets.c.race_id == race_id)
    for old, new in names.items():
        which = heats.c.bracket_id.in_(of_race) & (heats.c.winner == old)
        db.execute(sa.update(heats).where(which).values(winner=new))


def _rename_in_reasons(db: sa.Connection, race_id: str, names: dict[str, str]) -> None:
    """Of a turn of two the reason says whose it is."""
    queue = METADATA.tables.get("live_queue")
    if queue is None:
        return
    for old, new in names.items():
        which = (queue.c.race_id == race_id) & (queue.c.rival != "") & queue.c.reason.contains(old, autoescape=True)
        db.execute(sa.update(queue).where(which).values(reason=sa.func.replace(queue.c.reason, old, new)))


def _rename_member(db: sa.Connection, season_id: str, racer: str, new: str) -> None:
    key = racer_rows.name_key_sha256(racer)
    for name in ("members", "divisions"):
        table = METADATA.tables.get(name)
        if table is not None:
            which = (table.c.season_id == season_id) & (table.c[_KEY] == key)
            db.execute(sa.update(table).where(which).values({"racer": new, _KEY: racer_rows.name_key_sha256(new)}))
