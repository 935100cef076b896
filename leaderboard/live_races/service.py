"""Runs LIVE races: what is shown of one, what is done with its queue, what is heard from its track.

Called by api/ and pages/. Whether the caller may do something is asked by them; whether a race is there for the
caller, here.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed
from leaderboard.core.live import queue as rules
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import FULL_PERCENT, PlainMove, QueueState
from leaderboard.core.race import RaceRecord
from leaderboard.live_races import rows
from leaderboard.live_races.entrants import own_turn, wanted_turns, winner
from leaderboard.live_races.feeds import FRESH_NS, LiveFeeds, TrackPicture
from leaderboard.live_races.heat_changes import HeatChanges, check_undecided, past_decided
from leaderboard.live_races.queue_changes import QueueChanges, Unable, race_for
from leaderboard.live_races.rows import RankedScore
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.protocol.live import LiveMessage
from shared.rules.person_names import name_key
from shared.text import text
from shared.units import NS_PER_S

PODIUM = 3
_AFTERWARDS_NS = 2 * NS_PER_S  # so that the end itself is shown


@dataclass(frozen=True, slots=True)
class LiveRaceState:
    """A LIVE race at one moment: its queue, what is heard from the track, and the first of its standing."""

    race: RaceRecord
    queue: LiveQueue
    picture: TrackPicture | None
    top: tuple[RankedScore, ...]


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """What a sender of live messages learns: whether its message was the newest, and what is wanted on the track.

    `turn`, `launch`: which turn is on the track, and how often it was launched. `rival`: of a heat, the other car.
    """

    newest: bool
    racer: str
    state: QueueState | None
    speed_percent: int
    starts_utc_ns: int | None
    ends_utc_ns: int | None
    turn: str = ""
    launch: int = 0
    rival: str = ""
    rival_speed_percent: int = FULL_PERCENT


class LiveRaces:
    """The LIVE races of one leaderboard. Safe to call from any thread; the time is an argument."""

    def __init__(self, store: Store, feeds: LiveFeeds) -> None:
        self._store, self._feeds = store, feeds
        self._changes = QueueChanges(store, self._changed)
        self.heats = HeatChanges(self._changes)
        self._watchers: list[Callable[[str], None]] = []
        self._queue_watchers: list[Callable[[str], None]] = []
        self._moving_until: dict[str, int] = {}  # races whose pages change by the clock alone
        feeds.watch(self._notify)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(race_id)` after each change of a queue and each live message; on the thread that made it."""
        self._watchers.append(watcher)

    def watch_queues(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(race_id)` after each change of a queue that was made here; on the thread that made it."""
        self._queue_watchers.append(watcher)

    def race_for(self, caller: Caller, race_id: str) -> RaceRecord:
        """The race, if it exists for the caller. Raises UnknownRace."""
        with self._store.read() as db:
            return race_for(db, caller, race_id)

    def state(self, race_id: str, now_utc_ns: int) -> LiveRaceState:
        """Everything that pages show of the race. Raises UnknownRace."""
        with self._store.read() as db:
            race = race_rows.race(db, race_id)
            queue = rules.settled(rows.load(db, race_id), now_utc_ns)
            top = tuple(rows.top(db, race, PODIUM))
        on_track = queue.on_track
        self._keep_moving(queue, now_utc_ns)
        return LiveRaceState(race, queue, self._feeds.picture(race_id, on_track.racer if on_track else ""), top)

    def is_entered(self, race_id: str, account_id: str) -> bool:
        """Whether the account may drive in the race: its entry is neither withdrawn nor removed."""
        with self._store.read() as db:
            own = rows.own_entry(db, race_id, account_id)
        return own is not None and own[0] == "entered"

    def score_ms(self, race_id: str, racer: str) -> int | None:
        """The racer's score in the race's first table; None before a run qualified."""
        with self._store.read() as db:
            return rows.score_ms(db, race_rows.race(db, race_id), racer)

    def moving(self, now_utc_ns: int) -> list[str]:
        """Races in which a countdown, a run or a live message runs out: what is shown of them changes by the clock."""
        for race_id in [each for each, until in self._moving_until.items() if until < now_utc_ns]:
            self._moving_until.pop(race_id, None)
        return list(self._moving_until)

    def add(self, caller: Caller, race_id: str, racers: Sequence[str], now_utc_ns: int, *, entries: bool) -> LiveQueue:
        """Put racers at the end of the queue; `entries`: all who are entered and have no turn yet.

        Without either, and for a caller who does not run the race, the caller's own entry. Raises Refused, NotAllowed.
        """

        def change(db: sa.Connection, race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            if access.may(caller, "live.run", race):
                return rules.added(queue, wanted_turns(db, queue, racers, unable, entries=entries))
            return rules.added(queue, [own_turn(db, caller, race, queue, racers, entries)])

        return self._changes.change(caller, race_id, None, now_utc_ns, "add", change)

    def move(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str, place: int) -> LiveQueue:
        """Move a turn to a place among those who wait. Raises Refused, Conflict."""
        return self._changes.plain(
            caller, race_id, version, now_utc_ns, "move", lambda q: rules.moved(q, item_id, place)
        )

    def act(
        self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str, move: PlainMove, why: str = ""
    ) -> LiveQueue:
        """Call, skip, fail, finish ... a turn: a move of the table that launches nobody. Raises Refused, Conflict."""

        def change(queue: LiveQueue) -> LiveQueue:
            return rules.changed(queue, item_id, move, now_utc_ns, why)

        return self._changes.plain(caller, race_id, version, now_utc_ns, move, change, why)

    def launch(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str = "") -> LiveQueue:
        """Begin the countdown of this turn, or ("") of the next that can drive. Raises Refused, Conflict."""

        def change(db: sa.Connection, _race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            if item_id:
                check_undecided(db, queue.item(item_id))
            else:
                queue = past_decided(db, queue, now_utc_ns)
            return rules.launched(queue, item_id, now_utc_ns, unable)

        return self._changes.change(caller, race_id, version, now_utc_ns, "launch", change)

    def relaunch(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str) -> LiveQueue:
        """Begin the countdown of a turn again. Raises Refused, Conflict."""

        def change(db: sa.Connection, _race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            check_undecided(db, queue.item(item_id))
            return rules.relaunched(queue, item_id, now_utc_ns, unable)

        return self._changes.change(caller, race_id, version, now_utc_ns, "relaunch", change)

    def remove(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str) -> LiveQueue:
        """Take a turn out of the queue. Raises Refused, Conflict."""
        return self._changes.plain(caller, race_id, version, now_utc_ns, "remove", lambda q: rules.removed(q, item_id))

    def clear(self, caller: Caller, race_id: str, version: int, now_utc_ns: int) -> LiveQueue:
        """Empty the queue: another session begins. Raises Refused while somebody drives, Conflict."""
        queue = self._changes.plain(caller, race_id, version, now_utc_ns, "clear", rules.cleared)
        self._feeds.forget(race_id)
        return queue

    def set_speed(
        self, caller: Caller, race_id: str, now_utc_ns: int, speed_percent: int, racer: str = ""
    ) -> LiveQueue:
        """Scale the speed of the cars on the track, or of this racer's; a racer only the own one's.

        Raises Refused, NotAllowed.
        """

        def change(_db: sa.Connection, race: RaceRecord, queue: LiveQueue, _unable: Unable) -> LiveQueue:
            if access.may(caller, "live.run", race):
                return rules.set_speed(queue, speed_percent, racer)
            item = queue.on_track
            cars = item.cars if item is not None and caller.signed_in else ()
            own = next((car for car in cars if car.account_id == caller.account_id), None)
            if own is None or (racer and name_key(racer) != name_key(own.racer)):
                raise NotAllowed(text("Only the racer on the track and officials set the multiplier."))
            return rules.set_speed(queue, speed_percent, own.racer)

        return self._changes.change(caller, race_id, None, now_utc_ns, "speed", change)

    def set_up(
        self,
        caller: Caller,
        race_id: str,
        version: int,
        now_utc_ns: int,
        *,
        entries_open: bool | None = None,
        run_time_s: int | None = None,
    ) -> LiveQueue:
        """Open or close entries to the queue, and set the run time of the next launch. Raises Refused, Conflict."""

        def change(queue: LiveQueue) -> LiveQueue:
            if entries_open is not None:
                queue = dataclasses.replace(queue, entries_open=entries_open)
            return queue if run_time_s is None else rules.set_run_time(queue, run_time_s)

        return self._changes.plain(caller, race_id, version, now_utc_ns, "settings", change)

    def declare(
        self, caller: Caller, race_id: str, version: int, now_utc_ns: int, racer: str | None = None
    ) -> LiveQueue:
        """Declare the winner: this racer, or (None) who leads the standing; "" takes it back. Raises Refused."""

        def change(db: sa.Connection, race: RaceRecord, queue: LiveQueue, _unable: Unable) -> LiveQueue:
            rules.check_track_free(queue)
            return rules.decided(queue, winner(db, race, queue, racer), now_utc_ns)

        return self._changes.change(caller, race_id, version, now_utc_ns, "winner", change)

    def receive(self, sender: str, message: LiveMessage, now_utc_ns: int) -> LiveAnswer:
        """Take a live message of `sender`. Raises UnknownRace, Refused for a race that is over, TooOften."""
        with self._store.read() as db:
            race = race_rows.race(db, message.race_id)
            queue = rules.settled(rows.load(db, message.race_id), now_utc_ns)
        if (state := race.state(now_utc_ns)) in ("draft", "deleted", "final"):
            raise Refused(f"The race {race.race_id!r} is {state}: nothing of it is shown live.")
        newest = self._feeds.take(sender, message, now_utc_ns)
        self._keep_moving(queue, now_utc_ns)
        item = queue.on_track
        if item is None:
            return LiveAnswer(newest, "", None, FULL_PERCENT, None, None)
        return LiveAnswer(
            newest,
            item.racer,
            item.state,
            item.speed_percent,
            item.starts_utc_ns,
            item.ends_utc_ns,
            item.item_id,
            item.launches,
            item.rival,
            item.rival_speed_percent,
        )

    def announce(self, queue: LiveQueue, now_utc_ns: int) -> None:
        """A queue was changed elsewhere, by what drives a turn, and is committed."""
        self._changed(queue, now_utc_ns)

    def _changed(self, queue: LiveQueue, now_utc_ns: int) -> None:
        self._keep_moving(queue, now_utc_ns)
        self._notify(queue.race_id)
        for watcher in self._queue_watchers:
            watcher(queue.race_id)

    def _keep_moving(self, queue: LiveQueue, now_utc_ns: int) -> None:
        item = queue.on_track
        ends = 0 if item is None else item.ends_utc_ns or 0
        picture = self._feeds.picture(queue.race_id, "")
        stale = 0 if picture is None else picture.received_utc_ns + FRESH_NS
        if (until := max(ends, stale) + _AFTERWARDS_NS) > now_utc_ns:
            self._moving_until[queue.race_id] = until

    def _notify(self, race_id: str) -> None:
        for watcher in list(self._watchers):
            watcher(race_id)
