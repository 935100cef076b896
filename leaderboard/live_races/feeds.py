"""What is heard from the track of each race: the last live message of each sender, in memory. Called by service.py.

Nothing here is stored: after a restart the next message, at most a fraction of a second later, is all there is to show.
With several processes each holds what it was told, and passes it on (shared_feeds.py).
"""

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from leaderboard.core.live import newest, sectors
from leaderboard.core.live.newest import LiveSender, TooOften
from leaderboard.core.live.sectors import LiveLevel, SessionBests
from shared.protocol.live import LiveMessage
from shared.rules.person_names import name_key
from shared.units import NS_PER_S

MAX_SENDERS = 8  # of one race
MAX_RACES = 500  # whose messages are held; the one that has been silent for longest gives way
FRESH_NS = 5 * NS_PER_S  # a message older than this says nothing of now


@dataclass(frozen=True, slots=True)
class TrackPicture:
    """The newest message of a race, the level of each of its sectors, and when it came.

    `rival_levels`: of the other car of a heat.
    """

    message: LiveMessage
    levels: tuple[LiveLevel, ...]
    received_utc_ns: int
    rival_levels: tuple[LiveLevel, ...] = ()

    def fresh(self, now_utc_ns: int) -> bool:
        """Whether it still says something of now."""
        return now_utc_ns - self.received_utc_ns < FRESH_NS


class LiveFeeds(Protocol):
    """Takes live messages, and knows the newest of each race."""

    def take(self, sender: str, message: LiveMessage, now_utc_ns: int) -> bool:
        """Whether the message is the sender's newest. Raises TooOften."""

    def picture(self, race_id: str, racer: str) -> TrackPicture | None:
        """The newest of the race, one of this racer ("": of any) before others; None if nothing was heard."""

    def forget(self, race_id: str) -> None:
        """Forget the messages and the best sectors of the race: another session begins."""

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(race_id)` after each message that is the newest; on the thread that took it."""


@dataclass(slots=True)
class _LiveRace:
    senders: dict[str, LiveSender] = field(default_factory=dict)
    bests: SessionBests = field(default_factory=SessionBests)
    touched_utc_ns: int = 0


class MemoryFeeds:
    """The messages in this process's own memory. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._races: dict[str, _LiveRace] = {}
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, watcher: Callable[[str], None]) -> None:
        """As `LiveFeeds.watch`."""
        self._watchers.append(watcher)

    def take(self, sender: str, message: LiveMessage, now_utc_ns: int) -> bool:
        """As `LiveFeeds.take`."""
        with self._lock:
            race = self._race(message.race_id, now_utc_ns)
            known = race.senders.get(sender, LiveSender())
            if wait_ns := newest.wait_ns(known, now_utc_ns):
                raise TooOften(
                    f"At most {newest.PER_SECOND} live messages a second are taken: send only the newest.",
                    after_s=wait_ns / NS_PER_S,
                )
            known = newest.counted(known, now_utc_ns)
            after = newest.received(known, message, now_utc_ns)
            race.senders.pop(sender, None)
            race.senders[sender] = after or known
            if len(race.senders) > MAX_SENDERS:
                del race.senders[next(iter(race.senders))]
            if after is not None:
                race.bests = sectors.with_times(race.bests, message.racer, message.sectors)
                if message.rival is not None:
                    race.bests = sectors.with_times(race.bests, message.rival.racer, message.rival.sectors)
        if after is None:
            return False
        for watcher in self._watchers:
            watcher(message.race_id)
        return True

    def picture(self, race_id: str, racer: str) -> TrackPicture | None:
        """As `LiveFeeds.picture`."""
        with self._lock:
            race = self._races.get(race_id)
            known_senders = [each for each in race.senders.values() if each.message is not None] if race else []
            if race is None or not known_senders:
                return None
            wanted = name_key(racer)
            last = max(known_senders, key=lambda each: (_is_of(each, wanted), each.received_utc_ns))
            assert last.message is not None
            message = dataclasses.replace(last.message)
            shown = sectors.levels(race.bests, message.racer, message.sectors)
            rival = message.rival
            beside = () if rival is None else sectors.levels(race.bests, rival.racer, rival.sectors)
        return TrackPicture(message, shown, last.received_utc_ns, beside)

    def forget(self, race_id: str) -> None:
        """As `LiveFeeds.forget`; who has sent, and up to which number, is kept."""
        with self._lock:
            if (race := self._races.get(race_id)) is not None:
                race.bests = SessionBests()

    def _race(self, race_id: str, now_utc_ns: int) -> _LiveRace:
        race = self._races.setdefault(race_id, _LiveRace())
        race.touched_utc_ns = now_utc_ns
        if len(self._races) > MAX_RACES:
            del self._races[min(self._races, key=lambda each: self._races[each].touched_utc_ns)]
        return race


def _is_of(sender: LiveSender, racer_key: str) -> bool:
    return bool(racer_key) and sender.message is not None and name_key(sender.message.racer) == racer_key
