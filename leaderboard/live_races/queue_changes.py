"""Changes queues of LIVE races: each change is one transaction, with its row of audit. Called by service.py."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownRace
from leaderboard.core.live import queue as rules
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.race import RaceRecord
from leaderboard.live_races import rows
from leaderboard.store import audit, race_rows
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.text import text

Unable = Mapping[str, str]  # who cannot drive, by the key of the name, and why


class QueueChanges:
    """The changes by people to the queues of one store. `changed(queue, now_utc_ns)` is called after a commit."""

    def __init__(self, store: Store, changed: Callable[[LiveQueue, int], None]) -> None:
        self._store, self._changed = store, changed

    def plain(
        self,
        caller: Caller,
        race_id: str,
        version: int,
        now_utc_ns: int,
        what: str,
        change: Callable[[LiveQueue], LiveQueue],
        why: str = "",
    ) -> LiveQueue:
        """A change that needs nothing but the queue."""
        return self.change(
            caller, race_id, version, now_utc_ns, what, lambda _db, _race, queue, _unable: change(queue), why
        )

    def change(
        self,
        caller: Caller,
        race_id: str,
        version: int | None,
        now_utc_ns: int,
        what: str,
        change: Callable[[sa.Connection, RaceRecord, LiveQueue, Unable], LiveQueue],
        why: str = "",
    ) -> LiveQueue:
        """One change by a person: the newest queue, settled, changed, stored and audited in one transaction."""
        with self._store.write() as db:
            race_for(db, caller, race_id)
            race = race_rows.race(db, race_id, for_change=True)
            _check_live(race, now_utc_ns)
            stored = rows.load(db, race_id)
            if version is not None:
                rules.check_version(stored, version)
            before = rules.settled(stored, now_utc_ns)
            after = change(db, race, before, rows.unable(db, race_id))
            if after == stored:
                return after
            after = dataclasses.replace(after, version=stored.version + 1)
            rows.save(db, stored, after)
            audit.record(
                db,
                caller,
                now_utc_ns,
                "live.run",
                f"queue:{race_id}",
                _audited(before),
                _audited(after) | {"did": what},
                race_id=race_id,
                season_id=race.season_id,
                why=why,
            )
        self._changed(after, now_utc_ns)
        return after


def race_for(db: sa.Connection, caller: Caller, race_id: str) -> RaceRecord:
    """The race, if it exists for the caller. Raises UnknownRace."""
    race = race_rows.race(db, race_id)
    own = rows.own_entry(db, race_id, caller.account_id)
    if not access.sees(caller, race, None if own is None else own[0]):
        raise UnknownRace.of(race_id)
    return race


def _check_live(race: RaceRecord, now_utc_ns: int) -> None:
    if not race.live:
        raise Refused(text("The race {race} is no LIVE race: its organiser can make it one.", race=race.name))
    if race.state(now_utc_ns) in ("final", "deleted"):
        raise Refused(text("The race is over: its queue stays as it is."))


def _audited(queue: LiveQueue) -> dict[str, Any]:
    """The queue as the audit compares it: what it is set to, and each turn by itself."""
    session = {"entries_open": queue.entries_open, "run_time_s": queue.run_time_s, "winner": queue.winner}
    return session | {f"turn:{each.name}:{each.item_id}": dataclasses.asdict(each) for each in queue.items}
