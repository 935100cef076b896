"""Random flips, deletions, swaps and truncations of journal records: is each found, and the first bad record named?

`restarts` alters a whole station's folder: the station must refuse to start with each altered journal, and
`journal verify` must still find the alteration afterwards.
"""

import pathlib
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from bench.station.journal import S, race
from shared.errors import JournalDamaged, StorageError
from station.commands.journal import verified
from station.core.engine import Engine
from station.core.inputs import Booted, GateSpec, Moment
from station.service.restore import restore
from station.store.hash_chain import Checkpoint, JournalRecord, Tampered, digest, verify_chain
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from station.store.opening import JOURNAL, KEY, open_journal
from station.store.signer import Signer, load_signer

Records = list[JournalRecord]


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """A complete journal as it was written."""

    records: tuple[JournalRecord, ...]
    points: tuple[Checkpoint, ...]
    tip: Checkpoint | None


def main(quick: bool) -> None:
    """Prints the table; fails if a change was not found or another record was named."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        stored = written(pathlib.Path(name) / "station.db", inputs=200)
    began = time.perf_counter()
    counts = campaign(stored, count=2_000 if quick else 100_000, seed=1)
    took_s = time.perf_counter() - began
    table = Table(title=f"tamper: {len(stored.records)} records, {took_s:.1f} s", title_justify="left")
    for column in ("change", "tried", "found", "first bad record named"):
        table.add_column(column)
    for kind in KINDS:
        table.add_row(kind, *(f"{counts[kind, what]:,}" for what in ("tried", "found", "named")))
    Console().print(table)
    assert all(counts[kind, "tried"] == counts[kind, "named"] for kind in KINDS)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        again = restarts(pathlib.Path(name), inputs=60, count=500 if quick else 100_000, seed=2)
    table = Table(title=f"tamper, then a start: {time.perf_counter() - began:.1f} s", title_justify="left")
    for column in ("change", "tried", "start refused", "verify finds it after the start"):
        table.add_column(column)
    for kind in EDITS:
        table.add_row(kind, *(f"{again[kind, what]:,}" for what in ("tried", "refused", "verified")))
    Console().print(table)
    assert all(again[kind, "tried"] == again[kind, "refused"] == again[kind, "verified"] for kind in EDITS)


def written(path: pathlib.Path, inputs: int) -> StoredJournal:
    """Write a signed journal of a race, with the station's own engine and journal."""
    journal, engine, race_ = Journal(path, Signer(Ed25519PrivateKey.generate())), Engine(), race()
    for _ in range(inputs):
        event = next(race_)
        if facts := engine.handle(event):
            journal.append([JournalEntry(event, facts)])
    journal.close()
    reader = JournalReader(path)
    stored = StoredJournal(tuple(reader.records()), tuple(reader.checkpoints()), reader.tip())
    reader.close()
    return stored


def campaign(stored: StoredJournal, count: int, seed: int) -> Counter[tuple[str, str]]:
    """Try `count` changes; count those tried, found and correctly named for each kind."""
    rng, counts = random.Random(seed), Counter[tuple[str, str]]()
    verify_chain(stored.records, stored.points, stored.tip)
    for number in range(count):
        kind = tuple(KINDS)[number % len(KINDS)]
        records = list(stored.records)
        first_bad = KINDS[kind](records, rng)
        counts[kind, "tried"] += 1
        named = named_by(records, stored)
        counts[kind, "found"] += named is not None
        counts[kind, "named"] += named == first_bad
    return counts


def named_by(records: Sequence[JournalRecord], stored: StoredJournal) -> int | None:
    """The record that the verification names; None if it found nothing."""
    try:
        verify_chain(records, stored.points, stored.tip)
    except Tampered as bad:
        return bad.seq
    return None


def restarts(folder: pathlib.Path, inputs: int, count: int, seed: int) -> Counter[tuple[str, str]]:
    """Try `count` changes of a station's file: was the start refused, and does verify still find them?"""
    good, tried = folder / "good", folder / "tried"
    good.mkdir()
    engine, race_, journal = Engine(), race(), open_journal(good)
    for _ in range(inputs):
        event = next(race_)
        if facts := engine.handle(event):
            journal.append([JournalEntry(event, facts)])
    journal.close()
    rng, counts = random.Random(seed), Counter[tuple[str, str]]()
    for number in range(count):
        kind = tuple(EDITS)[number % len(EDITS)]
        shutil.copytree(good, tried)
        _edit(tried / JOURNAL, EDITS[kind], rng)
        counts[kind, "tried"] += 1
        counts[kind, "refused"] += _refused(tried)
        counts[kind, "verified"] += _still_found(tried)
        shutil.rmtree(tried)
    return counts


def _edit(path: pathlib.Path, edit: Callable[[apsw.Connection, random.Random], None], rng: random.Random) -> None:
    db = apsw.Connection(str(path))
    db.pragma("synchronous", "off")
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    edit(db, rng)
    db.close()


