"""Reads the station's outbox for sync: station.db, opened read-only, its rows in the order they were committed."""

import json
import pathlib
from typing import Any

import apsw

from station.store.database import has_table, open_reading, storage_error, storage_errors
from station.store.file_presence import FileId, file_identity
from station.sync.schedule import OutboxRow

_OPENED = """
SELECT input FROM journal WHERE seq > ? AND seq <= ? AND substr(input, 1, 12) = CAST('["OpenRace",' AS BLOB)
  AND instr(facts, CAST('["RaceOpened",' AS BLOB)) ORDER BY seq
"""
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
        self._race_checked_seq = 0
        self._race_id: str | None = None
        self._file: FileId | None = None

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
        return [
            # A payload that is not a BLOB is damaged: it is refused with a sentence when it is due, and stops no other.
            OutboxRow(seq, str(result_id), revision, payload if isinstance(payload, bytes) else b"")
            for seq, result_id, revision, payload in rows
        ]

    def race_id(self) -> str | None:
        """The id of the race that the station opened last; None if there is none yet. Raises StorageError."""
        db = self._connection()
        if db is None:
            return None
        with storage_errors(self._path):
            if not has_table(db, "journal"):
                return None
            [(newest,)] = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchall()
            opened: list[tuple[Any, ...]] = db.execute(_OPENED, (self._race_checked_seq, newest)).fetchall()
        self._race_checked_seq = int(str(newest))
        for (data,) in opened:
            self._race_id = _race_id(data) or self._race_id
        return self._race_id

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
            self._db, self._last_seq, self._race_checked_seq = None, 0, 0
        if self._db is None and self._path.exists():
            db = open_reading(self._path)
            with storage_errors(self._path):
                ready = has_table(db, "outbox")
            if not ready:
                db.close()
                return None
            self._db, self._file = db, now
        return self._db


def _race_id(data: object) -> str | None:
    """The race id in a stored `["OpenRace",{...}]`; None if that is damaged."""
    try:
        race_id = json.loads(data)[1]["race_id"] if isinstance(data, bytes) else None
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return race_id if isinstance(race_id, str) else None
