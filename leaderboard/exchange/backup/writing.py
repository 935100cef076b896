"""Writes a backup of all tables as they are at one moment, while the leaderboard goes on.

Sessions and challenges are left out: whoever restores it signs in again. All else is in it, hashes of secrets too, so
that people and programs get in as before; the file is readable by its owner only.
"""

import os
import pathlib
from dataclasses import dataclass
from typing import IO

import sqlalchemy as sa

from leaderboard.exchange.backup.backup_file import BackupHeader, BackupTable, BackupWriter, not_writable
from leaderboard.store.database import Store
from shared.errors import BadInput

LEFT_OUT = frozenset({"sessions", "challenges", "alembic_version"})
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class BackupDone:
    """A backup that was written."""

    races: int
    results: int
    size_bytes: int
    sha256: str


def write_backup(store: Store, path: pathlib.Path, now_utc_ns: int, replace: bool = False) -> BackupDone:
    """Write the backup; the file is in its place only once it is whole and on the disk. Raises BadInput, StorageError.

    `replace`: a file of this name may be replaced.
    """
    if path.exists() and not replace:
        raise BadInput(f"{path}: is there already; choose another name.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            counts, sha256 = _write(store, out, now_utc_ns)
            out.flush()
            os.fsync(out.fileno())
            size_bytes = os.fstat(out.fileno()).st_size
        part.replace(path)
        folder = os.open(path.absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise not_writable(path, error) from None
    finally:
        part.unlink(missing_ok=True)
    return BackupDone(counts["races"], counts["results"], size_bytes, sha256)


def _write(store: Store, out: IO[bytes], now_utc_ns: int) -> tuple[dict[str, int], str]:
    with store.read() as db:
        if db.dialect.name == "postgresql":
            # Else each statement would see its own moment.
            db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        tables = stored_tables(db)
        revision = db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
        described = tuple(BackupTable(table.name, tuple(column.name for column in table.columns)) for table in tables)
        writer = BackupWriter(out, BackupHeader(str(revision), now_utc_ns, described))
        counts: dict[str, int] = {}
        for number, table in enumerate(tables):
            query = sa.select(table).order_by(*table.primary_key.columns)
            rows = db.execute(query, execution_options={"yield_per": _AT_ONCE})
            counts[table.name] = 0
            for row in rows:
                writer.row(number, row)
                counts[table.name] += 1
    return counts, writer.end()


def stored_tables(db: sa.Connection) -> list[sa.Table]:
    """The tables that a backup holds as the database has them, each after those that it refers to."""
    found = sa.MetaData()
    found.reflect(db)
    return [table for table in found.sorted_tables if table.name not in LEFT_OUT]
