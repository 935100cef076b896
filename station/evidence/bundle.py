"""The protest bundle: one zip with everything about a run and the program that checks it: `python3 FILE.zip`."""

import hashlib
import importlib.resources
import io
import json
import pathlib
import zipfile
from collections import defaultdict

from shared.errors import BadInput
from station.evidence.bundle_files import MANIFEST, POINTS, RECORDS, FilesInMemory
from station.evidence.recompute import recompute_run
from station.evidence.tables import write_tables
from station.evidence.verify import check, write_points, write_records
from station.store.hash_chain import Checkpoint, JournalRecord
from station.store.journal_reader import JournalReader

# The program files in each bundle, by package: they need only the standard library.
BUNDLED_FILES: dict[str, tuple[str, ...]] = {
    "shared": ("__init__.py", "errors.py", "units.py"),
    "shared.boards": ("__init__.py", "spreadsheet_cells.py"),
    "shared.protocol": ("__init__.py", "strict_json.py"),
    "shared.rules": ("__init__.py", "ranking.py"),
    "shared.text": ("__init__.py", "numbers.py", "sentence.py", "template.py"),
    "station": ("__init__.py",),
    "station.store": ("__init__.py", "hash_chain.py", "ed25519.py"),
    "station.evidence": ("__init__.py", "bundle_files.py", "recompute.py", "tables.py", "verify.py"),
}
MAIN_SCRIPT = b'''"""Run me: python3 BUNDLE.zip"""

import sys

from station.evidence.verify import main

sys.exit(main(sys.argv))
'''
README = b"""A protest bundle of Raceday. To check it, with Python 3.11 or newer and nothing else: python3 THIS_FILE.zip
trusting no key but the one that the station publishes:                  python3 THIS_FILE.zip --key HEX
with a program that did not come with the bundle:                        raceday protest --check THIS_FILE.zip --key HEX

journal.jsonl     the station's records, byte for byte, from the set-up of the race to the last one about this run
checkpoints.json  the station's signatures over them: record, hash, public key, signature (Ed25519)
edges.csv crossings.csv clock_pairs.csv gate_notes.csv laps.csv rulings.csv config.json run.json   the same, as tables

Compare the public key with the one that the station shows, and with the evidence that was posted with its results.
"""


def make_bundle(journal: pathlib.Path, run_id: str, out: pathlib.Path, race_id: str = "") -> str:
    """Writes the bundle of a run to the file `out`; returns what its own check found, as a sentence.

    `race_id` may be "" if only one run has this id; journals of older stations may hold one in each race. Raises
    BadInput, StorageError.
    """
    reader = JournalReader(journal)
    try:
        race_id = _race_of(reader, run_id, race_id, journal)
        first, last = _span(reader, run_id, race_id)
        points = reader.checkpoints()
        tip = reader.tip()
        records, before = list(reader.records(first - 1, last)), _hash_before(reader, first)
    finally:
        reader.close()
    files = _files((run_id, race_id), first, before, records, _over(points, tip, first, last))
    try:
        run, sentence = check(FilesInMemory(files))
    except ValueError as error:  # too much for any checker
        raise BadInput(f"{journal}: no bundle of the run {run_id!r} can be made: {error}") from None
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, data in files.items():
                bundle.writestr(name, data)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror}); name a file with -o.") from None
    return "; ".join([sentence, *run.discrepancies])


def _files(
    run: tuple[str, str], first: int, before: bytes, records: list[JournalRecord], points: list[Checkpoint]
) -> dict[str, bytes]:
    run_id, race_id = run
    files = {
        "__main__.py": MAIN_SCRIPT,
        "README.txt": README,
        RECORDS: write_records(records),
        POINTS: write_points(points),
    }
    for package, names in BUNDLED_FILES.items():
        for name in names:
            path = f"{package.replace('.', '/')}/{name}"
            files[path] = importlib.resources.files(package).joinpath(name).read_bytes()
    tables: dict[str, io.StringIO] = defaultdict(lambda: io.StringIO(newline=""))
    write_tables(recompute_run(run_id, records, race_id), records, lambda name: tables[name])
    files |= {name: table.getvalue().encode() for name, table in tables.items()}
    manifest = {
        "run_id": run_id,
        "race_id": race_id,
        "first_seq": first,
        "hash_before": before.hex(),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    return {**files, MANIFEST: json.dumps(manifest, indent=1).encode()}


def _race_of(reader: JournalReader, run_id: str, race_id: str, journal: pathlib.Path) -> str:
    """The id of the race in which this run was driven. Raises BadInput if there is none, or more than one."""
    races = [
        fact["race_id"]
        for record in reader.records()
        if b'"RunOpened"' in record.facts
        for name, fact in json.loads(record.facts)
        if name == "RunOpened" and fact["run_id"] == run_id
    ]
    if not races:
        raise BadInput(f"{journal}: holds no run {run_id!r}; the runs' names stand on the station's page.")
    if race_id and race_id not in races:
        raise BadInput(f"{journal}: the race {race_id!r} has no run {run_id!r}; it was driven in {', '.join(races)}.")
    if not race_id and len(races) > 1:
        raise BadInput(f"{journal}: holds a run {run_id!r} in each of {', '.join(races)}: say which with --race.")
    return race_id or races[0]


def _span(reader: JournalReader, run_id: str, race_id: str) -> tuple[int, int]:
    """The first and last record of the bundle.

    They reach from the newest boot and opening of the race before the run to the last record that names the run, or to
    the next signature after it.
    """
    booted = raced = opened = last = 0
    opened_in: set[str] = set()  # races with a run of this id: with one, rulings also reach it from a later race
    race, needle = "", json.dumps(run_id).encode()
    for record in reader.records():
        kind = record.input[2:].partition(b'"')[0]
        facts = json.loads(record.facts) if needle in record.facts or b'"RaceOpened"' in record.facts else []
        race = next((fact["race_id"] for name, fact in facts if name == "RaceOpened"), race)
        opened_in |= {fact["race_id"] for name, fact in facts if name == "RunOpened" and fact["run_id"] == run_id}
        if not opened:
            booted = record.seq if kind == b"Booted" else booted
            raced = record.seq if kind == b"OpenRace" and b'"RaceOpened"' in record.facts else raced
        if needle in record.facts and (race == race_id or opened_in == {race_id}):
            last = record.seq
            if not opened and any(name == "RunOpened" and fact["run_id"] == run_id for name, fact in facts):
                opened = record.seq
    signed = [point.seq for point in reader.checkpoints() if point.seq >= last]
    tip = reader.tip()
    end = min(signed) if signed else tip.seq if tip is not None else last
    return max(1, min(filter(None, (booted, raced, opened)))), end


def _over(points: list[Checkpoint], tip: Checkpoint | None, first: int, last: int) -> list[Checkpoint]:
    """The signatures over the records `first` to `last`."""
    known = {point.seq: point for point in [*([tip] if tip is not None else []), *points]}
    return [known[seq] for seq in sorted(known) if first <= seq <= last]


def _hash_before(reader: JournalReader, first: int) -> bytes:
    before = next(iter(reader.records(first - 2, first - 1)), None)
    return bytes(32) if before is None else before.hash
