"""A start compares the journal with what the station signed; what differs is neither shown nor signed again."""

import io
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import zipfile
from collections.abc import Callable

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.station.tamper import EDITS, restarts
from raceday.__main__ import main as raceday
from shared.errors import BadInput, JournalDamaged, OperatorError, StorageError
from shared.rules.ranking import RaceRules
from station.build import hold_lock
from station.commands.backup import restore_backup
from station.commands.journal import main as journal_main
from station.commands.journal import salvaged
from station.commands.replay import check
from station.core import facts as f
from station.core import inputs as e
from station.service.restore import restore
from station.store.journal import JournalEntry
from station.store.journal_reader import JournalReader
from station.store.opening import JOURNAL, KEY, SYNC, open_journal
from station.store.recovery.backup import back_up
from station.store.verify import verify_journal
from station.sync.attempts import AttemptStore
from station.sync.outbox_reader import OutboxReader
from station.sync.schedule import OutboxRow
from tests.station.core.scripted_race import Hand, S, moment, only
from tests.station.service.station_rig import Rig

FLIPS = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


RESULT = "station-1.aaaaaaaaaaaa..run-1"


def played() -> Hand:
    """A named journal with two runs and a ruling."""
    hand = Hand(RaceRules(max_laps=3))
    hand.do(e.JournalBegan(moment(0), "aa" * 6))
    hand.drive([1, 9, 17, 25])
    hand.drive([40, 47, 54, 61], racer="Bob")
    hand.do(e.AddPenalty(author="judge", reason="pushed", number=2, seconds=1.5, run_id="run-1", moment=moment(70 * S)))
    hand.open("Carl", at_ns=80 * S)
    return hand


def station_folder(folder: pathlib.Path, hand: Hand | None = None) -> pathlib.Path:
    """A station's data folder, as a station leaves it behind."""
    folder.mkdir(exist_ok=True)
    hand = hand or played()
    journal = open_journal(folder)
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    journal.close()
    return folder


def standing(folder: pathlib.Path) -> list[tuple[str, int]]:
    journal = open_journal(folder)
    race = restore(journal).engine.race
    journal.close()
    return [] if race is None else [(line.racer, line.score_ms) for line in race.standings.lines()]


def lines(path: pathlib.Path) -> int:
    reader = JournalReader(path)
    found = sum(1 for _ in reader.records())
    reader.close()
    return found


def test_a_whole_journal_is_opened_again(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path)
    for _ in range(2):
        assert standing(tmp_path) == [("Bob", 7000), ("Ann", 8500)]
    assert not list(tmp_path.glob("*.new"))


def test_a_start_before_the_first_record_was_kept_begins_again(tmp_path: pathlib.Path) -> None:
    open_journal(tmp_path).close()
    open_journal(tmp_path).close()
    assert verify_journal(tmp_path / JOURNAL).signatures == 1
    (tmp_path / KEY).unlink()  # cut off between the journal and the name of its key
    station_folder(tmp_path)
    assert standing(tmp_path)


def test_every_kind_of_edit_is_refused_at_the_start_and_still_said_after_it(tmp_path: pathlib.Path) -> None:
    found = restarts(tmp_path, inputs=60, count=100, seed=3)
    for what in ("tried", "refused", "verified"):
        assert {kind: found[kind, what] for kind in EDITS} == dict.fromkeys(EDITS, 20)


@pytest.mark.slow
def test_a_thousand_edits(tmp_path: pathlib.Path) -> None:
    found = restarts(tmp_path, inputs=60, count=1_000, seed=4)
    for what in ("tried", "refused", "verified"):
        assert {kind: found[kind, what] for kind in EDITS} == dict.fromkeys(EDITS, 200)


