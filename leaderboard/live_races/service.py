"""Runs the queues of LIVE races: reads one, changes it in a transaction with its audit. Called by api/ and pages/.

Whether the caller may do something is asked by routes and pages; whether a race is there for the caller, here.
"""

import dataclasses
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed, UnknownRace
from leaderboard.core.live import queue as rules
from leaderboard.core.live.queue import LiveQueue, PlainMove, QueueState
from leaderboard.core.race import RaceRecord
from leaderboard.live_races import rows
from leaderboard.live_races.feeds import FRESH_NS, LiveFeeds, TrackPicture
from leaderboard.live_races.rows import RankedScore
from leaderboard.store import audit, race_rows
from leaderboard.store.database import Store
from shared.errors import Refused
from shared.protocol.live import LiveMessage
from shared.rules.person_names import name_key, person_name
from shared.text import text
from shared.units import NS_PER_S

PODIUM = 3
_AFTERWARDS_NS = 2 * NS_PER_S  # so that the end itself is shown
Unable = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LiveRaceState:
    """A LIVE race at one moment: its queue, what is heard from the track, and the first of its standing."""

    race: RaceRecord
    queue: LiveQueue
    picture: TrackPicture | None
    top: tuple[RankedScore, ...]


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """What a sender of live messages learns: whether its message was the newest, and what is wanted on the track."""

    newest: bool
    racer: str
    state: QueueState | None
    speed_percent: int
    starts_utc_ns: int | None
    ends_utc_ns: int | None


