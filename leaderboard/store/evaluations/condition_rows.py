"""Reads and writes conditions by their hash, and what a virtual race keeps beside its settings."""

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from leaderboard.core.evaluations.seeds import RaceSeeds
from leaderboard.store.tables import CONDITIONS, VIRTUAL_RACES
from shared.conditions import Conditions, conditions_from


@dataclass(frozen=True, slots=True)
class VirtualRace:
    """A race's seeds, when they were told, since when the final ones count; and the class of its results."""

    seeds: RaceSeeds
    drawn_utc_ns: int
    node_class: str
    told_utc_ns: int | None
    finals_utc_ns: int | None

    @property
    def seeds_now(self) -> tuple[int, ...]:
        """The seeds by which it is driven now."""
        return self.seeds.race if self.finals_utc_ns is None else self.seeds.final


def conditions(db: sa.Connection, sha256: str) -> Conditions | None:
    """The conditions of this hash; None if this leaderboard does not have them."""
    document = db.execute(sa.select(CONDITIONS.c.document).where(CONDITIONS.c.sha256 == sha256)).scalar()
    return None if document is None else conditions_from(document)


def keep_conditions(db: sa.Connection, kept: Conditions, now_utc_ns: int) -> None:
    """Store them, if they are not there."""
    insert = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    values = {"sha256": kept.sha256, "document": kept.canonical(), "created_utc_ns": now_utc_ns}
    db.execute(insert(CONDITIONS).values(values).on_conflict_do_nothing())


def virtual_race(db: sa.Connection, race_id: str) -> VirtualRace | None:
    """What is kept of the race; None before its seeds were drawn."""
    row = db.execute(sa.select(VIRTUAL_RACES).where(VIRTUAL_RACES.c.race_id == race_id)).first()
    if row is None:
        return None
    drawn = json.loads(row.drawn)
    seeds = RaceSeeds(race_id, tuple(drawn["race"]), tuple(drawn["final"]), drawn["salt"])
    return VirtualRace(seeds, row.drawn_utc_ns, row.node_class, row.told_utc_ns, row.finals_utc_ns)


def set_seeds(db: sa.Connection, seeds: RaceSeeds, now_utc_ns: int) -> None:
    """Store the first seeds of a race, or others instead of those that were told or driven as its finals."""
    values = {"commitment": seeds.commitment, "drawn": seeds.canonical(), "drawn_utc_ns": now_utc_ns}
    which = VIRTUAL_RACES.c.race_id == seeds.race_id
    anew = {"told_utc_ns": None, "finals_utc_ns": None}
    if db.execute(sa.update(VIRTUAL_RACES).where(which).values(values | anew)).rowcount == 0:
        db.execute(sa.insert(VIRTUAL_RACES), values | {"race_id": seeds.race_id})


def bind_class(db: sa.Connection, race_id: str, node_class: str) -> None:
    """From now on the race's results come from nodes of this class."""
    db.execute(sa.update(VIRTUAL_RACES).where(VIRTUAL_RACES.c.race_id == race_id).values(node_class=node_class))


def published(db: sa.Connection, race_id: str, now_utc_ns: int) -> None:
    """The seeds are told now."""
    which = (VIRTUAL_RACES.c.race_id == race_id) & VIRTUAL_RACES.c.told_utc_ns.is_(None)
    db.execute(sa.update(VIRTUAL_RACES).where(which).values(told_utc_ns=now_utc_ns))


def begin_finals(db: sa.Connection, race_id: str, now_utc_ns: int) -> None:
    """From now on the race's submissions are driven on its final seeds."""
    db.execute(sa.update(VIRTUAL_RACES).where(VIRTUAL_RACES.c.race_id == race_id).values(finals_utc_ns=now_utc_ns))
