"""Times and their text: the one place where nanoseconds become published figures, and text becomes times."""

import re

from shared.errors import BadInput
from shared.text import text
from shared.text.numbers import ambiguous

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_SECONDS = re.compile(
    r"(?P<sign>[-+\N{MINUS SIGN}]?) ?(?P<whole>\d{1,6})(?:[.,](?P<decimals>\d{1,6}))?(?: ?s)?", re.ASCII
)
_TIME = re.compile(r"(?:(?P<minutes>\d{1,6}):)?(?P<seconds>\d{1,6})(?:\.(?P<fraction>\d{1,9}))?", re.ASCII)


def seconds_to_ns(seconds: float) -> int:
    """The seconds of a setting as nanoseconds, rounded to the nearest."""
    return round(seconds * NS_PER_S)


def published_ms(duration_ns: int) -> int:
    """Milliseconds as published: truncated towards zero, never rounded (FIS, TAG Heuer)."""
    return duration_ns // NS_PER_MS if duration_ns >= 0 else -(-duration_ns // NS_PER_MS)


def format_ms(duration_ms: int) -> str:
    """Milliseconds as a time: 12345 is '12.345', 83456 is '1:23.456'."""
    sign = "-" if duration_ms < 0 else ""
    minutes, rest = divmod(abs(duration_ms), 60_000)
    seconds, millis = divmod(rest, 1000)
    return f"{sign}{minutes}:{seconds:02d}.{millis:03d}" if minutes else f"{sign}{seconds}.{millis:03d}"


def format_ns(duration_ns: int) -> str:
    """A duration as published, truncated to milliseconds: '12.345'."""
    return format_ms(published_ms(duration_ns))


def parse_seconds(entered: str) -> float:
    """'1.5', '1,5', '-2', '1.5 s' to seconds, as people write them. Raises BadInput with what to write instead.

    Three digits after the point may be thousandths or thousands: unless 0 stands before it, that is refused.
    """
    match = _SECONDS.fullmatch(entered.strip())
    if match is None:
        raise BadInput(text("{entered!r} is no number of seconds: write it as 1.5 or 1,5.", entered=entered[:40]))
    whole, decimals = match["whole"], match["decimals"] or ""
    if len(decimals) == 3 and int(whole):
        raise BadInput(ambiguous(entered[:40], whole, decimals))
    value = float(f"{whole}.{decimals or 0}")
    return -value if match["sign"] in ("-", "\N{MINUS SIGN}") else value


def parse_ms(entered: str) -> int:
    """'12.345' or '1:23.456' to milliseconds; digits beyond the third are truncated. Raises BadInput."""
    match = _TIME.fullmatch(entered.strip())
    if match is None or (match["minutes"] is not None and int(match["seconds"]) > 59):
        raise BadInput(text("{entered!r} is not a time: write it as 12.345 or 1:23.456.", entered=entered[:40]))
    millis = int((match["fraction"] or "0").ljust(3, "0")[:3])
    return int(match["minutes"] or 0) * 60_000 + int(match["seconds"]) * 1000 + millis