@FLIPS
@given(
    at=st.floats(0, 1, exclude_max=True), kind=st.sampled_from(["flip", "zero", "cut", "page"]), bit=st.integers(0, 7)
)
def test_a_damaged_file_starts_as_it_was_or_not_at_all(
    tmp_path_factory: pytest.TempPathFactory, at: float, kind: str, bit: int
) -> None:
    folder = station_folder(tmp_path_factory.mktemp("damaged"))
    path = folder / JOURNAL
    data = bytearray(path.read_bytes())
    place = int(at * len(data))
    if kind == "flip":
        data[place] ^= 1 << bit
    elif kind == "zero":
        data[place : place + 512] = bytes(len(data[place : place + 512]))
    elif kind == "cut":
        del data[place:]
    else:
        page, other = place // 4096 * 4096, bit % (len(data) // 4096) * 4096
        data[page : page + 4096] = data[other : other + 4096]
    path.write_bytes(data)
    said = ""
    try:
        assert standing(folder) == [("Bob", 7000), ("Ann", 8500)]
        assert lines(path) == sum(1 for facts in played().facts if facts)
    except StorageError as refused:
        said = str(refused)
    assert "\n" not in said


def sql(folder: pathlib.Path, statement: str) -> None:
    db = apsw.Connection(str(folder / JOURNAL))
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE journal SET input = CAST(replace(CAST(input AS TEXT), 'Ann', 'Eve') AS BLOB)", "record 4 was changed"),
        ("DELETE FROM journal; DELETE FROM outbox; DELETE FROM checkpoint; DELETE FROM tip", "bears no signature"),
        ("DELETE FROM checkpoint; DELETE FROM tip", "bears no signature, though this station signs"),
        ("DROP TABLE checkpoint; DROP TABLE tip; PRAGMA user_version = 1", "bears no signature"),
        ("UPDATE outbox SET result_id = 'race-1.run-9' WHERE seq = 1", "was changed after it was written"),
        ("UPDATE outbox SET revision = 7 WHERE seq = 1", "was changed after it was written"),
        ("UPDATE outbox SET journal_seq = 999 WHERE seq = 3", "record"),
    ],
)
def test_what_differs_is_named_with_the_two_ways_on(tmp_path: pathlib.Path, statement: str, sentence: str) -> None:
    station_folder(tmp_path)
    sql(tmp_path, statement)
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(JournalDamaged, match=sentence) as refused:
        open_journal(tmp_path)
    assert "`raceday restore FILE`" in str(refused.value)
    assert "`raceday journal salvage`" in str(refused.value)
    assert refused.value.exit_code == 4
    assert (tmp_path / JOURNAL).read_bytes() == before


def test_a_key_that_is_gone_is_not_replaced(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path)
    (tmp_path / KEY).unlink()
    with pytest.raises(JournalDamaged, match=r"station\.key: is missing, but the records of station\.db were signed"):
        open_journal(tmp_path)
    assert not (tmp_path / KEY).exists()
    sql(tmp_path, "DELETE FROM checkpoint; DELETE FROM tip")  # the results that were posted still show it
    with pytest.raises(JournalDamaged, match="is missing, but"):
        open_journal(tmp_path)


def test_another_stations_key_does_not_sign_on(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path / "a")
    station_folder(tmp_path / "b")
    shutil.copy(tmp_path / "b" / KEY, tmp_path / "a" / KEY)
    with pytest.raises(JournalDamaged, match="signed by a key that is not the station's"):
        open_journal(tmp_path / "a")


def test_an_old_journal_that_was_never_signed_is_signed_from_now_on(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path, Hand())
    (tmp_path / KEY).unlink()
    sql(tmp_path, "DROP TABLE checkpoint; DROP TABLE tip; PRAGMA user_version = 1")
    open_journal(tmp_path).close()
    assert (tmp_path / KEY).exists()


def posted_once(folder: pathlib.Path) -> None:
    attempts = AttemptStore(folder / SYNC)
    attempts.begin(OutboxRow(1, RESULT, 1, b""), 1)
    attempts.close()


