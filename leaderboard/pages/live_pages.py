"""The moving content of a race's page for its live stream: each row drawn once for as long as it stays as it is.

A row is drawn without what follows from its place (its rank, gaps, arrow and tie): live.js fills that in, from the
order of the rows and `placing`.
"""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from leaderboard.board import Snapshot, StandingRow
from leaderboard.live_stream import LiveContent
from leaderboard.pages.templates import PageTemplates
from leaderboard.pages.views import RaceHeaderView, move_view, race_view, row_view
from leaderboard.scored_laps import LapShape, best_window
from shared.rules.ranking import RaceRules
from shared.text.reader import language

_BOARDS = 64  # of which drawn rows are kept
_UNPLACED = move_view(0)

_RowKey = tuple[int, str, int, int]


@dataclass(slots=True)
class _DrawnRow:
    """A row's laps, and its HTML by whether one of them is the fastest of all shown."""

    window: tuple[LapShape, ...]
    fastest_ms: int
    html: dict[bool, str] = field(default_factory=dict)


@dataclass(slots=True)
class _DrawnBoard:
    """The rows of a board as they were drawn last, by these rules."""

    rules: RaceRules
    rows: dict[_RowKey, _DrawnRow]


@dataclass(frozen=True, slots=True)
class _LiveParts:
    """What the parts beside the table are drawn from."""

    race: RaceHeaderView
    rows: Sequence[str]
    hidden: int


class LivePages:
    """Draws live content; from any thread."""

    def __init__(self, templates: PageTemplates) -> None:
        self._row = templates.get("row.html")
        self._parts = templates.get("parts.html")
        self._drawn: OrderedDict[tuple[str, str, str], _DrawnBoard] = OrderedDict()
        self._lock = threading.Lock()

    def content(self, snapshot: Snapshot, now_utc_ns: int) -> LiveContent:
        """The changing content of the page that shows this snapshot."""
        rules = snapshot.race.rules
        drawn = self._rows_of(snapshot)
        fastest_ms = min((row.fastest_ms for row in drawn if row.window), default=0)
        order = tuple(row.placed.racer for row in snapshot.rows)
        html = {
            row.placed.racer: self._html(row, each, rules, fastest_ms)
            for row, each in zip(snapshot.rows, drawn, strict=True)
        }
        race = race_view(snapshot.race, snapshot.racers, snapshot.results, now_utc_ns)
        module: Any = self._parts.make_module()
        live = _LiveParts(race, order, snapshot.racers - len(order))
        parts = {name: str(getattr(module, name)(live)) for name in ("state", "counts", "empty", "more")}
        return LiveContent(snapshot.version, order, html, parts, _placing(snapshot.rows, module))

    def _rows_of(self, snapshot: Snapshot) -> list[_DrawnRow]:
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
                # A score that was published elsewhere has no laps, and none of them is the fastest.
                known = _DrawnRow(window, min((lap.lap_ms for lap in window), default=-1))
            rows[row_key] = known
        with self._lock:
            self._drawn[key] = _DrawnBoard(rules, rows)
            self._drawn.move_to_end(key)
            if len(self._drawn) > _BOARDS:
                self._drawn.popitem(last=False)
        return list(rows.values())

    def _html(self, row: StandingRow, drawn: _DrawnRow, rules: RaceRules, fastest_ms: int) -> str:
        fastest = drawn.fastest_ms == fastest_ms
        if fastest not in drawn.html:
            view = row_view(row, rules, drawn.window, fastest_ms)
            unplaced = dataclasses.replace(view, rank=0, gap="", interval="", tied=False, move=_UNPLACED)
            drawn.html[fastest] = self._row.render(row=unplaced)
        return drawn.html[fastest]


def _placing(rows: Sequence[StandingRow], module: Any) -> dict[str, object]:
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
