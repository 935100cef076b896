"""The time zone in which pages show times of day: the event's, or the machine's own where the event has none."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from shared.text import dates
from station.views.views import View

_SHOWN: ContextVar[dt.tzinfo | None] = ContextVar("the zone of the times on a page", default=None)


def zone_of(name: str) -> dt.tzinfo | None:
    """The event's time zone; None, the station's own, if it has none or one that this machine does not know."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None


def event_zone(view: View) -> dt.tzinfo | None:
    """The time zone of the event that is on."""
    return zone_of(view.event.event.time_zone if view.event.event is not None else "")


@contextmanager
def times_of(view: View) -> Iterator[None]:
    """Within it `time_of_day` tells the times of this view's event."""
    before = _SHOWN.set(event_zone(view))
    try:
        yield
    finally:
        _SHOWN.reset(before)


def zone_shown() -> dt.tzinfo | None:
    """The zone of the times on the page that is being drawn; None: the machine's own."""
    return _SHOWN.get()


def time_of_day(utc_ns: int) -> str:
    """A time of day as the page shows it, '14:03:07'; outside of `times_of` by the machine's own zone."""
    return dates.time_of_day(utc_ns, _SHOWN.get())