@pytest.mark.parametrize("tip", ["checkpoint", "none"])
def test_a_journal_that_was_cut_where_it_was_signed_once_is_refused(tmp_path: pathlib.Path, tip: str) -> None:
    """All its signatures are good; the missing newest one gives it away, and so does a result that was posted later."""
    station_folder(tmp_path)
    posted_once(tmp_path)
    open_journal(tmp_path).close()
    attempts = AttemptStore(tmp_path / SYNC)
    attempts.begin(OutboxRow(2, RESULT.replace("run-1", "run-2"), 1, b""), 1)
    attempts.close()
    open_journal(tmp_path).close()
    reader = JournalReader(tmp_path / JOURNAL)
    first = reader.checkpoints()[0].seq
    reader.close()
    gone = " ".join(f"DELETE FROM {name} WHERE journal_seq > {first};" for name in ("outbox", "checkpoint"))
    again = "INSERT INTO tip SELECT 1, * FROM checkpoint;" if tip == "checkpoint" else ""
    sql(tmp_path, f"{gone} DELETE FROM journal WHERE seq > {first}; DELETE FROM tip; {again}")
    sentence = "lacks .*run-2.*, which was posted" if tip == "checkpoint" else "the newest commit is gone"
    with pytest.raises(JournalDamaged, match=sentence):
        open_journal(tmp_path)
    if tip == "checkpoint":
        (tmp_path / SYNC).unlink()
        open_journal(tmp_path).close()


@pytest.mark.parametrize("left", [KEY, SYNC])
@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_an_empty_folder_of_a_station_that_was_is_refused(tmp_path: pathlib.Path, left: str, how: str) -> None:
    station_folder(tmp_path)
    posted_once(tmp_path)
    (tmp_path / JOURNAL).unlink()
    if how == "emptied":
        (tmp_path / JOURNAL).touch()
    (tmp_path / (SYNC if left == KEY else KEY)).unlink()
    with pytest.raises(JournalDamaged, match=rf"there is no station\.db, but {left} of a station that had one"):
        open_journal(tmp_path)


def test_a_sync_service_that_started_first_is_no_sign_of_a_journal(tmp_path: pathlib.Path) -> None:
    AttemptStore(tmp_path / SYNC).close()
    open_journal(tmp_path).close()


# Salvage


def test_salvage_names_the_last_good_record_and_goes_on(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path)
    checkpoints = JournalReader(tmp_path / JOURNAL)
    last = checkpoints.checkpoints()[0]
    checkpoints.close()
    sql(tmp_path, f"UPDATE journal SET facts = zeroblob(9) WHERE seq = {last.seq + 2}")
    said = salvaged(tmp_path)
    assert f"It goes on after record {last.seq} of the old one (head {last.hash.hex()}), with 1 results of it" in said
    journal = open_journal(tmp_path)
    assert check(journal) == journal.head
    (record,) = journal.records()
    kind, began = json.loads(record.input)
    assert kind == "JournalBegan"
    assert (began["old_journal"], began["old_seq"], began["old_head"]) == ("aa" * 6, last.seq, last.hash.hex())
    assert began["runs"] == 3  # also of the damaged part: no id is given twice
    assert [json.loads(result)["racer"] for result in record.results] == ["Ann"]
    engine = restore(journal).engine
    engine.handle(e.Booted(moment(0), "station-1", (e.GateSpec("start"),), start="22" * 4))
    engine.handle(e.OpenRace(moment(0), "race-1", "A race", RaceRules()))
    opened = engine.handle(e.OpenRun(author="j", racer="Dan", car="car-1", moment=moment(S)))
    assert [fact.run_id for fact in only(opened, f.RunOpened)] == ["run-4"]
    journal.close()
    source = OutboxReader(tmp_path / JOURNAL)
    assert [row.webhook_id for row in source.new_rows()] == [f"{RESULT}.1"]
    source.close()
    assert (tmp_path / f"{JOURNAL}.aside-1").exists()


