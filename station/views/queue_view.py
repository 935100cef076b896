"""The queue of the race that is on, as the pages show it: who is next, and when each will probably start.

Made by publisher.py after a commit; predictions move on with the clock, so current_view.py refreshes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from station.core.queue.prediction import QueueOutlook, late_minutes
from station.core.queue.race_queue import QueueEntry

REFRESH_NS = 10_000_000_000  # how old a prediction may get


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A racer in the queue at `place`, from 1. `start_utc_ns`: the predicted start; `late_min`: later than planned.

    `car` "": the racer's own. `no_shows`: how often the racer was called and did not come. `replaces`: the run that the
    racer's next one replaces, "" if none.
    """

    racer: str
    place: int
    start_utc_ns: int
    late_min: int = 0
    car: str = ""
    called: bool = False
    no_shows: int = 0
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The queue as it was predicted at `at_utc_ns`; `run_ns`: how long a run of this race usually lasts."""

    lines: tuple[QueueLine, ...] = ()
    at_utc_ns: int = 0
    run_ns: int = 0
    entries: tuple[QueueEntry, ...] = ()
    outlook: QueueOutlook | None = None


def queue_view(entries: Sequence[QueueEntry], outlook: QueueOutlook, now_utc_ns: int) -> QueueView:
    """The queue as it is predicted at `now_utc_ns`."""
    starts = outlook.starts(now_utc_ns, [entry.called_utc_ns for entry in entries])
    lines = tuple(
        QueueLine(
            racer=entry.racer,
            place=place,
            start_utc_ns=start,
            late_min=late_minutes(start, entry.planned_utc_ns),
            car=entry.car,
            called=entry.called_utc_ns is not None,
            no_shows=entry.no_shows,
            replaces=entry.replaces,
        )
        for place, (entry, start) in enumerate(zip(entries, starts, strict=True), 1)
    )
    return QueueView(lines, now_utc_ns, outlook.run_ns, tuple(entries), outlook)


def refreshed(view: QueueView, now_utc_ns: int) -> QueueView:
    """The same queue as it is predicted at `now_utc_ns`; unchanged if that changes nothing, or is not due yet."""
    if view.outlook is None or not view.entries or abs(now_utc_ns - view.at_utc_ns) < REFRESH_NS:
        return view
    fresh = queue_view(view.entries, view.outlook, now_utc_ns)
    return view if replace(fresh, at_utc_ns=view.at_utc_ns) == view else fresh
