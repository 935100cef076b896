"""The journal: every input with its facts and the results it made due, in one transaction, before anyone is told.

SQLite in WAL mode with synchronous=FULL: what was appended survives a power cut. Records are only added; triggers
trip whoever tries otherwise, and each record's hash covers the one before, so that a change shows.

  h = SHA-256(previous h | length and bytes of input, of facts, of each result)

One thread appends. Others read through connections of their own (sync reads the table `outbox`).
"""

import contextlib
import hashlib
import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import apsw

from shared.errors import StorageError
from shared.results import Evidence, Result, encode_result
from station.core.events import Input
from station.core.facts import Fact, ResultDue
from station.store.encoding import decode_input, encode_facts, encode_input
from station.sync.database import open_durable, storage_errors

FORMAT = 1
GENESIS = bytes(32)

_SCHEMA = """
CREATE TABLE journal (seq INTEGER PRIMARY KEY, input BLOB NOT NULL, facts BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, journal_seq INTEGER NOT NULL REFERENCES journal (seq),
  result_id TEXT NOT NULL, revision INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (result_id, revision)) STRICT;
CREATE TRIGGER journal_never_updated BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER journal_never_deleted BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER outbox_never_updated BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER outbox_never_deleted BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input and what followed from it; `evidence` goes with the results that it made due."""

    input: Input
    facts: tuple[Fact, ...]
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The journal's end: `seq` records, `hash` over all of them."""

    seq: int
    hash: bytes

    @property
    def hex(self) -> str:
        return self.hash.hex()


@dataclass(frozen=True, slots=True)
class Record:
    """One stored record as it is."""

    seq: int
    input: bytes
    facts: bytes
    hash: bytes
    results: tuple[bytes, ...]


class Journal:
    """The station's one file. All methods from one thread; raises StorageError, and then nothing was kept."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._db = open_durable(path)
        with storage_errors(path):
            self._create()
            self._head = self._read_head()
            self._due = int(_one(self._db, "SELECT coalesce(max(seq), 0) FROM outbox"))

    @property
    def head(self) -> Head:
        return self._head

    @property
    def due(self) -> int:
        """How many results were ever due."""
        return self._due

    def append(self, entries: Sequence[Entry]) -> list[int]:
        """All or nothing, on disk when it returns; the records' numbers."""
        head, due = self._head, self._due
        with storage_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for entry in entries:
                    head = self._insert(head, entry)
                self._db.execute("COMMIT")
            except BaseException:
                self._due = due
                if not self._db.get_autocommit():
                    self._db.execute("ROLLBACK")
                raise
        first, self._head = self._head.seq + 1, head
        return list(range(first, head.seq + 1))

    def inputs(self, after: int = 0) -> Iterator[tuple[int, Input]]:
        """The stored inputs in order: what a replay feeds to a new engine."""
        with storage_errors(self.path):
            for seq, data in self._db.execute("SELECT seq, input FROM journal WHERE seq > ? ORDER BY seq", (after,)):
                yield int(str(seq)), decode_input(_bytes(data))

    def records(self, after: int = 0) -> Iterator[Record]:
        """The stored bytes in order, with the results that went into each record's hash."""
        with storage_errors(self.path):
            rows = self._db.execute("SELECT seq, input, facts, hash FROM journal WHERE seq > ? ORDER BY seq", (after,))
            for seq, given, facts, digest in rows:
                yield Record(int(str(seq)), _bytes(given), _bytes(facts), _bytes(digest), self._results(int(str(seq))))

    def verify(self) -> Head:
        """Reads everything again. Raises StorageError that names the first record that is not as it was written."""
        head = Head(0, GENESIS)
        for record in self.records():
            digest = _digest(head.hash, record.input, record.facts, *record.results)
            if record.seq != head.seq + 1 or digest != record.hash:
                raise StorageError(f"{self.path}: record {record.seq} was changed after it was written.")
            head = Head(record.seq, digest)
        return head

    def probe(self) -> None:
        """Can we write again? Raises StorageError. Leaves nothing behind."""
        with storage_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute(
                    "INSERT INTO journal VALUES (?, ?, ?, ?)", (self._head.seq + 1, bytes(65_536), b"", b"")
                )
                self._db.cache_flush()
            finally:
                if not self._db.get_autocommit():
                    self._db.execute("ROLLBACK")

    def close(self) -> None:
        # Closing moves the log into the file; if the disk refuses, the log stays as it is and is read at the next open.
        with contextlib.suppress(apsw.FullError, apsw.IOError, apsw.ReadOnlyError):
            self._db.close()

    def _create(self) -> None:
        version = self._db.pragma("user_version")
        if version == FORMAT:
            return
        if version != 0:
            raise StorageError(f"{self.path}: is of format {version}, we write {FORMAT}: upgrade this station.")
        with self._db:
            self._db.execute(_SCHEMA)
            self._db.pragma("user_version", FORMAT)

    def _read_head(self) -> Head:
        row = self._db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(0, GENESIS) if row is None else Head(int(str(row[0])), _bytes(row[1]))

    def _insert(self, head: Head, entry: Entry) -> Head:
        seq = head.seq + 1
        given, facts = encode_input(entry.input), encode_facts(entry.facts)
        due = [_evident(fact.result, entry.evidence, head, seq) for fact in entry.facts if isinstance(fact, ResultDue)]
        payloads = [encode_result(result) for result in due]
        digest = _digest(head.hash, given, facts, *payloads)
        self._db.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", (seq, given, facts, digest))
        for result, payload in zip(due, payloads, strict=True):
            self._due += 1
            row = (self._due, seq, result.result_id, result.revision, payload)
            self._db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", row)
        return Head(seq, digest)

    def _results(self, seq: int) -> tuple[bytes, ...]:
        rows = self._db.execute("SELECT payload FROM outbox WHERE journal_seq = ? ORDER BY seq", (seq,))
        return tuple(_bytes(payload) for (payload,) in rows)


def _evident(result: Result, evidence: Evidence | None, head: Head, seq: int) -> Result:
    """The result with the place in the journal that made it: the head before it, and its own record."""
    known = evidence or result.evidence
    uncertainty_ns = result.evidence.uncertainty_ns
    whole = replace(known, journal_head=head.hex, last_seq=seq, uncertainty_ns=uncertainty_ns)
    return replace(result, evidence=whole)


def _digest(previous: bytes, *parts: bytes) -> bytes:
    digest = hashlib.sha256(previous)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def _one(db: apsw.Connection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    assert row is not None
    return int(str(row[0]))


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value
