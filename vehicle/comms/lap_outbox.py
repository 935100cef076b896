"""Laps that the station has not acknowledged yet, on the car's disk. One connection, one thread.

A number is never used twice, not even after a restart: the station recognises a repeat by `(boot, seq)`. It uses a
rollback journal, since the standard library's SQLite may have the WAL reset bug. Synchronous EXTRA and not FULL: a
transaction is committed by the end of the journal's file, which FULL does not sync, so that a power cut may bring the
journal back and with it undo the last lap (sqlite.org/pragma.html#pragma_synchronous).
"""

import pathlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from shared.errors import StorageError
from shared.protocol.messages import CarLap

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS laps (seq INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, lap TEXT NOT NULL)"
)
_LAP = TypeAdapter(CarLap)


@dataclass(frozen=True, slots=True)
class QueuedLap:
    """One lap report with its permanent number."""

    boot: str
    seq: int
    lap: CarLap


class LapOutbox:
    """The outbox in the file `path`. Methods raise StorageError when the disk refuses; then nothing was stored.

    `log` gets one sentence for each row that was damaged on the disk.
    """

    def __init__(self, path: pathlib.Path, log: Callable[[str], None] = lambda _sentence: None) -> None:
        self._path, self._log = path, log
        self._damaged: set[int] = set()  # rows that were logged
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=2.0)
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.execute(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise self._storage_error(error) from None

    def add(self, lap: CarLap) -> QueuedLap:
        """Store a lap and return it with its number; once this returns, it survives a power cut."""
        try:
            with self._db:
                cursor = self._db.execute(
                    "INSERT INTO laps (boot, lap) VALUES (?, ?)", (lap.car_boot, _LAP.dump_json(lap).decode())
                )
        except sqlite3.Error as error:
            raise self._storage_error(error) from None
        assert cursor.lastrowid is not None
        return QueuedLap(lap.car_boot, cursor.lastrowid, lap)

    def pending(self) -> list[QueuedLap]:
        """All unacknowledged laps, oldest first. A row that was damaged on the disk is left out, and logged once."""
        try:
            rows = self._db.execute("SELECT boot, seq, lap FROM laps ORDER BY seq").fetchall()
        except sqlite3.Error as error:
            raise self._storage_error(error) from None
        queued = []
        for boot, seq, text in rows:
            try:
                queued.append(QueuedLap(boot, seq, _LAP.validate_json(text)))
            except ValidationError:
                self._report_damaged(seq)
        return queued

    def remove(self, boot: str, seq: int) -> None:
        """Delete an acknowledged lap; one that is not there changes nothing."""
        try:
            self._db.execute("DELETE FROM laps WHERE boot = ? AND seq = ?", (boot, seq))
        except sqlite3.Error as error:
            raise self._storage_error(error) from None

    def close(self) -> None:
        """Close the file; idempotent."""
        self._db.close()

    def _report_damaged(self, seq: int) -> None:
        if seq not in self._damaged:
            self._damaged.add(seq)
            why = "is damaged on the disk and cannot be sent; the station's gate timed it."
            self._log(f"{self._path}: lap report {seq} {why}")

    def _storage_error(self, error: Exception) -> StorageError:
        return StorageError(
            f"{self._path}: the outbox of laps cannot be used ({error}): free space on the disk or choose another file."
        )
