"""Reads the station's outbox for sync: station.db, opened read-only, its rows in the order they were committed."""

import pathlib
from typing import Any

import apsw

from station.store.database import has_table, open_reading, storage_error, storage_errors
from station.store.file_presence import FileId, file_identity
from station.sync.schedule import OutboxRow

_SET = """
SELECT input ->> '$[1].utc_ms', input ->> '$[1].moment.at_ns' FROM (
  SELECT seq, CAST(input AS TEXT) AS input FROM journal WHERE substr(input, 1, 12) = CAST('["SetClock",' AS BLOB)
    AND instr(facts, CAST('["CommandRefused"' AS BLOB)) = 0)
WHERE input ->> '$[1].moment.boot' = ? ORDER BY seq DESC LIMIT 1
"""


class OutboxReader:
    """Reads rows as the station appends them; the file may not be there yet. Raises StorageError."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._db: apsw.Connection | None = None
        self._last_seq = 0
        self._file: FileId | None = None
        self.count = 0  # how many rows were read so far, which is how many results are due

    def new_rows(self) -> list[OutboxRow]:
        """The rows committed since the last call; the first call gives all of them."""
        db = self._connection()
        if db is None:
            return []
        new = "SELECT seq, result_id, revision, payload FROM outbox WHERE seq > ? ORDER BY seq"
        try:
            rows: list[tuple[Any, ...]] = db.execute(new, (self._last_seq,)).fetchall()
        except apsw.Error as error:
            raise storage_error(self._path, error) from None
        if rows:
            self._last_seq = rows[-1][0]
            self.count += len(rows)
        return [
            # A payload that is not a BLOB is damaged: it is refused with a sentence when it is due, and stops no other.
            OutboxRow(seq, str(result_id), revision, payload if isinstance(payload, bytes) else b"")
            for seq, result_id, revision, payload in rows
        ]

    def offset_ns(self, boot: str) -> int | None:
        """UTC minus monotonic ns, as an official last set it within `boot`; None if nobody did."""
        db = self._connection()
        if db is None:
            return None
        with storage_errors(self._path):
            rows: list[tuple[Any, ...]] = db.execute(_SET, (boot,)).fetchall() if has_table(db, "journal") else []
        return None if not rows else int(str(rows[0][0])) * 1_000_000 - int(str(rows[0][1]))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _connection(self) -> apsw.Connection | None:
        now = file_identity(self._path)
        if self._db is not None and now is not None and now != self._file:
            # Another journal is there now (a backup, or the successor of a damaged one): read it from its beginning.
            self._db.close()
            self._db, self._last_seq, self.count = None, 0, 0
        if self._db is None and self._path.exists():
            db = open_reading(self._path)
            with storage_errors(self._path):
                ready = has_table(db, "outbox")
            if not ready:
                db.close()
                return None
            self._db, self._file = db, now
        return self._db
