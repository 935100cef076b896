"""Reads a journal without writing to it: its records byte for byte, its checkpoints, its newest signature (`tip`)."""

import pathlib
from collections.abc import Iterator

import apsw

from shared.errors import StorageError
from station.store.database import FileDamaged, has_table, open_reading, storage_errors
from station.store.hash_chain import Checkpoint, JournalRecord, Tampered

_CHECKPOINTS = "SELECT journal_seq, hash, public_key, signature FROM checkpoint ORDER BY journal_seq"
_TIP = "SELECT journal_seq, hash, public_key, signature FROM tip"


class JournalReader:
    """Reads a journal that may be in use, as it was at one moment. Methods raise StorageError."""

    def __init__(self, path: pathlib.Path) -> None:
        if not path.is_file():
            raise StorageError(f"{path}: there is no such journal; it is called station.db in the station's folder.")
        self.path = path
        self._db = open_reading(path)
        with storage_errors(path):
            self._db.execute("BEGIN")
            if not has_table(self._db, "journal"):
                raise FileDamaged(f"{path}: holds no journal.")
            self._signed = has_table(self._db, "checkpoint") or has_table(self._db, "tip")

    def records(self, after: int = 0, last: int = 2**62) -> Iterator[JournalRecord]:
        """The records after record `after`, up to record `last`, as stored and in order."""
        yield from read_records(self._db, self.path, after, last)

    def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints in order: one for each run that ended, and for each ruling that changed a result later."""
        return self._points(_CHECKPOINTS)

    def outbox(self) -> Iterator[tuple[object, object, object, object, bytes]]:
        """The rows of the outbox as stored, in order: row number, record number, result id, revision, payload."""
        with storage_errors(self.path):
            for row in self._db.execute(
                "SELECT seq, journal_seq, result_id, revision, payload FROM outbox ORDER BY seq"
            ):
                seq, journal_seq, result_id, revision, payload = row
                yield seq, journal_seq, result_id, revision, as_bytes(payload)

    def check_file(self) -> None:
        """Runs SQLite's own check of pages and indexes, which no record's hash covers. Raises FileDamaged."""
        with storage_errors(self.path):
            result = self._db.execute("PRAGMA integrity_check(1)").fetchone()
        if result is None or result[0] != "ok":
            raise FileDamaged(f"{self.path}: the file is damaged ({' '.join(str(result and result[0]).split())}).")

    def posted_by(self) -> Iterator[str]:
        """The public key (hexadecimal, "" if there is none) in the evidence of each result."""
        sql = "SELECT payload ->> '$.evidence.public_key' FROM outbox"
        with storage_errors(self.path):
            for (key,) in self._db.execute(sql):
                yield str(key or "")

    def tip(self) -> Checkpoint | None:
        """The signature that was made with the newest commit; None if nothing was ever signed."""
        return next(iter(self._points(_TIP)), None)

    def close(self) -> None:
        self._db.close()

    def _points(self, sql: str) -> list[Checkpoint]:
        if not self._signed:
            return []
        with storage_errors(self.path):
            rows = self._db.execute(sql).fetchall()
        return [Checkpoint(as_int(seq), *(as_bytes(part) for part in parts)) for seq, *parts in rows]


def read_records(db: apsw.Connection, path: pathlib.Path, after: int, last: int = 2**62) -> Iterator[JournalRecord]:
    """The records after record `after`, up to `last`, each with the results that went into its hash.

    Raises StorageError; Tampered for a record with a missing part. `path` is for errors.
    """
    sql = "SELECT seq, input, facts, hash FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq"
    with storage_errors(path):
        due: dict[int, list[bytes]] = {}
        for journal_seq, payload in db.execute(
            "SELECT journal_seq, payload FROM outbox WHERE journal_seq > ? AND journal_seq <= ? ORDER BY seq",
            (after, last),
        ):
            due.setdefault(as_int(journal_seq), []).append(as_bytes(payload))
        for seq, input_bytes, facts, digest in db.execute(sql, (after, last)):
            # A start reads every record: each type is checked only once.
            if not (isinstance(input_bytes, bytes) and isinstance(facts, bytes) and isinstance(digest, bytes)):
                number = as_int(seq)
                raise Tampered(number, f"record {number} lacks a part of what was stored: the file is damaged.")
            number = seq if isinstance(seq, int) else as_int(seq)
            yield JournalRecord(number, input_bytes, facts, digest, tuple(due[number]) if number in due else ())


def as_bytes(value: object) -> bytes:
    """A stored blob. Raises FileDamaged if it is no blob: in a file that was cut, values are missing."""
    if not isinstance(value, bytes):
        raise FileDamaged("The journal lacks a part of what was stored: the file is damaged.")
    return value


def as_int(value: object) -> int:
    """A stored number. Raises FileDamaged if it is not a number."""
    if not isinstance(value, int):
        raise FileDamaged("The journal lacks a number that was stored: the file is damaged.")
    return value
