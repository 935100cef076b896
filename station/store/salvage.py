"""A new journal for a damaged one: its first record names the old journal and the last record of it that holds.

The old files are put aside, never changed. What goes on: the count of runs, so that no id is given twice, and the
results that the good part made due, so that those which were not posted yet still are.
"""

import json
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.errors import StorageError
from station.core.engine import Engine
from station.core.events import JournalBegan, Moment
from station.core.register import MOST_DIGITS
from station.store.chain import GENESIS, Checkpoint, Record, Tampered, follow
from station.store.journal import Entry, Journal
from station.store.opening import JOURNAL, KEY, SYNC, is_there, signer_of
from station.store.reading import JournalReader

_RUN = re.compile(rb'"run_id":"run-(\d{1,%d})"' % MOST_DIGITS)
_PARTS = ("", "-wal", "-shm")


@dataclass(slots=True)
class Left:
    """What holds of a damaged journal: its name, its last good record, the results due by then, and its runs."""

    journal: str = ""
    seq: int = 0
    head: bytes = GENESIS
    results: list[bytes] = field(default_factory=list)
    runs: int = 0
    reason: str = "the journal was gone"


def salvage(data_dir: pathlib.Path, now: Moment, name: str) -> str:
    """Begins the journal `name` in place of the one that lies there; a sentence. Raises StorageError.

    The caller holds the locks of station and sync.
    """
    path = data_dir / JOURNAL
    keys = frozenset({signer_of(data_dir).public_key}) if (data_dir / KEY).exists() else frozenset[bytes]()
    left = last_good(path, keys) if is_there(path) else Left()
    fresh = path.with_name(f"{JOURNAL}.new")
    for part in _PARTS:
        fresh.with_name(fresh.name + part).unlink(missing_ok=True)
    began = JournalBegan(now, name, left.journal, left.seq, left.head.hex(), left.runs, left.reason[:500])
    journal = Journal(fresh, signer_of(data_dir))
    try:
        journal.append([Entry(began, Engine().handle(began), carried=tuple(left.results))])
    finally:
        journal.close()
    put_aside(data_dir / SYNC)  # it knows of results that the new journal lacks; the others are posted again, with 200
    aside = put_aside(path)
    fresh.replace(path)
    kept = f"The old one lies in {aside}." if aside is not None else "There was none before it."
    return (
        f"{path}: a new journal, {name}. It goes on after record {left.seq} of the old one (head {left.head.hex()}), "
        f"with {len(left.results)} results of it, and after run-{left.runs}. {kept} Why: {left.reason}"
    )


def put_aside(path: pathlib.Path) -> pathlib.Path | None:
    """The database and its log under a free name beside it; None: there was none. Nothing is ever overwritten."""
    if not path.exists():
        return None
    number = 1
    while (aside := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    for part in reversed(_PARTS):  # the log first: a database without its log is not what it was
        source = path.with_name(path.name + part)
        if source.exists():
            source.replace(aside.with_name(aside.name + part))
    return aside


def last_good(path: pathlib.Path, keys: frozenset[bytes]) -> Left:
    """The last record under a good signature of `keys` (without keys: of any), all before it whole too."""
    left = Left(reason="nothing was found wrong with it")
    try:
        reader = JournalReader(path)
    except StorageError as error:
        left.reason = str(error)
        return left
    try:
        points, tip = reader.checkpoints(), reader.tip()
        every = [*points, *([tip] if tip is not None else [])]
        _follow(reader, _by_record(every, keys), left, signs=bool(every or keys))
    except StorageError as bad:
        left.reason = str(bad)
    finally:
        left.runs = max(left.runs, _most_runs(reader))
        reader.close()
    return left


def _follow(reader: JournalReader, signed: dict[int, Checkpoint], left: Left, signs: bool) -> None:
    waiting: list[bytes] = []
    seq, name = 0, ""
    for record in follow(reader.records()):
        seq, name = record.seq, _name(record) or name
        waiting += record.results
        point = signed.pop(seq, None)
        if point is None and signs:
            continue
        if point is not None and point.hash != record.hash:
            raise Tampered(left.seq + 1, f"a record from {left.seq + 1} to {seq} is not what the station signed.")
        left.seq, left.head, left.journal = seq, record.hash, name
        left.results += waiting
        waiting = []
    if signed:
        raise Tampered(seq + 1, f"record {seq + 1} is missing: the station signed {max(signed)} records.")


def _by_record(points: list[Checkpoint], keys: frozenset[bytes]) -> dict[int, Checkpoint]:
    return {p.seq: p for p in points if p.seq and p.genuine and (not keys or p.public_key in keys)}


def _name(record: Record) -> str:
    if not record.input.startswith(b'["JournalBegan"'):
        return ""
    return str(json.loads(record.input)[1]["journal"])


def _most_runs(reader: JournalReader) -> int:
    """The highest number of a run in whatever can be read: damaged records count too."""
    return max((int(number) for facts in _readable(reader) for number in _RUN.findall(facts)), default=0)


def _readable(reader: JournalReader) -> Iterator[bytes]:
    try:
        for record in reader.records():
            yield record.facts
    except StorageError:
        return  # the sentence about the damage is told by who asked for the last good record
