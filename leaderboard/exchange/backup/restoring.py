"""Puts a backup in place of all that a leaderboard's database holds: in one transaction, or not at all.

The file is read whole before anything is touched. Its tables are made at the step of the migrations at which they were
written, filled, and brought up to date like any older database: so a backup outlives the versions of the leaderboard.
"""

import pathlib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from leaderboard.exchange.backup.backup_file import BackupReader
from leaderboard.exchange.backup.writing import stored_tables
from leaderboard.store.database import Store, migrate
from shared.errors import BadInput, OperatorError

_AT_ONCE = 1000


def checked_backup(path: pathlib.Path) -> tuple[BackupReader, dict[str, int]]:
    """The backup, read whole, and how many rows each table has. Raises BadInput for one that cannot be restored."""
    reader = BackupReader(path)
    known = {file.name.partition("_")[0] for file in (files("leaderboard") / "migrations" / "versions").iterdir()}
    if reader.header.revision not in known:
        raise BadInput(f"{path}: was made by a newer leaderboard; upgrade this one.")
    return reader, reader.check()


def restore(store: Store, reader: BackupReader) -> None:
    """Replace everything by the backup. Raises BadInput, OperatorError while somebody else uses the database."""
    with store.write() as db:
        _check_alone(db)
        _drop_all(db)
        migrate(db, to=reader.header.revision)
        tables = stored_tables(db)
        for table in reversed(tables):
            db.execute(sa.delete(table))
        _fill(db, {table.name: table for table in tables}, reader)
        if db.dialect.name == "postgresql":
            _set_counters(db, tables)
        migrate(db)


def is_empty(store: Store) -> bool:
    """Is there nothing that a restore would replace?"""
    with store.read() as db:
        return all(
            db.execute(sa.select(sa.literal(1)).select_from(table)).first() is None for table in stored_tables(db)
        )


def _check_alone(db: sa.Connection) -> None:
    if db.dialect.name != "postgresql":
        return  # the lock of the file is ours
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    if others := db.execute(query).scalar_one():
        raise OperatorError(f"The database has {others} other connections: stop every leaderboard that uses it first.")


def _drop_all(db: sa.Connection) -> None:
    found = sa.MetaData()
    found.reflect(db)
    found.drop_all(db)


def _fill(db: sa.Connection, tables: dict[str, sa.Table], reader: BackupReader) -> None:
    header = reader.header
    for number, rows in _batches(reader):
        written = header.tables[number]
        table = tables.get(written.name)
        if table is None or set(written.columns) != {column.name for column in table.columns}:
            raise BadInput(f"The backup's table {written.name[:60]!r} is not one of this leaderboard's: it is damaged.")
        db.execute(sa.insert(table), [dict(zip(written.columns, row, strict=True)) for row in rows])


def _batches(reader: BackupReader) -> Iterator[tuple[int, list[list[Any]]]]:
    """Rows of one table at a time, some hundreds at once."""
    batch: list[list[Any]] = []
    current = -1
    for number, row in reader.rows():
        if batch and (number != current or len(batch) >= _AT_ONCE):
            yield current, batch
            batch = []
        current = number
        batch.append(row)
    if batch:
        yield current, batch


def _set_counters(db: sa.Connection, tables: Sequence[sa.Table]) -> None:
    """PostgreSQL counts rows beside them: from the highest that was restored on."""
    for table in tables:
        for column in table.primary_key.columns:
            name = db.execute(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))).scalar()
            if name is not None:
                highest = db.execute(sa.select(sa.func.max(column))).scalar()
                db.execute(sa.select(sa.func.setval(name, highest or 1, highest is not None)))


def described(counts: dict[str, int]) -> str:
    """What a backup holds, for the person who is asked whether it may replace everything."""
    return ", ".join(counted(counts.get(f"{what}s", 0), what) for what in ("race", "result", "account"))


def counted(n: int, what: str) -> str:
    """'1 race', '2 races'."""
    return f"{n} {what}{'' if n == 1 else 's'}"
