"""`python3 BUNDLE.zip [--key HEX]`: checks a protest bundle with nothing but the bundle and Python's standard library.

It compares every file with the manifest, follows the hash chain over every record, checks the station's signatures,
compares the tables with the records, and recomputes the run's laps and score from the edges. Exit code 0: everything
agrees; 1: something does not, and a sentence says what. `--key` is the public key that the station publishes: with it,
a forger who signed everything again with another key is noticed. `raceday protest --check BUNDLE.zip` checks a bundle
without running the program in it.
"""

import hashlib
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Mapping
from typing import Any

from shared.errors import StorageError
from station.evidence.recompute import RecomputedRun, recompute_run
from station.evidence.tables import tables
from station.store.hash_chain import Checkpoint, JournalRecord, verify_chain

RECORDS, POINTS, MANIFEST = "journal.jsonl", "checkpoints.json", "manifest.json"
MAX_UNPACKED_BYTES = 512 * 1024 * 1024  # of all files together
CHECK_ERRORS = (
    StorageError,
    zipfile.BadZipFile,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
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
        run, sentence = check(read_files(bundle), keys)
    except CHECK_ERRORS as error:
        print(f"The bundle does NOT stand: {error}", file=sys.stderr)  # noqa: T201  the answer
        return 1
    print(sentence)  # noqa: T201  the answer
    for discrepancy in run.discrepancies:
        print(f"  but {discrepancy}", file=sys.stderr)  # noqa: T201  the answer
    return 1 if run.discrepancies else 0


def read_files(path: str) -> dict[str, bytes]:
    """The files of a bundle: name to content. Raises ValueError if it cannot be a bundle, BadZipFile, OSError."""
    with zipfile.ZipFile(path) as bundle:
        twice = [name for name, count in Counter(bundle.namelist()).items() if count > 1]
        if twice:
            raise ValueError(f"{twice[0]} is in it twice.")
        if sum(info.file_size for info in bundle.infolist()) > MAX_UNPACKED_BYTES:
            raise ValueError("it is larger than any run's bundle.")
        return {name: bundle.read(name) for name in bundle.namelist()}


def check(files: Mapping[str, bytes], keys: frozenset[str] = frozenset()) -> tuple[RecomputedRun, str]:
    """Checks a bundle's files; returns the recomputed run and a sentence about it and its records.

    `keys`: the public keys to trust, in hexadecimal; if empty, any key is accepted. Raises one of CHECK_ERRORS.
    """
    manifest = read_manifest(files)
    records = read_records(files[RECORDS])
    points = read_points(files[POINTS])
    first, previous = manifest["first_seq"] - 1, bytes.fromhex(manifest["hash_before"])
    trusted = frozenset(bytes.fromhex(key) for key in keys)
    seq, head, count = verify_chain(records, points, None, trusted, after=(first, previous))
    run = recompute_run(manifest["run_id"], records, manifest.get("race_id", ""))
    for name, table in tables(run, records).items():
        if files[name] != table:
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


def read_manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest, after checking every file against it. Raises ValueError."""
    missing = {MANIFEST, RECORDS, POINTS} - set(files)
    if missing:
        raise ValueError(f"{min(missing)} is missing: this is not a protest bundle.")
    manifest: dict[str, Any] = json.loads(files[MANIFEST])
    unlisted = set(files) - set(manifest["files"]) - {MANIFEST}
    if unlisted:
        raise ValueError(f"{min(unlisted)} is not in the manifest.")
    for name, digest in manifest["files"].items():
        if hashlib.sha256(files.get(name, b"")).hexdigest() != digest:
            raise ValueError(f"{name} is not the file of the manifest.")
    return manifest


def write_records(records: list[JournalRecord]) -> bytes:
    """The records as `journal.jsonl`: one JSON object per line, with the record's own bytes as text."""
    return b"".join(json.dumps(_plain(record)).encode() + b"\n" for record in records)


def read_records(data: bytes) -> list[JournalRecord]:
    """The records of `journal.jsonl`, as `write_records` wrote them. Raises ValueError, LookupError."""
    rows = [json.loads(line) for line in data.splitlines()]
    return [
        JournalRecord(
            row["seq"],
            row["input"].encode(),
            row["facts"].encode(),
            bytes.fromhex(row["hash"]),
            tuple(result.encode() for result in row["results"]),
        )
        for row in rows
    ]


def write_points(points: list[Checkpoint]) -> bytes:
    """The station's signatures as JSON: rows of record, hash, public key, signature (hexadecimal)."""
    return json.dumps([[p.seq, p.hash.hex(), p.public_key.hex(), p.signature.hex()] for p in points], indent=1).encode()


def read_points(data: bytes) -> list[Checkpoint]:
    """The checkpoints of `checkpoints.json`, as `write_points` wrote them. Raises ValueError."""
    return [Checkpoint(seq, *(bytes.fromhex(part) for part in parts)) for seq, *parts in json.loads(data)]


def _plain(record: JournalRecord) -> dict[str, object]:
    return {
        "seq": record.seq,
        "input": record.input.decode(),
        "facts": record.facts.decode(),
        "hash": record.hash.hex(),
        "results": [result.decode() for result in record.results],
    }
