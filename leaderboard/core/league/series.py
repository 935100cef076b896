"""The calendar of a series: when each of its races opens and closes. Pure; called by league/series.py.

The next race opens in the second in which the one before is planned to close. By itself that is when the calendar says
so; where an organiser moved a close, the next race opens then, and closes when the calendar says so again.
"""

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from leaderboard.core.league.local_time import LAST_YEAR, calendar_utc_ns, check_zone, in_zone, parsed_local
from shared.errors import Refused
from shared.text import text
from shared.units import NS_PER_S

Period = Literal["month", "week", "days"]
MAX_DAYS = 366
_DAY_NS = 24 * 3600 * NS_PER_S
_LAST_START_YEAR = LAST_YEAR - 61  # so that no race of a series that somebody lives to see has a date that overflows


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """Every month, week, or `days` days, beginning with the local time `first` in `zone`.

    A month without that day has its last one instead: 31 January, 28 February, 31 March. The local time of day stays
    the same over the changes of the clocks.
    """

    every: Period
    first: str  # 2027-01-31T18:00
    zone: str
    days: int = 1


@dataclass(frozen=True, slots=True)
class SeriesRace:
    """One race of a series: its number from 1, and its window."""

    number: int
    opens_utc_ns: int
    closes_utc_ns: int


@dataclass(frozen=True, slots=True)
class SeriesPlace:
    """How far a series has come: the number of the next race to be made, when it opens, and when it is to be made.

    `total`: of all its races, None without a limit.
    """

    rule: CalendarRule
    next_number: int
    next_opens_utc_ns: int
    due_utc_ns: int
    total: int | None = None

    @property
    def complete(self) -> bool:
        """Whether all its races are made."""
        return self.total is not None and self.next_number > self.total


def start(rule: CalendarRule, now_utc_ns: int, total: int | None = None) -> SeriesPlace:
    """A new series before its first race, which is made at once. Raises Refused."""
    check_rule(rule)
    return SeriesPlace(rule, 1, opening_utc_ns(rule, 1), now_utc_ns, total)


def check_rule(rule: CalendarRule) -> CalendarRule:
    """Return the rule if a calendar can be made by it. Raises Refused."""
    if rule.every not in get_args(Period):
        raise Refused(text("A series repeats every {choices}.", choices=", ".join(get_args(Period))))
    check_zone(rule.zone)
    if parsed_local(rule.first).year > _LAST_START_YEAR:
        raise Refused(text("A series begins in the year {last} at the latest.", last=str(_LAST_START_YEAR)))
    if not 1 <= rule.days <= MAX_DAYS:
        raise Refused(text("A series repeats after 1 to {max} days.", max=MAX_DAYS))
    return rule


def opening_utc_ns(rule: CalendarRule, number: int) -> int:
    """When the calendar opens its race of this number, counted from 1."""
    first, steps = parsed_local(rule.first), number - 1
    if rule.every == "month":
        return calendar_utc_ns(_months_later(first, steps), rule.zone)
    days = 7 if rule.every == "week" else rule.days
    return calendar_utc_ns(first + timedelta(days=days * steps), rule.zone)


def _months_later(at: datetime, months: int) -> datetime:
    years, month = divmod(at.month - 1 + months, 12)
    year = at.year + years
    return at.replace(year=year, month=month + 1, day=min(at.day, calendar.monthrange(year, month + 1)[1]))


def closing_utc_ns(rule: CalendarRule, number: int, opens_utc_ns: int) -> int:
    """When race `number`, which opens then, closes: at the calendar's next opening after its own."""
    later = number + 1
    if opens_utc_ns >= opening_utc_ns(rule, later):
        # Far behind the calendar: a close was moved. Begin near the right place; a period is never longer than this.
        longest_ns = (31 if rule.every == "month" else 7 if rule.every == "week" else rule.days) * _DAY_NS
        passed = (opens_utc_ns - opening_utc_ns(rule, 1)) // (longest_ns + _DAY_NS)
        later = max(later, passed)
    while (closes_utc_ns := opening_utc_ns(rule, later)) <= opens_utc_ns:
        later += 1
    return closes_utc_ns


def due(place: SeriesPlace, now_utc_ns: int) -> tuple[tuple[SeriesRace, ...], SeriesPlace]:
    """The races to be made by now, and how far the series has come then.

    A race is made in the second in which the one before it opens. So it opens by its own window, whatever sleeps then,
    and everybody sees what comes. Asked more often, or later for several at once, it makes the same races.
    """
    made: list[SeriesRace] = []
    while place.due_utc_ns <= now_utc_ns and not place.complete:
        number, opens_utc_ns = place.next_number, place.next_opens_utc_ns
        closes_utc_ns = closing_utc_ns(place.rule, number, opens_utc_ns)
        made.append(SeriesRace(number, opens_utc_ns, closes_utc_ns))
        place = SeriesPlace(place.rule, number + 1, closes_utc_ns, opens_utc_ns, place.total)
    return tuple(made), place


def race_name(pattern: str, number: int, opens_utc_ns: int, zone: str) -> str:
    """The name of a race of a series: {n}, {year}, {month} and {day} of `pattern` stand for its number and opening."""
    opens = in_zone(opens_utc_ns, zone)
    parts = {"{n}": f"{number}", "{year}": f"{opens.year}", "{month}": f"{opens.month:02}", "{day}": f"{opens.day:02}"}
    for sign, value in parts.items():
        pattern = pattern.replace(sign, value)
    return pattern
