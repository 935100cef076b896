"""Evidence: signatures, a tampered journal, and a protest bundle that a bare Python checks."""

import json
import pathlib
import stat
import subprocess
import sys
import zipfile

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.station.tamper import KINDS, campaign, written
from shared.errors import BadInput, StorageError
from shared.protocol.results import decode_result
from shared.rules.ranking import RaceRules
from station.commands.journal import main as journal_main
from station.commands.journal import verified
from station.commands.protest import main as protest_main
from station.commands.replay import check as replay
from station.core import inputs as e
from station.evidence.bundle import make_bundle
from station.evidence.bundle_files import FilesInMemory
from station.evidence.verify import check
from station.store.ed25519 import verify, verify_by_hand
from station.store.hash_chain import Tampered, checkpoint_statement, digest
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from station.store.signer import Signer, load_signer
from tests.station.core.scripted_race import Hand, S, moment
from tests.station.core.timing.test_backup_system import Two
from tests.station.service.station_rig import Rig

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def signed(path: pathlib.Path) -> Journal:
    """A signed journal: two runs and a ruling on the first, each input in a commit of its own."""
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    hand.drive([40, 47, 54, 61], racer="Bob")
    hand.do(e.AddPenalty(author="judge", reason="pushed", number=2, seconds=1.5, run_id="run-1", moment=moment(70 * S)))
    journal = Journal(path, SIGNER)
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    return journal


def test_a_run_ends_with_a_checkpoint_and_so_does_a_ruling(tmp_path: pathlib.Path) -> None:
    journal = signed(tmp_path / "a.db")
    reader = JournalReader(tmp_path / "a.db")
    records, points, tip = list(reader.records()), reader.checkpoints(), reader.tip()
    assert [b"RunFinished" in records[p.seq - 1].facts for p in points] == [True, True, False]
    assert all(point.genuine and point.hash == records[point.seq - 1].hash for point in points)
    assert tip is not None
    assert (tip.seq, tip.hash, tip.genuine) == (journal.head.seq, journal.head.hash, True)
    reader.close()
    assert journal.verify() == replay(journal) == journal.head
    journal.close()


def test_a_result_goes_out_with_the_stations_signature(tmp_path: pathlib.Path) -> None:
    signed(tmp_path / "a.db").close()
    for (payload,) in apsw.Connection(str(tmp_path / "a.db")).execute("SELECT payload FROM outbox"):
        evidence = decode_result(payload).evidence
        statement = checkpoint_statement(evidence.last_seq - 1, bytes.fromhex(evidence.journal_head))
        assert verify(SIGNER.public_key, statement, bytes.fromhex(evidence.signature))
        assert evidence.public_key == SIGNER.public_key.hex()


