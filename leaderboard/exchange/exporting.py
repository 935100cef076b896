"""Writes a race's standing, or the windows of races, as a file: as a league's board, CSV, JSON or a calendar.

Called by the API and the command. Each file is of one moment of the store.
"""

import csv
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TextIO

import sqlalchemy as sa

from leaderboard.core.race import RaceRecord, Venue
from leaderboard.exchange.calendar_file import write_calendar
from leaderboard.exchange.league.writing import LineWithResult, stored_board, with_results, write_board
from leaderboard.store import bulk, race_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking.windows import TableReader, WindowRow
from shared.boards.spreadsheet_cells import neutralised
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
        race = race_rows.race(db, race_id)
        if form == "ics":
            write_calendar(out, race.name, [race], now_utc_ns)
            return
        rows = TableReader(db, race_id, race.table_named(table)).top(None).rows
        if form == "league":
            _write_league(db, out, race, rows)
        else:
            _WRITERS[form](out, race, with_results(db, rows))


def write_races(store: Store, title: str, shown: Callable[[RaceRecord], bool], out: TextIO, now_utc_ns: int) -> None:
    """Write the calendar of all races that `shown` lets through."""
    with store.read() as db:
        races = [head.race for head in race_rows.heads(db)]
    write_calendar(out, title, [race for race in races if shown(race)], now_utc_ns)


def _write_league(db: sa.Connection, out: TextIO, race: RaceRecord, rows: Sequence[WindowRow]) -> None:
    published = next((each for each in bulk.imported(db, race.race_id) if each.format == "league"), None)
    board = None
    if published is not None:
        kept = bulk.imported_rows(db, race.race_id, published.sha256)
        board = stored_board(published.heading, published.dialect, kept)
    write_board(db, out, rows, race.rules, board)


def _write_csv(out: TextIO, _race: RaceRecord, lines: Iterable[LineWithResult]) -> None:
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for line in lines:
        row = _row(line)
        writer.writerow(neutralised(str(row[name])) for name in _COLUMNS)


def _write_json(out: TextIO, race: RaceRecord, lines: Iterable[LineWithResult]) -> None:
    """One object; a line for each row, so that no long board is held as one text."""
    known = {name: value for name, value in dataclasses.asdict(race).items() if name not in _NOT_FOR_OTHERS}
    out.write('{"race": ' + json.dumps(known, ensure_ascii=False) + ',\n "standings": [')
    for number, line in enumerate(lines):
        row = _row(line) | {"laps": [dataclasses.asdict(lap) for lap in line.result.laps]}
        evidence = {"evidence": dataclasses.asdict(line.result.evidence)}
        out.write((",\n  " if number else "\n  ") + json.dumps(row | evidence, ensure_ascii=False))
    out.write("\n]}\n")


def _row(line: LineWithResult) -> dict[str, Any]:
    place, result = line.row.placed, line.result
    return {
        "rank": place.rank,
        "racer": place.racer,
        "name": line.row.name,
        "score_ms": place.score_ms,
        "score": format_ms(place.score_ms),
        "gap_ms": place.gap_ms,
        "interval_ms": place.interval_ms,
        "tied": place.tied,
        "attempts": line.row.line.attempts,
        "kind": result.kind,
        "car": result.car,
        "model": result.model,
        "set_utc_ns": result.finished_utc_ns,
        "result_id": result.result_id,
        "revision": result.revision,
    }


_WRITERS: Mapping[str, Callable[[TextIO, RaceRecord, Iterable[LineWithResult]], None]] = {
    "csv": _write_csv,
    "json": _write_json,
}
