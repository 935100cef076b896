"""Archives a season: its results, names and evidence stay for good, the private data of its accounts goes.

Its entries no longer lead to accounts, its invitations are gone, and of an account that has nothing else here (no entry
or race elsewhere, no role beyond the season) only its alias stays taken, so that nobody else becomes its racer.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.race import RaceRecord
from leaderboard.store import audit, league_rows, race_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import (
    ACCOUNTS,
    API_KEYS,
    CREDENTIALS,
    ENTRIES,
    INVITATIONS,
    RACES,
    RECOVERY_CODES,
    ROLES,
    SEASONS,
    SESSIONS,
)  # fmt: skip
from shared.errors import Refused
from shared.text import text

_OF_ACCOUNTS = (CREDENTIALS, RECOVERY_CODES, SESSIONS, ROLES, API_KEYS)


@dataclass(frozen=True, slots=True)
class ArchivedSeason:
    """What an archive holds, or would hold: races, entries cut from their accounts, and accounts that went."""

    season_id: str
    races: int
    entries: int
    accounts: int


def archive_season(store: Store, caller: Caller, season_id: str, now_utc_ns: int, dry_run: bool) -> ArchivedSeason:
    """Archive the season; `dry_run`: only say what would go.

    Raises UnknownItem, NotAllowed, Unauthorized, and Refused while a race of it is not final.
    """
    if dry_run:
        with store.read() as db:
            return _found(db, caller, season_id)[0]
    with store.write() as db:
        league_rows.season(db, season_id, for_change=True)
        found, accounts = _found(db, caller, season_id)
        _cut(db, season_id)
        for number, account_id in enumerate(sorted(accounts), _next_number(db)):
            _forget(db, account_id, number, now_utc_ns)
        db.execute(sa.update(SEASONS).where(SEASONS.c.season_id == season_id).values(stage="archived"))
        subject = f"season:{season_id}"
        after = {"stage": "archived", "entries": found.entries, "accounts": found.accounts}
        audit.record(db, caller, now_utc_ns, "season.archive", subject, None, after, season_id=season_id)
    return found


def _found(db: sa.Connection, caller: Caller, season_id: str) -> tuple[ArchivedSeason, set[str]]:
    season = league_rows.season(db, season_id)
    access.require(caller, "season.archive", None, season_id)
    if season.stage == "archived":
        raise Refused(text("Season {season_id} is archived already.", season_id=repr(season_id)))
    races = [head.race for head in race_rows.heads(db) if head.race.season_id == season_id]
    if unfinished := [race for race in races if race.stage not in ("final", "deleted")]:
        more = len(unfinished) - 1
        others = text(" and {n} more", n=more) if more else ""
        raise Refused(
            text(
                "Race {race_id}{others} of the season is not final: finish it, or delete it.",
                race_id=repr(unfinished[0].race_id),
                others=others,
            )
        )
    ids = [race.race_id for race in races]
    mine = ENTRIES.c.race_id.in_(ids) & (ENTRIES.c.account_id != "")
    involved = list(db.execute(sa.select(ENTRIES.c.account_id).where(mine)).scalars())
    accounts = set(involved) - _wanted_elsewhere(db, season_id, races)
    return ArchivedSeason(season_id, len(races), len(involved), len(accounts)), accounts


def _wanted_elsewhere(db: sa.Connection, season_id: str, races: list[RaceRecord]) -> set[str]:
    """Accounts that have something beyond the season: an entry, a race, a role."""
    ids = [race.race_id for race in races]
    entered = db.execute(sa.select(ENTRIES.c.account_id).where(ENTRIES.c.race_id.not_in(ids))).scalars()
    owners = db.execute(sa.select(RACES.c.owner).where(RACES.c.race_id.not_in(ids))).scalars()
    here = ((ROLES.c.scope == "season") & (ROLES.c.scope_id == season_id)) | (
        (ROLES.c.scope == "race") & ROLES.c.scope_id.in_(ids)
    )
    with_roles = db.execute(sa.select(ROLES.c.account_id).where(~here)).scalars()
    return {*entered, *owners, *with_roles}


def _cut(db: sa.Connection, season_id: str) -> None:
    """Part the season's entries and races from accounts, and end its invitations."""
    ids = sa.select(RACES.c.race_id).where(RACES.c.season_id == season_id)
    db.execute(sa.delete(INVITATIONS).where(INVITATIONS.c.race_id.in_(ids)))
    db.execute(sa.update(ENTRIES).where(ENTRIES.c.race_id.in_(ids)).values(account_id="", joined_by=""))
    db.execute(sa.update(RACES).where(RACES.c.season_id == season_id).values(owner=""))


def _next_number(db: sa.Connection) -> int:
    return int(db.execute(sa.select(sa.func.max(ACCOUNTS.c.deleted_number))).scalar() or 0) + 1


def _forget(db: sa.Connection, account_id: str, number: int, now_utc_ns: int) -> None:
    for table in _OF_ACCOUNTS:
        db.execute(sa.delete(table).where(table.c.account_id == account_id))
    gone = {"alias": "", "name": "", "deleted_utc_ns": now_utc_ns, "deleted_number": number}
    db.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.account_id == account_id).values(**gone))
