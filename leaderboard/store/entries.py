"""Reads and writes entries, each within the transaction whose connection it is given."""

import dataclasses
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.states import EntryState
from leaderboard.store import racer_rows
from leaderboard.store.tables import ENTRIES, RESULTS


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """A racer in a race. `account_id` "": registered without an account. `joined_by`: link, alias, self or official.

    `entered_utc_ns`: since when the entry is there. `state_before`: of a removed one, what it was.
    """

    race_id: str
    racer: str
    name: str
    entered_utc_ns: int
    account_id: str = ""
    state: EntryState = "entered"
    joined_by: str = ""
    state_before: str = ""


_COLUMNS = [ENTRIES.c[field.name] for field in dataclasses.fields(EntryRecord)]


def of_account(db: sa.Connection, race_id: str, account_id: str) -> EntryRecord | None:
    """The account's entry in the race."""
    ours = (ENTRIES.c.race_id == race_id) & (ENTRIES.c.account_id == account_id)
    row = db.execute(sa.select(*_COLUMNS).where(ours)).mappings().first() if account_id else None
    return None if row is None else EntryRecord(**row)


def of_racer(db: sa.Connection, race_id: str, racer: str) -> EntryRecord | None:
    """The entry of the racer, as the race spells it."""
    ours = (ENTRIES.c.race_id == race_id) & (ENTRIES.c.racer == racer)
    row = db.execute(sa.select(*_COLUMNS).where(ours)).mappings().first()
    return None if row is None else EntryRecord(**row)


def states_of_account(db: sa.Connection, account_id: str) -> dict[str, EntryState]:
    """The state of the account's entry in every race that it has one in."""
    rows = db.execute(sa.select(ENTRIES.c.race_id, ENTRIES.c.state).where(ENTRIES.c.account_id == account_id))
    return {row.race_id: row.state for row in rows}


def add(db: sa.Connection, entry: EntryRecord) -> None:
    """Store a new entry."""
    db.execute(sa.insert(ENTRIES), dataclasses.asdict(entry))
    racer_rows.fold_name(db, entry.race_id, entry.racer)


def change(db: sa.Connection, entry: EntryRecord) -> None:
    """Store the entry as it is now."""
    ours = (ENTRIES.c.race_id == entry.race_id) & (ENTRIES.c.racer == entry.racer)
    db.execute(sa.update(ENTRIES).where(ours).values(dataclasses.asdict(entry)))


def page(db: sa.Connection, race_id: str, after: str, limit: int) -> list[tuple[EntryRecord, int]]:
    """Entries in the order of their racers after this one, each with how many results it has in the race."""
    results = (
        sa.select(sa.func.count(sa.distinct(RESULTS.c.result_id)))
        .where((RESULTS.c.race_id == ENTRIES.c.race_id) & (RESULTS.c.racer == ENTRIES.c.racer))
        .scalar_subquery()
    )
    query = (
        sa.select(*_COLUMNS, results.label("results"))
        .where((ENTRIES.c.race_id == race_id) & (ENTRIES.c.racer > after))
        .order_by(ENTRIES.c.racer)
        .limit(limit)
    )
    rows = [dict(row) for row in db.execute(query).mappings()]
    return [(EntryRecord(**{k: v for k, v in row.items() if k != "results"}), row["results"]) for row in rows]


def counts(db: sa.Connection, race_id: str) -> dict[EntryState, int]:
    """How many entries of the race are in each state."""
    query = sa.select(ENTRIES.c.state, sa.func.count().label("n")).where(ENTRIES.c.race_id == race_id)
    return {row.state: row.n for row in db.execute(query.group_by(ENTRIES.c.state))}


def drove(db: sa.Connection, race_id: str, racer: str) -> bool:
    """Whether the race holds results of this racer, as it spells the name."""
    theirs = (RESULTS.c.race_id == race_id) & (RESULTS.c.racer == racer)
    return db.execute(sa.select(RESULTS.c.seq).where(theirs).limit(1)).first() is not None
