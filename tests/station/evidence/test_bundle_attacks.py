"""A forged protest bundle, and a journal whose facts another engine made, are found out and named."""

import hashlib
import json
import pathlib
import random
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.errors import BadInput, StorageError
from station.commands.journal import verified
from station.commands.protest import main
from station.commands.replay import difference
from station.commands.replay import main as replay_main
from station.evidence.bundle import make_bundle
from station.evidence.bundle_files import MANIFEST, POINTS, RECORDS
from station.evidence.verify import check_and_print, write_points
from station.store.hash_chain import Checkpoint, checkpoint_statement, digest
from station.store.journal import Journal
from station.store.journal_reader import JournalReader
from station.store.signer import Signer
from tests.station.evidence.test_evidence import SIGNER, signed

KEY = SIGNER.public_key.hex()
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """The files of a bundle as the station writes them."""
    folder = tmp_path_factory.mktemp("bundle")
    signed(folder / "a.db").close()
    make_bundle(folder / "a.db", "run-1", folder / "b.zip")
    with zipfile.ZipFile(folder / "b.zip") as bundle:
        yield {name: bundle.read(name) for name in bundle.namelist()}


def packed(path: pathlib.Path, files: Files, manifest: bool = True) -> str:
    """Packs the files as a bundle; the forger has rewritten the manifest."""
    if manifest:
        said = json.loads(files[MANIFEST])
        said["files"] = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST}
        files = {**files, MANIFEST: json.dumps(said).encode()}
    with zipfile.ZipFile(path, "w") as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return str(path)


def resigned(files: Files) -> Files:
    """The files with all records signed by another key."""
    forger = Ed25519PrivateKey.generate()
    key = forger.public_key().public_bytes_raw()
    points = []
    for seq, head, _, _ in json.loads(files[POINTS]):
        text = checkpoint_statement(seq, bytes.fromhex(head))
        points.append(Checkpoint(seq, bytes.fromhex(head), key, forger.sign(text)))
    return {**files, POINTS: write_points(points)}


def faster(files: Files) -> Files:
    """The records with a faster lap, and a chain that is recomputed from there."""
    rows = [json.loads(line) for line in files[RECORDS].splitlines()]
    previous = bytes.fromhex(json.loads(files[MANIFEST])["hash_before"])
    for row in rows:
        row["facts"] = row["facts"].replace("8000000000", "7000000000")
        results = (result.encode() for result in row["results"])
        previous = digest(previous, row["input"].encode(), row["facts"].encode(), *results)
        row["hash"] = previous.hex()
    return {**files, RECORDS: b"".join(json.dumps(row).encode() + b"\n" for row in rows)}


def shorter(files: Files) -> Files:
    """The files without the last record."""
    return {**files, RECORDS: b"".join(files[RECORDS].splitlines(keepends=True)[:-1])}


ATTACKS: tuple[tuple[str, Callable[[Files], Files], str], ...] = (
    ("a table", lambda f: {**f, "laps.csv": f["laps.csv"].replace(b"8000", b"7000")}, "laps.csv does not agree"),
    ("the rulings", lambda f: {**f, "rulings.csv": f["rulings.csv"].splitlines()[0]}, "rulings.csv does not agree"),
    ("the records", faster, "is not what the station signed"),
    ("the end cut off", shorter, "is missing: the station signed"),
    ("a signature", lambda f: {**f, POINTS: f[POINTS].replace(f[POINTS][-20:-10], b"0" * 10)}, "wrong signature"),
    ("no signatures", lambda f: {**f, POINTS: b"[]"}, "no key has signed"),
    ("no records", lambda f: {**f, RECORDS: b""}, "is missing: the station signed"),
    ("rubbish", lambda f: {**f, RECORDS: b"null\n"}, "does NOT stand"),
    ("rubbish signatures", lambda f: {**f, POINTS: b'[["1", "", "", ""]]'}, "does NOT stand"),
    ("a manifest of rubbish", lambda f: {**f, MANIFEST: b'{"files": []}'}, "does NOT stand"),
    ("no manifest", lambda f: {name: data for name, data in f.items() if name != MANIFEST}, "manifest.json is missing"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "attack", "sentence"), ATTACKS, ids=[name for name, _, _ in ATTACKS])
