"""The queue of one race: its racers in the order in which they are to drive. State only; orders.py changes it.

Part of the timing state, one for each race, so that a race that is opened again continues with its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from station.core.queue.facts import RacerUnqueued, WhyLeft
from station.core.runs.racer_names import RacerNames

MAX_QUEUED = 1000


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A racer in the queue. `car` "": the racer's own. `called_utc_ns`: when the racer was called, None: not yet.

    `no_shows`: how often the racer was called and did not come. `replaces`: the run that the next one replaces.
    `planned_utc_ns`: the start that was predicted when the racer got this place; what is later than that is late.
    """

    racer: str
    car: str = ""
    called_utc_ns: int | None = None
    no_shows: int = 0
    replaces: str = ""
    planned_utc_ns: int = 0


class RaceQueue:
    """The order of the racers of the race `race_id`; those who are called stand in front."""

    def __init__(self, race_id: str, names: RacerNames) -> None:
        self.race_id = race_id
        self.entries: list[QueueEntry] = []
        self._names = names

    @property
    def called(self) -> list[QueueEntry]:
        """Those who are called to the track, in order."""
        return [entry for entry in self.entries if entry.called_utc_ns is not None]

    def entry(self, racer: str) -> QueueEntry | None:
        """The racer's entry, in any spelling; None: not in the queue."""
        key = self._names.key(racer)
        return next((entry for entry in self.entries if self._names.key(entry.racer) == key), None)

    def place_of(self, entry: QueueEntry) -> int:
        """The place of this entry, from 1."""
        return 1 + self.entries.index(entry)

    def insert(self, entry: QueueEntry, place: int | None = None) -> int:
        """Adds an entry at a place from 1 (None: the last), but behind those who are called; returns its place."""
        first = 0 if entry.called_utc_ns is not None else len(self.called)
        index = len(self.entries) if place is None else min(max(place - 1, first), len(self.entries))
        self.entries.insert(index, entry)
        return index + 1

    def remove(self, entry: QueueEntry) -> None:
        """Removes an entry."""
        self.entries.remove(entry)

    def change(self, entry: QueueEntry, changed: QueueEntry) -> None:
        """Replaces an entry where it stands."""
        self.entries[self.entries.index(entry)] = changed

    def leave(self, racer: str, why: WhyLeft, author: str) -> list[RacerUnqueued]:
        """The racer waits no longer; returns the fact, none if the racer is not in the queue."""
        entry = self.entry(racer)
        if entry is None:
            return []
        self.entries.remove(entry)
        return [RacerUnqueued(self.race_id, entry.racer, why, author)]

    def rename(self, was: str, racer: str) -> None:
        """The racer `was` is called `racer` now; if both wait, only the first one goes on waiting."""
        entry, other = self.entry(was), self.entry(racer)
        if entry is None:
            return
        if other is not None and other is not entry:
            later = max(entry, other, key=self.entries.index)
            self.entries.remove(later)
            entry = other if later is entry else entry
        self.change(entry, replace(entry, racer=racer))

    def plan(self, starts_utc_ns: Sequence[int], racer: str = "") -> None:
        """Writes the predicted starts into the plan of this racer, or of all who have none yet."""
        for place, (entry, start) in enumerate(zip(self.entries, starts_utc_ns, strict=True)):
            if entry.racer == racer or not entry.planned_utc_ns:
                self.entries[place] = replace(entry, planned_utc_ns=start)
