"""A race's standing as a league board: byte for byte as it was imported, as far as nothing has changed since.

What has changed since is written in the same columns: a place or score of now, and racers who came later. A race that
was never imported gets the league's own columns.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO

from leaderboard.core.rank import standing
from leaderboard.exchange.csv_table import Dialect
from leaderboard.exchange.formulas import neutralised
from leaderboard.exchange.league.rows import HEADINGS, SCORE_COLUMN
from leaderboard.store.bulk import ImportedRow
from leaderboard.store.queries import ShownLine
from shared.boards import board_file
from shared.protocol.results import Result
from shared.rules.ranking import RaceRules, lap_time_ns, score_run
from shared.units import NS_PER_MS

HEADING = (
    "Alias", "SubmissionTime", "LapCount", "AvgLapTime", "BestLapTime", "TotalLapTime", "AvgResets", "CollisionCount",
    "OffTrackCount", "ResetCount", "SubmissionCount", "Rank", "LeaderboardSubmissionStatusType", "RankingScore",
)  # fmt: skip
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


def write_board(out: TextIO, lines: Sequence[ShownLine], rules: RaceRules, board: StoredBoard | None) -> None:
    """Write the standing of `lines`, which stand in rank."""
    placed = [(place, line) for place, line in zip(standing(each.line for each in lines), lines, strict=True)]
    now = {line.line.seq: (place.rank, line) for place, line in placed}
    if board is None:
        cells = (_cells(HEADING, rank, line, rules) for rank, line in now.values())
        _write(out, PLAIN, HEADING, cells)
        return
    _write(out, board.dialect, board.heading, _with_changes(board, now, rules))


def _with_changes(
    board: StoredBoard, now: Mapping[int, tuple[int, ShownLine]], rules: RaceRules
) -> Iterator[Sequence[str]]:
    """The rows as they were, with the places of now; then those of racers who came later."""
    written = set()
    for row in board.rows:
        written.add(row.seq)
        rank, line = now.get(row.seq, (None, None))
        yield row.cells if rank == row.place else _changed(board.heading, row.cells, rank, line)
    for seq, (rank, line) in now.items():
        if seq not in written:
            yield _cells(board.heading, rank, line, rules)


def _changed(heading: Sequence[str], cells: Sequence[str], rank: int | None, line: ShownLine | None) -> Sequence[str]:
    words = [HEADINGS.get(board_file.plain(name)) for name in heading]
    now = {"Rank": rank, "RankingScore": None if line is None else line.line.score_ms}
    padded = [*cells, *("" for _ in range(len(heading) - len(cells)))]
    for place, word in enumerate(words):
        if word in now:
            value = now[word]
            same = value is not None and board_file.count(padded[place].strip()) == value
            padded[place] = padded[place] if same else "" if value is None else str(value)
        elif word == "Status" and rank is None:
            padded[place] = ""
    return padded


def _cells(heading: Sequence[str], rank: int, line: ShownLine, rules: RaceRules) -> Sequence[str]:
    """A row in the columns of `heading`; "" where we know nothing of the column."""
    values = _figures(line.result, rules) | {
        "Racer": line.name,
        "SubmissionTime": str(line.result.finished_utc_ns // NS_PER_MS),
        "SubmissionCount": str(line.line.attempts),
        "Rank": str(rank),
        "Status": "RANKED",
        "RankingScore": str(line.line.score_ms),
        SCORE_COLUMN[rules.method]: str(line.line.score_ms),
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
