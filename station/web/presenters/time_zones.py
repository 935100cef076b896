"""The time zone of an event, by its name. Used by every page that shows times of day."""

from zoneinfo import ZoneInfo


def zone_of(name: str) -> ZoneInfo:
    """The event's time zone; UTC if it has none, or one that this machine does not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (ValueError, OSError, LookupError):
        return ZoneInfo("UTC")
