"""Imports a file into a race: checked whole first, then stored in one transaction, or not at all.

The rows go by one after the other, and wait in a temporary file (exchange/staging.py): memory holds some at a time.

Called by the API while the leaderboard serves, and by the command while it does not. The same file goes into a race
once: a repeat changes nothing.
"""

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, UnknownRace
from leaderboard.core.race import RaceRecord, ResultKind
from leaderboard.core.rank import LineKey
from leaderboard.exchange.csv_table import UploadedFile, encoding_remark
from leaderboard.exchange.import_names import ImportNames
from leaderboard.exchange.laps import drem, metrics
from leaderboard.exchange.laps.runs import LapRuns, results_of_runs
from leaderboard.exchange.league.board import StagedBoard
from leaderboard.exchange.report import ImportReport, Outcome, Remarks, RowNote
from leaderboard.exchange.request import ImportRequest, race_of
from leaderboard.exchange.staging import LineOfFile
from leaderboard.exchange.storing import FileWriter
from leaderboard.league import changes
from leaderboard.store import audit, bulk, league_rows, race_rows
from leaderboard.store.bulk import ImportedFile
from leaderboard.store.database import Store
from leaderboard.store.tables import RESULTS
from shared.errors import Refused
from shared.rules.ranking import Method
from shared.text import text


