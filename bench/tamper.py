"""Random flips, deletions, swaps and truncations of journal records: all found, the first bad one named?"""

import pathlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from bench.journal import race
from station.core.engine import Engine
from station.store.chain import Checkpoint, Record, Tampered, attest
from station.store.checkpoint import Signer
from station.store.journal import Entry, Journal
from station.store.reading import JournalReader

Records = list[Record]


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole journal as it was written."""

    records: tuple[Record, ...]
    points: tuple[Checkpoint, ...]
    tip: Checkpoint | None


def main(quick: bool) -> None:
    """Prints the table; fails loudly if one change was not found or another record was named."""
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        kept = written(pathlib.Path(name) / "station.db", inputs=200)
    began = time.perf_counter()
    found = campaign(kept, count=2_000 if quick else 100_000, seed=1)
    took_s = time.perf_counter() - began
    table = Table(title=f"tamper: {len(kept.records)} records, {took_s:.1f} s", title_justify="left")
    for column in ("change", "tried", "found", "first bad record named"):
        table.add_column(column)
    for kind in KINDS:
        table.add_row(kind, *(f"{found[kind, what]:,}" for what in ("tried", "found", "named")))
    Console().print(table)
    assert all(found[kind, "tried"] == found[kind, "named"] for kind in KINDS)


def written(path: pathlib.Path, inputs: int) -> Kept:
    """A race, engine and journal as the station has them, signed."""
    journal, engine, race_ = Journal(path, Signer(Ed25519PrivateKey.generate())), Engine(), race()
    for _ in range(inputs):
        event = next(race_)
        if facts := engine.handle(event):
            journal.append([Entry(event, facts)])
    journal.close()
    reader = JournalReader(path)
    kept = Kept(tuple(reader.records()), tuple(reader.checkpoints()), reader.tip())
    reader.close()
    return kept


def campaign(kept: Kept, count: int, seed: int) -> Counter[tuple[str, str]]:
    """`count` changes in turn; what was tried, found, and named rightly of each kind."""
    rng, found = random.Random(seed), Counter[tuple[str, str]]()
    attest(kept.records, kept.points, kept.tip)
    for number in range(count):
        kind = tuple(KINDS)[number % len(KINDS)]
        records = list(kept.records)
        first_bad = KINDS[kind](records, rng)
        found[kind, "tried"] += 1
        named = named_by(records, kept)
        found[kind, "found"] += named is not None
        found[kind, "named"] += named == first_bad
    return found


def named_by(records: Sequence[Record], kept: Kept) -> int | None:
    """The record that the verification names; None: it found nothing."""
    try:
        attest(records, kept.points, kept.tip)
    except Tampered as bad:
        return bad.seq
    return None


def _flip(records: Records, rng: random.Random) -> int:
    """One bit of one field."""
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
    """A record is gone and those behind it are numbered anew; gone from the end it is a truncation."""
    at = rng.randrange(len(records))
    del records[at]
    records[at:] = [replace(record, seq=record.seq - 1) for record in records[at:]]
    return at + 1


def _swap(records: Records, rng: random.Random) -> int:
    """The contents of two records, their numbers kept."""
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
