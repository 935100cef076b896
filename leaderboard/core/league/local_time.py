"""Local dates and times of an IANA zone, as organisers write them, and the UTC nanoseconds that are stored.

A local time that the zone skips or has twice (the clocks are changed) is refused, and the sentence names both choices.
"""

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache

from shared.errors import Refused
from shared.text import text
from shared.units import NS_PER_S

FIRST_YEAR = 1971
LAST_YEAR = 2261  # the last whole year that 63 bits of nanoseconds since 1970 can express, as the database stores them

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@cache
def zone_names() -> frozenset[str]:
    """All zones that can be named; the database of tzdata is the same on every machine."""
    return frozenset(zoneinfo.available_timezones())


def check_zone(name: str) -> str:
    """Return the zone's name if there is such a zone. Raises Refused."""
    if name not in zone_names():
        raise Refused(
            text("There is no time zone {zone}: write its name as Europe/Berlin or America/New_York.", zone=name[:60])
        )
    return name


def instant_utc_ns(written: str, zone: str) -> int:
    """The time that is meant by '2027-03-28T14:00' in this zone, or by a time with an offset of its own.

    Raises Refused for what is no time, and for one that the zone does not have or has twice.
    """
    at = _parsed(written)
    if at.tzinfo is not None:
        return _utc_ns(at)
    place = zoneinfo.ZoneInfo(check_zone(zone))
    first, second = (at.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return _utc_ns(first)
    if first.astimezone(UTC).astimezone(place).replace(tzinfo=None) == at:
        raise Refused(
            text(
                "{time} is twice on this day in {zone}, as the clocks are put back: write {first} or {second}.",
                time=_plain(at),
                zone=zone,
                first=_with_offset(first, place),
                second=_with_offset(second, place),
            )
        )
    raise Refused(
        text(
            "There is no {time} in {zone}, as the clocks are put forward then: write {first} or {second}.",
            time=_plain(at),
            zone=zone,
            first=_with_offset(second, place),
            second=_with_offset(first, place),
        )
    )


def calendar_utc_ns(local: datetime, zone: str) -> int:
    """The time of a calendar's entry that falls on this local time (without an offset).

    One that the zone skips is later by what is skipped, one that it has twice is the first: as RFC 5545 has it.
    """
    return _utc_ns(local.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=0))


def parsed_local(written: str) -> datetime:
    """'2027-01-31T18:00' as a local time without an offset. Raises Refused."""
    at = _parsed(written)
    if at.tzinfo is not None:
        raise Refused(text("{time} has an offset: write the local time alone, as 2027-01-31T18:00.", time=written[:40]))
    return at


def local_text(at_utc_ns: int, zone: str) -> str:
    """The local time as a form's field holds it: '2027-03-28T14:00' (with seconds where there are some)."""
    at = in_zone(at_utc_ns, zone).replace(tzinfo=None)
    return at.isoformat(timespec="seconds" if at.second else "minutes")


def field_text(at_utc_ns: int | None, zone: str) -> str:
    """The local time for a form's field, with its offset where the zone has this time twice; '' for None."""
    if at_utc_ns is None:
        return ""
    written = local_text(at_utc_ns, zone)
    try:
        instant_utc_ns(written, zone)
    except Refused:
        return _with_offset(in_zone(at_utc_ns, zone), zoneinfo.ZoneInfo(zone))
    return written


def in_zone(at_utc_ns: int, zone: str) -> datetime:
    """The time in this zone, to the second."""
    return (_EPOCH + timedelta(seconds=at_utc_ns // NS_PER_S)).astimezone(zoneinfo.ZoneInfo(zone))


def _parsed(written: str) -> datetime:
    try:
        at = datetime.fromisoformat(written.strip())
    except ValueError:
        at = datetime.min
    if not FIRST_YEAR <= at.year <= LAST_YEAR or at.microsecond or len(written.strip()) < len("2027-01-31T18:00"):
        raise Refused(
            text(
                "{time} is no date and time between {first} and {last}: write it as 2027-01-31T18:00.",
                time=repr(written[:40]),
                first=str(FIRST_YEAR),
                last=str(LAST_YEAR),
            )
        )
    return at


def _utc_ns(at: datetime) -> int:
    return (at.astimezone(UTC) - _EPOCH) // timedelta(seconds=1) * NS_PER_S


def _plain(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")


def _with_offset(at: datetime, place: zoneinfo.ZoneInfo) -> str:
    return at.astimezone(UTC).astimezone(place).isoformat(timespec="minutes")
