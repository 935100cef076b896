"""The texts of uncounted crossings, for the officials: when, where, and why. Pure, except for the time zone."""

from dataclasses import dataclass

from shared.text import recorded, text
from station.views.race_views import UncountedCrossing
from station.views.views import View
from station.web.presenters.time_zones import time_of_day

MAX_LINES = 8


@dataclass(frozen=True, slots=True)
class UncountedLine:
    """One uncounted crossing: its time of day, its place and the reason."""

    at: str
    where: str
    why: str


def uncounted_lines(view: View) -> tuple[UncountedLine, ...]:
    """The newest uncounted crossings, newest first."""
    return tuple(_line(each) for each in view.uncounted[:MAX_LINES])


def _line(each: UncountedCrossing) -> UncountedLine:
    where: str = f"{each.gate}, {each.sensor}"
    if each.transponder:
        where = text("{place}, transponder {transponder}", place=where, transponder=each.transponder)
    return UncountedLine(time_of_day(each.utc_ns), where, text("{why:cap}.", why=recorded(each.why)))
