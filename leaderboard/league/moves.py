"""Moves races from state to state by the tables of core/states.py: publish, close, reopen, results, final, unlock, bin.

Called by api/ and pages/. Results that are final are unlocked by an official with a reason; where the season says so,
by two officials.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, Gone
from leaderboard.core.league import editing
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import RACE_MOVES, race_after
from leaderboard.league.changes import race_for, seen_race, store_change
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import UNLOCK_REQUESTS
from shared.errors import Refused
from shared.text import ntext, text
from shared.units import NS_PER_S

Move = Literal["publish", "close", "reopen", "results", "final", "unlock", "delete", "restore"]
MOVES: tuple[Move, ...] = get_args(Move)
# What somebody must be allowed to do for it.
ACTION_OF: Mapping[Move, str] = {
    "publish": "race.publish",
    "close": "race.close",
    "reopen": "race.close",
    "results": "race.finalise",
    "final": "race.finalise",
    "unlock": "race.unlock",
    "delete": "race.delete",
    "restore": "race.delete",
}
Follow = Callable[[sa.Connection, Caller, RaceRecord, int], None]
_OF_DESK: tuple[Move, ...] = ("publish", "close")
IN_BIN_NS = 30 * 24 * 3600 * NS_PER_S
SECOND_WITHIN_NS = 24 * 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class MoveDone:
    """The race after a move. `waits`: it is still as it was, until a second official wants the same."""

    race: RaceRecord
    waits: bool = False


class RaceMoves:
    """The moves of the races of one store. `changed(race_id)` is called after a commit.

    `follow` is called within the transaction of each move: what follows from a race that is final is stored with it.
    """

    def __init__(self, store: Store, changed: Callable[[str], None], follow: Follow | None = None) -> None:
        self._store, self._changed, self._follow = store, changed, follow

    def move(self, caller: Caller, race_id: str, move: Move, now_utc_ns: int, why: str = "") -> MoveDone:
        """Do this with the race. Raises UnknownRace, NotAllowed, Unauthorized, Refused, Gone (no longer in the bin)."""
        editing.check_reason(why)
        with self._store.write() as db:
            race = race_for(db, caller, race_id, ACTION_OF[move])
            race_after(race.state(now_utc_ns), move)
            if move == "unlock" and _waits(db, caller, race, now_utc_ns, why):
                return MoveDone(race, waits=True)
            after = _moved(db, race, move, now_utc_ns)
            store_change(db, caller, ACTION_OF[move], race, after, now_utc_ns, why)
            if self._follow is not None:
                self._follow(db, caller, after, now_utc_ns)
        self._changed(race_id)
        return MoveDone(after)

    def check_may(self, caller: Caller, race_id: str, move: Move) -> RaceRecord:
        """The race, if the caller may do this with it. Raises UnknownRace, NotAllowed, Unauthorized."""
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
        access.require(caller, ACTION_OF[move], race)
        return race

    def races_of(self, caller: Caller) -> list[race_rows.RaceHead]:
        """The races that the caller organises or officiates, the newest first; also drafts and those in the bin."""
        with self._store.read() as db:
            return [head for head in race_rows.heads(db) if _concerns(caller, head.race)]

    def set_closed(self, caller: Caller, race_id: str, closed: bool, now_utc_ns: int) -> RaceRecord:
        """Close a race or open it again; nothing happens if it is so already."""
        with self._store.read() as db:
            race = seen_race(db, caller, race_id)
        access.require(caller, ACTION_OF["close"], race)
        state = race.state(now_utc_ns)
        if (state == "closed") == closed and state in ("published", "open", "closed"):
            return race
        return self.move(caller, race_id, "close" if closed else "reopen", now_utc_ns).race


def _concerns(caller: Caller, race: RaceRecord) -> bool:
    return any(access.may(caller, ACTION_OF[move], race) for move in _OF_DESK)


def moves_for(caller: Caller, race: RaceRecord, now_utc_ns: int) -> list[Move]:
    """What the caller can do with the race now, in the order of the table."""
    state = race.state(now_utc_ns)
    if state == "deleted" and race.deleted_utc_ns is not None and now_utc_ns >= race.deleted_utc_ns + IN_BIN_NS:
        return []
    return [move for move in MOVES if (state, move) in RACE_MOVES and access.may(caller, ACTION_OF[move], race)]


def _moved(db: sa.Connection, race: RaceRecord, move: Move, now_utc_ns: int) -> RaceRecord:
    match move:
        case "publish":
            editing.check_settings(race)
            return dataclasses.replace(race, stage="published")
        case "close":
            return race.closed(now_utc_ns)
        case "reopen":
            return dataclasses.replace(race.opened(now_utc_ns), stage="published")
        case "results" | "unlock":
            return dataclasses.replace(race, stage="provisional")
        case "final":
            _check_all_driven(db, race)
            return dataclasses.replace(race, stage="final")
        case "delete":
            league_rows.set_stage_before(db, race.race_id, race.stage)
            return dataclasses.replace(race, stage="deleted", deleted_utc_ns=now_utc_ns)
        case "restore":
            return _restored(db, race, now_utc_ns)


def _check_all_driven(db: sa.Connection, race: RaceRecord) -> None:
    """What is driven later could not count any more. Raises Refused."""
    if waiting := submission_rows.waiting_in(db, race.race_id):
        raise Refused(
            ntext(
                "{n} submission of this race is not driven yet: wait for it, or cancel it.",
                "{n} submissions of this race are not driven yet: wait for them, or cancel them.",
                n=waiting,
            )
        )


def _restored(db: sa.Connection, race: RaceRecord, now_utc_ns: int) -> RaceRecord:
    if race.deleted_utc_ns is not None and now_utc_ns >= race.deleted_utc_ns + IN_BIN_NS:
        raise Gone(text("This race was deleted more than 30 days ago: it can no longer be restored."))
    return dataclasses.replace(race, stage=league_rows.stage_before(db, race.race_id), deleted_utc_ns=None)


def _waits(db: sa.Connection, caller: Caller, race: RaceRecord, now_utc_ns: int, why: str) -> bool:
    """Whether the unlocking waits for a second official, who is asked for then. Raises Refused, Conflict."""
    if not why.strip():
        raise Refused(text("Say why the final results are to be unlocked: the reason is kept."))
    if not (race.season_id and league_rows.season(db, race.season_id).second_official):
        return False
    actor = audit.actor_of(caller)
    of_race = UNLOCK_REQUESTS.c.race_id == race.race_id
    first = db.execute(sa.select(UNLOCK_REQUESTS).where(of_race)).first()
    db.execute(sa.delete(UNLOCK_REQUESTS).where(of_race))
    if first is not None and now_utc_ns < first.at_utc_ns + SECOND_WITHIN_NS:
        if first.actor == actor:
            raise Conflict(text("You asked for this already: a second official has to want it too, within a day."))
        return False
    values = {"race_id": race.race_id, "actor": actor, "why": why, "at_utc_ns": now_utc_ns}
    db.execute(sa.insert(UNLOCK_REQUESTS), values)
    subject = f"race:{race.race_id}"
    request = {"unlock": "a second official has to want it too"}
    audit.record(
        db,
        caller,
        now_utc_ns,
        "race.unlock",
        subject,
        None,
        request,
        race_id=race.race_id,
        season_id=race.season_id,
        why=why,
    )
    return True
