"""Group commit: works that wait for the store share one transaction, each with a savepoint and an outcome of its own.

A commit waits for the disk, and the store commits one transaction after another. Whoever comes while none is in work
leads: it takes all that wait, up to a limit, runs them and commits once; then the first that has come meanwhile leads.
A work that is refused is rolled back alone. If the transaction cannot be committed, every one of its works fails.
"""

import copy
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from leaderboard.store.database import Store
from shared.errors import RetryLater

MAX_AT_ONCE = 64
_WAIT_S = 10.0
_LANES = {"sqlite": 1, "postgresql": 4}  # transactions at once: SQLite has one writer
_OF_ONE_WORK = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)
_CROSSED = ("40P01", "40001")  # PostgreSQL: a deadlock, or no serial order, with transactions of another process

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]


@dataclass(slots=True, eq=False)
class _Waiter:
    """A work with its outcome. `order`: works of a group run in this order, so that two processes lock in one order."""

    work: Work
    order: str
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    value: Any = None
    error: BaseException | None = None


class GroupCommit:
    """Runs works in shared transactions of one store; from any thread."""

    def __init__(self, store: Store, max_at_once: int = MAX_AT_ONCE, wait_s: float = _WAIT_S) -> None:
        self._store = store
        self._max_at_once = max_at_once
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter] = deque()  # not empty only while all lanes are in use
        self._free_lanes = _LANES[store.backend]

    def run(self, work: Callable[[sa.Connection], T], order: str = "") -> T:
        """What the work returned, once it is on the disk. Raises what the work raised, RetryLater, StorageError."""
        waiter = _Waiter(work, order)
        with self._lock:
            self._waiting.append(waiter)
            if self._free_lanes:
                self._free_lanes -= 1
                waiter.leads = True
        if not waiter.leads and not waiter.woken.wait(self._wait_s):
            if self._withdrawn(waiter):
                raise RetryLater("The leaderboard is busy writing.", after_s=1.0)
            waiter.woken.wait()  # its group is in work already
        if waiter.leads:
            self._lead()
        if waiter.error is not None:
            raise waiter.error
        value: T = waiter.value
        return value

    def _withdrawn(self, waiter: _Waiter) -> bool:
        with self._lock:
            if waiter.leads or waiter not in self._waiting:
                return False
            self._waiting.remove(waiter)
            return True

    def _lead(self) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._max_at_once, len(self._waiting)))]
        try:
            self._settle(group)
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].woken.set()
                else:
                    self._free_lanes += 1
            for each in group:
                each.woken.set()

    def _settle(self, group: list[_Waiter]) -> None:
        """Give each of the group its outcome: of the shared transaction, or of one of its own if others crossed it."""
        if self._tried(group) or len(group) == 1:
            return
        for each in group:
            self._tried([each])

    def _tried(self, group: list[_Waiter]) -> bool:
        """Whether the outcome may stand: not if the transaction was crossed by another process's."""
        crossed = False
        try:
            with self._store.write() as db:
                try:
                    _run_all(db, group)
                except sa.exc.DBAPIError as error:
                    crossed = getattr(error.orig, "sqlstate", None) in _CROSSED
                    raise
        except Exception as error:  # nothing of the group is stored, and each is told
            for each in group:
                each.value, each.error = None, copy.copy(error)
        except BaseException:
            for each in group:
                each.value, each.error = None, RetryLater("The leaderboard is stopping.", after_s=5.0)
            raise
        return not crossed


def _run_all(db: sa.Connection, group: list[_Waiter]) -> None:
    for each in sorted(group, key=lambda waiter: waiter.order):
        each.value = each.error = None
        if len(group) == 1:
            each.value = each.work(db)
            return
        db.exec_driver_sql("SAVEPOINT of_one_work")
        try:
            each.value = each.work(db)
        except Exception as error:
            if isinstance(error, sa.exc.DBAPIError) and not isinstance(error, _OF_ONE_WORK):
                raise  # the disk or the database: it is everybody's
            db.exec_driver_sql("ROLLBACK TO SAVEPOINT of_one_work")
            each.error = error
        db.exec_driver_sql("RELEASE SAVEPOINT of_one_work")
