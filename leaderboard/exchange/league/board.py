"""A published league board as results: every row its published score and place. Pure, but for reading the file.

A row has no laps, so its score is evidence, not computed: the result names the file, its hash and the line. Where
scores are equal the file's order stands: the result of a later row never counts from an earlier time.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping

from leaderboard.core.attempts import AttemptVerdict
from leaderboard.core.race import RaceRecord, ResultKind
from leaderboard.exchange.csv_table import CsvTable, UploadedFile
from leaderboard.exchange.import_names import ImportNames, NamedRacer
from leaderboard.exchange.league.rows import HEADINGS, LeagueColumns, LeagueRow, league_row
from leaderboard.exchange.report import MAX_ERRORS, Remarks, RowNote
from leaderboard.exchange.staging import LineOfFile, StagedKeys, staging_file
from leaderboard.store.bulk import NewResult
from shared.protocol.results import Evidence, Result, encode_result
from shared.rules.ranking import Method
from shared.text import text

NO_SCORE = text("the published board gives it no score")


_ROWS = (
    "CREATE TABLE rows (line INTEGER PRIMARY KEY, cells TEXT, racer TEXT, account TEXT, score_ms INTEGER, "
    "rank INTEGER, at_utc_ns INTEGER)"
)
_NAMES = "CREATE TABLE names (line INTEGER PRIMARY KEY, racer TEXT, name TEXT)"
_USED = "CREATE TABLE used (key TEXT PRIMARY KEY) WITHOUT ROWID"
_ADD = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)"
_NAMED = (
    "SELECT line, cells, rows.racer, account, score_ms, rank, at_utc_ns, names.racer, name FROM rows JOIN names "
    "USING (line) WHERE score_ms IS "
)


class StagedBoard:
    """The rows of a file that is ranked by `method`, what it looked like (JSON), remarks and errors.

    The rows wait in a temporary file. Raises BadInput for what is no board.
    """

    def __init__(self, file: UploadedFile, method: Method) -> None:
        table = CsvTable(file, HEADINGS)
        columns = LeagueColumns(table.heading, method, file.name)
        self._file = file
        self.notes = Remarks()
        self.errors: list[RowNote] = []
        self.heading = json.dumps(table.heading, ensure_ascii=False)
        self.dialect = json.dumps(dataclasses.asdict(table.dialect))
        self._db = staging_file(_ROWS, _NAMES, _USED)
        self._db.executemany(_ADD, self._checked(table, columns))

    def close(self) -> None:
        """Drop the temporary file."""
        self._db.close()

    def lines(
        self, race: RaceRecord, kind: ResultKind, taken: Mapping[str, str], now_utc_ns: int, remarks: Remarks
    ) -> Iterator[LineOfFile]:
        """Every row as a result, those with a place first and in its order; what was changed goes to `remarks`.

        `taken`: as ImportNames has it.
        """
        self._name(taken, remarks)
        ends_utc_ns = race.ends_utc_ns()
        fallback_utc_ns = now_utc_ns if ends_utc_ns is None else ends_utc_ns
        before: tuple[int | None, int] = (None, 0)
        for place, (row, racer) in enumerate(self._in_rank(), 1):
            at_utc_ns = fallback_utc_ns if row.at_utc_ns is None else row.at_utc_ns
            if row.score_ms == before[0] and at_utc_ns < before[1]:
                at_utc_ns = before[1]
                what = text("counts as late as the row of the same score before it")
                remarks.add([RowNote(row.line, "SubmissionTime", what)])
            before = (row.score_ms, at_utc_ns)
            if row.rank is not None and row.rank != place:
                what = text("is {rank} on the board, {place} by its score", rank=row.rank, place=place)
                remarks.add([RowNote(row.line, "Rank", what)])
            yield _line(row, racer, at_utc_ns, race, kind, self._file)
        for row, racer in self._read(f"{_NAMED} NULL ORDER BY line"):
            yield _line(row, racer, row.at_utc_ns or fallback_utc_ns, race, kind, self._file)

    def _checked(self, table: CsvTable, columns: LeagueColumns) -> Iterator[tuple[object, ...]]:
        for raw in table.rows():
            row, remarks, wrong = league_row(raw, columns)
            self.notes.add(remarks)
            self.errors += wrong
            if row is not None:
                cells = json.dumps(row.cells, ensure_ascii=False)
                yield row.line, cells, row.racer, row.account, row.score_ms, row.rank, row.at_utc_ns
            if len(self.errors) >= MAX_ERRORS:
                return

    def _name(self, taken: Mapping[str, str], remarks: Remarks) -> None:
        for statement in ("DELETE FROM names", "DELETE FROM used"):
            self._db.execute(statement)
        names = ImportNames(taken, StagedKeys(self._db, "used"))
        for line, written in self._db.execute("SELECT line, racer FROM rows ORDER BY line"):
            made: list[RowNote] = []
            named = names.of_row(line, written, made)
            remarks.add(made)
            self._db.execute("INSERT INTO names VALUES (?, ?, ?)", (line, named.racer, named.name))

    def _in_rank(self) -> Iterator[tuple[LeagueRow, NamedRacer]]:
        """The rows with a score, the best first; equal ones by their published places, or as they stand in the file."""
        without = "SELECT EXISTS (SELECT 1 FROM rows WHERE score_ms IS NOT NULL AND rank IS NULL)"
        order = "line" if self._db.execute(without).fetchone()[0] else "rank, line"
        return self._read(f"{_NAMED} NOT NULL ORDER BY score_ms, {order}")

    def _read(self, query: str) -> Iterator[tuple[LeagueRow, NamedRacer]]:
        for line, cells, *figures, racer, name in self._db.execute(query):
            yield LeagueRow(line, tuple(json.loads(cells)), *figures), NamedRacer(racer, name)


def _line(
    row: LeagueRow, racer: NamedRacer, at_utc_ns: int, race: RaceRecord, kind: ResultKind, file: UploadedFile
) -> LineOfFile:
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
    return LineOfFile(row.line, NewResult(result, encode_result(result), verdict, racer.name), row.cells)
