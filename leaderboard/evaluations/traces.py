"""Traces of runs: farms bring them, racers replay and download them. Safe to call from any thread.

A run on the board may be replayed by whoever may see the race, beside any other, as everybody may look on at a track.
A run that is not ranked is its racer's own.
"""

from collections.abc import Iterator

from leaderboard.board import LeaderboardService
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, NotHere
from leaderboard.core.evaluations.replays import ReplayRun
from leaderboard.core.race import RaceRecord
from leaderboard.evaluations.claims import check_farm
from leaderboard.store import entries, result_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import trace_rows
from leaderboard.submissions.service import SubmissionService
from shared.errors import BadInput
from shared.protocol.results import Result
from shared.text import text
from shared.traces.encoding import decode, trace_sha256
from shared.traces.trace import DriveTrace

MAX_TRACE_BYTES = 512 * 1024
SHOWN = 100  # lines of the board whose runs can be chosen


class RunTraces:
    """The traces of one store."""

    def __init__(self, store: Store, board: LeaderboardService, submissions: SubmissionService) -> None:
        self._store, self._board, self._submissions = store, board, submissions

    def keep(self, caller: Caller, wanted_sha256: str, file: bytes, now_utc_ns: int) -> None:
        """Keep the trace that a farm brings; the same again changes nothing. Raises BadInput, Conflict, NotAllowed."""
        check_farm(caller)
        found = trace_sha256(decode(file))
        if found != wanted_sha256:
            raise Conflict(text("The trace has the hash {found}, not the one in the address.", found=found))
        with self._store.write() as db:
            trace_rows.keep(db, found, file, now_utc_ns)

    def runs(self, race: RaceRecord, caller: Caller) -> tuple[ReplayRun, ...]:
        """The runs that the caller may replay: of the first on the board in their order, then the caller's own."""
        found: dict[str, ReplayRun] = {}
        for run in (*self._ranked(race), *self._own(race, caller)):
            found.setdefault(run.key, run)
        with self._store.read() as db:
            kept = trace_rows.kept(db, [run.trace_sha256 for run in found.values()])
        return tuple(run for run in found.values() if run.trace_sha256 in kept)

    def file(self, run: ReplayRun) -> bytes:
        """The file of a run's trace. Raises NotHere if it is not kept."""
        with self._store.read() as db:
            stored = trace_rows.file(db, run.trace_sha256)
        if stored is None:
            raise NotHere(text("The trace of this run is not kept."))
        return stored

    def of_submission(self, caller: Caller, submission_id: str, now_utc_ns: int) -> bytes:
        """The trace of the run that is the submission's result. Raises UnknownSubmission, NotHere."""
        submission = self._submissions.submission(caller, submission_id, now_utc_ns).submission
        with self._store.read() as db:
            runs = result_rows.runs_of(db, submission.race_id, submission.racer)
            results = [result for _, result in runs if result.result_id == submission.result_id]
            stored = trace_rows.file(db, results[0].evidence.journal_head) if results else None
        if stored is None:
            raise NotHere(text("There is no trace of this submission: it was not driven to its end yet."))
        return stored

    def _ranked(self, race: RaceRecord) -> Iterator[ReplayRun]:
        for table in race.tables():
            if table == "physical":
                continue
            for row in self._board.snapshot(race.race_id, SHOWN, table).rows:
                if row.result.kind == "virtual":
                    yield _replay_run(row.result, row.name)

    def _own(self, race: RaceRecord, caller: Caller) -> Iterator[ReplayRun]:
        if not caller.signed_in:
            return
        with self._store.read() as db:
            entry = entries.of_account(db, race.race_id, caller.account_id)
            runs = [] if entry is None else result_rows.runs_of(db, race.race_id, entry.racer)
        for _, result in runs:
            if result.kind == "virtual" and entry is not None:
                yield _replay_run(result, entry.name)


def read_kept(file: bytes) -> DriveTrace:
    """The trace in a file that was checked when it came."""
    try:
        return decode(file)
    except BadInput as error:
        raise AssertionError("a kept trace is one that could be read") from error


def _replay_run(result: Result, name: str) -> ReplayRun:
    score_ms = result.score_ms if result.qualified else None
    return ReplayRun(result.result_id, name, score_ms, result.evidence.journal_head)
