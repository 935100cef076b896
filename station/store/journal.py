"""The journal: every input with its facts and the results it made due, in one transaction.

Nothing is shown, sent or acknowledged before it is committed here. Called by service/ (station.py appends, restore.py
reads); station/sync reads the table `outbox`. For example:

    journal = open_journal(data_dir)  # opening.py: only if it is intact and signed by this station
    journal.append([JournalEntry(edge, engine.handle(edge))])  # on disk when it returns

SQLite runs in WAL mode with synchronous=FULL, so what was appended survives a power cut. Records are only ever added:
triggers abort anything else, and each record's hash covers the one before, so that a change shows.

When a run ends (or a ruling changes its result) the head is signed and stored as a checkpoint; the newest head is also
signed with every commit, so that records cut off at the end are missed too. hash_chain.py says how.

One thread appends; others read through connections of their own.
"""

import pathlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import apsw

from shared.errors import StorageError
from shared.protocol.results import Evidence, Result, decode_result, encode_result
from station.core.facts import Fact, ResultDue, RunFinished
from station.core.inputs import Input
from station.store.database import close_quietly, open_durable, storage_error, storage_errors
from station.store.encoding import decode_input, encode_facts, encode_input
from station.store.file_presence import FilePresence
from station.store.hash_chain import GENESIS, Checkpoint, JournalRecord, digest
from station.store.journal_reader import as_bytes, read_records
from station.store.signer import Signer
from station.store.verify import verify_journal

FORMAT = 2

_SCHEMA = """
CREATE TABLE journal (seq INTEGER PRIMARY KEY, input BLOB NOT NULL, facts BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, journal_seq INTEGER NOT NULL REFERENCES journal (seq),
  result_id TEXT NOT NULL, revision INTEGER NOT NULL, payload BLOB NOT NULL, UNIQUE (result_id, revision)) STRICT;
CREATE TRIGGER journal_never_updated BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER journal_never_deleted BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER outbox_never_updated BEFORE UPDATE ON outbox BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER outbox_never_deleted BEFORE DELETE ON outbox BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""
# Format 2 added what is signed. `tip` has one row, the newest head; it is a statement about records, not one of them.
_SIGNING_SCHEMA = """
CREATE TABLE checkpoint (journal_seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, public_key BLOB NOT NULL,
  signature BLOB NOT NULL) STRICT;
CREATE TABLE tip (id INTEGER PRIMARY KEY CHECK (id = 1), journal_seq INTEGER NOT NULL, hash BLOB NOT NULL,
  public_key BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TRIGGER checkpoint_never_updated BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER checkpoint_never_deleted BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""
_UPGRADES: dict[int, str] = {0: _SCHEMA + _SIGNING_SCHEMA, 1: _SIGNING_SCHEMA}


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One input and its facts; `evidence` goes with the results that it made due.

    `carried`: results that a damaged journal had made due, byte for byte, for the journal that continues it.
    """

    input: Input
    facts: tuple[Fact, ...]
    evidence: Evidence | None = None
    carried: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalHead:
    """The journal's end: the number of its records, and the hash of the last one, which covers all of them."""

    seq: int
    hash: bytes

    @property
    def hex(self) -> str:
        return self.hash.hex()


class Journal:
    """The open journal. Call all methods from one thread; each may raise StorageError, and then nothing was stored."""

    def __init__(self, path: pathlib.Path, signer: Signer | None = None) -> None:
        self.path = path
        self._signer = signer
        self._db = open_durable(path)
        self._signed: Checkpoint | None = None  # the newest head that was signed
        self._presence = FilePresence(path)
        try:
            with storage_errors(path):
                self._create()
                self._head = self._read_head()
                self._due = int(_one(self._db, "SELECT coalesce(max(seq), 0) FROM outbox"))
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> JournalHead:
        return self._head

    @property
    def due(self) -> int:
        """How many results were ever due for posting."""
        return self._due

    def append(self, entries: Sequence[JournalEntry]) -> list[int]:
        """Appends the entries, all or none; returns the records' numbers once they are on disk."""
        batch = _Batch(self._head, self._due, self._signer, self._signed)
        for entry in entries:
            batch.add(entry)
        try:
            self._store(batch)
        except apsw.Error as error:
            raise storage_error(self.path, error) from None
        first = self._head.seq + 1
        self._head, self._due, self._signed = batch.head, batch.due, batch.signed
        return list(range(first, batch.head.seq + 1))

    def inputs(self, after: int = 0) -> Iterator[tuple[int, Input]]:
        """The number and input of each record after record `after`, in order: what a replay feeds to a new engine."""
        with storage_errors(self.path):
            for seq, data in self._db.execute("SELECT seq, input FROM journal WHERE seq > ? ORDER BY seq", (after,)):
                yield int(str(seq)), decode_input(as_bytes(data))

    def records(self, after: int = 0) -> Iterator[JournalRecord]:
        """The records after record `after` as stored, in order, with the results that went into each one's hash."""
        yield from read_records(self._db, self.path, after)

    def verify(self) -> JournalHead:
        """Verifies the file; returns its head. Raises Tampered that names the first record that is not as written."""
        verified = verify_journal(self.path)
        return JournalHead(verified.seq, verified.head)

    def sign_new_journal(self) -> None:
        """Signs the new, empty journal, so that it is noticed if all records are removed later."""
        assert self._signer is not None
        tip = self._signer.sign(self._head.seq, self._head.hash)
        with storage_errors(self.path):
            self._db.execute("INSERT OR REPLACE INTO tip VALUES (1, ?, ?, ?, ?)", _row(tip))

    def check_presence(self) -> None:
        """Raises StorageError if the open file is no longer the one at the journal's path."""
        self._presence.check()

    def probe(self) -> None:
        """Tries a write and rolls it back. Raises StorageError if the disk refuses it."""
        self.check_presence()
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
        close_quietly(self._db)

    def _create(self) -> None:
        version = self._db.pragma("user_version")
        if version == FORMAT:
            return
        if version not in _UPGRADES:
            raise StorageError(
                f"{self.path}: has format {version}, but this station writes {FORMAT}: upgrade the station."
            )
        with self._db:
            self._db.execute(_UPGRADES[version])
            self._db.pragma("user_version", FORMAT)

    def _read_head(self) -> JournalHead:
        row = self._db.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        return JournalHead(0, GENESIS) if row is None else JournalHead(int(str(row[0])), as_bytes(row[1]))

    def _store(self, batch: "_Batch") -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._insert(batch)
            self._db.execute("COMMIT")
        except BaseException:
            if not self._db.get_autocommit():
                self._db.execute("ROLLBACK")
            raise

    def _insert(self, batch: "_Batch") -> None:
        self._db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?)", batch.records)
        if batch.results:
            self._db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?, ?)", batch.results)
        if batch.points:
            self._db.executemany("INSERT INTO checkpoint VALUES (?, ?, ?, ?)", map(_row, batch.points))
        if batch.head.seq and (tip := batch.sign()) is not None:
            self._db.execute("INSERT OR REPLACE INTO tip VALUES (1, ?, ?, ?, ?)", _row(tip))


