"""Which races exist for a caller. Asked before anything of a race is shown or done.

A private race is to everyone else a race that never was: the same sentence, found by the same queries.
"""

from collections.abc import Callable

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord, is_race_id
from leaderboard.core.states import EntryState
from leaderboard.store import entries, race_rows
from leaderboard.store.database import Store


class RaceSight:
    """Answers for one store. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def race(self, caller: Caller, race_id: str) -> RaceRecord:
        """The race, if it exists for the caller. Raises UnknownRace."""
        with self._store.read() as db:
            # Of the entry is asked first, so that both answers take the same queries.
            entry = entries.of_account(db, race_id, caller.account_id) if is_race_id(race_id) else None
            race = race_rows.race(db, race_id)
        if not access.sees(caller, race, None if entry is None else entry.state):
            raise UnknownRace.of(race_id)
        return race

    def entry(self, caller: Caller, race_id: str) -> EntryState | None:
        """The state of the caller's own entry in the race; None without one."""
        if not caller.signed_in:
            return None
        with self._store.read() as db:
            own = entries.of_account(db, race_id, caller.account_id)
        return None if own is None else own.state

    def seen_by(self, caller: Caller) -> Callable[[RaceRecord], bool]:
        """Whether a race exists for the caller, for lists of races."""
        states = {}
        if caller.signed_in:
            with self._store.read() as db:
                states = entries.states_of_account(db, caller.account_id)
        return lambda race: access.sees(caller, race, states.get(race.race_id))

    def own(self, caller: Caller) -> Callable[[RaceRecord], bool]:
        """Whether a race is the caller's own: organised, entered, or one that the caller is invited to."""
        if not caller.signed_in:
            return lambda _race: False
        with self._store.read() as db:
            states = entries.states_of_account(db, caller.account_id)
        return lambda race: access.owns(caller, race) or states.get(race.race_id) in ("invited", "entered")
