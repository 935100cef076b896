"""`python3 BUNDLE.zip [--key HEX]`: checks a protest bundle with nothing but the bundle and Python's standard library.

It compares every file with the manifest, follows the hash chain over every record, checks the station's signatures,
compares the tables with the records, and recomputes the run's laps and score from the edges. Exit code 0: everything
agrees; 1: something does not, and a sentence says what. `--key` is the public key that the station publishes: with it,
a forger who signed everything again with another key is noticed. `raceday protest --check BUNDLE.zip` checks a bundle
without running the program in it.
"""

import hashlib
import json
import pathlib
import sys
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from shared.errors import StorageError
from shared.protocol.strict_json import read_json
from station.evidence.bundle_files import (
    MANIFEST,
    MAX_FILES,
    POINTS,
    RECORDS,
    BundleFiles,
    ZippedFiles,
    document,
    lines,
    sha256_of,
)
from station.evidence.recompute import RecomputedRun, recompute_run
from station.evidence.tables import write_tables
from station.store.hash_chain import Checkpoint, JournalRecord, verify_chain

_MAX_SENTENCE = 2000  # characters
_MAX_SHOWN = 20  # discrepancies
CHECK_ERRORS = (
    StorageError,
    zipfile.BadZipFile,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
    EOFError,
    zlib.error,
    NotImplementedError,  # a zip of a version that Python cannot read
)


def main(arguments: list[str]) -> int:
    """The bundle's own command; returns the exit code. `arguments`: the bundle's path, then `--key HEX` if wanted."""
    bundle, *rest = arguments
    if rest and (len(rest) != 2 or rest[0] != "--key"):
        print("usage: python3 BUNDLE.zip [--key HEX]", file=sys.stderr)  # noqa: T201  the answer
        return 2
    return check_and_print(bundle, frozenset(rest[1:]))


def check_and_print(bundle: str, keys: frozenset[str]) -> int:
    """Checks the bundle at the path `bundle` and prints the outcome; returns the exit code.

    `keys`: the public keys to trust, in hexadecimal; if empty, any key is accepted.
    """
    try:
        run, sentence = check_file(bundle, keys)
    except CHECK_ERRORS as error:
        print(f"The bundle does NOT stand: {_why(error)}", file=sys.stderr)  # noqa: T201  the answer
        return 1
    print(_shown(sentence))  # noqa: T201  the answer
    for discrepancy in run.discrepancies[:_MAX_SHOWN]:
        print(f"  but {_shown(discrepancy)}", file=sys.stderr)  # noqa: T201  the answer
    if (more := len(run.discrepancies) - _MAX_SHOWN) > 0:
        print(f"  and {more} more things", file=sys.stderr)  # noqa: T201  the answer
    return 1 if run.discrepancies else 0


def _why(error: Exception) -> str:
    """What is wrong, in a sentence."""
    words = "it wants more memory than any run's bundle." if isinstance(error, MemoryError) else str(error)
    return _shown(words) or type(error).__name__