def test_the_key_is_made_once_and_is_ours_alone(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "station.key"
    first = load_signer(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_signer(path).public_key == first.public_key
    assert [file.name for file in tmp_path.iterdir()] == ["station.key"]
    path.chmod(0o644)
    with pytest.raises(StorageError, match="chmod 600"):
        load_signer(path)
    path.chmod(0o600)
    path.write_text("not a key")
    with pytest.raises(StorageError, match="is not an Ed25519 key"):
        load_signer(path)
    with pytest.raises(StorageError, match="cannot be read"):
        load_signer(tmp_path / "nowhere" / "station.key")


@settings(deadline=None, max_examples=15)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_the_arithmetic_agrees_with_the_library(secret: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(secret)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    bent = bytearray(signature)
    bent[bit // 8] ^= 1 << bit % 8
    for check_it in (verify, verify_by_hand):
        assert check_it(public, message, signature)
        assert not check_it(public, message, bytes(bent))
        assert not check_it(public, message + b"x", signature)
    assert not verify(public[:31], message, signature)


def test_every_kind_of_change_is_found_and_named(tmp_path: pathlib.Path) -> None:
    journal_path = written(tmp_path / "a.db", inputs=60)
    found = campaign(journal_path, count=400, seed=7)
    assert {kind: found[kind, "named"] for kind in KINDS} == dict.fromkeys(KINDS, 80)


@pytest.mark.slow
def test_twenty_thousand_changes_are_found(tmp_path: pathlib.Path) -> None:
    found = campaign(written(tmp_path / "a.db", inputs=60), count=20_000, seed=8)
    assert {kind: found[kind, "named"] for kind in KINDS} == dict.fromkeys(KINDS, 4_000)


def rewrite(path: pathlib.Path, seq: int) -> None:
    """Forges a fact and recomputes every hash after it, as someone who knows the chain would."""
    db = apsw.Connection(str(path))
    for table in ("journal", "outbox", "checkpoint"):
        db.execute(f"DROP TRIGGER {table}_never_updated; DROP TRIGGER {table}_never_deleted")
    reader = JournalReader(path)
    records = list(reader.records())
    reader.close()
    previous = records[seq - 2].hash
    for record in records[seq - 1 :]:
        facts = record.facts.replace(b"8000000000", b"7000000000") if record.seq == seq else record.facts
        previous = digest(previous, record.input, facts, *record.results)
        db.execute("UPDATE journal SET facts = ?, hash = ? WHERE seq = ?", (facts, previous, record.seq))
    db.close()


def test_a_chain_made_anew_meets_the_signatures(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.db"
    signed(path).close()
    rewrite(path, 7)
    with pytest.raises(Tampered, match="is not what the station signed"):
        verified(path)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE tip SET signature = zeroblob(64)", "wrong signature"),
        ("DELETE FROM tip", "bears no signature, though"),
        ("UPDATE tip SET journal_seq = journal_seq + 1", "is missing: the station signed"),
        ("UPDATE tip SET journal_seq = journal_seq - 1", "wrong signature"),
    ],
)
def test_the_signatures_are_held_to_account_too(tmp_path: pathlib.Path, sql: str, sentence: str) -> None:
    journal = signed(tmp_path / "a.db")
    journal.append([JournalEntry(e.Tick(moment(90 * S)), (Hand().facts[0]))])
    journal.close()
    apsw.Connection(str(tmp_path / "a.db")).execute(sql)
    with pytest.raises(Tampered, match=sentence):
        verified(tmp_path / "a.db")


def test_the_verify_command(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.db"
    signed(path).close()
    key = SIGNER.public_key.hex()
    assert journal_main(["verify", str(path), "--key", key]) == 0
    assert f"4 signatures by {key}" in capsys.readouterr().out
    with pytest.raises(StorageError, match="not the station's"):
        journal_main(["verify", str(path), "--key", "00" * 32])
    with pytest.raises(BadInput, match="64 hexadecimal digits"):
        journal_main(["verify", str(path), "--key", "abc"])
    with pytest.raises(StorageError, match="no such journal"):
        journal_main(["verify", str(tmp_path / "b.db")])


def test_a_journal_of_the_first_format_is_signed_from_now_on(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.db"
    journal = Journal(path)
    hand = Hand()
    journal.append([JournalEntry(hand.inputs[0], hand.facts[0])])
    journal.close()
    db = apsw.Connection(str(path))
    db.execute("DROP TABLE checkpoint; DROP TABLE tip")
    db.pragma("user_version", 1)
    db.close()
    assert "bears no signature" in verified(path)
    journal = Journal(path, SIGNER)
    journal.append([JournalEntry(hand.inputs[1], hand.facts[1])])
    journal.close()
    assert "2 records as they were written, 1 signatures" in verified(path)


def test_a_bundle_stands_on_its_own(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "a.db", tmp_path / "bundle.zip"
    signed(path).close()
    assert protest_main(["run-1", "-o", str(out), "--journal", str(path)]) == 0
    bare = subprocess.run(
        [sys.executable, "-I", "-S", str(out)], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert (bare.returncode, bare.stderr) == (0, "")
    assert "run run-1: 3 laps, 8500 ms" in bare.stdout
    assert SIGNER.public_key.hex() in bare.stdout
    with zipfile.ZipFile(out) as bundle:
        assert b"AddPenalty,judge,pushed" in bundle.read("rulings.csv")
        assert bundle.read("edges.csv").count(b"\n") == 1 + 16
        assert bundle.read("crossings.csv").count(b"gate,start") == 8
        assert json.loads(bundle.read("config.json"))["rules"]["rules"]["max_laps"] == 3
    with pytest.raises(BadInput, match="no run 'run-9'"):
        make_bundle(path, "run-9", out)


@pytest.mark.parametrize("name", ["journal.jsonl", "checkpoints.json", "station/store/hash_chain.py", "laps.csv"])
def test_a_bent_bundle_falls(tmp_path: pathlib.Path, name: str) -> None:
    path, out = tmp_path / "a.db", tmp_path / "bundle.zip"
    signed(path).close()
    make_bundle(path, "run-2", out)
    with zipfile.ZipFile(out) as bundle:
        files = {each: bundle.read(each) for each in bundle.namelist()}
    files[name] = files[name].replace(b"7", b"8", 1) + b"\n"
    with pytest.raises(ValueError, match="not the file of the manifest"):
        check(FilesInMemory(files))


def test_a_lap_that_its_edges_do_not_make_is_doubted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.db"
    signed(path).close()
    rewrite(path, 7)
    db = apsw.Connection(str(path))
    db.execute("DELETE FROM tip; DELETE FROM checkpoint")
    db.close()
    assert "lap 1 is stored as 7000000000 ns, its crossings are 8000000000 ns apart" in make_bundle(path, "run-1", path)


def test_a_lap_of_the_second_system_stands(tmp_path: pathlib.Path) -> None:
    hand = Two(laps=5)
    for number in range(5):
        hand.both((1 + 8 * number) * S)
    hand.cross_b(41 * S)
    hand.tick(43 * S)
    journal = Journal(tmp_path / "a.db", SIGNER)
    journal.append([JournalEntry(given, facts) for given, facts in zip(hand.inputs, hand.facts, strict=True) if facts])
    assert replay(journal) == journal.head
    journal.close()
    sentence = make_bundle(tmp_path / "a.db", "run-1", tmp_path / "b.zip")
    assert sentence.startswith("run run-1: 5 laps, 8000 ms")
    assert "; lap" not in sentence
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        assert b"system B, corrected" in bundle.read("crossings.csv")
        assert b",system_b," in bundle.read("laps.csv")


def test_a_station_at_work_signs(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    rig.station.journal._signer = SIGNER
    rig.open()
    rig.go()
    for _ in range(4):
        rig.cross(8)
    assert "signatures by" in verified(rig.path)
    assert "3 laps" in make_bundle(rig.path, "run-1", tmp_path / "b.zip")
    rig.station.close()