def test_a_forged_bundle_falls(
    name: str,  # for the test's own name
    attack: Callable[[Files], Files],
    sentence: str,
    genuine: Files,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = attack(genuine)
    path = packed(tmp_path / "b.zip", files, manifest=MANIFEST in files and files[MANIFEST] == genuine[MANIFEST])
    assert check_and_print(path, frozenset()) == 1
    assert sentence in capsys.readouterr().err


def test_a_file_too_many_falls(genuine: Files, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = packed(tmp_path / "b.zip", genuine)
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("laps 2.csv", b"0")
    assert main(["--check", path]) == 1
    assert "laps 2.csv is not in the manifest" in capsys.readouterr().err


def test_a_file_twice_falls(genuine: Files, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = packed(tmp_path / "b.zip", genuine)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as bundle:
        warnings.simplefilter("ignore")
        bundle.writestr("laps.csv", genuine["laps.csv"])
    assert main(["--check", path]) == 1
    assert "laps.csv is in it twice" in capsys.readouterr().err


def test_who_signed_it_anew_shows_by_the_key(
    genuine: Files, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, forged = packed(tmp_path / "a.zip", genuine), packed(tmp_path / "b.zip", resigned(genuine))
    assert main(["--check", whole, "--key", KEY]) == 0
    assert f"signatures by {KEY}" in capsys.readouterr().out
    assert main(["--check", forged]) == 0, "without a key to hold it against, any signature is one"
    assert main(["--check", forged, "--key", KEY]) == 1
    assert "a key that is not the station's" in capsys.readouterr().err
    for path, code in ((whole, 0), (forged, 1)):
        bare = subprocess.run([sys.executable, "-I", "-S", path, "--key", KEY], capture_output=True, check=False)
        assert bare.returncode == code
    misused = subprocess.run([sys.executable, "-I", "-S", whole, "--keys"], capture_output=True, check=False)
    assert misused.returncode == 2


def test_no_bent_byte_makes_the_check_fall_over(
    genuine: Files, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(1)
    for _ in range(150):
        name = chance.choice([RECORDS, POINTS, MANIFEST, "run.json", "edges.csv"])
        data = bytearray(genuine[name])
        data[chance.randrange(len(data))] = chance.randrange(256)
        if bytes(data) != genuine[name]:
            assert (
                check_and_print(
                    packed(tmp_path / "b.zip", {**genuine, name: bytes(data)}, name != MANIFEST), frozenset()
                )
                == 1
            )
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no zip at all"])
def test_what_is_no_bundle(content: bytes, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    assert main(["--check", str(tmp_path / "b.zip")]) == 1
    assert main(["--check", str(tmp_path / "none.zip")]) == 1
    assert capsys.readouterr().err.count("The bundle does NOT stand") == 2


def test_where_a_bundle_cannot_be_written(tmp_path: pathlib.Path) -> None:
    signed(tmp_path / "a.db").close()
    for out in (tmp_path, tmp_path / "none" / "b.zip"):
        with pytest.raises(BadInput, match="cannot be written"):
            main(["run-1", "--journal", str(tmp_path / "a.db"), "-o", str(out)])
    for words in ([], ["run-1", "--check", "b.zip"]):
        with pytest.raises(SystemExit):
            main(words)


def forged_journal(path: pathlib.Path, seq: int, was: bytes, now: bytes) -> None:
    """A journal with other facts in one record, chained and signed again by someone who has the key."""
    signed(path).close()
    reader = JournalReader(path)
    records = list(reader.records())
    reader.close()
    db = apsw.Connection(str(path))
    for table in ("journal", "outbox", "checkpoint"):
        db.execute(f"DROP TRIGGER {table}_never_updated; DROP TRIGGER {table}_never_deleted")
    db.execute("DELETE FROM tip; DELETE FROM checkpoint")
    previous = bytes(32)
    for record in records:
        facts = record.facts.replace(was, now) if record.seq == seq else record.facts
        previous = digest(previous, record.input, facts, *record.results)
        db.execute("UPDATE journal SET facts = ?, hash = ? WHERE seq = ?", (facts, previous, record.seq))
    db.close()


def test_replay_names_the_first_difference_and_leaves_the_file_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.db"
    forged_journal(path, 7, b'"lap_ns":8000000000', b'"lap_ns":7000000000')
    before = path.read_bytes()
    with pytest.raises(StorageError) as said:
        replay_main([str(path)])
    words = "record 7 replays to other facts than were stored: fact "
    assert words in str(said.value)
    assert "lap_ns: stored is 7000000000, replayed 8000000000." in str(said.value)
    assert path.read_bytes() == before


def test_replay_reads_while_the_station_writes(tmp_path: pathlib.Path) -> None:
    signed(tmp_path / "a.db").close()
    at_work = Journal(tmp_path / "a.db", Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))))
    assert replay_main([str(tmp_path / "a.db")]) == 0
    at_work.close()


@pytest.mark.parametrize(("stored", "made", "sentence"), [
    ([["A", {"x": 1}]], [["B", {}]], 'fact 1, A: stored is "A", replayed "B"'),
    ([["A", {"x": [1, {"y": 2}]}]], [["A", {"x": [1, {"y": 3}]}]], "fact 1, A.x[1].y: stored is 2, replayed 3"),
    ([["A", {"x": 1}]], [["A", {"z": 1}]], "fact 1, A.x: stored is 1, replayed null"),
    ([["A", {}], ["B", {}]], [["A", {}]], "stored are 2 facts (A, B), replayed 1 facts (A)"),
    ([], [["A", {}]], "stored are no facts, replayed 1 facts (A)"),
    ([["A", {"x": "a" * 500}]], [["A", {"x": ""}]], 'fact 1, A.x: stored is "' + "a" * 119 + '..., replayed ""'),
])  # fmt: skip
def test_differences_in_words(stored: list[object], made: list[object], sentence: str) -> None:
    assert difference(stored, made) == sentence


def test_a_journal_that_was_cut_anywhere_is_one_sentence(tmp_path: pathlib.Path) -> None:
    signed(tmp_path / "a.db").close()
    whole = (tmp_path / "a.db").read_bytes()
    for length in range(0, len(whole), 997):
        path = tmp_path / f"{length}.db"
        path.write_bytes(whole[:length])
        for command in (lambda path=path: verified(path), lambda path=path: replay_main([str(path)])):
            with pytest.raises(StorageError):
                command()


@pytest.mark.parametrize("tables", [("checkpoint",), ("tip",), ("checkpoint", "tip")])
def test_signatures_that_were_taken_away_are_missed(tables: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.db"
    signed(path).close()
    db = apsw.Connection(str(path))
    for table in tables:
        db.execute(f"DROP TABLE {table}")
    db.close()
    with pytest.raises(StorageError, match=r"no such table|bears no signature of the keys that you trust"):
        verified(path, frozenset({SIGNER.public_key}))
    if len(tables) == 1:
        with pytest.raises(StorageError, match="no such table"):
            verified(path)
    else:
        assert "it bears no signature" in verified(path)
