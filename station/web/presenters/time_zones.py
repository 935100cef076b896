"""The time zone of an event, by its name. Used by every page that shows times of day."""

import datetime as dt
from zoneinfo import ZoneInfo

from station.views.views import View


def zone_of(name: str) -> dt.tzinfo | None:
    """The event's time zone; None, the station's own, if it has none or one that this machine does not know."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        return None


def event_zone(view: View) -> dt.tzinfo | None:
    """The time zone of the event that is on."""
    return zone_of(view.event.event.time_zone if view.event.event is not None else "")
