"""Writes a race's standing, or the windows of races, as a file: as a league's board, CSV, JSON or a calendar.

Called by the API and the command. Each file is of one moment of the store.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO

import sqlalchemy as sa

from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.rank import standing
from leaderboard.exchange.calendar_file import write_calendar
from leaderboard.exchange.formulas import neutralised
from leaderboard.exchange.league.writing import stored_board, write_board
from leaderboard.store import bulk, queries
from leaderboard.store.database import Store
from leaderboard.store.queries import ShownLine
from shared.rules.ranking import Placed
from shared.units import format_ms

ExportFormat = Literal["league", "csv", "json", "ics"]
MEDIA_TYPES: Mapping[ExportFormat, str] = {
    "league": "text/csv; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ics": "text/calendar; charset=utf-8",
}
FILE_NAMES: Mapping[ExportFormat, str] = {"league": "csv", "csv": "csv", "json": "json", "ics": "ics"}
_NOT_FOR_OTHERS = frozenset({"owner", "made_by"})  # of a race: which account or station made it
_COLUMNS = (
    "rank", "racer", "name", "score_ms", "score", "gap_ms", "interval_ms", "tied", "attempts", "kind", "car", "model",
    "set_utc_ns", "result_id", "revision",
)  # fmt: skip


def write_race(
    store: Store, race_id: str, form: ExportFormat, out: TextIO, now_utc_ns: int, table: Venue | None = None
) -> None:
    """Write the race; of a race with two tables the one named (None: its first). Raises UnknownRace, Refused."""
    with store.read() as db:
        race = queries.race(db, race_id)
        if form == "ics":
            write_calendar(out, race.name, [race], now_utc_ns)
            return
        lines = queries.lines(db, race_id, race.table_named(table))
        shown = queries.shown_lines(db, race_id, lines)
        if form == "league":
            _write_league(db, out, race, shown)
        else:
            placed = standing(lines, queries.uncertainties_ns(db, race_id, race.table_named(table)))
            _WRITERS[form](out, race, placed, shown)


def write_races(store: Store, title: str, shown: Callable[[RaceRecord], bool], out: TextIO, now_utc_ns: int) -> None:
    """Write the calendar of all races that `shown` lets through."""
    with store.read() as db:
        races = [head.race for head in queries.heads(db)]
    write_calendar(out, title, [race for race in races if shown(race)], now_utc_ns)


def _write_league(db: sa.Connection, out: TextIO, race: RaceRecord, shown: list[ShownLine]) -> None:
    published = next((each for each in bulk.imported(db, race.race_id) if each.format == "league"), None)
    board = None
    if published is not None:
        rows = bulk.imported_rows(db, race.race_id, published.sha256)
        board = stored_board(published.heading, published.dialect, rows)
    write_board(out, shown, race.rules, board)


def _write_csv(out: TextIO, _race: RaceRecord, placed: list[Placed], shown: list[ShownLine]) -> None:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for place, line in zip(placed, shown, strict=True):
        row = _row(place, line)
        writer.writerow(neutralised(str(row[name])) for name in _COLUMNS)


def _write_json(out: TextIO, race: RaceRecord, placed: list[Placed], shown: list[ShownLine]) -> None:
    """One object; a line for each row, so that no long board is held as one text."""
    known = {name: value for name, value in dataclasses.asdict(race).items() if name not in _NOT_FOR_OTHERS}
    out.write('{"race": ' + json.dumps(known, ensure_ascii=False) + ',\n "standings": [')
    for number, (place, line) in enumerate(zip(placed, shown, strict=True)):
        row = _row(place, line) | {"laps": [dataclasses.asdict(lap) for lap in line.result.laps]}
        evidence = {"evidence": dataclasses.asdict(line.result.evidence)}
        out.write((",\n  " if number else "\n  ") + json.dumps(row | evidence, ensure_ascii=False))
    out.write("\n]}\n")


def _row(place: Placed, line: ShownLine) -> dict[str, Any]:
    result = line.result
    return {
        "rank": place.rank,
        "racer": place.racer,
        "name": line.name,
        "score_ms": place.score_ms,
        "score": format_ms(place.score_ms),
        "gap_ms": place.gap_ms,
        "interval_ms": place.interval_ms,
        "tied": place.tied,
        "attempts": line.line.attempts,
        "kind": result.kind,
        "car": result.car,
        "model": result.model,
        "set_utc_ns": result.finished_utc_ns,
        "result_id": result.result_id,
        "revision": result.revision,
    }


_WRITERS: Mapping[str, Callable[[TextIO, RaceRecord, list[Placed], list[ShownLine]], None]] = {
    "csv": _write_csv,
    "json": _write_json,
}
