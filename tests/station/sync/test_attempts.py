"""The store of attempts: a new process continues from what it stored."""

import os
import pathlib
import signal
import subprocess
import sys

import apsw
import pytest

from shared.errors import OperatorError, StorageError
from shared.files import is_locked
from shared.protocol.results import AnswerLost, PostAccepted, PostDeferred, PostOutcome, PostRejected
from station.store.event_files.race_offers import OFFERS_FILE, RaceOffers, write_offers
from station.sync.attempts import AttemptStore
from station.sync.leaderboard_check import Target
from station.sync.operator.status import SyncStatusReader, hold_sync_lock
from station.sync.schedule import PostedWithOtherScore, Progress
from tests.station.sync.sample_results import row

ANSWERS: list[tuple[PostOutcome | None, str]] = [
    (PostAccepted(10_000, 2, 7, best=False), "confirmed"),
    (PostAccepted(None, None, 0), "confirmed"),
    (PostedWithOtherScore(9_000, 1, 2, True, 10_000), "confirmed"),
    (PostedWithOtherScore(None, None, 2, False, 10_000), "confirmed"),
    (PostedWithOtherScore(9_000, 1, 2, True, None), "confirmed"),
    (PostRejected("There is no race 'x'.", 404), "rejected"),
    (PostDeferred("busy"), "pending"),
    (AnswerLost("reset"), "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("answer", "state"), ANSWERS)
def test_what_is_kept_comes_back(tmp_path: pathlib.Path, answer: PostOutcome | None, state: str) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    attempt = store.begin(row(1), 5)
    if answer is not None:
        store.finish(attempt, answer, 6)
    store.close()
    [record] = AttemptStore(tmp_path / "sync.db").records()
    assert record.answer == answer
    assert (record.state, record.attempts, record.last_utc_ns) == (state, 1, 5)


def test_the_last_attempt_speaks(tmp_path: pathlib.Path) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    store.finish(store.begin(row(1), 1), PostDeferred("busy"), 2)
    store.finish(store.begin(row(2, "other"), 3), PostAccepted(1, 1, 1), 4)
    store.finish(store.begin(row(1), 5), PostAccepted(9, 1, 2), 6)
    first, second = store.records()
    assert (first.attempts, first.answer, first.last_utc_ns) == (2, PostAccepted(9, 1, 2), 5)
    assert second.result_id == "other"
    assert store.progress() == {"race-1.run-1.0": Progress("confirmed", 2), "other.0": Progress("confirmed", 1)}


def test_what_was_rejected_is_posted_again_only_when_asked(tmp_path: pathlib.Path) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    store.finish(store.begin(row(1), 1), PostRejected("bad signature", 401), 2)
    store.finish(store.begin(row(2, "b"), 1), PostRejected("no race", 404), 2)
    assert store.progress()["race-1.run-1.0"].state == "rejected"
    assert store.reopen(frozenset({"b.0", "unknown.0"}), "Ruth", 3) == ["b.0"]
    assert {record.webhook_id: record.state for record in store.records()} == {
        "race-1.run-1.0": "rejected",
        "b.0": "pending",
    }
    assert store.reopen(None, "Ruth", 4) == ["race-1.run-1.0"]
    store.finish(store.begin(row(1), 5), PostRejected("bad signature", 401), 6)
    store.close()
    again = AttemptStore(tmp_path / "sync.db").progress()
    assert again == {"race-1.run-1.0": Progress("rejected", 2), "b.0": Progress("pending", 1)}


def test_the_race_at_the_leaderboard_is_recorded_when_it_is_news(tmp_path: pathlib.Path) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    write_offers(tmp_path / OFFERS_FILE, RaceOffers("cup"))
    missing, ready = Target("cup", "missing"), Target("cup", "ready")
    differs = Target("final", "differs", differences=("max_laps: 5 there, none here",))
    report = SyncStatusReader(tmp_path)
    assert (report.view(0).race_unknown, report.view(0).target) == (False, "")
    before = []
    for at, target in enumerate((missing, missing, Target("cup", "unreachable"), ready, differs, missing)):
        before.append(store.last_answer(target.race_id))
        store.record_target(target, at)
    assert before == [None, missing, missing, missing, None, ready]
    assert store._db.execute("SELECT count(*) FROM race_checks").fetchone() == (5,)
    view = report.view(0)
    assert (view.race_unknown, view.target, view.sentence) == (True, missing.sentence, missing.sentence)
    assert view.target_of("final").differences == differs.differences
    assert view.target_of("nowhere").state == ""
    store.record_target(ready, 9)
    store.record_target(ready, 10)
    assert report.view(0).target_of("cup").checked_utc_ns == 9
    store.record_target(ready, 11, again=True)
    view = report.view(0)
    assert (view.race_unknown, view.target, view.sentence) == (False, ready.sentence, "No result is due yet.")
    assert view.target_of("cup").checked_utc_ns == 11
    rows = store._db.execute("SELECT count(*) FROM race_checks").fetchone()
    store.record_same_answer("cup", 12)
    assert report.view(0).target_of("cup").checked_utc_ns == 12
    assert report.view(0).target_of("final").checked_utc_ns == 4
    assert store._db.execute("SELECT count(*) FROM race_checks").fetchone() == rows


def test_a_file_of_an_older_sync_is_read(tmp_path: pathlib.Path) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    store.finish(store.begin(row(1), 1), PostRejected("no race", 404), 2)
    store._db.execute("DROP TABLE reopened")
    store._db.execute("DROP TABLE race_checks")
    store.close()
    assert SyncStatusReader(tmp_path).view(1).rejected == 1
    assert AttemptStore(tmp_path / "sync.db").reopen(None, "", 3) == ["race-1.run-1.0"]


@pytest.mark.parametrize(
    "statement", ["UPDATE attempts SET at_utc_ns = 0", "DELETE FROM attempts", "DELETE FROM answers"]
)
def test_nothing_is_changed_afterwards(tmp_path: pathlib.Path, statement: str) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    store.finish(store.begin(row(1), 1), PostDeferred("busy"), 2)
    store.close()
    with pytest.raises(apsw.ConstraintError, match="append only"):
        apsw.Connection(str(tmp_path / "sync.db")).execute(statement)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StorageError, match=r"sync\.db"):
        AttemptStore(tmp_path / "nowhere" / "sync.db")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sync.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(StorageError, match="SQLite refuses"):
        AttemptStore(tmp_path / "sync.db")


_HOLDER = """
import pathlib, sys
from station.sync.operator.status import hold_sync_lock
hold_sync_lock(pathlib.Path(sys.argv[1]).parent)
print("held", flush=True)
sys.stdin.read()
"""


def test_only_one_process_holds_the_lock_and_a_killed_one_holds_none(tmp_path: pathlib.Path) -> None:
    lock = tmp_path / "sync.lock"
    assert not is_locked(lock)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(lock)
        with pytest.raises(OperatorError, match="another sync process"):
            hold_sync_lock(tmp_path)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(10)
    assert not is_locked(lock)
    os.close(hold_sync_lock(tmp_path))


def test_the_report_before_sync_ever_ran(tmp_path: pathlib.Path) -> None:
    report = SyncStatusReader(tmp_path)
    assert report.view(0).sentence == "No result is due yet."
    view = report.view(2)
    assert (view.due, view.pending, view.alive) == (2, 2, False)
    assert "is not running" in view.sentence


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (PostAccepted(1, 1, 1), "Every result is posted."),
        (
            PostedWithOtherScore(9_000, 1, 2, True, 10_000),
            "the leaderboard counts 9000 ms where the station has",
        ),
        (PostRejected("There is no race.", 404), "was rejected (404): There is no race."),
        (PostDeferred("The leaderboard answered 503: busy."), "answered 503: busy. race-1.run-1 waits (1 try so far)."),
        (None, "its answer is awaited (1 try so far)."),
    ],
)
def test_the_report_says_the_newest_trouble(tmp_path: pathlib.Path, answer: PostOutcome | None, words: str) -> None:
    store = AttemptStore(tmp_path / "sync.db")
    held_lock = hold_sync_lock(tmp_path)
    attempt = store.begin(row(1), 1)
    if answer is not None:
        store.finish(attempt, answer, 2)
    view = SyncStatusReader(tmp_path).view(1)
    os.close(held_lock)
    assert view.alive
    assert words in view.sentence
    assert view.posted + view.rejected + view.pending == 1


def test_the_report_of_a_broken_file_is_a_sentence(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sync.db").write_bytes(b"not a database, " * 100)
    view = SyncStatusReader(tmp_path).view(3)
    assert view.pending == 3
    assert "sync.db" in view.sentence
