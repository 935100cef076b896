"""What salvage carries over from a damaged journal: everything that chain and signatures prove, and nothing else."""

import dataclasses
import errno
import json
import os
import pathlib
import random
import re
import shutil
from collections import defaultdict
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.station.tamper import EDITS
from shared.errors import JournalDamaged, StorageError
from shared.rules.ranking import RaceRules
from station.commands.journal import main as journal_main
from station.commands.journal import salvaged
from station.core import facts as f
from station.core import inputs as e
from station.service.restore import restore
from station.store.database import open_durable
from station.store.hash_chain import JournalRecord
from station.store.journal import Journal, JournalEntry
from station.store.journal_reader import JournalReader
from station.store.opening import JOURNAL, KEY, SYNC, open_journal
from station.store.signer import load_signer
from station.store.sqlite_pages import PageFile
from station.store.surviving_records import SurvivingJournal, last_good
from station.sync.attempts import AttemptStore
from station.sync.schedule import OutboxRow
from tests.station.core.scripted_race import Hand, S, moment, only
from tests.station.store.test_opening import station_folder

PAGE = 4096
RUNS = 9
MANY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(MANY, max_examples=20)


def busy() -> Hand:
    """A named journal with nine runs, each with a result, followed by an open run."""
    hand = Hand(RaceRules(max_laps=3))
    hand.do(e.JournalBegan(moment(0), "aa" * 6))
    for number in range(RUNS):
        at_s = 1 + 40 * number
        hand.drive([at_s, at_s + 8, at_s + 16, at_s + 24], racer=f"R{number}" + "x" * 30)
    hand.open("Last", at_ns=900 * S)
    return hand


@dataclasses.dataclass(frozen=True, repr=False)
class Truth:
    """A station's folder before the damage, and what its journal holds."""

    folder: pathlib.Path
    file: bytes
    log: bytes
    keys: frozenset[bytes]
    records: tuple[JournalRecord, ...]
    signed: tuple[int, ...]  # records under a checkpoint
    in_log: dict[int, int]  # record: how long the log was when it was committed
    needs: dict[int, int]  # page: the first record that cannot be read without it
    tables: dict[str, list[int]]  # the pages of each
    runs: int = RUNS + 1

    def results(self, up_to: int) -> list[bytes]:
        return [payload for record in self.records[:up_to] for payload in record.results]

    def last_signed(self, before: int) -> int:
        return max((seq for seq in self.signed if seq < before), default=0)


