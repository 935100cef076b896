"""The sync step by step: exactly once in effect, whatever the leaderboard, the disk or the process does."""

import pathlib
import random
import threading
from collections import deque

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import ManualClock
from shared.errors import StorageError
from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostOutcome, PostRejected, Result
from shared.units import NS_PER_S
from station.sync import syncer as syncer_module
from station.sync.attempts import AttemptStore
from station.sync.outbox_reader import OutboxReader
from station.sync.race_checks import RaceChecks, race_of
from station.sync.schedule import OutboxRow, SyncAnswer
from station.sync.syncer import Leaderboard, Syncer, run, run_once
from tests.station.sync.sample_results import row


class Killed(BaseException):
    """Stands for a `kill -9` in a test: nothing after it runs."""


class Board:
    """A leaderboard in memory that applies each webhook-id once; `script` says how it behaves, one word per post."""

    def __init__(self, script: list[str]) -> None:
        self.script = script
        self.posts: list[str] = []
        self.applied: list[str] = []

    def post(self, result: Result) -> PostOutcome:
        self.posts.append(result.webhook_id)
        word = self.script.pop(0) if self.script else "well"
        if word in ("well", "lost after apply", "killed after apply") and result.webhook_id not in self.applied:
            self.applied.append(result.webhook_id)
        if word.startswith("killed"):
            raise Killed
        answers: dict[str, PostOutcome] = {
            "well": PostAccepted(1, 1, 1),
            "later": PostDeferred("busy"),
            "much later": PostDeferred("busy", 40.0),
            "lost after apply": AnswerLost("reset"),
            "lost": AnswerLost("reset"),
            "no": PostRejected("no", 422),
        }
        return answers[word]

    def close(self) -> None:
        """Nothing is open."""


class Rows:
    """An outbox in memory: first returns all rows, then what was added."""

    def __init__(self, rows: list[OutboxRow]) -> None:
        self.rows = deque(rows)

    def new_rows(self) -> list[OutboxRow]:
        return [self.rows.popleft() for _ in range(len(self.rows))]


def syncer(path: pathlib.Path, rows: list[OutboxRow], board: Leaderboard, logged: list[str] | None = None) -> Syncer:
    log = logged.append if logged is not None else lambda _: None
    return Syncer(Rows(rows), AttemptStore(path), board, random.Random(1), lambda: 7, log)


def drain(sync: Syncer, now_ns: int = 0, steps: int = 200) -> int:
    """Steps on virtual time until nothing waits; returns the time it took."""
    for _ in range(steps):
        due_ns = sync.step(now_ns)
        if due_ns is None:
            return now_ns
        now_ns = max(now_ns, due_ns)
    raise AssertionError("the sync never came to rest")


def test_a_row_is_posted_once_and_told(tmp_path: pathlib.Path) -> None:
    logged: list[str] = []
    board = Board([])
    assert syncer(tmp_path / "s.db", [row(1)], board, logged).step(0) is None
    assert board.applied == ["race-1.run-1.0"]
    assert logged == ["race-1.run-1.0: posted; rank 1 of 1 with 1 ms."]


def test_an_empty_outbox_waits_for_nothing(tmp_path: pathlib.Path) -> None:
    assert syncer(tmp_path / "s.db", [], Board([])).step(0) is None


def test_retry_after_is_kept_to(tmp_path: pathlib.Path) -> None:
    board = Board(["much later"])
    sync = syncer(tmp_path / "s.db", [row(1)], board)
    assert sync.step(0) == 40 * NS_PER_S
    assert sync.step(40 * NS_PER_S - 1) == 40 * NS_PER_S
    assert len(board.posts) == 1
    assert sync.step(40 * NS_PER_S) is None


def test_a_closed_door_is_knocked_at_once_not_by_every_row(tmp_path: pathlib.Path) -> None:
    board = Board(["much later"])
    sync = syncer(tmp_path / "s.db", [row(i, f"r{i}") for i in range(1, 11)], board)
    for now_s in range(40):
        sync.step(now_s * NS_PER_S)
    assert len(board.posts) == 1
    drain(sync, 40 * NS_PER_S)
    assert sorted(board.applied) == sorted(f"r{i}.0" for i in range(1, 11))


def test_a_rejected_row_stays_and_the_others_go_on(tmp_path: pathlib.Path) -> None:
    board = Board(["no"])
    sync = syncer(tmp_path / "s.db", [row(1, "a"), row(2, "b")], board)
    drain(sync)
    assert board.applied == ["b.0"]
    again = syncer(tmp_path / "s.db", [row(1, "a"), row(2, "b")], board)
    drain(again)
    assert board.posts == ["a.0", "b.0"]


def test_a_row_that_is_no_result_is_rejected_not_retried(tmp_path: pathlib.Path) -> None:
    logged: list[str] = []
    board = Board([])
    drain(syncer(tmp_path / "s.db", [OutboxRow(1, "x", 0, b"{")], board, logged))
    assert board.posts == []
    assert "cannot be posted" in logged[0]


@pytest.mark.parametrize("word", ["killed", "killed after apply"])
def test_killed_between_send_and_record_posts_the_same_id_again(tmp_path: pathlib.Path, word: str) -> None:
    board = Board([word])
    first = syncer(tmp_path / "s.db", [row(1)], board)
    with pytest.raises(Killed):
        first.step(0)
    reopened = AttemptStore(tmp_path / "s.db")
    assert [record.state for record in reopened.records()] == ["unknown"]
    reopened.close()
    assert syncer(tmp_path / "s.db", [row(1)], board).step(0) is None
    assert board.posts == ["race-1.run-1.0"] * 2
    assert board.applied == ["race-1.run-1.0"]


