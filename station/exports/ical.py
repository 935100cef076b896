"""The queue as an iCalendar file (RFC 5545), so that a racer's phone reminds him. Pure: the time is an argument."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from shared.units import NS_PER_S

PRODUCT = "-//Raceday//Queue//EN"
MAX_LINE_BYTES = 75
_CONTROLS = {code: None for code in range(32) if code not in (9, 10)} | {127: None}


@dataclass(frozen=True, slots=True)
class StartEntry:
    """One predicted start. `uid` is the same each time the queue is fetched; times are UTC ns."""

    uid: str
    summary: str
    begins_utc_ns: int
    ends_utc_ns: int
    description: str = ""
    location: str = ""


def calendar_text(name: str, entries: Iterable[StartEntry], now_utc_ns: int, host: str = "raceday.local") -> str:
    """The calendar: `name` as it is shown, an event for each entry, stamped `now_utc_ns`; `host` completes the UIDs."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1M",
    ]
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{escaped(entry.uid)}@{host}",
            f"DTSTAMP:{_stamp(now_utc_ns)}",
            f"DTSTART:{_stamp(entry.begins_utc_ns)}",
            f"DTEND:{_stamp(max(entry.ends_utc_ns, entry.begins_utc_ns + NS_PER_S))}",
            f"SUMMARY:{escaped(entry.summary)}",
            *([f"DESCRIPTION:{escaped(entry.description)}"] if entry.description else []),
            *([f"LOCATION:{escaped(entry.location)}"] if entry.location else []),
            "STATUS:TENTATIVE",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(text: str) -> str:
    """The text as a value of type TEXT (RFC 5545, 3.3.11); control characters are left out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> str:
    """The content line in pieces of at most 75 bytes, none cut within a character (RFC 5545, 3.1)."""
    pieces, piece, size, limit = [], "", 0, MAX_LINE_BYTES
    for sign in line:
        length = len(sign.encode())
        if size + length > limit:
            pieces.append(piece)
            piece, size, limit = "", 0, MAX_LINE_BYTES - 1  # a continued line begins with a blank
        piece, size = piece + sign, size + length
    return "\r\n ".join([*pieces, piece])


def _stamp(utc_ns: int) -> str:
    at = dt.datetime.fromtimestamp(max(0, utc_ns) // NS_PER_S, dt.UTC)
    return f"{at:%Y%m%dT%H%M%SZ}"
