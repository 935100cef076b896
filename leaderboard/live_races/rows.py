"""Reads and writes the rows of LIVE races. Each function is part of the transaction whose connection it is given."""

import dataclasses
from typing import Any

import sqlalchemy as sa

from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import ON_TRACK, QueueItem
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import EntryState
from leaderboard.store.tables import ENTRIES, LINES, LIVE_QUEUE, LIVE_SESSIONS, RACES, SUBMISSIONS
from shared.rules.person_names import name_key
from shared.text import Sentence, text

_ITEM_FIELDS = [field.name for field in dataclasses.fields(QueueItem)]
_SESSION_FIELDS = ("version", "entries_open", "run_time_s", "winner", "winner_utc_ns")
_RANK = (LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)
# Entries in these states may not drive, and why.
_BARRED: dict[EntryState, Sentence] = {
    "withdrawn": text("withdrawn from the race"),
    "removed": text("removed from the race"),
    "disqualified": text("disqualified"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class RankedScore:
    """A line of the standing in short: who, and with which score."""

    racer: str
    name: str
    score_ms: int


def load(db: sa.Connection, race_id: str) -> LiveQueue:
    """The queue as stored; an empty one if the race has none yet."""
    session = db.execute(sa.select(LIVE_SESSIONS).where(LIVE_SESSIONS.c.race_id == race_id)).first()
    stored = sa.select(LIVE_QUEUE).where(LIVE_QUEUE.c.race_id == race_id)
    rows = db.execute(stored.order_by(LIVE_QUEUE.c.key, LIVE_QUEUE.c.item_id)).mappings()
    items = tuple(QueueItem(**{name: row[name] for name in _ITEM_FIELDS}) for row in rows)
    if session is None:
        return LiveQueue(race_id, items=items)
    return LiveQueue(race_id, **{name: getattr(session, name) for name in _SESSION_FIELDS}, items=items)


def save(db: sa.Connection, before: LiveQueue, after: LiveQueue) -> None:
    """Store what differs from `before`, which is what `load` returned in this transaction."""
    session = {name: getattr(after, name) for name in _SESSION_FIELDS}
    of_race = LIVE_SESSIONS.c.race_id == after.race_id
    if not db.execute(sa.update(LIVE_SESSIONS).where(of_race).values(session)).rowcount:
        db.execute(sa.insert(LIVE_SESSIONS), session | {"race_id": after.race_id})
    old, new = ({each.item_id: each for each in queue.items} for queue in (before, after))
    if gone := old.keys() - new.keys():
        db.execute(sa.delete(LIVE_QUEUE).where(LIVE_QUEUE.c.item_id.in_(gone)))
    for item_id, item in new.items():
        if item_id in old and old[item_id] != item:
            db.execute(sa.update(LIVE_QUEUE).where(LIVE_QUEUE.c.item_id == item_id).values(_values(item)))
    if fresh := [_values(item) | {"race_id": after.race_id} for item_id, item in new.items() if item_id not in old]:
        db.execute(sa.insert(LIVE_QUEUE), fresh)


def _values(item: QueueItem) -> dict[str, Any]:
    # As the sentence was written: a stored reason is in the language of nobody in particular.
    return {name: getattr(item, name) for name in _ITEM_FIELDS} | {"reason": str(item.reason)}


def launched_races(db: sa.Connection, since_utc_ns: int) -> list[str]:
    """The virtual races in which a turn was launched since then that nobody drives yet, the first launch first."""
    query = (
        sa.select(LIVE_QUEUE.c.race_id)
        .join(RACES, RACES.c.race_id == LIVE_QUEUE.c.race_id)
        .where((RACES.c.venue == "virtual") & LIVE_QUEUE.c.state.in_(sorted(ON_TRACK)) & (LIVE_QUEUE.c.driver == ""))
        .where(LIVE_QUEUE.c.launched_utc_ns > since_utc_ns)
    )
    return list(db.execute(query.order_by(LIVE_QUEUE.c.launched_utc_ns)).scalars())


def race_of(db: sa.Connection, item_id: str) -> str | None:
    """The race in whose queue this turn is; None if it is in none any more."""
    if not item_id.isascii() or not item_id.isalnum():  # PostgreSQL fails on text that no id of ours can be
        return None
    query = sa.select(LIVE_QUEUE.c.race_id).where(LIVE_QUEUE.c.item_id == item_id)
    found: str | None = db.execute(query).scalar()
    return found


def drives_model(db: sa.Connection, farm: str, model_sha256: str) -> bool:
    """Whether a node of this farm drives a turn with this model, as stored."""
    theirs = SUBMISSIONS.c.submission_id.in_([LIVE_QUEUE.c.submission_id, LIVE_QUEUE.c.rival_submission_id])
    query = (
        sa.select(LIVE_QUEUE.c.driver)
        .join(SUBMISSIONS, theirs)
        .where(LIVE_QUEUE.c.state.in_(sorted(ON_TRACK)) & (SUBMISSIONS.c.model_sha256 == model_sha256))
    )
    return any(driver.startswith(f"{farm}/") for driver in db.execute(query).scalars())


def entered(db: sa.Connection, race_id: str) -> list[tuple[str, str, str]]:
    """All who may drive, in the order of their entries: (racer, name, account) each."""
    query = sa.select(ENTRIES.c.racer, ENTRIES.c.name, ENTRIES.c.account_id).where(
        (ENTRIES.c.race_id == race_id) & (ENTRIES.c.state == "entered")
    )
    return [tuple(row) for row in db.execute(query.order_by(ENTRIES.c.entered_utc_ns, ENTRIES.c.racer))]


def unable(db: sa.Connection, race_id: str) -> dict[str, str]:
    """Racers who may not drive, by `name_key`, and why."""
    query = sa.select(ENTRIES.c.racer, ENTRIES.c.state).where(
        (ENTRIES.c.race_id == race_id) & ENTRIES.c.state.in_(list(_BARRED))
    )
    return {name_key(row.racer): _BARRED[row.state] for row in db.execute(query)}


def own_entry(db: sa.Connection, race_id: str, account_id: str) -> tuple[EntryState, str, str] | None:
    """The account's entry: its state, the racer and the name; None without one."""
    if not account_id:
        return None
    query = sa.select(ENTRIES.c.state, ENTRIES.c.racer, ENTRIES.c.name).where(
        (ENTRIES.c.race_id == race_id) & (ENTRIES.c.account_id == account_id)
    )
    row = db.execute(query).first()
    return None if row is None else (row.state, row.racer, row.name)


def top(db: sa.Connection, race: RaceRecord, count: int) -> list[RankedScore]:
    """The first lines of the race's first table, best first."""
    named = LINES.outerjoin(ENTRIES, (ENTRIES.c.race_id == LINES.c.race_id) & (ENTRIES.c.racer == LINES.c.racer))
    query = sa.select(LINES.c.racer, sa.func.coalesce(ENTRIES.c.name, LINES.c.racer), LINES.c.score_ms)
    query = query.select_from(named).where(_of_table(race)).order_by(*_RANK).limit(count)
    return [RankedScore(*row) for row in db.execute(query)]


def score_ms(db: sa.Connection, race: RaceRecord, racer: str) -> int | None:
    """The racer's score in the race's first table; None without one."""
    query = sa.select(LINES.c.score_ms).where(_of_table(race) & (LINES.c.racer == racer))
    found: int | None = db.execute(query).scalar()
    return found


def _of_table(race: RaceRecord) -> sa.ColumnElement[bool]:
    return (LINES.c.race_id == race.race_id) & (LINES.c.kind == race.table_named(None))
