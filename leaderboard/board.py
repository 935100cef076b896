"""The leaderboard without HTTP: takes in races and results from stations, and returns standings.

Called by api/ and pages/. Nothing here reads a clock: the time is an argument.
"""

import threading
from collections.abc import Callable

from leaderboard.core.race import RaceRecord
from leaderboard.snapshots import WHOLE, Part, RacerRuns, Snapshot, Snapshots
from leaderboard.stations.posting import PostReply
from leaderboard.stations.posts import Posts
from leaderboard.stations.races import StationRaces
from leaderboard.stations.sender import ANY_SENDER, Sender
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from shared.rules.ranking import Placed, RaceRules


class LeaderboardService:
    """All races of one leaderboard over one store, and who watches them. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._posts = Posts(store, self.changed)
        self._races = StationRaces(store, self.changed)
        self._snapshots = Snapshots(store)
        self._watchers: list[Callable[[str], None]] = []
        self._watchers_lock = threading.Lock()

    @property
    def store(self) -> Store:
        """Where everything is stored: for the services beside this one."""
        return self._store

    def close(self) -> None:
        """Close the store; idempotent."""
        self._store.close()

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(race_id)` after each commit that a page would show; on the committing thread."""
        with self._watchers_lock:
            self._watchers.append(watcher)

    def changed(self, race_id: str) -> None:
        """Tell all watchers that a page of this race would show something else; after a commit."""
        for watcher in list(self._watchers):
            watcher(race_id)

    def create_race(self, race: RaceRecord, now_utc_ns: int) -> bool:
        """Add a race: see StationRaces.create."""
        return self._races.create(race, now_utc_ns)

    def offer_race(self, race: RaceRecord, now_utc_ns: int) -> bool:
        """Take a race from the station `race.made_by`: see StationRaces.offer."""
        return self._races.offer(race, now_utc_ns)

    def change_rules(self, race_id: str, rules: RaceRules, now_utc_ns: int) -> RaceRecord:
        """Give a race other rules; every result in it is scored again. Raises UnknownRace, Refused."""
        return self._races.change_rules(race_id, rules, now_utc_ns)

    def apply(self, webhook_id: str, payload: bytes, now_utc_ns: int, sender: Sender = ANY_SENDER) -> PostReply:
        """Apply a posted result: see Posts.apply."""
        return self._posts.apply(webhook_id, payload, now_utc_ns, sender)

    def race(self, race_id: str) -> RaceRecord:
        """The race of this id. Raises UnknownRace."""
        with self._store.read() as db:
            return race_rows.race(db, race_id)

    def races(self) -> list[race_rows.RaceHead]:
        """All races, newest first."""
        with self._store.read() as db:
            return race_rows.heads(db)

    def standings(self, race_id: str, table: str | None = None) -> list[Placed]:
        """The places of all racers in a table (None: the race's first), best first. Raises UnknownRace, Refused."""
        return self._snapshots.standings(race_id, table)

    def snapshot(
        self, race_id: str, limit: int | None = None, table: str | None = None, part: Part = WHOLE
    ) -> Snapshot:
        """The race and lines of one of its tables, of one moment: see Snapshots.snapshot."""
        return self._snapshots.snapshot(race_id, limit, table, part)

    def racer_runs(self, race_id: str, racer: str) -> RacerRuns:
        """A racer's runs in a race, by any spelling. Raises UnknownRace, UnknownRacer."""
        return self._snapshots.racer_runs(race_id, racer)
