"""How a race spells its racers and by which names it shows them, within the transaction that is given."""

import hashlib

import sqlalchemy as sa

from leaderboard.core.search import folded
from leaderboard.core.states import EntryState
from leaderboard.store import statements as sql
from leaderboard.store.tables import RACERS
from shared.rules.person_names import name_key


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


def was_erased(db: sa.Connection, race_id: str, racer: str, former: str) -> bool:
    """Whether this racer of the race is what is left of a deleted account that was called `former`."""
    which = (RACERS.c.race_id == race_id) & (RACERS.c.racer == racer)
    stored = db.execute(sa.select(RACERS.c.former_sha256).where(which)).scalar()
    return bool(stored) and stored == name_key_sha256(former)


def known_spelling(db: sa.Connection, race_id: str, racer: str) -> str | None:
    """The spelling under which this racer is stored in the race; None if no result or entry named him."""
    first = sql.SPELLING.first(db, {"race_id": race_id, "key_sha256": name_key_sha256(racer)})
    return None if first is None else str(first[0])


def fold_name(db: sa.Connection, race_id: str, racer: str) -> None:
    """Have the racer's lines found by the name that is shown now; whoever changes a shown name calls this."""
    name = entry_name(db, race_id, racer) or racer
    db.execute(sql.FOLD_NAME, {"of_race": race_id, "of_racer": racer, "folded": folded(name)})