def _pages(path: pathlib.Path) -> tuple[dict[int, int], dict[str, list[int]]]:
    """Which page holds which record or its results, according to SQLite itself."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    needs: dict[int, int] = {}
    tables: dict[str, list[int]] = defaultdict(list)
    for table, column in (("journal", "seq"), ("outbox", "journal_seq")):
        records = [int(str(seq)) for (seq,) in db.execute(f"SELECT {column} FROM {table} ORDER BY seq")]
        firsts, begun = dict[str, int](), 0
        said = db.execute("SELECT path, pageno, pagetype, ncell FROM dbstat WHERE name = ? ORDER BY path", (table,))
        rows = [(str(where), int(str(page)), str(kind), int(str(cells))) for where, page, kind, cells in said]
        for where, page, kind, cells in rows:
            if kind == "leaf":
                firsts[where], needs[page] = begun, records[begun]
                begun += cells
        for where, page, kind, _ in rows:
            if kind == "overflow":
                leaf, _, tail = where.rpartition("/")
                needs[page] = records[firsts[f"{leaf}/"] + int(tail.partition("+")[0], 16)]
    for name, page in db.execute("SELECT name, pageno FROM dbstat"):
        tables[str(name)].append(int(str(page)))
    db.close()
    return needs, dict(tables)


def _truth(folder: pathlib.Path) -> Truth:
    path = folder / JOURNAL
    file = path.read_bytes()
    reader = JournalReader(path)
    records, points = tuple(reader.records()), tuple(reader.checkpoints())
    reader.close()
    keys = frozenset({load_signer(folder / KEY).public_key})
    return Truth(folder, file, b"", keys, records, tuple(point.seq for point in points), {}, *_pages(path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return _truth(station_folder(tmp_path_factory.mktemp("whole"), busy()))


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """A folder after a power cut, with the newest records still in the log."""
    folder, other = tmp_path_factory.mktemp("running"), tmp_path_factory.mktemp("logged")
    journal = open_journal(folder)
    hand = busy()
    entries = [JournalEntry(event, facts) for event, facts in zip(hand.inputs, hand.facts, strict=True) if facts]
    in_log = dict[int, int]()
    for number, entry in enumerate(entries):
        (seq,) = journal.append([entry])
        if number == len(entries) // 2:
            journal._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        in_log[seq] = (folder / f"{JOURNAL}-wal").stat().st_size if number > len(entries) // 2 else 0
    for name in (JOURNAL, f"{JOURNAL}-wal", KEY):
        shutil.copy(folder / name, other / name)
    log = (other / f"{JOURNAL}-wal").read_bytes()
    assert len(log) > 10 * PAGE
    journal.close()
    truth = _truth(folder)  # what is read once the log was moved into the file
    return dataclasses.replace(truth, folder=other, file=(other / JOURNAL).read_bytes(), log=log, in_log=in_log)


def placed(truth: Truth, folder: pathlib.Path, file: bytes, log: bytes | None = None) -> pathlib.Path:
    folder.mkdir(exist_ok=True)
    shutil.copy(truth.folder / KEY, folder / KEY)
    (folder / JOURNAL).write_bytes(file)
    for more in folder.glob(f"{JOURNAL}-*"):
        more.unlink()
    if log is not None:
        (folder / f"{JOURNAL}-wal").write_bytes(log)
    return folder


def check_true(truth: Truth, left: SurvivingJournal) -> None:
    """Nothing is invented: what is carried over is the beginning of the journal, with exactly its results."""
    assert left.seq <= len(truth.records)
    assert left.head == (truth.records[left.seq - 1].hash if left.seq else bytes(32))
    assert left.results == truth.results(left.seq)
    assert left.runs >= truth.runs


def zeroed(file: bytes, page: int) -> bytes:
    return file[: (page - 1) * PAGE] + bytes(PAGE) + file[page * PAGE :]


def test_the_pages_are_read_as_sqlite_reads_them(whole: Truth, tmp_path: pathlib.Path) -> None:
    path = placed(whole, tmp_path, whole.file) / JOURNAL
    pages = PageFile(path)
    found = [(cell.rowid, *pages.values(cell)[1:]) for cell in pages.cells()]
    pages.close()
    db = apsw.Connection(str(path))
    said = [row for name in ("journal", "outbox", "checkpoint", "tip") for row in db.execute(f"SELECT * FROM {name}")]
    db.close()
    assert sorted(map(repr, found)) == sorted(map(repr, said))
    assert len(whole.needs) >= 20


def every_kind_of_row(path: pathlib.Path, page_bytes: int, rows: list[tuple[int, bytes, int]]) -> list[tuple[Any, ...]]:
    db = apsw.Connection(str(path))
    db.pragma("page_size", page_bytes)
    db.pragma("journal_mode", "wal")
    db.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, data BLOB, number INTEGER, text TEXT) STRICT")
    for seq, data, number in rows:
        db.execute("INSERT OR REPLACE INTO t VALUES (?, ?, ?, ?)", (seq, data, number, str(number)))
    said: list[tuple[Any, ...]] = list(db.execute("SELECT * FROM t ORDER BY seq"))
    pages = PageFile(path)  # the newest pages are in the log
    newest = {cell.rowid: (cell.rowid, *pages.values(cell)[1:]) for cell in reversed(list(pages.cells()))}
    pages.close()
    db.close()
    assert [newest[row[0]] for row in said] == said
    return said


@FEW
@given(
    st.sampled_from([512, 1024, 4096, 65536]),
    st.lists(
        st.tuples(st.integers(1, 2**40), st.binary(max_size=300), st.integers(-(2**63), 2**63 - 1)),
        min_size=1,
        max_size=30,
        unique_by=lambda row: row[0],
    ),
    st.sampled_from([0, 400, 5_000, 70_000]),
)
def test_rows_of_all_sizes_and_numbers_are_read(
    tmp_path_factory: pytest.TempPathFactory, page_bytes: int, rows: list[tuple[int, bytes, int]], more: int
) -> None:
    rows = sorted((seq, data + bytes(more), number) for seq, data, number in rows)
    every_kind_of_row(tmp_path_factory.mktemp("rows") / "t.db", page_bytes, rows)


@pytest.mark.parametrize("table", ["tip", "checkpoint", "outbox", "journal", "sqlite_autoindex_outbox_1", "root"])
def test_each_page_that_is_bad(whole: Truth, tmp_path: pathlib.Path, table: str) -> None:
    last = len(whole.records)
    for page in [1, 2, 3] if table == "root" else whole.tables[table]:
        folder = placed(whole, tmp_path, zeroed(whole.file, page))
        left = last_good(folder / JOURNAL, whole.keys)
        check_true(whole, left)
        if table == "tip":
            assert (left.seq, len(left.results)) == (whole.last_signed(last + 1), RUNS)
            assert left.reason == f"record {left.seq + 1} bears no signature that can be read."
        elif page not in whole.needs:
            assert (left.seq, len(left.results), left.runs, left.bad) == (last, RUNS, whole.runs, 0)
        else:
            assert left.bad == whole.needs[page]
            assert f"record {left.bad} " in left.reason
            assert left.seq == whole.last_signed(left.bad)
            assert left.results == whole.results(left.bad - 1)
        assert left.unsigned == []


@pytest.mark.parametrize("page", ["tip", "checkpoint", "outbox", "journal"])
def test_the_start_names_the_first_bad_record_and_salvage_goes_on(
    whole: Truth, tmp_path: pathlib.Path, page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    number = whole.tables[page][-1]
    folder = placed(whole, tmp_path, zeroed(whole.file, number))
    bad = whole.needs.get(number, len(whole.records))
    with pytest.raises(JournalDamaged) as refused:
        open_journal(folder)
    last = len(whole.records)
    sentence = {
        "tip": f"Records up to {last - 2} are good; record {last - 1} bears no signature that can be read.",
        "checkpoint": f"Its {last} records can all be read and are good.",
    }.get(page, f"record {bad} ")
    assert sentence in str(refused.value)
    assert "`raceday journal salvage`" in str(refused.value)
    with pytest.raises(StorageError, match=re.escape(sentence)):
        journal_main(["verify", str(folder / JOURNAL)])
    assert journal_main(["salvage", "--data-dir", str(folder)]) == 0
    said = capsys.readouterr().out
    kept_results = whole.results(bad - 1)
    assert f"with {len(kept_results)} results of it" in said
    journal = open_journal(folder)
    (record,) = journal.records()
    assert list(record.results) == kept_results
    check_fresh_run(journal, whole)
    journal.close()
    assert (folder / f"{JOURNAL}.aside-1").read_bytes() == zeroed(whole.file, number)


def check_fresh_run(journal: Journal, truth: Truth) -> None:
    """The next run has an id that none had before."""
    given_ids = {each for record in truth.records for each in re.findall(rb'"run_id":"(run-\d+)"', record.facts)}
    engine = restore(journal).engine
    engine.handle(e.Booted(moment(0), "station-1", (e.GateSpec("start"),), start="22" * 4))
    engine.handle(e.OpenRace(moment(0), "race-1", "A race", RaceRules()))
    (opened,) = only(engine.handle(e.OpenRun(author="j", racer="Dan", car="car-1", moment=moment(S))), f.RunOpened)
    assert opened.run_id.encode() not in given_ids


@pytest.mark.parametrize("part", [0.99, 0.9, 0.75, 0.5, 0.3])
def test_a_file_that_was_cut(whole: Truth, tmp_path: pathlib.Path, part: float) -> None:
    pages = int(len(whole.file) // PAGE * part)
    folder = placed(whole, tmp_path, whole.file[: pages * PAGE])
    left = last_good(folder / JOURNAL, whole.keys)
    check_true(whole, left)
    with pytest.raises(JournalDamaged, match=rf"SQLite refuses .*[Rr]ecord {left.bad} .*`raceday journal salvage`"):
        open_journal(folder)
    first = min(record for page, record in whole.needs.items() if page > pages)
    assert left.bad == first
    # Its checkpoint may be cut off too: the next result's evidence is the signature then, and the last has none.
    assert left.results + left.unsigned == whole.results(first - 1)
    assert len(left.unsigned) <= 1
    said = salvaged(folder)
    for payload in left.unsigned:
        assert f"Not carried over, since no signature of them can be read: {json.loads(payload)['result_id']}." in said
    journal = open_journal(folder)
    check_fresh_run(journal, whole)
    journal.close()


def damaged(data: bytes, kind: str, at: float, seed: int) -> bytes:
    place, rng = int(at * len(data)), random.Random(seed)
    page = place // PAGE * PAGE
    match kind:
        case "cut":
            return data[:place]
        case "flip":
            return data[:place] + bytes([data[place] ^ 1 << seed % 8]) + data[place + 1 :]
        case "sector":
            sector = place // 512 * 512
            return data[:sector] + bytes(512) + data[sector + 512 :]
        case "another":
            other = rng.randrange(len(data) // PAGE) * PAGE
            return data[:page] + data[other : other + PAGE] + data[page + PAGE :]
        case "noise":
            return data[:page] + rng.randbytes(PAGE) + data[page + PAGE :]
        case _:
            return data[:page] + bytes(PAGE) + data[page + PAGE :]


DAMAGE = {
    "kind": st.sampled_from(["cut", "flip", "sector", "another", "noise", "zero"]),
    "at": st.floats(0, 1, exclude_max=True),
    "seed": st.integers(0, 2**16),
}


def first_bad(truth: Truth, kind: str, at: float) -> int:
    """The first record that may be lost by damage of the database, or one past the last."""
    page = int(at * len(truth.file)) // PAGE + 1
    lost = [seq for number, seq in truth.needs.items() if number == page or (kind == "cut" and number > page)]
    return min(lost, default=len(truth.records) + 1)


@pytest.mark.slow
@MANY
@given(**DAMAGE)
def test_any_page_or_cut_keeps_all_before_the_damage_and_invents_nothing(
    tmp_path_factory: pytest.TempPathFactory, whole: Truth, kind: str, at: float, seed: int
) -> None:
    folder = placed(whole, tmp_path_factory.getbasetemp() / "any", damaged(whole.file, kind, at, seed))
    left = last_good(folder / JOURNAL, whole.keys)
    if kind == "cut" and int(at * len(whole.file)) < 6 * PAGE:
        left.runs += whole.runs  # hardly anything is left: not even how many records there were
    check_true(whole, left)
    before = whole.results(first_bad(whole, kind, at) - 1)
    assert (left.results + left.unsigned)[: len(before)] == before
    if kind != "cut":
        assert left.seq >= whole.last_signed(first_bad(whole, kind, at))
        assert left.unsigned == []


@pytest.mark.slow
@FEW
@given(**DAMAGE, where=st.sampled_from(["file", "log"]))
@example(kind="zero", at=0.0, seed=0, where="file")
@example(kind="zero", at=0.0, seed=0, where="log")
@example(kind="flip", at=0.5, seed=0, where="log")
@example(kind="cut", at=0.9, seed=0, where="log")
def test_what_lies_in_the_log_counts(
    tmp_path_factory: pytest.TempPathFactory, logged: Truth, kind: str, at: float, seed: int, where: str
) -> None:
    file, log = logged.file, logged.log
    if where == "file":
        file, safe = damaged(file, kind, at, seed), first_bad(logged, kind, at) - 1
        safe = logged.last_signed(safe + 1)
    else:
        place = int(at * len(log)) if kind in ("cut", "flip") else int(at * len(log)) // PAGE * PAGE
        log, safe = damaged(log, kind, at, seed), max(seq for seq, end in logged.in_log.items() if end <= place)
    folder = placed(logged, tmp_path_factory.getbasetemp() / "log", file, log)
    left = last_good(folder / JOURNAL, logged.keys)
    left.runs += logged.runs  # a log that was cut does not show what it held
    check_true(logged, left)
    assert left.seq >= safe


def test_a_whole_log_is_read_to_its_end(logged: Truth, tmp_path: pathlib.Path) -> None:
    folder = placed(logged, tmp_path, logged.file, logged.log)
    left = last_good(folder / JOURNAL, logged.keys)
    assert (left.seq, len(left.results), left.runs, left.bad) == (len(logged.records), RUNS, logged.runs, 0)
    assert sorted(path.name for path in folder.iterdir()) == sorted([JOURNAL, f"{JOURNAL}-wal", KEY])
    # A transaction that was not committed does not count, although its pages are in the log.
    torn = logged.log[: -(24 + PAGE)]
    left = last_good(placed(logged, tmp_path, logged.file, torn) / JOURNAL, logged.keys)
    assert left.seq < len(logged.records)
    check_true(logged, dataclasses.replace(left, runs=logged.runs))


@pytest.mark.parametrize("kind", EDITS)
@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_was_edited_is_kept(whole: Truth, tmp_path: pathlib.Path, kind: str, seed: int) -> None:
    """Not even if it was edited by someone who can recompute the chain and removes the signatures."""
    folder = placed(whole, tmp_path, whole.file)
    db = apsw.Connection(str(folder / JOURNAL))
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    EDITS[kind](db, random.Random(seed))
    db.pragma("wal_checkpoint", "truncate")
    db.close()
    check_true(whole, last_good(folder / JOURNAL, whole.keys))
    left = last_good(folder / JOURNAL, frozenset())  # the key is gone: the results show that it was signed
    check_true(whole, left)


def test_a_result_that_was_put_behind_a_signed_record_is_not_kept(whole: Truth, tmp_path: pathlib.Path) -> None:
    """Anybody can extend the chain: only a signature over the result itself proves it."""
    folder = placed(whole, tmp_path, whole.file)
    journal = Journal(folder / JOURNAL)  # without the key
    hand = busy()
    entry = next(entry for entry in map(JournalEntry, hand.inputs, hand.facts) if only(entry.facts, f.ResultDue))
    (due,) = only(entry.facts, f.ResultDue)
    (forged,) = (json.loads(payload) for payload in whole.results(len(whole.records))[-1:])
    tip = JournalReader(folder / JOURNAL).tip()
    assert tip is not None
    evidence = dataclasses.replace(
        due.result.evidence,
        public_key=forged["evidence"]["public_key"],
        signature=tip.signature.hex(),
    )
    result = dataclasses.replace(due.result, result_id="station-1.aaaaaaaaaaaa..run-99", racer="Eve")
    journal.append([JournalEntry(entry.input, (f.ResultDue(result),), evidence)])
    journal.close()
    for file in ((folder / JOURNAL).read_bytes(), zeroed((folder / JOURNAL).read_bytes(), whole.tables["tip"][0])):
        left = last_good(placed(whole, tmp_path, file) / JOURNAL, whole.keys)
        assert b"Eve" not in b"".join(left.results)
        assert len(left.results) == RUNS


@pytest.mark.parametrize("kind", ["zero", "noise", "another", "cut"])
def test_every_page_that_is_bad_is_told_at_the_start_with_the_ways_on(
    whole: Truth, tmp_path: pathlib.Path, kind: str
) -> None:
    pages = len(whole.file) // PAGE
    for page in range(1, pages + 1):
        file = damaged(whole.file, kind, (page - 0.7) / pages, page)
        if file == whole.file:
            continue
        with pytest.raises(JournalDamaged, match=r"\b[Rr]ecords? .*`raceday restore FILE`.*`raceday journal salvage`"):
            open_journal(placed(whole, tmp_path, file))


@pytest.mark.parametrize("with_key", [False, True])
def test_a_first_start_that_was_cut_off_before_its_tables_begins_again(tmp_path: pathlib.Path, with_key: bool) -> None:
    open_durable(tmp_path / JOURNAL).close()
    if with_key:  # the key has its name last: this one had a journal
        load_signer(tmp_path / KEY)
        with pytest.raises(JournalDamaged, match=r"holds no journal\. No record in it can be read\."):
            open_journal(tmp_path)
        return
    station_folder(tmp_path, busy())
    open_journal(tmp_path).close()


def test_an_emptied_first_page_is_no_first_start(whole: Truth, tmp_path: pathlib.Path) -> None:
    open_durable(tmp_path / "empty.db").close()
    folder = placed(whole, tmp_path, (tmp_path / "empty.db").read_bytes()[:PAGE] + whole.file[PAGE:])
    (folder / KEY).unlink()
    with pytest.raises(JournalDamaged, match=f"holds no journal. Its {len(whole.records)} records can all be read"):
        open_journal(folder)
    assert not (folder / KEY).exists()
    assert f"with {RUNS} results of it" in salvaged(folder)


def test_runs_of_which_something_was_posted_are_counted(whole: Truth, tmp_path: pathlib.Path) -> None:
    folder = placed(whole, tmp_path, b"nothing" * 1000)
    attempts = AttemptStore(folder / SYNC)
    for seq, run_id in enumerate(["run-7", "run-41", "heat-a", "run-5", "run-99999999999"], 1):
        attempts.begin(OutboxRow(seq, f"station-1.aaaaaaaaaaaa.22222222.{run_id}", 1, b""), 1)
    attempts.close()
    assert "with 0 results of it, and after run-41." in salvaged(folder)
    journal = open_journal(folder)
    check_fresh_run(journal, whole)
    journal.close()


def test_a_place_that_the_disk_does_not_give_is_a_bad_page(
    whole: Truth, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = whole.tables["journal"][len(whole.tables["journal"]) // 2]
    folder = placed(whole, tmp_path, whole.file)
    read = os.pread

    def failing(file: int, size: int, offset: int) -> bytes:
        if offset <= (page - 1) * PAGE < offset + size:
            raise OSError(errno.EIO, "Input/output error")
        return read(file, size, offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", failing)
        left = last_good(folder / JOURNAL, whole.keys)
    check_true(whole, left)
    assert left.bad == whole.needs[page]
    assert left.seq == whole.last_signed(left.bad)


@settings(deadline=None, max_examples=25)
@given(st.binary(max_size=20_000) | st.binary(max_size=200).map(lambda part: (b"\x0d" + part) * 300))
def test_whatever_lies_there_is_read_to_an_end(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / JOURNAL
        path.write_bytes(data)
        path.with_name(f"{JOURNAL}-wal").write_bytes(data[::-1])
        left = last_good(path, frozenset())
        assert (left.seq, left.results, left.runs, left.reason) == (0, [], 0, "no record in it can be read.")
        path.unlink()
        assert last_good(path, frozenset()).seq == 0
