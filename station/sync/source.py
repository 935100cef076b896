"""The station's outbox as sync sees it: station.db, opened read-only, rows in the order they were committed."""

import pathlib
from typing import Any

import apsw

from station.store.presence import FileId, file_identity
from station.sync.database import has_table, open_reading, storage_errors
from station.sync.outbox import Row


class OutboxReader:
    """Reads rows as the station appends them; the file may not be there yet. Raises StorageError."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._db: apsw.Connection | None = None
        self._last_seq = 0
        self._file: FileId | None = None

    def new_rows(self) -> list[Row]:
        """The rows committed since the last call; the first call gives all of them."""
        db = self._opened()
        if db is None:
            return []
        with storage_errors(self._path):
            found: list[tuple[Any, ...]] = db.execute(
                "SELECT seq, result_id, revision, payload FROM outbox WHERE seq > ? ORDER BY seq", (self._last_seq,)
            ).fetchall()
        if found:
            self._last_seq = found[-1][0]
        return [Row(seq, result_id, revision, bytes(payload)) for seq, result_id, revision, payload in found]

    def close(self) -> None:
        if self._db is not None:
            self._db.close()

    def _opened(self) -> apsw.Connection | None:
        now = file_identity(self._path)
        if self._db is not None and now is not None and now != self._file:
            # Another journal lies there now (a backup, or one that goes on for a damaged one): from its beginning.
            self._db.close()
            self._db, self._last_seq = None, 0
        if self._db is None and self._path.exists():
            db = open_reading(self._path)
            with storage_errors(self._path):
                ready = has_table(db, "outbox")
            if not ready:
                db.close()
                return None
            self._db, self._file = db, now
        return self._db
