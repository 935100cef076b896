"""Days and times of day for people: the station's time zone, the reader's language. Used by pages and by sentences.

`LongDay` is a value for `text(...)`; the functions are for tables and lists.
"""

import datetime as dt
from dataclasses import dataclass

from babel.dates import format_date as babel_date
from babel.dates import format_skeleton

from shared.text.reader import language

NS_PER_S = 1_000_000_000


def moment_of(utc_ns: int, zone: dt.tzinfo | None) -> dt.datetime:
    """The moment in the zone, None for this machine's own; parts below a microsecond are cut off."""
    seconds, rest_ns = divmod(utc_ns, NS_PER_S)
    return dt.datetime.fromtimestamp(seconds, zone).replace(microsecond=rest_ns // 1000)


def time_of_day(utc_ns: int, zone: dt.tzinfo | None, *, seconds: bool = True) -> str:
    """'14:03:07', in 24 hours in every language, as timing sheets have it."""
    return moment_of(utc_ns, zone).strftime("%H:%M:%S" if seconds else "%H:%M")


@dataclass(frozen=True, slots=True)
class LongDay:
    """A day as a value of a sentence, written in full: '29 November 2026', '29. November 2026'."""

    day: dt.date

    def in_language(self, language: str) -> str:
        """The day in full in this language."""
        return str(babel_date(self.day, "long", locale=_locale(language)))


def long_day(day: dt.date) -> str:
    """The day in full in the reader's language."""
    return LongDay(day).in_language(language())


def short_day(day: dt.date) -> str:
    """Day and month for tables, in the reader's language: '29 Nov', '29. Nov.'."""
    return str(format_skeleton("MMMd", dt.datetime.combine(day, dt.time()), locale=_locale(language())))


def _locale(language: str) -> str:
    """English days are written as in Europe: the day before the month."""
    return "en_GB" if language == "en" else language
