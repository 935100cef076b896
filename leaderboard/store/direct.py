"""Statements that go to the database's driver as they are compiled, for what runs in every post.

SQLAlchemy's own part of running a statement takes ten times as long as SQLite's. Parameters and rows are the driver's:
for texts, numbers and bytes the same on both databases; SQLite gives a Boolean as 0 or 1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

_Row = tuple[Any, ...]


class DirectStatement:
    """A statement for both databases, compiled once for each. `columns`: of an INSERT, those that are given."""

    def __init__(self, statement: sa.Executable, columns: Sequence[str] | None = None) -> None:
        self._statement, self._columns = statement, columns
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def first(self, db: sa.Connection, values: Mapping[str, Any]) -> _Row | None:
        """The first row that it gives, None if it gives none."""
        cursor = self._run(db, values)
        row: _Row | None = cursor.fetchone()
        cursor.close()
        return row

    def all(self, db: sa.Connection, values: Mapping[str, Any]) -> list[_Row]:
        """All rows that it gives."""
        cursor = self._run(db, values)
        rows: list[_Row] = cursor.fetchall()
        cursor.close()
        return rows

    def run(self, db: sa.Connection, values: Mapping[str, Any]) -> None:
        """Runs it for what it does."""
        self._run(db, values).close()

    def _run(self, db: sa.Connection, values: Mapping[str, Any]) -> Any:
        text, names, fixed = self._compiled.get(db.dialect.name) or self._compile(db.dialect)
        if fixed:
            values = {**fixed, **values}
        cursor = db.connection.cursor()
        try:
            cursor.execute(text, [values[name] for name in names] if names is not None else values)
        except Exception as error:
            cursor.close()
            raise _as_of_sqlalchemy(db.dialect, text, error) from error
        return cursor

    def _compile(self, dialect: sa.Dialect) -> tuple[str, list[str] | None, dict[str, Any]]:
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=self._columns)  # type: ignore[attr-defined]
        names = list(compiled.positiontup) if compiled.positional else None
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        made = str(compiled), names, fixed
        self._compiled[dialect.name] = made
        return made


def _as_of_sqlalchemy(dialect: sa.Dialect, text: str, error: Exception) -> BaseException:
    driver: Any = dialect.loaded_dbapi
    if not isinstance(error, driver.Error):
        return error
    wrapped: BaseException = sa.exc.DBAPIError.instance(text, None, error, driver.Error, dialect=dialect)
    return wrapped