class _Batch:
    """The rows of one transaction: made before it begins, so that the transaction is short."""

    def __init__(self, head: JournalHead, due: int, signer: Signer | None, signed: Checkpoint | None) -> None:
        """`signed`: the newest head that was signed."""
        self.head, self.due, self.signed = head, due, signed
        self.records: list[tuple[int, bytes, bytes, bytes]] = []
        self.results: list[tuple[int, int, str, int, bytes]] = []
        self.points: list[Checkpoint] = []
        self._signer = signer

    def add(self, entry: JournalEntry) -> None:
        """Adds the next record, and a checkpoint if it made a result due or ended a run."""
        before, seq = self.head, self.head.seq + 1
        input_bytes, facts = encode_input(entry.input), encode_facts(entry.facts)
        kinds = {type(fact) for fact in entry.facts}
        payloads = [self._add_carried(payload, seq) for payload in entry.carried]
        if ResultDue in kinds:
            due = [fact.result for fact in entry.facts if isinstance(fact, ResultDue)]
            payloads += [self._add_new(self._with_evidence(result, entry.evidence), seq) for result in due]
        self.head = JournalHead(seq, digest(before.hash, input_bytes, facts, *payloads))
        self.records.append((seq, input_bytes, facts, self.head.hash))
        if (ResultDue in kinds or RunFinished in kinds) and (point := self.sign()) is not None:
            self.points.append(point)

    def sign(self) -> Checkpoint | None:
        """The signed head, signed only once: a result, a checkpoint and the tip share it. None if there is no key."""
        if self._signer is not None and (self.signed is None or self.signed.hash != self.head.hash):
            self.signed = self._signer.sign(self.head.seq, self.head.hash)
        return self.signed

    def _add_carried(self, payload: bytes, seq: int) -> bytes:
        return self._add_result(decode_result(payload), payload, seq)

    def _add_new(self, result: Result, seq: int) -> bytes:
        return self._add_result(result, encode_result(result), seq)

    def _add_result(self, result: Result, payload: bytes, seq: int) -> bytes:
        self.due += 1
        self.results.append((self.due, seq, result.result_id, result.revision, payload))
        return payload

    def _with_evidence(self, result: Result, evidence: Evidence | None) -> Result:
        """The result with its place in the journal: the head before it (signed), and its own record."""
        from_core = result.evidence
        filled = replace(
            evidence or from_core, uncertainty_ns=from_core.uncertainty_ns, clock_trusted=from_core.clock_trusted
        )
        filled = replace(filled, journal_head=self.head.hex, last_seq=self.head.seq + 1)
        if (point := self.sign()) is not None:
            filled = replace(filled, public_key=point.public_key.hex(), signature=point.signature.hex())
        return replace(result, evidence=filled)


def _row(point: Checkpoint) -> tuple[int, bytes, bytes, bytes]:
    return point.seq, point.hash, point.public_key, point.signature


def _one(db: apsw.Connection, sql: str) -> int:
    row = db.execute(sql).fetchone()
    assert row is not None
    return int(str(row[0]))
