"""What the station finds of one line of the checklists, and which day it is. Pure.

Used by the findings of this folder (track_findings.py, desk_findings.py) and by the presenter.
"""

from dataclasses import dataclass
from typing import Literal

from shared.text import dates, text
from station.views.views import View
from station.web.presenters.time_zones import event_zone

FindingState = Literal["done", "open", "none"]


@dataclass(frozen=True, slots=True)
class LineFinding:
    """`state`: "done", "open", or "none": there is nothing to do here, as without a leaderboard.

    `detail`: by what the line is ticked, or what is wrong. `mend`: the page where that is put right, "" for none.
    """

    state: FindingState
    detail: str
    mend: str = ""


def done(detail: str) -> LineFinding:
    """The line is ticked, by this."""
    return LineFinding("done", detail)


def still_open(detail: str, mend: str = "") -> LineFinding:
    """The line is not ticked, because of this."""
    return LineFinding("open", detail, mend)


def not_needed(detail: str) -> LineFinding:
    """The line has no meaning at this station."""
    return LineFinding("none", detail)


def is_today(view: View, utc_ns: int | None) -> bool:
    """Was this moment on the day that it is now where the event is?"""
    if utc_ns is None:
        return False
    zone = event_zone(view)
    return dates.moment_of(utc_ns, zone).date() == dates.moment_of(view.clock.utc_ns, zone).date()


def clock_time(view: View, utc_ns: int) -> str:
    """The time of day where the event is, to the minute: 09:12."""
    return dates.time_of_day(utc_ns, event_zone(view), seconds=False)


def day_and_time(view: View, utc_ns: int) -> str:
    """Today's time alone; of another day the day before it."""
    at = clock_time(view, utc_ns)
    if is_today(view, utc_ns):
        return at
    day = dates.LongDay(dates.moment_of(utc_ns, event_zone(view)).date())
    return text("{day}, {time}", day=day, time=at)
