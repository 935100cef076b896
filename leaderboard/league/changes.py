"""Finds the race that a caller may see or change, and stores each change with its row in the audit.

Called by the services of this folder, each within its own transaction.
"""

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownItem, UnknownRace
from leaderboard.core.race import RaceRecord
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.evaluations import condition_rows
from shared.errors import Refused
from shared.text import text
from shared.tracks.shipped import require_shipped


def seen_race(db: sa.Connection, caller: Caller, race_id: str, for_change: bool = False) -> RaceRecord:
    """The race, if it exists for this caller. Raises UnknownRace, in the words of a race that never was."""
    race = race_rows.race(db, race_id, for_change=for_change)
    if not sees_race(db, caller, race):
        raise UnknownRace.of(race_id)
    return race


def sees_race(db: sa.Connection, caller: Caller, race: RaceRecord) -> bool:
    """Whether the race exists for this caller."""
    return access.sees(caller, race, league_rows.entry_state(db, race.race_id, caller.account_id))


def race_for(db: sa.Connection, caller: Caller, race_id: str, action: str) -> RaceRecord:
    """The race that the caller is to change by this action. Raises UnknownRace, NotAllowed, Unauthorized."""
    race = seen_race(db, caller, race_id, for_change=True)
    access.require(caller, action, race)
    return race


def add_race(db: sa.Connection, caller: Caller, race: RaceRecord, now_utc_ns: int, why: str = "") -> None:
    """Store a new race with its first edition and its row in the audit."""
    race_rows.add_race(db, race, now_utc_ns)
    league_rows.add_edition(db, race, now_utc_ns, audit.actor_of(caller), why)
    what = "race.create_league" if race.kind == "league" else "race.create_community"
    subject, season = f"race:{race.race_id}", race.season_id
    audit.record(db, caller, now_utc_ns, what, subject, None, race, race_id=race.race_id, season_id=season, why=why)


def store_change(
    db: sa.Connection, caller: Caller, what: str, before: RaceRecord, after: RaceRecord, now_utc_ns: int, why: str = ""
) -> None:
    """Store a race as it is now, counted for its pages, with its row in the audit."""
    race_rows.change_race(db, after)
    race_rows.bump(db, after.race_id)
    subject, season = f"race:{after.race_id}", after.season_id
    audit.record(db, caller, now_utc_ns, what, subject, before, after, race_id=after.race_id, season_id=season, why=why)


def check_may_create(caller: Caller, race: RaceRecord) -> None:
    """Check that the caller may create a race of this kind, in this season. Raises NotAllowed, Unauthorized."""
    if race.kind == "league":
        access.require(caller, "race.create_league", None, race.season_id)
    else:
        access.require(caller, "race.create_community")


def check_track(db: sa.Connection, race: RaceRecord) -> None:
    """Check that farms have the track of a virtual race. Raises BadInput.

    A race that names conditions of another leaderboard is not driven from here, and may be on any track.
    """
    elsewhere = race.conditions_sha256 and condition_rows.conditions(db, race.conditions_sha256) is None
    if race.venue == "virtual" and not elsewhere:
        require_shipped(race.track)


def check_places(db: sa.Connection, caller: Caller, before: RaceRecord | None, after: RaceRecord) -> None:
    """Check that the season and the event exist, belong together, and take a race from this caller. Raises Refused."""
    try:
        if after.season_id and (before is None or before.season_id != after.season_id):
            league_rows.season(db, after.season_id)
            access.require(caller, "season.edit", None, after.season_id)
        if after.event_id:
            event = league_rows.event(db, after.event_id)
            if event.season_id != after.season_id:
                raise Refused(text("The event and the race are of different seasons: choose one of this season."))
            if before is None or before.event_id != after.event_id:
                access.require(caller, "season.edit", None, after.season_id)
    except UnknownItem as error:
        raise Refused(str(error)) from None


def edition_sentence(now: int, seen: int) -> str:
    """What is said to whoever changes what somebody else has changed meanwhile."""
    return text(
        "Somebody changed this meanwhile: its edition is {now} now, you saw {seen}. Look at it again, then change it.",
        now=now,
        seen=seen,
    )