WORDS = ["well", "later", "lost", "lost after apply", "killed", "killed after apply", "much later"]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.integers(1, 4), st.integers(1, 3))
def test_every_result_is_applied_exactly_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, script: list[str], results: int, revisions: int
) -> None:
    path = tmp_path_factory.mktemp("sync") / "s.db"
    rows = [row(r * 10 + v + 1, f"r{r}", v) for r in range(results) for v in range(revisions)]
    board = Board(script)
    now_ns = 0
    for _ in range(30):
        try:
            now_ns = drain(syncer(path, rows, board), now_ns)
            break
        except Killed:
            continue
    assert sorted(board.applied) == sorted(r.webhook_id for r in rows)
    for r in range(results):
        posted_ids = [key for key in board.posts if key.startswith(f"r{r}.")]
        assert posted_ids == sorted(posted_ids)


def test_a_full_disk_loses_nothing_and_recovers_by_itself(tmp_path: pathlib.Path) -> None:
    logged: list[str] = []
    board = Board([])
    store = AttemptStore(tmp_path / "s.db")
    store._db.pragma("max_page_count", store._db.pragma("page_count"))
    large = OutboxRow(1, "x" * 60_000, 0, row(1).payload)
    sync = Syncer(Rows([large]), store, board, random.Random(1), lambda: 7, logged.append)
    due_ns = sync.step(0)
    assert board.posts == []
    assert "the disk is full" in logged[0]
    assert due_ns is not None
    store._db.pragma("max_page_count", 10_000)
    drain(sync, due_ns)
    assert board.applied == ["race-1.run-1.0"]


class FullDisk(AttemptStore):
    """An attempt store whose disk is full while `full` is set."""

    full = False

    def finish(self, attempt_id: int, answer: SyncAnswer, at_utc_ns: int) -> None:
        if self.full:
            raise StorageError("the disk is full")
        super().finish(attempt_id, answer, at_utc_ns)


def test_an_answer_that_cannot_be_kept_does_not_count(tmp_path: pathlib.Path) -> None:
    logged: list[str] = []
    board = Board([])
    store = FullDisk(tmp_path / "s.db")
    store.full = True
    sync = Syncer(Rows([row(1)]), store, board, random.Random(1), lambda: 7, logged.append)
    due_ns = sync.step(0)
    assert due_ns is not None
    assert due_ns >= NS_PER_S
    assert sync.step(due_ns) is not None
    assert logged == ["the disk is full"]
    store.full = False
    drain(sync, due_ns * 10)
    assert board.applied == ["race-1.run-1.0"]


def make_outbox(path: pathlib.Path, rows: list[OutboxRow]) -> apsw.Connection:
    """Creates a station.db with the tables that sync reads."""
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    db.execute(
        "CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, result_id TEXT, revision INTEGER, payload BLOB)"
    )
    for r in rows:
        db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (r.seq, r.result_id, r.revision, r.payload))
    return db


def test_the_outbox_is_read_as_it_grows(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "station.db"
    reader = OutboxReader(path)
    assert reader.new_rows() == []
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE other (x)")
    assert reader.new_rows() == []
    db.close()
    db = make_outbox(path, [row(1)])
    assert reader.new_rows() == [row(1)]
    assert reader.new_rows() == []
    make_outbox(path, [row(2, "b"), row(3, "c")]).close()
    assert reader.new_rows() == [row(2, "b"), row(3, "c")]
    db.close()
    reader.close()


def test_the_loop_notices_a_new_row_and_stops_when_told(tmp_path: pathlib.Path) -> None:
    stop = threading.Event()

    class StoppingBoard(Board):
        def post(self, result: Result) -> PostOutcome:
            stop.set()
            return super().post(result)

    board = StoppingBoard([])
    rows = Rows([])
    sync = Syncer(rows, AttemptStore(tmp_path / "s.db"), board, random.Random(1), lambda: 7, lambda _: None)
    loop = threading.Thread(target=run, args=(sync, ManualClock(), stop))
    loop.start()
    rows.rows.append(row(1))
    loop.join(10)
    assert not loop.is_alive()
    assert board.applied == ["race-1.run-1.0"]


def test_once_leaves_what_must_wait(tmp_path: pathlib.Path) -> None:
    board = Board(["well", "much later"])
    sync = syncer(tmp_path / "s.db", [row(1, "a"), row(2, "b"), row(3, "c")], board)
    assert run_once(sync, ManualClock(), threading.Event()) == 2
    assert board.applied == ["a.0"]


def test_of_thousands_that_wait_each_is_read_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []
    rows = [row(seq, f"r-{seq}") for seq in range(6000)]

    def counted(payload: bytes) -> str:
        read.append(payload)
        return race_of(payload)

    monkeypatch.setattr(syncer_module, "race_of", counted)
    monkeypatch.setattr(RaceChecks, "missing", lambda _: frozenset({"another"}))
    board = Board([])
    sync = syncer(tmp_path / "sync.db", rows, board)
    for _ in range(10):
        sync.step(0)
    assert board.posts == [each.webhook_id for each in rows[:10]]
    assert len(read) <= len(rows) + 3 * 10