def _shown(words: str) -> str:
    """The words on one line: names in a bundle are a stranger's, and must not command a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in words[:_MAX_SENTENCE])


def check_file(path: str, keys: frozenset[str] = frozenset()) -> tuple[RecomputedRun, str]:
    """As `check`, of the bundle at this path. Raises one of CHECK_ERRORS."""
    if pathlib.Path(path).exists() and not pathlib.Path(path).is_file():  # a pipe could be waited for without end
        raise ValueError(f"{path} is no file.")
    with zipfile.ZipFile(path) as bundle:
        return check(ZippedFiles(bundle), keys)


def check(files: BundleFiles, keys: frozenset[str] = frozenset()) -> tuple[RecomputedRun, str]:
    """Checks a bundle's files; returns the recomputed run and a sentence about it and its records.

    `keys`: the public keys to trust, in hexadecimal; if empty, any key is accepted. Raises one of CHECK_ERRORS.
    The records are read three times and never held: for the chain, for the run, for the tables.
    """
    manifest = read_manifest(files)
    points = read_points(document(files, POINTS))
    first, previous = manifest["first_seq"] - 1, bytes.fromhex(manifest["hash_before"])
    trusted = frozenset(bytes.fromhex(key) for key in keys)
    seq, head, count = verify_chain(read_records(files), points, None, trusted, after=(first, previous))
    run = recompute_run(manifest["run_id"], read_records(files), manifest.get("race_id", ""))
    for name, digest in _table_digests(run, files).items():
        if manifest["files"].get(name) != digest:
            raise ValueError(f"{name} does not agree with the records.")
    if not count:
        run.discrepancies.append("no key has signed these records: they prove nothing.")
    by = ", ".join(sorted({point.public_key.hex() for point in points})) or "no key"
    score = "no score" if run.score_ms is None else f"{run.score_ms} ms"
    sentence = (
        f"run {run.run_id}: {len(run.laps)} laps, {score}, of the race {run.race_id}; "
        f"records {first + 1} to {seq} are intact, {count} signatures by {by}; head {head.hex()}"
    )
    return run, sentence


class _HashedTable:
    """Takes a table without keeping it."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, text: str) -> None:
        self.sha256.update(text.encode())


def _table_digests(run: RecomputedRun, files: BundleFiles) -> dict[str, str]:
    """The SHA-256 of each table, as the records make it."""
    made: dict[str, _HashedTable] = defaultdict(_HashedTable)
    write_tables(run, read_records(files), lambda name: made[name])
    return {name: table.sha256.hexdigest() for name, table in made.items()}


def read_manifest(files: BundleFiles) -> dict[str, Any]:
    """The manifest, after checking every file against it. Raises ValueError."""
    missing = {MANIFEST, RECORDS, POINTS} - set(files.sizes)
    if missing:
        raise ValueError(f"{min(missing)} is missing: this is not a protest bundle.")
    manifest: dict[str, Any] = read_json(document(files, MANIFEST))
    unlisted = set(files.sizes) - set(manifest["files"]) - {MANIFEST}
    if unlisted:
        raise ValueError(f"{min(unlisted)} is not in the manifest.")
    if len(manifest["files"]) > MAX_FILES:
        raise ValueError(f"the manifest names {len(manifest['files'])} files; no bundle has more than {MAX_FILES}.")
    for name, digest in manifest["files"].items():
        if sha256_of(files, name) != digest:
            raise ValueError(f"{name} is not the file of the manifest.")
    return manifest


def write_records(records: list[JournalRecord]) -> bytes:
    """The records as `journal.jsonl`: one JSON object per line, with the record's own bytes as text."""
    return b"".join(map(_line, records))


def read_records(files: BundleFiles) -> Iterator[JournalRecord]:
    """The records of `journal.jsonl`, as `write_records` wrote them. Raises ValueError, LookupError."""
    for line in lines(files, RECORDS):
        row = json.loads(line)
        record = JournalRecord(
            row["seq"],
            row["input"].encode(),
            row["facts"].encode(),
            bytes.fromhex(row["hash"]),
            tuple(result.encode() for result in row["results"]),
        )
        if _line(record) != line:  # with a name twice, say, another reader would read another record
            raise ValueError(f"record {record.seq} is not written as a station writes it.")
        yield record


def write_points(points: list[Checkpoint]) -> bytes:
    """The station's signatures as JSON: rows of record, hash, public key, signature (hexadecimal)."""
    return json.dumps([[p.seq, p.hash.hex(), p.public_key.hex(), p.signature.hex()] for p in points], indent=1).encode()


def read_points(data: bytes) -> list[Checkpoint]:
    """The checkpoints of `checkpoints.json`, as `write_points` wrote them. Raises ValueError."""
    return [Checkpoint(seq, *(bytes.fromhex(part) for part in parts)) for seq, *parts in read_json(data)]


def _line(record: JournalRecord) -> bytes:
    plain = {
        "seq": record.seq,
        "input": record.input.decode(),
        "facts": record.facts.decode(),
        "hash": record.hash.hex(),
        "results": [result.decode() for result in record.results],
    }
    return json.dumps(plain).encode() + b"\n"
