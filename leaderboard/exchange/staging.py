"""Where the rows of a file wait until all are checked: a temporary file, so that memory does not grow with them."""

import sqlite3
from dataclasses import dataclass

from leaderboard.store.bulk import NewResult


@dataclass(frozen=True, slots=True)
class LineOfFile:
    """A row, or a run of several, as it is stored: where it begins, the result made of it, a board's cells."""

    line: int
    new: NewResult
    cells: tuple[str, ...] = ()


def staging_file(*tables: str) -> sqlite3.Connection:
    """A database of SQLite without a name: on the disk once it is large, gone once it is closed."""
    db = sqlite3.connect("", isolation_level=None)
    for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *tables, "BEGIN"):
        db.execute(statement)
    return db


class StagedKeys:
    """Keys that are in use, as a set has them. `table`: with one column `key`."""

    def __init__(self, db: sqlite3.Connection, table: str) -> None:
        self._db = db
        self._find = f"SELECT 1 FROM {table} WHERE key = ?"  # noqa: S608  the name is ours
        self._add = f"INSERT OR IGNORE INTO {table} VALUES (?)"  # noqa: S608

    def __contains__(self, key: object) -> bool:
        return self._db.execute(self._find, (key,)).fetchone() is not None

    def add(self, key: str, /) -> None:
        """Have this key in use."""
        self._db.execute(self._add, (key,))
