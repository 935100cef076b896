"""The rows of a race's page, and its moving content for the live stream: each drawn once for as long as it stays.

A row is drawn with slots for what follows from its place: its rank, gaps, arrow and tie. A page gets them filled; in
the stream they are empty, and live.js fills them, from the order of the rows and `placing`.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from markupsafe import Markup

from leaderboard.core import access
from leaderboard.live_stream import LiveContent
from leaderboard.pages.templates import PageTemplates
from leaderboard.pages.views import BoardView, PlaceView, kind_of, move_view, place_view, race_view, row_view
from leaderboard.scored_laps import LapShape, best_window
from leaderboard.snapshots import Snapshot, StandingRow
from shared.rules.ranking import RaceRules
from shared.text.reader import language

_NO_LAP_MS = 2**62  # of a published result without laps
_BOARDS = 64  # of which drawn rows are kept
# Characters of private use, which no name and no text of a result may hold.
_SLOTS = {
    name: chr(0xE000 + number)
    for number, name in enumerate(("place", "rank", "move", "arrow", "tie", "gap", "interval"))
}
_SLOT = re.compile(f"([{''.join(_SLOTS.values())}])")
_EMPTY = {sign: "same" if name == "move" else "" for name, sign in _SLOTS.items()}

_RowKey = tuple[int, str, int, int]


@dataclass(frozen=True, slots=True)
class _DrawnHtml:
    """A row as pieces of HTML with the signs of slots between, and with the slots empty."""

    pieces: tuple[str, ...]
    live: str

    def filled(self, slots: dict[str, str]) -> str:
        return "".join([slots.get(piece, piece) for piece in self.pieces])


@dataclass(slots=True)
class _DrawnRow:
    """A row's laps, and its HTML by whether one of them is the fastest of all shown."""

    window: tuple[LapShape, ...]
    fastest_ms: int
    html: dict[bool, _DrawnHtml] = field(default_factory=dict)


@dataclass(slots=True)
class _DrawnBoard:
    """The rows of a board as they were drawn last, by these rules."""

    rules: RaceRules
    rows: dict[_RowKey, _DrawnRow]


class BoardRows:
    """Draws the rows of boards; from any thread."""

    def __init__(self, templates: PageTemplates) -> None:
        self._row = templates.get("row.html")
        self._parts = templates.get("parts.html")
        self._drawn: OrderedDict[tuple[str, str, str], _DrawnBoard] = OrderedDict()
        self._lock = threading.Lock()

    def board(self, snapshot: Snapshot, now_utc_ns: int) -> BoardView:
        """Everything that the page of a race shows of this snapshot."""
        module: Any = self._parts.make_module()
        drawn = self._drawn_rows(snapshot)
        rows = tuple(
            Markup(html.filled(_slots(place_view(row), module)))  # noqa: S704 (of our own template)
            for row, html in zip(snapshot.rows, drawn, strict=True)
        )
        race = race_view(snapshot.race, snapshot.racers, snapshot.results, now_utc_ns)
        return BoardView(race, snapshot.version, rows, snapshot.racers - len(rows), kind_of(snapshot))

    def live_content(self, snapshot: Snapshot, now_utc_ns: int) -> LiveContent:
        """The changing content of the page that shows this snapshot."""
        module: Any = self._parts.make_module()
        order = tuple(row.placed.racer for row in snapshot.rows)
        html = dict(zip(order, (each.live for each in self._drawn_rows(snapshot)), strict=True))
        race = race_view(snapshot.race, snapshot.racers, snapshot.results, now_utc_ns)
        shown = BoardView(race, snapshot.version, order, snapshot.racers - len(order), kind_of(snapshot))
        parts = {name: str(getattr(module, name)(shown)) for name in ("state", "counts", "empty", "more")}
        placing, public = _placing(snapshot.rows, module), access.public(snapshot.race)
        return LiveContent(snapshot.version, order, html, parts, placing, public)

    def _drawn_rows(self, snapshot: Snapshot) -> list[_DrawnHtml]:
        rules, rows = snapshot.race.rules, self._known_rows(snapshot)
        fastest_ms = min((row.fastest_ms for row in rows), default=_NO_LAP_MS)
        drawn = []
        for row, known in zip(snapshot.rows, rows, strict=True):
            fastest = known.fastest_ms == fastest_ms
            if fastest not in known.html:
                html = self._row.render(row=row_view(row, rules, known.window, fastest_ms), slot=_SLOTS)
                pieces = tuple(_SLOT.split(html))
                known.html[fastest] = _DrawnHtml(pieces, "".join(_EMPTY.get(piece, piece) for piece in pieces))
            drawn.append(known.html[fastest])
        return drawn

    def _known_rows(self, snapshot: Snapshot) -> list[_DrawnRow]:
        rules, key = snapshot.race.rules, (snapshot.race.race_id, snapshot.table, language())
        with self._lock:
            board = self._drawn.get(key)
        before = board.rows if board is not None and board.rules == rules else {}
        rows: dict[_RowKey, _DrawnRow] = {}
        for row in snapshot.rows:
            row_key = row.seq, row.name, row.attempts, row.result.finished_utc_ns
            known = before.get(row_key)
            if known is None:
                window = best_window(row, rules)
                known = _DrawnRow(window, min((lap.lap_ms for lap in window), default=_NO_LAP_MS))
            rows[row_key] = known
        with self._lock:
            self._drawn[key] = _DrawnBoard(rules, rows)
            self._drawn.move_to_end(key)
            if len(self._drawn) > _BOARDS:
                self._drawn.popitem(last=False)
        return list(rows.values())


def _slots(place: PlaceView, module: Any) -> dict[str, str]:
    values = {
        "place": f' class="place-{place.rank}"' if place.rank <= 3 else "",
        "rank": str(place.rank),
        "move": place.move.kind,
        "arrow": str(module.arrow(place.move)) if place.move.sign else "",
        "tie": str(module.tie()) if place.tied else "",
        "gap": place.gap,
        "interval": place.interval,
    }
    return {_SLOTS[name]: value for name, value in values.items()}


def _placing(rows: Sequence[StandingRow], module: Any) -> dict[str, object]:
    """What live.js fills the slots from."""
    moved = [row.moved for row in rows]
    arrows = {}
    for by in {0, *moved}:
        view = move_view(by)
        arrows["null" if by is None else str(by)] = [view.kind, str(module.arrow(view))]
    tied = [list(run) for run, together in _runs([row.placed.tied for row in rows]) if together]
    first = rows[0].placed if rows else None
    return {
        "first": 1 if first is None else first.rank,
        "leader_ms": 0 if first is None else first.score_ms - first.gap_ms,
        "ahead_ms": 0 if first is None else first.score_ms - first.interval_ms,
        "moved": [[*run, by] for run, by in _runs(moved) if by != 0],
        "tied": tied,
        "tie": str(module.tie()) if tied else "",
        "arrows": arrows,
    }


def _runs(values: Sequence[Any]) -> Iterator[tuple[tuple[int, int], Any]]:
    """Equal values in a row, as the places of the first and the last, and the value."""
    at = 0
    for value, members in groupby(values):
        n = len(list(members))
        yield (at, at + n - 1), value
        at += n
