"""A published league board as results: every row its published score and place. Pure, but for reading the file.

A row has no laps, so its score is evidence, not computed: the result names the file, its hash and the line. Where
scores are equal the file's order stands: the result of a later row never counts from an earlier time.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.race import RaceRecord, ResultKind
from leaderboard.exchange.csv_table import CsvTable, UploadedFile
from leaderboard.exchange.import_names import ImportNames, NamedRacer
from leaderboard.exchange.league.rows import HEADINGS, LeagueColumns, LeagueRow, league_row
from leaderboard.exchange.report import MAX_ERRORS, RowNote
from leaderboard.store.bulk import NewResult
from shared.protocol.results import Evidence, Result, encode_result
from shared.rules.ranking import Method
from shared.text import text

NO_SCORE = text("the published board gives it no score")


@dataclass(frozen=True, slots=True)
class LeagueBoard:
    """The rows of a file in its order, what it looked like (JSON), remarks and errors."""

    rows: tuple[LeagueRow, ...]
    heading: str
    dialect: str
    notes: tuple[RowNote, ...]
    errors: tuple[RowNote, ...]


@dataclass(frozen=True, slots=True)
class LineOfBoard:
    """A row as it is stored: its line in the file, its cells, and the result made of it."""

    line: int
    cells: tuple[str, ...]
    new: NewResult


def read_board(file: UploadedFile, method: Method) -> LeagueBoard:
    """The rows of a board that is ranked by `method`. Raises BadInput for what is no board."""
    table = CsvTable(file, HEADINGS)
    columns = LeagueColumns(table.heading, method, file.name)
    rows: list[LeagueRow] = []
    notes: list[RowNote] = []
    errors: list[RowNote] = []
    for raw in table.rows():
        row, remarks, wrong = league_row(raw, columns)
        notes += remarks
        errors += wrong
        if row is not None:
            rows.append(row)
        if len(errors) >= MAX_ERRORS:
            break
    heading = json.dumps(table.heading, ensure_ascii=False)
    dialect = json.dumps(dataclasses.asdict(table.dialect))
    return LeagueBoard(tuple(rows), heading, dialect, tuple(notes), tuple(errors))


def in_rank(rows: Sequence[LeagueRow]) -> list[LeagueRow]:
    """The rows with a score, the best first; equal ones by their published places, or as they stand in the file."""
    ranked = [row for row in rows if row.score_ms is not None]
    placed = all(row.rank is not None for row in ranked)
    return sorted(ranked, key=lambda row: (row.score_ms or 0, row.rank or 0 if placed else 0, row.line))


def lines_of_board(
    board: LeagueBoard, race: RaceRecord, kind: ResultKind, file: UploadedFile, names: ImportNames, now_utc_ns: int
) -> tuple[list[LineOfBoard], list[RowNote]]:
    """Every row as a result, those with a place first and in its order; and what was changed."""
    notes: list[RowNote] = []
    racers = {row.line: names.of_row(row.line, row.racer, notes) for row in board.rows}
    ends_utc_ns = race.ends_utc_ns()
    fallback_utc_ns = now_utc_ns if ends_utc_ns is None else ends_utc_ns
    made: list[LineOfBoard] = []
    before: tuple[int | None, int] = (None, 0)
    for place, row in enumerate(in_rank(board.rows), 1):
        at_utc_ns = fallback_utc_ns if row.at_utc_ns is None else row.at_utc_ns
        if row.score_ms == before[0] and at_utc_ns < before[1]:
            at_utc_ns = before[1]
            notes.append(
                RowNote(row.line, "SubmissionTime", text("counts as late as the row of the same score before it"))
            )
        before = (row.score_ms, at_utc_ns)
        if row.rank is not None and row.rank != place:
            notes.append(
                RowNote(
                    row.line, "Rank", text("is {rank} on the board, {place} by its score", rank=row.rank, place=place)
                )
            )
        made.append(_line(row, racers[row.line], at_utc_ns, race, kind, file))
    for row in board.rows:
        if row.score_ms is None:
            at_utc_ns = fallback_utc_ns if row.at_utc_ns is None else row.at_utc_ns
            made.append(_line(row, racers[row.line], at_utc_ns, race, kind, file))
    return made, notes


def _line(
    row: LeagueRow, racer: NamedRacer, at_utc_ns: int, race: RaceRecord, kind: ResultKind, file: UploadedFile
) -> LineOfBoard:
    result = Result(
        result_id=f"import-{race.race_id}-{file.sha256[:16]}-{row.line}",
        revision=1,
        race_id=race.race_id,
        racer=racer.racer,
        run_id=f"line {row.line}",
        car="",
        model="",
        model_sha256="",
        laps=(),
        score_ms=row.score_ms or 0,
        finished_utc_ns=at_utc_ns,
        evidence=Evidence("", file.sha256, row.line, row.line, 0, {"source": "import"}, journal=file.name),
        kind=kind,
    )
    ranked = row.score_ms is not None
    verdict = AttemptVerdict("ranked", "", row.score_ms) if ranked else AttemptVerdict("unqualified", NO_SCORE)
    return LineOfBoard(row.line, row.cells, NewResult(result, encode_result(result), verdict, racer.name))