def _refused(folder: pathlib.Path) -> bool:
    """Start as the station does; if it starts, it also signs its first record. True if the start was refused."""
    try:
        journal = open_journal(folder)
    except JournalDamaged:
        return True
    restored = restore(journal)
    booted = Booted(Moment("boot-b", S, S), "station-1", (GateSpec("start"),))
    journal.append([JournalEntry(booted, restored.engine.handle(booted))])
    journal.close()
    return False


def _still_found(folder: pathlib.Path) -> bool:
    try:
        verified(folder / JOURNAL, frozenset({load_signer(folder / KEY).public_key}))
    except StorageError:
        return True
    return False


def _sql_flip(db: apsw.Connection, rng: random.Random) -> None:
    """Flip one bit of one stored blob: of a record, a result, a checkpoint or the newest signature."""
    table, columns = rng.choice(tuple(BLOBS.items()))
    column = rng.choice(columns)
    rows = db.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
    rowid, data = rng.choice(rows)
    changed = bytearray(data if isinstance(data, bytes) else b"")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (bytes(changed), rowid))


def _sql_delete(db: apsw.Connection, rng: random.Random) -> None:
    """Delete one record from the middle."""
    db.execute("DELETE FROM journal WHERE seq = ?", (rng.randrange(1, _last(db)),))


def _sql_cut(db: apsw.Connection, rng: random.Random) -> None:
    """Cut off the end, with the results and the checkpoints that belong to it."""
    left = rng.randrange(0, _last(db))
    db.execute("DELETE FROM outbox WHERE journal_seq > ?", (left,))
    db.execute("DELETE FROM checkpoint WHERE journal_seq > ?", (left,))
    db.execute("DELETE FROM journal WHERE seq > ?", (left,))


def _sql_cut_and_unsign(db: apsw.Connection, rng: random.Random) -> None:
    """Cut off the end, and delete the newest signature too."""
    _sql_cut(db, rng)
    db.execute("DELETE FROM tip")


def _sql_rewrite(db: apsw.Connection, rng: random.Random) -> None:
    """Alter a fact, recompute every later hash by the rule of the chain, and remove all signatures."""
    at, previous = rng.randrange(1, _last(db) + 1), bytes(32)
    due: dict[int, list[bytes]] = {}
    for seq, payload in db.execute("SELECT journal_seq, payload FROM outbox ORDER BY seq"):
        due.setdefault(int(str(seq)), []).append(bytes(payload))
    rows = list(db.execute("SELECT seq, input, facts, hash FROM journal ORDER BY seq"))
    for seq, given, facts, head in rows:
        if seq == at:
            facts = bytes(facts).replace(b"1", b"2", 1)  # noqa: PLW2901
        fresh = digest(previous, given, facts, *due.get(seq, []))
        if fresh != head:
            db.execute("UPDATE journal SET facts = ?, hash = ? WHERE seq = ?", (facts, fresh, seq))
        previous = fresh
    if rng.random() < 0.5:
        db.execute("DELETE FROM checkpoint")
        db.execute("DELETE FROM tip")


BLOBS = {
    "journal": ("input", "facts", "hash"),
    "outbox": ("payload",),
    "checkpoint": ("hash", "public_key", "signature"),
    "tip": ("hash", "public_key", "signature"),
}


def _last(db: apsw.Connection) -> int:
    (last,) = db.execute("SELECT max(seq) FROM journal").fetchone() or (0,)
    return int(str(last))


EDITS: dict[str, Callable[[apsw.Connection, random.Random], None]] = {
    "a bit in the file": _sql_flip,
    "a record deleted": _sql_delete,
    "the end cut off": _sql_cut,
    "cut off and unsigned": _sql_cut_and_unsign,
    "rewritten without the key": _sql_rewrite,
}


def _flip(records: Records, rng: random.Random) -> int:
    """Flip one bit of one field."""
    at = rng.randrange(len(records))
    field = rng.choice(("input", "facts", "hash"))
    data = bytearray(getattr(records[at], field))
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    records[at] = replace(records[at], **{field: bytes(data)})  # type: ignore[arg-type]
    return at + 1


def _delete(records: Records, rng: random.Random) -> int:
    at = rng.randrange(len(records))
    del records[at]
    return at + 1


def _close_up(records: Records, rng: random.Random) -> int:
    """Remove a record and renumber those behind it; at the end this is a truncation."""
    at = rng.randrange(len(records))
    del records[at]
    records[at:] = [replace(record, seq=record.seq - 1) for record in records[at:]]
    return at + 1


def _swap(records: Records, rng: random.Random) -> int:
    """Swap the contents of two records, but not their numbers."""
    a, b = sorted(rng.sample(range(len(records)), 2))
    records[a], records[b] = replace(records[b], seq=a + 1), replace(records[a], seq=b + 1)
    return a + 1


def _truncate(records: Records, rng: random.Random) -> int:
    left = rng.randrange(len(records))
    del records[left:]
    return left + 1


KINDS: dict[str, Callable[[Records, random.Random], int]] = {
    "flip": _flip,
    "deletion": _delete,
    "deletion, renumbered": _close_up,
    "swap": _swap,
    "truncation": _truncate,
}

if __name__ == "__main__":
    main(quick=False)