@pytest.mark.parametrize("what", ["garbage", "gone", "cut", "no key", "whole"])
def test_salvage_begins_anew_whatever_is_left(tmp_path: pathlib.Path, what: str) -> None:
    station_folder(tmp_path)
    path = tmp_path / JOURNAL
    if what == "garbage":
        path.write_bytes(b"nothing" * 1000)
    elif what == "gone":
        path.unlink()
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:9000])
    elif what == "no key":
        (tmp_path / KEY).unlink()
    old = path.read_bytes() if path.exists() else b""
    assert journal_main(["salvage", "--data-dir", str(tmp_path)]) == 0
    journal = open_journal(tmp_path)
    assert journal.head.seq == 1
    journal.close()
    aside = tmp_path / f"{JOURNAL}.aside-1"
    assert (aside.read_bytes() if aside.exists() else b"") == old
    if what in ("whole", "no key"):
        assert b"run-3" in old
        with JournalReaderOf(path) as record:
            assert json.loads(record.input)[1]["old_seq"] == sum(1 for facts in played().facts if facts)


class JournalReaderOf:
    """The first record."""

    def __init__(self, path: pathlib.Path) -> None:
        self._reader = JournalReader(path)

    def __enter__(self):  # type: ignore[no-untyped-def]
        return next(iter(self._reader.records()))

    def __exit__(self, *_whatever: object) -> None:
        self._reader.close()


def test_salvage_waits_for_the_station_to_stop(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path)
    lock = hold_lock(tmp_path)
    with pytest.raises(OperatorError, match="another station already runs"):
        salvaged(tmp_path)
    os.close(lock)


# Backup and restore


def test_a_backup_of_a_station_at_work_is_put_back(tmp_path: pathlib.Path) -> None:
    data, out = tmp_path / "data", tmp_path / "night.backup"
    data.mkdir()
    journal = open_journal(data)
    hand = played()
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    posted_once(data)
    said = str(back_up(data, out))  # the journal is open, its newest records are in its log
    assert f"{journal.head.seq} records, head {journal.head.hex}" in said
    assert out.stat().st_mode & 0o777 == 0o600
    hand.drive([90, 99, 108, 117], racer="Dora")
    journal.close()
    shutil.rmtree(data)
    data.mkdir()
    said = restore_backup(data, out)
    assert standing(data) == [("Bob", 7000), ("Ann", 8500)]
    assert (data / KEY).stat().st_mode & 0o777 == 0o600
    attempts = AttemptStore(data / SYNC)
    assert [each.webhook_id for each in attempts.records()] == [f"{RESULT}.1"]
    attempts.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "night.backup"]


def test_what_a_restore_replaces_is_kept(tmp_path: pathlib.Path) -> None:
    data, out = station_folder(tmp_path / "data"), tmp_path / "b"
    back_up(data, out)
    (data / JOURNAL).write_bytes(b"damaged")
    restore_backup(data, out)
    assert (data / f"{JOURNAL}.aside-1").read_bytes() == b"damaged"
    assert standing(data)
    with pytest.raises(BadInput, match="a backup is never written over another file"):
        back_up(data, out)


def with_a_bit_changed(archive: bytes, member: int) -> bytes:
    """The archive with one bit changed in the packed content of this member; what only dates it proves nothing."""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        info = packed.infolist()[member]
    name_size, extra_size = struct.unpack_from("<HH", archive, info.header_offset + 26)
    at = info.header_offset + 30 + name_size + extra_size + info.compress_size // 2
    return archive[:at] + bytes([archive[at] ^ 1]) + archive[at + 1 :]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda _data: b"no zip", "is not a complete backup"),
        (lambda data: data[: len(data) // 2], "is not a complete backup"),
        *[(lambda data, member=member: with_a_bit_changed(data, member), "backup") for member in (0, 1, -1)],
        (lambda _data: b"", "is not a complete backup"),
    ],
)
def test_a_backup_that_is_damaged_replaces_nothing(
    tmp_path: pathlib.Path, spoil: Callable[[bytes], bytes], sentence: str
) -> None:
    data, out = station_folder(tmp_path / "data"), tmp_path / "b"
    back_up(data, out)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    out.write_bytes(spoil(out.read_bytes()))
    with pytest.raises(OperatorError, match=sentence):
        restore_backup(data, out)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    with pytest.raises(BadInput, match="there is no such file"):
        restore_backup(data, tmp_path / "nowhere")


