"""Imports a file into a race: checked whole first, then stored in one transaction, or not at all.

Called by the API while the leaderboard serves, and by the command while it does not. The same file goes into a race
once: a repeat changes nothing.
"""

import dataclasses
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, UnknownRace
from leaderboard.core.race import RaceRecord, ResultKind
from leaderboard.core.rank import BestAttempt, LineKey
from leaderboard.exchange.csv_table import UploadedFile, encoding_remark
from leaderboard.exchange.import_names import ImportNames
from leaderboard.exchange.laps import drem, metrics
from leaderboard.exchange.laps.runs import LapRun, LapRuns, results_of_runs
from leaderboard.exchange.league.board import LeagueBoard, LineOfBoard, lines_of_board, read_board
from leaderboard.exchange.report import ImportReport, RowNote
from leaderboard.exchange.request import ImportRequest, race_of
from leaderboard.league import changes
from leaderboard.rescoring import rescore_racer
from leaderboard.store import audit, bulk, league_rows, race_rows
from leaderboard.store.bulk import ImportedFile, ImportedRow, NewResult
from leaderboard.store.database import Store
from leaderboard.store.tables import RESULTS
from shared.errors import Refused
from shared.rules.ranking import Method
from shared.text import text


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that an import would store."""

    race: RaceRecord
    is_new: bool
    results: tuple[NewResult, ...]
    lines: tuple[LineOfBoard, ...]  # of a published board
    new_racers: tuple[str, ...]
    heading: str
    dialect: str
    report: ImportReport


def import_file(
    store: Store, request: ImportRequest, file: UploadedFile, caller: Caller, now_utc_ns: int
) -> ImportReport:
    """Import the file; the report says what was stored, or by line why nothing was.

    Raises UnknownRace; Conflict, Refused where the race cannot take it; BadInput for a file of another kind.
    """
    content = _Content(request, file)
    with store.read() as db:
        plan = _plan(db, content, now_utc_ns)
    if request.dry_run or plan.report.outcome != "checked":
        return plan.report
    with store.write() as db:
        if not plan.is_new:
            race_rows.race(db, request.race_id, for_change=True)
        plan = _plan(db, content, now_utc_ns)  # again: the race may have changed since
        if plan.report.outcome == "checked":
            _apply(db, plan, request, file, caller, now_utc_ns)
            return dataclasses.replace(plan.report, outcome="imported")
    return plan.report


class _Content:
    """What the file holds, read once although it is planned with twice."""

    def __init__(self, request: ImportRequest, file: UploadedFile) -> None:
        self.request, self.file = request, file
        self._boards: dict[Method, LeagueBoard] = {}
        self._runs: LapRuns | None = None

    def board(self, method: Method) -> LeagueBoard:
        if method not in self._boards:
            self._boards[method] = read_board(self.file, method)
        return self._boards[method]

    def runs(self) -> LapRuns:
        if self._runs is None:
            self._runs = (
                drem.read(self.file, self.request.only_track)
                if self.request.format == "drem"
                else metrics.read(self.file, self.request)
            )
        return self._runs


def _plan(db: sa.Connection, content: _Content, now_utc_ns: int) -> _Plan:
    request, file = content.request, content.file
    race, is_new = _race(db, request, now_utc_ns)
    report = ImportReport("checked", race.race_id, file.name, file.sha256)
    if any(each.sha256 == file.sha256 for each in bulk.imported(db, race.race_id)):
        return _nothing(race, dataclasses.replace(report, outcome="imported_before"))
    if not is_new:
        _check_agrees(race, request)
    kind = request.kind if race.venue == "any" else race.venue
    taken = bulk.spellings(db, race.race_id)
    if request.format == "league":
        _check_empty(db, race)
        return _plan_of_board(content.board(race.rules.method), race, is_new, kind, file, taken, report, now_utc_ns)
    return _plan_of_runs(db, content.runs(), race, is_new, kind, request, file, taken, report, now_utc_ns)


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


def _nothing(race: RaceRecord, report: ImportReport) -> _Plan:
    return _Plan(race, False, (), (), (), "", "", report)


def _first_notes(file: UploadedFile) -> tuple[RowNote, ...]:
    remark = encoding_remark(file)
    return (RowNote(0, "encoding", remark),) if remark else ()


def _plan_of_board(
    board: LeagueBoard,
    race: RaceRecord,
    is_new: bool,
    kind: ResultKind,
    file: UploadedFile,
    taken: dict[str, str],
    report: ImportReport,
    now_utc_ns: int,
) -> _Plan:
    notes = _first_notes(file) + board.notes
    if board.errors:
        refused = dataclasses.replace(report, outcome="refused", notes=notes, errors=board.errors)
        return _nothing(race, refused)
    lines, changes = lines_of_board(board, race, kind, file, ImportNames(taken), now_utc_ns)
    ranked = sum(line.new.score_ms is not None for line in lines)
    every = tuple(sorted((*notes, *changes), key=lambda note: note.line))
    full = dataclasses.replace(report, rows=len(lines), ranked=ranked, racers=ranked, notes=every)
    racers = {line.new.result.racer for line in lines} - set(taken.values())
    results = tuple(line.new for line in lines)
    return _Plan(race, is_new, results, tuple(lines), tuple(sorted(racers)), board.heading, board.dialect, full)


def _plan_of_runs(
    db: sa.Connection,
    runs: LapRuns,
    race: RaceRecord,
    is_new: bool,
    kind: ResultKind,
    request: ImportRequest,
    file: UploadedFile,
    taken: dict[str, str],
    report: ImportReport,
    now_utc_ns: int,
) -> _Plan:
    notes = list(_first_notes(file) + runs.notes)
    new, known = _told_apart(db, race, runs)
    notes += [RowNote(run.line, "run", text("was imported before: it stays as it is")) for run in known]
    results, changes, errors = results_of_runs(new, race, kind, request, file, ImportNames(taken), now_utc_ns)
    notes += changes
    if wrong := (*runs.errors, *errors):
        return _nothing(race, dataclasses.replace(report, outcome="refused", notes=tuple(notes), errors=wrong))
    scored = [each for each in results if each.score_ms is not None]
    racers = {each.result.racer for each in results}
    full = dataclasses.replace(
        report, rows=len(results), ranked=len(scored), racers=len(racers), notes=tuple(notes), errors=()
    )
    return _Plan(race, is_new, tuple(results), (), tuple(sorted(racers - set(taken.values()))), "", "", full)


def _told_apart(db: sa.Connection, race: RaceRecord, runs: LapRuns) -> tuple[list[LapRun], list[LapRun]]:
    """The runs that are new to the race, and those that an earlier file brought."""
    query = sa.select(RESULTS.c.result_id).where(RESULTS.c.race_id == race.race_id)
    stored = set(db.execute(query).scalars())
    known = [run for run in runs.runs if run.result_id(race.race_id) in stored]
    return [run for run in runs.runs if run not in known], known


def _apply(
    db: sa.Connection, plan: _Plan, request: ImportRequest, file: UploadedFile, caller: Caller, now_utc_ns: int
) -> None:
    race = plan.race
    if plan.is_new:
        changes.add_race(db, caller, race, now_utc_ns, f"imported from {file.name}")
    bulk.add_racers(db, race.race_id, plan.new_racers)
    names = {each.result.racer: each.name for each in plan.results}
    bulk.add_entries(db, race.race_id, names, now_utc_ns)
    seqs = bulk.add_results(db, plan.results, now_utc_ns)
    actor = audit.actor_of(caller)
    entry = ImportedFile(
        race.race_id, file.sha256, request.format, file.name, plan.heading, plan.dialect, actor, now_utc_ns
    )
    bulk.add_import(db, entry)
    if request.format == "league":
        rows = [
            ImportedRow(line.line, seq, place if line.new.score_ms is not None else None, line.cells)
            for place, (line, seq) in enumerate(zip(plan.lines, seqs, strict=True), 1)
        ]
        bulk.add_imported_rows(db, entry, rows)
        bulk.add_lines(db, race.race_id, _lines(race, plan.results, seqs), names)
        race_rows.bump(db, race.race_id, {})
    else:
        keys = sorted({LineKey(race.table_of(each.result.kind), each.result.racer) for each in plan.results})
        race_rows.bump(db, race.race_id, {key: rescore_racer(db, race, key)[0] for key in keys})
    after = {"file": file.name, "sha256": file.sha256, "format": request.format, "rows": len(plan.results)}
    audit.record(db, caller, now_utc_ns, "results.import", f"race:{race.race_id}", None, after,
                 race_id=race.race_id, season_id=race.season_id)  # fmt: skip


def _lines(race: RaceRecord, results: tuple[NewResult, ...], seqs: list[int]) -> list[BestAttempt]:
    """The line of each racer of a published board, who has one result each."""
    return [
        BestAttempt(
            each.result.racer,
            each.score_ms,
            each.result.finished_utc_ns,
            seq,
            seq,
            1,
            race.table_of(each.result.kind),
        )
        for each, seq in zip(results, seqs, strict=True)
        if each.score_ms is not None
    ]