class LiveRaces:
    """The LIVE races of one leaderboard. Safe to call from any thread; the time is an argument."""

    def __init__(self, store: Store, feeds: LiveFeeds) -> None:
        self._store, self._feeds = store, feeds
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
            return _race_for(db, caller, race_id)

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
            if not access.may(caller, "live.run", race):
                return rules.added(queue, [_own_turn(db, caller, race, queue, racers, entries)])
            known = {name_key(racer): (racer, name, account) for racer, name, account in rows.entered(db, race_id)}
            has_turn = {name_key(each.racer) for each in queue.items}
            wanted = [known[key] for key in known if entries and key not in has_turn]
            for each in racers:
                racer = person_name(each)
                _check_able(racer, unable)
                wanted.append(known.get(name_key(racer), (racer, racer, "")))
            return rules.added(queue, [(secrets.token_hex(8), *each) for each in wanted])

        return self._change(caller, race_id, None, now_utc_ns, "add", change)

    def move(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str, place: int) -> LiveQueue:
        """Move a turn to a place among those who wait. Raises Refused, Conflict."""
        return self._plain(caller, race_id, version, now_utc_ns, "move", lambda q: rules.moved(q, item_id, place))

    def act(
        self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str, move: PlainMove, why: str = ""
    ) -> LiveQueue:
        """Call, skip, fail, finish ... a turn: a move of the table that launches nobody. Raises Refused, Conflict."""

        def change(queue: LiveQueue) -> LiveQueue:
            return rules.changed(queue, item_id, move, now_utc_ns, why)

        return self._plain(caller, race_id, version, now_utc_ns, move, change, why)

    def launch(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str = "") -> LiveQueue:
        """Begin the countdown of this turn, or ("") of the next that can drive. Raises Refused, Conflict."""

        def change(_db: sa.Connection, _race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            return rules.launched(queue, item_id, now_utc_ns, unable)

        return self._change(caller, race_id, version, now_utc_ns, "launch", change)

    def relaunch(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str) -> LiveQueue:
        """Begin the countdown of a turn again. Raises Refused, Conflict."""

        def change(_db: sa.Connection, _race: RaceRecord, queue: LiveQueue, unable: Unable) -> LiveQueue:
            return rules.relaunched(queue, item_id, now_utc_ns, unable)

        return self._change(caller, race_id, version, now_utc_ns, "relaunch", change)

    def remove(self, caller: Caller, race_id: str, version: int, now_utc_ns: int, item_id: str) -> LiveQueue:
        """Take a turn out of the queue. Raises Refused, Conflict."""
        return self._plain(caller, race_id, version, now_utc_ns, "remove", lambda q: rules.removed(q, item_id))

    def clear(self, caller: Caller, race_id: str, version: int, now_utc_ns: int) -> LiveQueue:
        """Empty the queue: another session begins. Raises Refused while somebody drives, Conflict."""
        queue = self._plain(caller, race_id, version, now_utc_ns, "clear", rules.cleared)
        self._feeds.forget(race_id)
        return queue

    def set_speed(self, caller: Caller, race_id: str, now_utc_ns: int, speed_percent: int) -> LiveQueue:
        """Scale the speed of the car on the track; also its own racer may. Raises Refused, NotAllowed."""

        def change(_db: sa.Connection, race: RaceRecord, queue: LiveQueue, _unable: Unable) -> LiveQueue:
            item = queue.on_track
            own = item is not None and caller.signed_in and item.account_id == caller.account_id
            if not own and not access.may(caller, "live.run", race):
                raise NotAllowed(text("Only the racer on the track and officials set the multiplier."))
            return rules.set_speed(queue, speed_percent)

        return self._change(caller, race_id, None, now_utc_ns, "speed", change)

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

        return self._plain(caller, race_id, version, now_utc_ns, "settings", change)

    def declare(
        self, caller: Caller, race_id: str, version: int, now_utc_ns: int, racer: str | None = None
    ) -> LiveQueue:
        """Declare the winner: this racer, or (None) who leads the standing; "" takes it back. Raises Refused."""

        def change(db: sa.Connection, race: RaceRecord, queue: LiveQueue, _unable: Unable) -> LiveQueue:
            rules.check_track_free(queue)
            return rules.decided(queue, _winner(db, race, queue, racer), now_utc_ns)

        return self._change(caller, race_id, version, now_utc_ns, "winner", change)

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
            return LiveAnswer(newest, "", None, rules.FULL_PERCENT, None, None)
        return LiveAnswer(newest, item.racer, item.state, item.speed_percent, item.starts_utc_ns, item.ends_utc_ns)

    def _plain(
        self,
        caller: Caller,
        race_id: str,
        version: int,
        now_utc_ns: int,
        what: str,
        change: Callable[[LiveQueue], LiveQueue],
        why: str = "",
    ) -> LiveQueue:
        return self._change(
            caller, race_id, version, now_utc_ns, what, lambda _db, _race, queue, _unable: change(queue), why
        )

    def _change(
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
            _race_for(db, caller, race_id)
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
        self._keep_moving(after, now_utc_ns)
        self._notify(race_id)
        for watcher in self._queue_watchers:
            watcher(race_id)
        return after

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


def _race_for(db: sa.Connection, caller: Caller, race_id: str) -> RaceRecord:
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


def _own_turn(
    db: sa.Connection, caller: Caller, race: RaceRecord, queue: LiveQueue, racers: Sequence[str], entries: bool
) -> tuple[str, str, str, str]:
    """The turn of the caller's own entry."""
    own = rows.own_entry(db, race.race_id, caller.account_id)
    if racers or entries or own is None:
        raise NotAllowed(
            text("Only officials put others into the queue; you can put yourself in once you are entered.")
        )
    state, racer, name = own
    if not queue.entries_open:
        raise Refused(text("Entries to the queue are closed: an official can still add you."))
    if state != "entered":
        raise Refused(text("You are not entered in this race: enter it first."))
    return secrets.token_hex(8), racer, name, caller.account_id


def _check_able(racer: str, unable: Unable) -> None:
    if (why := unable.get(name_key(racer))) is not None:
        raise Refused(text("{name} cannot drive: {why}", name=racer, why=why))


def _winner(db: sa.Connection, race: RaceRecord, queue: LiveQueue, racer: str | None) -> str:
    """The racer's name as it is shown; "" for none."""
    if racer == "":
        return ""
    top = rows.top(db, race, 1)
    if racer is None:
        if not top:
            raise Refused(text("No run has qualified yet: there is no winner to declare."))
        return top[0].name
    driven = [each for each in queue.items if name_key(racer) in (name_key(each.racer), name_key(each.name))]
    if not driven and not (top and name_key(racer) in (name_key(top[0].racer), name_key(top[0].name))):
        raise Refused(text("{name} has no turn in this queue.", name=racer[:80]))
    return driven[0].name if driven else top[0].name


def _audited(queue: LiveQueue) -> dict[str, Any]:
    """The queue as the audit compares it: what it is set to, and each turn by itself."""
    session = {"entries_open": queue.entries_open, "run_time_s": queue.run_time_s, "winner": queue.winner}
    return session | {f"turn:{each.name}:{each.item_id}": dataclasses.asdict(each) for each in queue.items}
