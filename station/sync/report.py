"""What the station's page says about sync, read from sync.db without disturbing its writer."""

import pathlib

import apsw

from shared.errors import StorageError
from shared.results import Later, Rejected
from station.sync.attempts import Record, read_records
from station.sync.database import has_table, open_reading, storage_errors
from station.sync.lock import is_held
from station.view import SyncView

DATABASE = "sync.db"
LOCK = "sync.lock"


class SyncReport:
    """Reads the folder of the station's data; sync may never have run. Never raises."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self._path = data_dir / DATABASE
        self._lock = data_dir / LOCK
        self._db: apsw.Connection | None = None

    def view(self, due: int) -> SyncView:
        """`due`: how many outbox rows the station has committed so far."""
        alive = is_held(self._lock)
        try:
            return summary(self._records(), due, alive)
        except StorageError as error:
            return SyncView(due, 0, due, 0, alive, str(error))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _records(self) -> list[Record]:
        if self._db is None and self._path.exists():
            self._db = open_reading(self._path)
        with storage_errors(self._path):
            ready = self._db is not None and has_table(self._db, "answers")
        if self._db is None or not ready:
            return []
        return read_records(self._db, self._path)


def summary(records: list[Record], due: int, alive: bool) -> SyncView:
    """Counts, and one sentence: the newest trouble, or that there is none."""
    posted = sum(record.state == "confirmed" for record in records)
    rejected = sum(record.state == "rejected" for record in records)
    pending = max(0, due - posted - rejected)
    return SyncView(due, posted, pending, rejected, alive, _sentence(records, due, pending, alive))


def _sentence(records: list[Record], due: int, pending: int, alive: bool) -> str:
    if not alive and pending:
        return "The sync service does not run: results wait on this station's disk."
    troubles = [record for record in records if record.state != "confirmed"]
    if troubles:
        newest = max(troubles, key=lambda record: record.last_utc_ns)
        return _trouble(newest)
    if pending:
        return "Posting."
    return "Every result is posted." if due else "No result is due yet."


def _trouble(record: Record) -> str:
    match record.answer:
        case Rejected(reason, status):
            return f"{record.result_id} was rejected ({status}): {reason}"
        case Later(reason):
            return f"{reason} {record.result_id} waits ({_tries(record.attempts)})."
        case _:
            return f"{record.result_id} was sent; its answer is awaited ({_tries(record.attempts)})."


def _tries(attempts: int) -> str:
    return "1 try so far" if attempts == 1 else f"{attempts} tries so far"
