"""`python3 BUNDLE.zip`: checks a protest bundle with nothing but the bundle and Python's standard library.

Every file against the manifest, the chain of hashes over every record, the station's signatures, and the run's laps
and score made again from the edges. Exit code 0: all of it agrees; 1: it does not, and the sentence says what.
"""

import hashlib
import json
import sys
import zipfile
from collections.abc import Mapping

from shared.errors import StorageError
from station.evidence.judge import Case, judge
from station.store.chain import Checkpoint, Record, attest

RECORDS, POINTS, MANIFEST = "journal.jsonl", "checkpoints.json", "manifest.json"


def main(arguments: list[str]) -> int:
    """The bundle's own command: `arguments` is the bundle's path."""
    with zipfile.ZipFile(arguments[0]) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    try:
        case, sentence = check(files)
    except (StorageError, ValueError, KeyError, TypeError) as error:
        print(f"The bundle does NOT stand: {error}", file=sys.stderr)  # noqa: T201  the answer
        return 1
    print(sentence)  # noqa: T201  the answer
    for doubt in case.doubts:
        print(f"  but {doubt}", file=sys.stderr)  # noqa: T201  the answer
    return 1 if case.doubts else 0


def check(files: Mapping[str, bytes]) -> tuple[Case, str]:
    """The case of the bundle's run, and the sentence about its records. Raises StorageError or ValueError."""
    manifest = json.loads(files[MANIFEST])
    for name, digest in manifest["files"].items():
        if hashlib.sha256(files.get(name, b"")).hexdigest() != digest:
            raise ValueError(f"{name} is not the file of the manifest.")
    records = read_records(files[RECORDS])
    points = read_points(files[POINTS])
    first, previous = manifest["first_seq"] - 1, bytes.fromhex(manifest["hash_before"])
    seq, head, count = attest(records, points, None, after=(first, previous))
    case = judge(manifest["run_id"], records)
    keys = ", ".join(sorted({point.public_key.hex() for point in points})) or "nobody"
    score = "no score" if case.score_ms is None else f"{case.score_ms} ms"
    sentence = (
        f"run {case.run_id}: {len(case.laps)} laps, {score}; records {first + 1} to {seq} are whole, "
        f"{count} signatures by {keys}; head {head.hex()}"
    )
    return case, sentence


def write_records(records: list[Record]) -> bytes:
    """One JSON object a line, with the record's own bytes as text."""
    return b"".join(json.dumps(_plain(record)).encode() + b"\n" for record in records)


def read_records(data: bytes) -> list[Record]:
    """Back again."""
    rows = [json.loads(line) for line in data.splitlines()]
    return [
        Record(
            row["seq"],
            row["input"].encode(),
            row["facts"].encode(),
            bytes.fromhex(row["hash"]),
            tuple(result.encode() for result in row["results"]),
        )
        for row in rows
    ]


def write_points(points: list[Checkpoint]) -> bytes:
    """The station's signatures."""
    return json.dumps([[p.seq, p.hash.hex(), p.public_key.hex(), p.signature.hex()] for p in points], indent=1).encode()


def read_points(data: bytes) -> list[Checkpoint]:
    """Back again."""
    return [Checkpoint(seq, *(bytes.fromhex(part) for part in parts)) for seq, *parts in json.loads(data)]


def _plain(record: Record) -> dict[str, object]:
    return {
        "seq": record.seq,
        "input": record.input.decode(),
        "facts": record.facts.decode(),
        "hash": record.hash.hex(),
        "results": [result.decode() for result in record.results],
    }
