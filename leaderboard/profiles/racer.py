"""A racer across races: where the account stands in each that it entered. Called by pages/."""

from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.accounts import records
from leaderboard.accounts.records import AccountRecord, UnknownAccount
from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.rank import Attempt, LineKey
from leaderboard.core.states import EntryState
from leaderboard.store import entries, race_rows, result_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking import line_rows
from leaderboard.store.tables import ACCOUNTS, ENTRIES, RACES
from shared.text import text

MAX_RACES = 100
MAX_ATTEMPTS = 30
_ATTEMPTS_OF = 10  # races, the newest
_SHOWN: tuple[EntryState, ...] = ("entered", "withdrawn")


@dataclass(frozen=True, slots=True)
class RacerRace:
    """A race that the account entered, and its line in one of the tables; `rank` and `score_ms` None without one."""

    race: RaceRecord
    racer: str
    table: Venue
    rank: int | None
    ranked: int
    score_ms: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class RacerProfile:
    """An account as a racer. `own`: the caller's own page. `attempts`: of the owner's newest races, for the owner only.

    `more`: there are further races, older ones.
    """

    account: AccountRecord
    own: bool
    races: tuple[RacerRace, ...]
    more: bool
    attempts: tuple[tuple[RaceRecord, Attempt], ...]


class RacerProfiles:
    """Answers for one store. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, caller: Caller, alias: str) -> RacerProfile:
        """The racer of this alias, in the races that the caller may know of. Raises UnknownAccount."""
        with self._store.read() as db:
            account = records.account_of(db, alias)
            if account is None:
                raise UnknownAccount(text("There is nobody of the alias {alias} here.", alias=repr(alias[:80])))
            own = caller.account_id == account.account_id
            entered = _entered(db, caller, account.account_id)
            shown = entered[:MAX_RACES]
            races = tuple(line for race, racer in shown for line in _lines(db, race, racer))
            attempts = _attempts(db, shown[:_ATTEMPTS_OF]) if own else []
        return RacerProfile(account, own, races, len(entered) > len(shown), tuple(attempts))

    def alias_of(self, race_id: str, racer: str) -> str:
        """The alias of the account behind a racer of a race; "" if there is none."""
        query = (
            sa.select(ACCOUNTS.c.alias)
            .join(ENTRIES, ENTRIES.c.account_id == ACCOUNTS.c.account_id)
            .where(ENTRIES.c.race_id == race_id, ENTRIES.c.racer == racer, ACCOUNTS.c.deleted_utc_ns.is_(None))
        )
        with self._store.read() as db:
            return str(db.execute(query).scalar() or "")


def _entered(db: sa.Connection, caller: Caller, account_id: str) -> list[tuple[RaceRecord, str]]:
    """The races that the account entered and the caller may know of, the newest first, with the racer's name there."""
    query = (
        sa.select(ENTRIES.c.race_id, ENTRIES.c.racer)
        .join(RACES, RACES.c.race_id == ENTRIES.c.race_id)
        .where(ENTRIES.c.account_id == account_id, ENTRIES.c.state.in_(_SHOWN))
        .order_by(RACES.c.created_utc_ns.desc(), RACES.c.race_id)
    )
    states = entries.states_of_account(db, caller.account_id) if caller.signed_in else {}
    found: list[tuple[RaceRecord, str]] = []
    for race_id, racer in db.execute(query).all():
        race = race_rows.race(db, race_id)
        if access.sees(caller, race, states.get(race_id)):
            found.append((race, racer))
        if len(found) > MAX_RACES:
            break
    return found


def _lines(db: sa.Connection, race: RaceRecord, racer: str) -> list[RacerRace]:
    found = []
    for table in race.tables():
        line = line_rows.line(db, race.race_id, LineKey(table, racer))
        rank, ranked = line_rows.rank_of(db, race.race_id, table, line)
        if line is not None:
            found.append(RacerRace(race, racer, table, rank, ranked, line.score_ms, line.attempts))
    return found or [RacerRace(race, racer, race.tables()[0], None, 0, None, 0)]


def _attempts(db: sa.Connection, races: list[tuple[RaceRecord, str]]) -> list[tuple[RaceRecord, Attempt]]:
    found = [(race, attempt) for race, racer in races for attempt in result_rows.attempts_of(db, race.race_id, racer)]
    return sorted(found, key=lambda each: each[1].finished_utc_ns, reverse=True)[:MAX_ATTEMPTS]