class _Refused(Exception):
    """Ends the transaction: nothing of the file is stored."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__(report)
        self.report = report


def import_file(
    store: Store, request: ImportRequest, file: UploadedFile, caller: Caller, now_utc_ns: int
) -> ImportReport:
    """Import the file; the report says what was stored, or by line why nothing was.

    Raises UnknownRace; Conflict, Refused where the race cannot take it; BadInput for a file of another kind.
    """
    with contextlib.closing(_Content(request, file)) as content:
        with store.read() as db:
            going = _Passage.begun(db, content, now_utc_ns)
            for _ in going.lines(db):
                pass
            report = going.report()
        if request.dry_run or report.outcome != "checked":
            return report
        try:
            with store.write() as db:
                if not going.is_new:
                    race_rows.race(db, request.race_id, for_change=True)
                # Again: the race may have changed since.
                return _apply(db, _Passage.begun(db, content, now_utc_ns), caller, now_utc_ns)
        except _Refused as refused:
            return refused.report


class _Content:
    """What the file holds, read once although it is gone through twice: to check it, and to store it."""

    def __init__(self, request: ImportRequest, file: UploadedFile) -> None:
        self.request, self.file = request, file
        self._boards: dict[Method, StagedBoard] = {}
        self._runs: LapRuns | None = None

    def board(self, method: Method) -> StagedBoard:
        if method not in self._boards:
            self._boards[method] = StagedBoard(self.file, method)
        return self._boards[method]

    def runs(self) -> LapRuns:
        if self._runs is None:
            self._runs = (
                drem.DremRuns(self.file, self.request.only_track)
                if self.request.format == "drem"
                else metrics.read(self.file, self.request)
            )
        return self._runs

    def close(self) -> None:
        for board in self._boards.values():
            board.close()
        if self._runs is not None:
            self._runs.close()


@dataclass(slots=True)
class _Passage:
    """One way through a file, row by row, and what was met on it. `taken`: as ImportNames has it."""

    content: _Content
    race: RaceRecord
    is_new: bool
    now_utc_ns: int
    before: bool = False  # the file was imported before
    taken: dict[str, str] = field(default_factory=dict)
    remarks: Remarks = field(default_factory=Remarks)
    errors: list[RowNote] = field(default_factory=list)
    rows: int = 0
    ranked: int = 0
    racers: set[str] = field(default_factory=set)  # of runs: one may have several

    @classmethod
    def begun(cls, db: sa.Connection, content: _Content, now_utc_ns: int) -> "_Passage":
        """Check that the race takes such a file, and read it. Raises what `import_file` raises."""
        request, sha256 = content.request, content.file.sha256
        race, is_new = _race(db, request, now_utc_ns)
        if any(each.sha256 == sha256 for each in bulk.imported(db, race.race_id)):
            return cls(content, race, is_new, now_utc_ns, before=True)
        if not is_new:
            _check_agrees(race, request)
        if request.format == "league":
            _check_empty(db, race)
        source = content.board(race.rules.method) if request.format == "league" else content.runs()
        remarks = source.notes.copy()
        if remark := encoding_remark(content.file):
            remarks.add([RowNote(0, "encoding", remark)])
        taken = bulk.spellings(db, race.race_id)
        return cls(content, race, is_new, now_utc_ns, False, taken, remarks, list(source.errors))

    def lines(self, db: sa.Connection) -> Iterator[LineOfFile]:
        """The rows as they are stored, in the order in which they are; none of a file with errors."""
        if self.before or (self.errors and self.content.request.format == "league"):
            return
        for line in self._board() if self.content.request.format == "league" else self._runs(db):
            self.rows += 1
            self.ranked += line.new.score_ms is not None
            yield line

    def report(self) -> ImportReport:
        """What can be said once all lines were met."""
        race_id, file = self.race.race_id, self.content.file
        outcome: Outcome = "imported_before" if self.before else "refused" if self.errors else "checked"
        notes, errors = self.remarks.by_line(), tuple(self.errors)
        report = ImportReport(outcome, race_id, file.name, file.sha256, 0, 0, 0, notes, errors, self.remarks.left_out)
        if outcome != "checked":
            return report
        racers = self.ranked if self.content.request.format == "league" else len(self.racers)
        return dataclasses.replace(report, rows=self.rows, ranked=self.ranked, racers=racers)

    @property
    def kind(self) -> ResultKind:
        return self.content.request.kind if self.race.venue == "any" else self.race.venue

    def _board(self) -> Iterator[LineOfFile]:
        board = self.content.board(self.race.rules.method)
        return board.lines(self.race, self.kind, self.taken, self.now_utc_ns, self.remarks)

    def _runs(self, db: sa.Connection) -> Iterator[LineOfFile]:
        content, names, race_id = self.content, ImportNames(self.taken), self.race.race_id
        for runs in bulk.parts(content.runs()):
            known = bulk.stored(db, [run.result_id(race_id) for run in runs])
            new = [run for run in runs if run.result_id(race_id) not in known]
            what = text("was imported before: it stays as it is")
            self.remarks.add(RowNote(run.line, "run", what) for run in runs if run.result_id(race_id) in known)
            for line in results_of_runs(
                new, self.race, self.kind, content.request, content.file, names, self.now_utc_ns, self.remarks,
                self.errors,
            ):  # fmt: skip
                self.racers.add(line.new.result.racer)
                yield line


def _race(db: sa.Connection, request: ImportRequest, now_utc_ns: int) -> tuple[RaceRecord, bool]:
    """The race, and whether it is still to be made."""
    try:
        return race_rows.race(db, request.race_id), False
    except UnknownRace as unknown:
        if request.create is None:
            raise UnknownRace(text("{unknown} With its `timing_method` it is created.", unknown=str(unknown))) from None
        race = race_of(request, now_utc_ns)
        if race.season_id:
            league_rows.season(db, race.season_id)
        return race, True


def _check_agrees(race: RaceRecord, request: ImportRequest) -> None:
    if race.stage in ("final", "deleted"):
        final = text("Race {race_id} is final: nothing is imported into it.", race_id=repr(race.race_id))
        deleted = text("Race {race_id} is deleted: nothing is imported into it.", race_id=repr(race.race_id))
        raise Refused(final if race.stage == "final" else deleted)
    if request.must_be_new:
        raise Conflict(
            text(
                "There is a race {race_id} already: leave out `create`, or choose another id.",
                race_id=repr(race.race_id),
            )
        )
    if request.create is None:
        return
    for rule in request.given_rules:
        has, given = getattr(race.rules, rule), getattr(request.create.rules, rule)
        if has != given:
            raise Refused(
                text(
                    "Race {race_id} has the rule `{rule}` {has}, the import says {given}: leave it out.",
                    race_id=repr(race.race_id),
                    rule=rule,
                    has=has,
                    given=given,
                )
            )


def _check_empty(db: sa.Connection, race: RaceRecord) -> None:
    query = sa.select(sa.func.count()).select_from(RESULTS).where(RESULTS.c.race_id == race.race_id)
    if count := db.execute(query).scalar_one():
        raise Refused(
            text(
                "Race {race_id} has {count} results; a published board goes into a race without any: "
                "choose another, or create one for it.",
                race_id=repr(race.race_id),
                count=count,
            )
        )


def _apply(db: sa.Connection, going: _Passage, caller: Caller, now_utc_ns: int) -> ImportReport:
    """Store the lines one part after the other, in this transaction. Raises _Refused, which undoes it."""
    if going.before:
        return going.report()
    race, request, file = going.race, going.content.request, going.content.file
    if going.is_new:
        changes.add_race(db, caller, race, now_utc_ns, f"imported from {file.name}")
    board = going.content.board(race.rules.method) if request.format == "league" else None
    heading, dialect = (board.heading, board.dialect) if board is not None else ("", "")
    entry = ImportedFile(
        race.race_id, file.sha256, request.format, file.name, heading, dialect, audit.actor_of(caller), now_utc_ns
    )
    bulk.add_import(db, entry)
    writer = FileWriter(db, race, set(going.taken.values()), now_utc_ns)
    for part in bulk.parts(going.lines(db)):
        if board is not None:
            writer.add_board(entry, part)
        else:
            writer.add_runs(part)
    report = going.report()
    if report.outcome == "refused":
        raise _Refused(report)
    if board is not None:
        writer.finish_board(race.table_of(going.kind) if going.ranked else None)
    else:
        writer.finish_runs({LineKey(race.table_of(going.kind), racer) for racer in going.racers})
    after = {"file": file.name, "sha256": file.sha256, "format": request.format, "rows": going.rows}
    audit.record(db, caller, now_utc_ns, "results.import", f"race:{race.race_id}", None, after,
                 race_id=race.race_id, season_id=race.season_id)  # fmt: skip
    return dataclasses.replace(report, outcome="imported")