def test_the_doc_says_how_and_its_commands_do_it(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs each command of the section "The journal is damaged" of the guide as it is printed there."""
    doc = (pathlib.Path(__file__).parents[3] / "docs" / "when-something-fails.md").read_text()
    section = doc[doc.index("## The journal is damaged") :].partition("\n## ")[0]
    data = station_folder(tmp_path / "data")
    config = tmp_path / "station.toml"
    config.write_text(f'data_dir = "{data}"\n[[gate]]\nname = "start"\ndriver = "mock"\n')
    said = [line.strip() for line in section.splitlines() if line.startswith("    raceday ")]
    assert [line.split()[1] for line in said] == ["backup", "journal", "restore", "journal"]
    for line in said:
        words = line.split()[1:]
        words = [str(tmp_path / "evening.backup") if word.endswith(".backup") else word for word in words]
        if words[:2] == ["journal", "verify"]:
            sql(data, "UPDATE journal SET facts = zeroblob(9) WHERE seq = 5")
            assert raceday([*words[:2], str(data / JOURNAL)]) == 2
            continue
        if words[:2] == ["journal", "salvage"]:
            sql(data, "UPDATE journal SET facts = zeroblob(9) WHERE seq = 5")
        assert raceday([*words, "--config", str(config)]) == 0, line
        open_journal(data).close()
    assert "It goes on after record" in capsys.readouterr().out


# Under a running station


@pytest.mark.parametrize("how", ["deleted", "renamed", "replaced", "log deleted"])
def test_a_journal_that_is_taken_away_is_noticed_within_two_seconds(tmp_path: pathlib.Path, how: str) -> None:
    rig = Rig(tmp_path / JOURNAL)
    rig.open()
    rig.go()
    rig.cross(2)
    assert rig.station.snapshot().store.ok
    path, log = tmp_path / JOURNAL, tmp_path / f"{JOURNAL}-wal"
    gone, elsewhere = (log if how == "log deleted" else path), tmp_path / "elsewhere"
    if how in ("renamed", "replaced"):
        gone.rename(elsewhere)
    else:
        gone.unlink()
    if how == "replaced":
        path.write_bytes(elsewhere.read_bytes())
    rig.wait(2 * S)
    store = rig.station.snapshot().store
    assert (store.ok, "is missing" in store.sentence) == (False, True)
    laps = len(rig.station.snapshot().run.laps)  # type: ignore[union-attr]
    rig.cross(9)
    assert len(rig.station.snapshot().run.laps) == laps  # type: ignore[union-attr]
    assert rig.station.snapshot().store.held > 0
    if how == "renamed":
        elsewhere.rename(path)
        rig.wait(2 * S)
        assert rig.station.snapshot().store.ok
        assert len(rig.station.snapshot().run.laps) == laps + 1  # type: ignore[union-attr]
    rig.station.close()


def test_sync_reads_the_journal_that_lies_there_now(tmp_path: pathlib.Path) -> None:
    station_folder(tmp_path / "a")
    station_folder(tmp_path / "b", Hand())
    source = OutboxReader(tmp_path / "a" / JOURNAL)
    assert [row.seq for row in source.new_rows()] == [1, 2, 3]
    (tmp_path / "a" / JOURNAL).rename(tmp_path / "old.db")
    assert source.new_rows() == []
    (tmp_path / "b" / JOURNAL).rename(tmp_path / "a" / JOURNAL)
    assert source.new_rows() == []
    (tmp_path / "a" / JOURNAL).unlink()
    (tmp_path / "old.db").rename(tmp_path / "a" / JOURNAL)
    assert [row.seq for row in source.new_rows()] == [1, 2, 3]
    source.close()


def test_sqlite_of_the_standard_library_reads_a_backed_up_journal(tmp_path: pathlib.Path) -> None:
    data = station_folder(tmp_path / "data")
    back_up(data, tmp_path / "b")
    shutil.unpack_archive(tmp_path / "b", tmp_path / "out", "zip")
    db = sqlite3.connect(tmp_path / "out" / JOURNAL)
    assert db.execute("SELECT count(*) FROM journal").fetchone()[0] == lines(data / JOURNAL)
    db.close()
