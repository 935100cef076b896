"""The rows of the big screen's board, and the next racers: names, figures and how much room they need. Pure."""

import datetime as dt
import hashlib
import unicodedata
from dataclasses import dataclass

from shared.rules.person_names import name_key
from shared.text import Sentence, text
from shared.text.dates import time_of_day
from shared.units import format_ms
from station.views.queue_view import QueueLine
from station.views.views import View
from station.web.presenters.time_zones import event_zone

ONE_LINE_EM = 8.6  # a wider name stands smaller, on two lines
ONE_LINE_BESIDE_MINUTES_EM = 7.0  # where values of 1:00 and more take some of its room
SHORT_FIGURE = len("59.999")
# How wide letters are, in em of a bold sans-serif; what is not listed is of the usual width.
_WIDE, _USUAL, _CAPITAL, _NARROW = 1.0, 0.6, 0.72, 0.33
_WIDE_LETTERS, _NARROW_LETTERS = set("WM@%mw"), set("iIljt.,:;'|!fr ()[]")
NEXT = 3
QUEUE = 6


@dataclass(frozen=True, slots=True)
class HallRow:
    """A racer's line on the board. `is_long`: the name needs two lines. `figures`: as `StandingLine` has them."""

    key: str
    rank: int
    racer: str
    is_long: bool
    score: str
    gap: str
    tied: bool
    on_track: bool
    hand_timed: bool = False


@dataclass(frozen=True, slots=True)
class NextRacer:
    """A racer in the queue, with the predicted start by the station's clock, and how late that is."""

    key: str
    place: int
    racer: str
    is_long: bool
    start: str
    late: Sentence
    called: bool


def racer_key(racer: str) -> str:
    """The same for all spellings of a racer, and an id that HTML allows: rows follow a racer, not a place."""
    return f"racer-{hashlib.blake2s(name_key(racer).encode(), digest_size=6).hexdigest()}"


def board_rows(view: View) -> tuple[HallRow, ...]:
    """The standings, the leader first."""
    chars = figure_chars(view)
    on_track = {run.racer for run in view.runs if run.phase in ("armed", "running")}
    return tuple(
        HallRow(
            key=racer_key(line.racer),
            rank=line.rank,
            racer=line.racer,
            is_long=is_long(line.racer, chars),
            score=format_ms(line.score_ms),
            gap=f"+{format_ms(line.gap_ms)}" if line.rank > 1 else "",
            tied=line.tied,
            on_track=line.racer in on_track,
            hand_timed=line.hand_timed,
        )
        for line in view.standing
    )


def figure_chars(view: View) -> int:
    """The characters of the longest score: columns have that width for all rows, so that no figure moves."""
    return max((len(format_ms(line.score_ms)) for line in view.standing), default=0) or SHORT_FIGURE


def is_long(name: str, chars: int = SHORT_FIGURE) -> bool:
    """Does the name need two lines beside figures of this many characters?"""
    room = ONE_LINE_EM if chars <= SHORT_FIGURE else ONE_LINE_BESIDE_MINUTES_EM
    return sum(_em(letter) for letter in name) > room


def _em(letter: str) -> float:
    if letter in _NARROW_LETTERS:
        return _NARROW
    if letter in _WIDE_LETTERS or unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    return _CAPITAL if letter.isupper() else _USUAL


def next_racers(view: View, limit: int = QUEUE) -> tuple[NextRacer, ...]:
    """The first of the queue."""
    zone = event_zone(view)
    return tuple(_next_racer(line, zone) for line in view.queue.lines[:limit])


def _next_racer(line: QueueLine, zone: dt.tzinfo | None) -> NextRacer:
    return NextRacer(
        key=f"next-{racer_key(line.racer)}",
        place=line.place,
        racer=line.racer,
        is_long=is_long(line.racer),
        start=time_of_day(line.start_utc_ns, zone, seconds=False),
        late=text("{minutes} min late", minutes=line.late_min) if line.late_min > 0 else text(""),
        called=line.called,
    )
