"""The windows of races as an iCalendar file (RFC 5545). Times are UTC; a race without any time is not in it."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

from leaderboard.core.race import RaceRecord
from shared.units import NS_PER_S

MAX_OCTETS = 75  # of a line, without its end


def write_calendar(out: TextIO, title: str, races: Iterable[RaceRecord], now_utc_ns: int) -> None:
    """Write the calendar of these races; lines end with CR LF, as the format wants them."""
    for line in _lines(title, races, now_utc_ns):
        out.write(folded(line) + "\r\n")


def _lines(title: str, races: Iterable[RaceRecord], now_utc_ns: int) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Raceday//Leaderboard//EN", "CALSCALE:GREGORIAN")
    yield f"X-WR-CALNAME:{escaped(title)}"
    for race in races:
        opens, ends = race.opens_utc_ns, race.ends_utc_ns()
        if opens is None and race.closes_utc_ns is None:
            continue  # nothing is planned: whoever closed it has done so
        yield from ("BEGIN:VEVENT", f"UID:{race.race_id}@raceday", f"DTSTAMP:{_utc(now_utc_ns)}")
        yield f"SEQUENCE:{race.edition - 1}"
        begins = ends if opens is None else opens
        assert begins is not None
        yield f"DTSTART:{_utc(begins)}"
        if opens is not None and ends is not None and ends > opens:
            yield f"DTEND:{_utc(ends)}"
        yield f"SUMMARY:{escaped(race.name if opens is not None else f'{race.name}: closes')}"
        if race.track:
            yield f"LOCATION:{escaped(race.track)}"
        yield f"CATEGORIES:{escaped(race.kind)}"
        yield "END:VEVENT"
    yield "END:VCALENDAR"


def escaped(text: str) -> str:
    """TEXT by RFC 5545, 3.3.11; characters that a line cannot hold are left out."""
    signs = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}
    return "".join(signs.get(sign, sign) for sign in text if sign == "\n" or sign.isprintable())


def folded(line: str) -> str:
    """The line in parts of at most 75 octets, cut between characters; the parts after the first begin with a blank."""
    parts: list[str] = []
    part, size = "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > MAX_OCTETS:
            parts.append(part)
            part, size = " ", 1
        part, size = part + sign, size + octets
    return "\r\n".join([*parts, part])


def _utc(at_utc_ns: int) -> str:
    return datetime.fromtimestamp(at_utc_ns // NS_PER_S, UTC).strftime("%Y%m%dT%H%M%SZ")
