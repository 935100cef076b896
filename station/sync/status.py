"""Reads from sync.db what the station's pages show about sync, without disturbing its writer."""

import pathlib

import apsw

from shared.errors import StorageError
from shared.files import hold_lock, is_locked
from shared.protocol.results import PostDeferred, PostRejected
from shared.text import ntext, text
from station.store.database import has_table, open_reading, storage_errors
from station.sync.attempts import PostingRecord, read_records, read_target
from station.sync.leaderboard_check import Target
from station.sync.schedule import PostedWithOtherScore, score_mismatch
from station.views.system_views import ResultProblem, SyncView

DATABASE = "sync.db"
LOCK = "sync.lock"
MAX_PROBLEMS = 20  # as many lines as a person reads


def hold_sync_lock(data_dir: pathlib.Path) -> int:
    """Locks the folder for one sync process, for as long as this process lives; returns the lock's descriptor.

    Raises OperatorError if another sync process runs on it.
    """
    return hold_lock(data_dir / LOCK, "another sync process already posts for this station")


class SyncStatusReader:
    """Reads the state of sync from the station's data folder; sync may never have run."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self._path = data_dir / DATABASE
        self._lock = data_dir / LOCK
        self._db: apsw.Connection | None = None

    def view(self, due: int) -> SyncView:
        """What the pages show of sync; never raises. `due`: how many outbox rows the station has committed so far."""
        alive = is_locked(self._lock)
        try:
            records = self._records()
            return summary(records, due, alive, self._target())
        except StorageError as error:
            return SyncView(due, 0, due, 0, alive, str(error))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _records(self) -> list[PostingRecord]:
        if self._db is None and self._path.exists():
            self._db = open_reading(self._path)
        with storage_errors(self._path):
            ready = self._db is not None and has_table(self._db, "answers")
        if self._db is None or not ready:
            return []
        return read_records(self._db, self._path)

    def _target(self) -> Target | None:
        if self._db is None or not has_table(self._db, "targets"):
            return None
        return read_target(self._db, self._path)


def summary(records: list[PostingRecord], due: int, alive: bool, target: Target | None = None) -> SyncView:
    """What the pages show: counts, the newest problems, and one sentence: the newest problem, or that there is none.

    `due`: how many outbox rows there are; `alive`: whether a sync process runs; `target`: the race at the leaderboard.
    """
    posted = sum(record.state == "confirmed" for record in records)
    rejected = sum(record.state == "rejected" for record in records)
    pending = max(0, due - posted - rejected)
    sentence = _sentence(records, due, pending, alive)
    if target is not None and target.readiness == "unknown":
        sentence = target.sentence
    problems = tuple(_line(record) for record in _problems(records)[:MAX_PROBLEMS])
    aim = target or Target("", "away", "")
    return SyncView(due, posted, pending, rejected, alive, sentence, problems, aim.readiness == "unknown", aim.sentence)


def _sentence(records: list[PostingRecord], due: int, pending: int, alive: bool) -> str:
    if not alive and pending:
        return text("The sync service is not running: results wait on this station's disk.")
    problems = _problems(records)
    if problems:
        return _problem(problems[0])
    if pending:
        return "Posting."
    return text("Every result is posted.") if due else text("No result is due yet.")


def _problems(records: list[PostingRecord]) -> list[PostingRecord]:
    """The records that are not settled, were rejected, or have another score at the leaderboard, newest first."""
    problems = [r for r in records if r.state != "confirmed" or isinstance(r.answer, PostedWithOtherScore)]
    return sorted(problems, key=lambda record: record.last_utc_ns, reverse=True)


def _line(record: PostingRecord) -> ResultProblem:
    state = "other score" if isinstance(record.answer, PostedWithOtherScore) else record.state
    return ResultProblem(record.result_id, record.revision, state, _problem(record))


def _problem(record: PostingRecord) -> str:
    if record.reopened:
        return text("{result_id} is sent again, as requested.", result_id=record.result_id)
    match record.answer:
        case PostedWithOtherScore():
            return text(
                "{result_id} is posted, but {why}",
                result_id=record.result_id,
                why=score_mismatch(record.answer),
            )
        case PostRejected(reason, status):
            return text(
                "{result_id} was rejected ({status}): {reason}",
                result_id=record.result_id,
                status=status,
                reason=reason,
            )
        case PostDeferred(reason):
            return f"{reason} {record.result_id} waits ({_tries(record.attempts)})."
        case _:
            return text(
                "{result_id} was sent; its answer is awaited ({words}).",
                result_id=record.result_id,
                words=_tries(record.attempts),
            )


def _tries(attempts: int) -> str:
    return ntext("{n} try so far", "{n} tries so far", n=attempts)
