"""The standard library's `sqlite3.connect` with apsw's SQLite under it, whose disk can be one that loses power.

The car's outbox and the leaderboard use the standard library's SQLite, which takes no disk of ours (a VFS is registered
with one library, and apsw brings its own). What is tried is what the product asks of SQLite: its pragmas, transactions
and order of statements. Autocommit only (`isolation_level=None`), as both open it. Called by store_cuts.py.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import apsw


class ApswCursor:
    """As much of `sqlite3.Cursor` as SQLAlchemy and the product use; the rows are read at once."""

    arraysize = 1

    def __init__(self, connection: "ApswConnection") -> None:
        self.connection = connection
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> "ApswCursor":
        with plain_errors():
            self._execute(sql, values)
        return self

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> "ApswCursor":
        changed = 0
        for row in rows:
            self.execute(sql, row)
            changed += max(0, self.rowcount)
        self.rowcount = changed
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def close(self) -> None:
        self._rows = []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def _execute(self, sql: str, values: Sequence[Any] | dict[str, Any]) -> None:
        db, described = self.connection.db, list[tuple[Any, ...]]()
        cursor = db.cursor()
        cursor.exec_trace = lambda running, _sql, _values: described.extend(running.get_description()) or True
        before = db.total_changes()
        cursor.execute(sql, values)
        self._rows = cursor.fetchall()
        self.description = tuple((column[0], *[None] * 6) for column in described) or None
        self.rowcount = db.total_changes() - before if self.description is None else -1
        self.lastrowid = db.last_insert_rowid()


class ApswConnection:
    """As much of `sqlite3.Connection`, in autocommit."""

    isolation_level = None
    row_factory = None

    def __init__(self, path: Any, **_options: Any) -> None:
        with plain_errors():
            self.db = apsw.Connection(str(path))

    @property
    def in_transaction(self) -> bool:
        return not self.db.get_autocommit()

    def cursor(self) -> ApswCursor:
        return ApswCursor(self)

    def execute(self, sql: str, values: Sequence[Any] = ()) -> ApswCursor:
        return self.cursor().execute(sql, values)

    def create_function(self, name: str, arguments: int, function: Any, **_options: Any) -> None:
        self.db.create_scalar_function(name, function, arguments)

    def commit(self) -> None:
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        with contextlib.suppress(apsw.Error):  # the standard library says nothing of a disk that fails now
            self.db.close(True)

    def __enter__(self) -> "ApswConnection":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed:
            self.rollback()
        else:
            self.commit()


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """apsw's errors as those of the standard library."""
    try:
        yield
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from None
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error) or type(error).__name__) from None  # theirs is never empty


@contextlib.contextmanager
def sqlite_over_apsw() -> Iterator[None]:
    """While it lasts, `sqlite3.connect` opens with apsw."""
    with (
        mock.patch.object(sqlite3, "connect", ApswConnection),
        mock.patch.object(sqlite3.dbapi2, "connect", ApswConnection),
    ):
        yield
