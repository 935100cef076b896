"""The journal on a real disk: all or nothing, in order, chained, and nothing acknowledged is lost."""

import json
import pathlib
import subprocess
import sys
from dataclasses import replace

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import StorageError
from shared.protocol.results import decode_result
from shared.rules.ranking import RaceRules
from station.commands.replay import check, main
from station.core import facts as f
from station.core import inputs as e
from station.service.restore import restore
from station.store.encoding import decode_input, encode_facts, encode_input
from station.store.hash_chain import GENESIS, Checkpoint
from station.store.journal import Journal, JournalEntry
from station.store.signer import Signer, load_signer
from tests.station.core.runs.test_run import COMMANDS
from tests.station.core.scripted_race import Hand, S, moment
from tests.station.full_disk import full_disk

TICK = e.Tick(moment(5))
HEARD = (f.CarReportStored("car-1", "b", 1),)


def filled(path: pathlib.Path) -> Journal:
    """One run, from boot to result."""
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    journal = Journal(path)
    journal.append([JournalEntry(event, facts) for event, facts in zip(hand.inputs, hand.facts, strict=True) if facts])
    return journal


def test_what_was_appended_is_there_again(tmp_path: pathlib.Path) -> None:
    journal = filled(tmp_path / "a.db")
    head = journal.head
    journal.close()
    again = Journal(tmp_path / "a.db")
    assert again.head == head
    assert again.verify() == head
    assert check(again) == head
    engine = restore(again).engine
    assert engine.run is not None
    assert [lap.lap_ns for lap in engine.run.book.laps()] == [8 * S] * 3
    assert engine.last_seq_by_boot("start") == {"boot-a": 8}
    assert restore(again).opened == {("race-1", "run-1"): 3}
    again.close()


def test_a_result_carries_its_place_in_the_journal(tmp_path: pathlib.Path) -> None:
    journal = filled(tmp_path / "a.db")
    records = list(journal.records())
    row = apsw.Connection(str(tmp_path / "a.db")).execute("SELECT * FROM outbox").fetchall()
    assert len(row) == journal.due == 1
    seq, journal_seq, result_id, revision, payload = row[0]
    assert isinstance(payload, bytes)
    assert isinstance(journal_seq, int)
    result = decode_result(payload)
    assert (seq, result_id, revision) == (1, "race-1.run-1", 1)
    assert result.evidence.last_seq == journal_seq
    assert result.evidence.journal_head == records[journal_seq - 2].hash.hex()
    journal.close()


