"""The time zone in which pages show times of day: the event's, or the machine's own where the event has none."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from shared.text import dates
from shared.units import NS_PER_S
from station.views.views import View

_SHOWN: ContextVar[ZoneInfo | None] = ContextVar("the zone of the times on a page", default=None)


def zone_of(name: str) -> ZoneInfo:
    """The event's time zone; UTC if it has none, or one that this machine does not know."""
    return _known(name) or ZoneInfo("UTC")


@contextmanager
def times_of(view: View) -> Iterator[None]:
    """Within it `time_of_day` tells the times of this view's event."""
    event = view.event.event
    before = _SHOWN.set(_known(event.time_zone) if event is not None else None)
    try:
        yield
    finally:
        _SHOWN.reset(before)


def time_of_day(utc_ns: int) -> str:
    """A time of day as the page shows it, '14:03:07'; outside of `times_of` by the machine's own zone."""
    zone = _SHOWN.get()
    if zone is not None:
        return dates.time_of_day(utc_ns, zone)
    return time.strftime("%H:%M:%S", time.localtime(utc_ns // NS_PER_S))


def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None
