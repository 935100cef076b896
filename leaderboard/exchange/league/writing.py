"""A race's standing as a league board: byte for byte as it was imported, as far as nothing has changed since.

What has changed since is written in the same columns: a place or score of now, and racers who came later. A race that
was never imported gets the league's own columns.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

import sqlalchemy as sa

from leaderboard.exchange.csv_table import Dialect
from leaderboard.exchange.league.rows import HEADINGS, SCORE_COLUMN
from leaderboard.store import result_rows
from leaderboard.store.bulk import ImportedRow
from leaderboard.store.ranking.windows import WindowRow
from shared.boards import board_file
from shared.boards.spreadsheet_cells import neutralised
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, lap_time_ns, score_run
from shared.units import NS_PER_MS

HEADING = (
    "Alias", "SubmissionTime", "LapCount", "AvgLapTime", "BestLapTime", "TotalLapTime", "AvgResets", "CollisionCount",
    "OffTrackCount", "ResetCount", "SubmissionCount", "Rank", "LeaderboardSubmissionStatusType", "RankingScore",
)  # fmt: skip
_AT_ONCE = 500
PLAIN = Dialect(",", "\n", marked=False, quoted=False, ends_with_line=True)


@dataclass(frozen=True, slots=True)
class StoredBoard:
    """A board that was imported: its heading, what the file looked like, its rows."""

    heading: tuple[str, ...]
    dialect: Dialect
    rows: Iterable[ImportedRow]


def stored_board(heading: str, dialect: str, rows: Iterable[ImportedRow]) -> StoredBoard:
    """From the JSON texts that an import stored."""
    return StoredBoard(tuple(json.loads(heading)), Dialect(**json.loads(dialect)), rows)


@dataclass(frozen=True, slots=True)
class LineWithResult:
    """A line as it stands, and the result that it comes from."""

    row: WindowRow
    result: Result


def with_results(db: sa.Connection, rows: Sequence[WindowRow]) -> Iterator[LineWithResult]:
    """Each line with its result, read some hundreds at a time."""
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        results = result_rows.results(db, [row.line.seq for row in part])
        for row in part:
            yield LineWithResult(row, results[row.line.seq])


def write_board(
    db: sa.Connection, out: TextIO, rows: Sequence[WindowRow], rules: RaceRules, board: StoredBoard | None
) -> None:
    """Write the standing of `rows`, which stand in rank."""
    if board is None:
        _write(out, PLAIN, HEADING, (_cells(HEADING, line, rules) for line in with_results(db, rows)))
        return
    _write(out, board.dialect, board.heading, _with_changes(db, board, rows, rules))


def _with_changes(
    db: sa.Connection, board: StoredBoard, rows: Sequence[WindowRow], rules: RaceRules
) -> Iterator[Sequence[str]]:
    """The rows as they were, with the places of now; then those of racers who came later."""
    now = {row.line.seq: row for row in rows}
    for kept in board.rows:
        row = now.pop(kept.seq, None)
        rank = None if row is None else row.placed.rank
        yield kept.cells if rank == kept.place else _changed(board.heading, kept.cells, row)
    for line in with_results(db, list(now.values())):
        yield _cells(board.heading, line, rules)


def _changed(heading: Sequence[str], cells: Sequence[str], row: WindowRow | None) -> Sequence[str]:
    words = [HEADINGS.get(board_file.plain(name)) for name in heading]
    now: dict[str | None, int | None] = {
        "Rank": None if row is None else row.placed.rank,
        "RankingScore": None if row is None else row.line.score_ms,
    }
    padded = [*cells, *("" for _ in range(len(heading) - len(cells)))]
    for place, word in enumerate(words):
        if word in now:
            value = now[word]
            same = value is not None and board_file.count(padded[place].strip()) == value
            padded[place] = padded[place] if same else "" if value is None else str(value)
        elif word == "Status" and row is None:
            padded[place] = ""
    return padded


def _cells(heading: Sequence[str], line: LineWithResult, rules: RaceRules) -> Sequence[str]:
    """A row in the columns of `heading`; "" where we know nothing of the column."""
    values = _figures(line.result, rules) | {
        "Racer": line.row.name,
        "SubmissionTime": str(line.row.line.set_utc_ns // NS_PER_MS),
        "SubmissionCount": str(line.row.line.attempts),
        "Rank": str(line.row.placed.rank),
        "Status": "RANKED",
        "RankingScore": str(line.row.line.score_ms),
        SCORE_COLUMN[rules.method]: str(line.row.line.score_ms),
    }
    return [values.get(HEADINGS.get(board_file.plain(name), name), "") for name in heading]


def _figures(result: Result, rules: RaceRules) -> dict[str, str]:
    """What the laps of the window that made the score come to; nothing without laps."""
    score = score_run(result.laps, rules)
    if score is None:
        return {}
    laps = [lap for lap in result.laps if score.first_lap <= lap.number <= score.last_lap]
    times = [lap_time_ns(lap, rules) for lap in laps]
    resets = sum(lap.resets for lap in laps)
    return {
        "LapCount": str(len(laps)),
        "AvgLapTime": str(sum(times) // len(times) // NS_PER_MS),
        "BestLapTime": str(min(times) // NS_PER_MS),
        "TotalLapTime": str(sum(times) // NS_PER_MS),
        "AvgResets": str(resets / len(laps)),
        "CollisionCount": str(sum(lap.collisions for lap in laps)),
        "OffTrackCount": str(sum(lap.off_tracks for lap in laps)),
        "ResetCount": str(resets),
    }


def _write(out: TextIO, dialect: Dialect, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    if dialect.marked:
        out.write("\ufeff")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if dialect.quoted else csv.QUOTE_MINIMAL
    # Only what is in its line terminator is quoted: with CR LF a cell may hold either.
    writer = csv.writer(_Rows(out), delimiter=dialect.separator, lineterminator="\r\n", quoting=quoting)
    writer.writerow(map(neutralised, heading))
    for cells in rows:
        # Each row is written with the end of the one before it, so that the last may have none.
        out.write(dialect.line_end)
        writer.writerow(map(neutralised, cells))
    if dialect.ends_with_line:
        out.write(dialect.line_end)


class _Rows:
    """Takes each row from the writer, which ends it with CR LF, and passes it on without an end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, row: str) -> None:
        self._out.write(row.removesuffix("\r\n"))
