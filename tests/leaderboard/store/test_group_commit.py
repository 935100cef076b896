"""Group commit: waiting works share a transaction, and each has its own outcome."""

import pathlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from leaderboard.store.database import Store, open_store
from leaderboard.store.group_commit import GroupCommit
from shared.errors import Refused, RetryLater, StorageError


class CountingStore:
    """A store that counts its transactions, and holds each until it is let go."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.commits = 0
        self.fails = False
        self.backend = store.backend

    def write(self) -> Iterator[sa.Connection]:
        self.commits += 1
        if self.fails:
            raise StorageError("the disk is away")
        return self.store.write()  # type: ignore[return-value]


@pytest.fixture
def counting(tmp_path: pathlib.Path) -> Iterator[CountingStore]:
    store = open_store(tmp_path / "a.db")
    with store.write() as db:
        db.exec_driver_sql("CREATE TABLE noted (word TEXT PRIMARY KEY)")
    yield CountingStore(store)
    store.close()


def noted(store: Store) -> list[str]:
    with store.read() as db:
        return list(db.exec_driver_sql("SELECT word FROM noted ORDER BY rowid").scalars())


def note(word: str) -> Callable[[sa.Connection], str]:
    def work(db: sa.Connection) -> str:
        db.exec_driver_sql("INSERT INTO noted VALUES (?)", (word,))
        if word.startswith("refused"):
            raise Refused(word)
        return word.upper()

    return work


def together(commits: GroupCommit, words: list[str]) -> list["Future[str]"]:
    """Run works that all come while another is in the middle of its transaction."""
    begun, go = threading.Event(), threading.Event()

    def first(_: sa.Connection) -> None:
        begun.set()
        assert go.wait(20)

    with ThreadPoolExecutor(len(words) + 1) as pool:
        leading = pool.submit(commits.run, first)
        assert begun.wait(20)
        outcomes = [pool.submit(commits.run, note(word), word) for word in words]
        while len(commits._waiting) < len(words):
            threading.Event().wait(0.001)
        go.set()
        leading.result(20)
    return outcomes


def test_what_waits_shares_one_transaction_in_order(counting: CountingStore) -> None:
    commits = GroupCommit(counting)  # type: ignore[arg-type]
    words = [f"w{number:02}" for number in range(20)]
    outcomes = together(commits, words[::-1])
    assert counting.commits == 2
    assert [each.result() for each in outcomes] == [word.upper() for word in words[::-1]]
    assert noted(counting.store) == words


def test_a_group_has_a_limit(counting: CountingStore) -> None:
    outcomes = together(GroupCommit(counting, max_at_once=8), [f"w{number}" for number in range(20)])  # type: ignore[arg-type]
    assert counting.commits == 1 + 3
    assert all(each.exception() is None for each in outcomes)


def test_one_that_is_refused_or_breaks_a_rule_harms_no_other(counting: CountingStore) -> None:
    commits = GroupCommit(counting)  # type: ignore[arg-type]
    outcomes = together(commits, ["a", "refused-1", "b", "b", "c", "refused-2"])
    kinds = [type(each.exception()) for each in outcomes]
    assert sorted(kind.__name__ for kind in kinds) == ["IntegrityError", *["NoneType"] * 3, *["Refused"] * 2]
    assert [str(each.exception()) for each in outcomes if isinstance(each.exception(), Refused)] == [
        "refused-1",
        "refused-2",
    ]
    assert noted(counting.store) == ["a", "b", "c"]


def test_a_disk_that_is_away_is_told_to_each_and_the_next_works(counting: CountingStore) -> None:
    commits = GroupCommit(counting)  # type: ignore[arg-type]
    counting.fails = True
    for _ in range(2):
        with pytest.raises(StorageError, match="away"):
            commits.run(note("lost"))
    counting.fails = False
    assert commits.run(note("kept")) == "KEPT"
    assert noted(counting.store) == ["kept"]


def test_a_full_disk_fails_the_whole_group_and_stores_none_of_it(counting: CountingStore) -> None:
    with counting.store.write() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar_one()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    outcomes = together(GroupCommit(counting), ["small", "x" * 9000, "z" * 9000])  # type: ignore[arg-type]
    assert [type(each.exception()) for each in outcomes] == [StorageError] * 3
    assert noted(counting.store) == []


def test_one_that_waits_too_long_is_asked_to_come_again(counting: CountingStore) -> None:
    commits = GroupCommit(counting, wait_s=0.01)  # type: ignore[arg-type]
    begun, go = threading.Event(), threading.Event()

    def slow(_: sa.Connection) -> None:
        begun.set()
        assert go.wait(20)

    with ThreadPoolExecutor(1) as pool:
        slowly = pool.submit(commits.run, slow)
        assert begun.wait(20)
        with pytest.raises(RetryLater):
            commits.run(note("late"))
        go.set()
        slowly.result(20)
    assert noted(counting.store) == []