def test_each_head_is_signed_once_for_result_checkpoint_and_tip(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[int] = []
    sign = Signer.sign

    def counting(signer: Signer, seq: int, digest: bytes) -> Checkpoint:
        signed.append(seq)
        return sign(signer, seq, digest)

    monkeypatch.setattr(Signer, "sign", counting)
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    journal = Journal(tmp_path / "a.db", load_signer(tmp_path / "station.key"))
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        if facts:
            journal.append([JournalEntry(event, facts)])
    assert signed == list(range(1, journal.head.seq + 1))
    assert journal.verify() == journal.head
    [payload] = [result for record in journal.records() for result in record.results]
    evidence = decode_result(payload).evidence
    point = Checkpoint(
        evidence.last_seq - 1,
        bytes.fromhex(evidence.journal_head),
        bytes.fromhex(evidence.public_key),
        bytes.fromhex(evidence.signature),
    )
    assert point.genuine
    journal.close()


def test_an_empty_journal_is_whole(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "a.db")
    assert journal.append([]) == []
    assert (journal.head.seq, journal.head.hash) == (0, GENESIS)
    assert journal.verify() == journal.head
    journal.probe()
    assert journal.verify().seq == 0
    assert journal.append([JournalEntry(TICK, HEARD)]) == [1]
    journal.close()


@pytest.mark.parametrize("table", ["journal", "outbox"])
@pytest.mark.parametrize("sql", ["DELETE FROM {}", "UPDATE {} SET seq = seq + 100"])
def test_the_tripwires_hold(tmp_path: pathlib.Path, table: str, sql: str) -> None:
    filled(tmp_path / "a.db").close()
    with pytest.raises(apsw.ConstraintError, match="append only"):
        apsw.Connection(str(tmp_path / "a.db")).execute(sql.format(table))


TAMPERED = {
    "an input": "UPDATE journal SET input = CAST(replace(CAST(input AS TEXT), 'Ann', 'Bob') AS BLOB)",
    "a fact": "UPDATE journal SET facts = CAST(replace(CAST(facts AS TEXT), '8000', '7000') AS BLOB)",
    "a hash": "UPDATE journal SET hash = zeroblob(32) WHERE seq = 2",
    "a missing record": "DELETE FROM journal WHERE seq = 4",
    "a result": "UPDATE outbox SET payload = CAST(replace(CAST(payload AS TEXT), '8000', '7000') AS BLOB)",
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_change_shows(tmp_path: pathlib.Path, what: str) -> None:
    filled(tmp_path / "a.db").close()
    hand = apsw.Connection(str(tmp_path / "a.db"))
    for table in ("journal", "outbox"):
        hand.execute(f"DROP TRIGGER {table}_never_updated; DROP TRIGGER {table}_never_deleted")
    hand.execute(TAMPERED[what])
    hand.close()
    journal = Journal(tmp_path / "a.db")
    with pytest.raises(StorageError, match=r"record \d+ (was changed|is missing)"):
        journal.verify()
    journal.close()


def test_facts_that_the_engine_does_not_make_show(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "a.db")
    journal.append([JournalEntry(TICK, HEARD)])
    journal.verify()
    with pytest.raises(StorageError, match="record 1 replays to other facts"):
        check(journal)
    journal.close()


def test_the_replay_command(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = filled(tmp_path / "a.db")
    head = journal.head
    journal.close()
    assert main([str(tmp_path / "a.db")]) == 0
    assert capsys.readouterr().out == f"{head.seq} records replay to the same facts; head {head.hex}\n"
    with pytest.raises(StorageError, match="no such journal"):
        main([str(tmp_path / "b.db")])


def test_a_batch_is_kept_whole_or_not_at_all(tmp_path: pathlib.Path) -> None:
    journal = filled(tmp_path / "a.db")
    head, due = journal.head, journal.due
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25])
    same_result = next(facts for facts in hand.facts if any(isinstance(fact, f.ResultDue) for fact in facts))
    with pytest.raises(StorageError):
        journal.append([JournalEntry(TICK, HEARD), JournalEntry(TICK, same_result)])
    assert (journal.head, journal.due) == (head, due)
    assert journal.append([JournalEntry(TICK, HEARD)]) == [head.seq + 1]
    journal.verify()
    journal.close()


def test_a_full_file_keeps_what_it_had(tmp_path: pathlib.Path) -> None:
    journal = Journal(tmp_path / "a.db")
    journal._db.pragma("max_page_count", 20)
    large = JournalEntry(TICK, (f.CommandRefused("x", "y" * 10_000),))
    seqs: list[int] = []
    with pytest.raises(StorageError, match="disk is full"):
        seqs.extend(journal.append([large])[0] for _ in range(10_000))
    stored_seq = journal.head.seq
    assert stored_seq > 1
    journal._db.pragma("max_page_count", 10_000)
    assert journal.append([large]) == [stored_seq + 1]
    assert journal.verify().seq == stored_seq + 1
    journal.close()


def test_a_full_disk_keeps_what_it_had_and_takes_more_once_there_is_room(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        journal = filled(tmp_path / "a.db")
        head = journal.head
        disk.full = True
        for _ in range(3):
            with pytest.raises(StorageError, match="disk is full"):
                journal.append([JournalEntry(TICK, HEARD)])
            with pytest.raises(StorageError, match="disk is full"):
                journal.probe()
        assert journal.head == head
        assert restore(journal).engine.run is not None
        disk.full = False
        journal.probe()
        assert journal.append([JournalEntry(TICK, HEARD)]) == [head.seq + 1]
        journal.close()
    assert disk.refused
    again = Journal(tmp_path / "a.db")
    assert again.verify().seq == head.seq + 1
    again.close()


def test_a_folder_that_is_not_there_or_a_newer_file_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Journal(tmp_path / "nowhere" / "a.db")
    db = apsw.Connection(str(tmp_path / "new.db"))
    db.pragma("user_version", 99)
    db.close()
    with pytest.raises(StorageError, match="format 99"):
        Journal(tmp_path / "new.db")
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be looked at" * 50)
    with pytest.raises(StorageError):
        Journal(tmp_path / "text.db")


_KILLED = """
import pathlib, sys
from station.store.journal import JournalEntry, Journal
from tests.station.store.test_journal import HEARD, TICK
journal = Journal(pathlib.Path(sys.argv[1]))
while True:
    print(journal.append([JournalEntry(TICK, HEARD)] * 3)[-1], flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("acknowledged", [1, 40, 300])
def test_a_killed_writer_keeps_what_it_acknowledged(tmp_path: pathlib.Path, acknowledged: int) -> None:
    path = tmp_path / "a.db"
    root = pathlib.Path(__file__).parents[3]
    writer = subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE, cwd=root, text=True)
    assert writer.stdout is not None
    printed_seqs = [int(writer.stdout.readline()) for _ in range(acknowledged)]
    writer.kill()
    printed_seqs += [int(line) for line in writer.stdout if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    journal = Journal(path)
    assert journal.head.seq >= printed_seqs[-1]
    assert journal.head.seq % 3 == 0
    assert journal.verify() == journal.head
    journal.close()


_INPUTS = [*COMMANDS.values(), TICK, e.Edge("start", "beam", True, 2**62, 5, "b")]


@pytest.mark.parametrize("event", _INPUTS, ids=lambda event: type(event).__name__)
def test_inputs_survive_the_text(event: e.Input) -> None:
    assert decode_input(encode_input(event)) == event
    assert json.loads(encode_input(event))[0] == type(event).__name__


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=60) | st.sampled_from([b'["Edge",{}]', b'["Tick",', b'["__class__",{}]', b""]))
def test_damaged_text_is_a_sentence(data: bytes) -> None:
    with pytest.raises(StorageError):
        decode_input(data)


def test_the_text_is_canonical() -> None:
    assert encode_facts(HEARD) == b'[["CarReportStored",{"boot":"b","car":"car-1","run_id":"","seq":1}]]'


def test_what_came_later_is_not_stored_while_it_says_nothing() -> None:
    """An older journal replays to the same bytes; a newer one stores its new fields."""
    edge = e.Edge("start", "beam", True, 5, 1, "boot")
    assert b"transponder" not in encode_input(edge)
    assert decode_input(encode_input(edge)) == edge
    read = replace(edge, transponder="11")
    assert decode_input(encode_input(read)) == read
    finish = e.FinishRun(author="judge")
    assert b"run_id" not in encode_input(finish)
    named = replace(finish, run_id="run-2")
    assert decode_input(encode_input(named)) == named
    assert encode_facts([f.Attributed(1, "run-1", "car-1")]) == (
        b'[["Attributed",{"car":"car-1","crossing":1,"run_id":"run-1"}]]'
    )
    race = e.OpenRace(e.NEVER, "race-1", "A race", RaceRules())
    assert b"cars_on_track" not in encode_input(race)
    assert b"ties_by_uncertainty" not in encode_input(race)


def test_the_gates_of_an_old_journal_are_what_they_meant() -> None:
    """Before there were layouts, several sensors were always in line; today a gate without one is another gate."""
    moment = e.Moment("b", 1, 2)
    old = e.Booted(moment, "station-1", (e.GateSpec("start", ("front", "rear"), layout=""), e.GateSpec("split")))
    text = encode_input(old)
    assert text.count(b"layout") == 1
    assert decode_input(text) == old
    assert b"proof" not in text
    assert b"wiring" not in text
    new = replace(old, gates=(e.GateSpec("start", ("front", "rear"), proof="level", wiring="7"),))
    assert decode_input(encode_input(new)) == new
    for bad in (b'["Booted",{"gates":7}]', b'["Booted",[]]', b'["Booted",{"gates":[1]}]', b'["Booted",'):
        with pytest.raises(StorageError):
            decode_input(bad)
