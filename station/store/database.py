"""Opens SQLite: durable for writing, read-only for reading; SQLite's errors become one sentence for the operator."""

import contextlib
import pathlib
from collections.abc import Iterator

import apsw

from shared.errors import StorageError

BUSY_TIMEOUT_MS = 2000


def open_durable(path: pathlib.Path) -> apsw.Connection:
    """A database in which what was committed survives a power cut. Raises StorageError."""
    with storage_errors(path):
        connection = apsw.Connection(str(path))
        try:
            connection.set_busy_timeout(BUSY_TIMEOUT_MS)
            mode = connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "full")
            connection.pragma("foreign_keys", True)
        except BaseException:
            close_quietly(connection)
            raise
    if mode != "wal":
        raise StorageError(f"{path}: SQLite cannot keep a write-ahead log here ({mode}); choose a local disk.")
    return connection


def close_quietly(connection: apsw.Connection) -> None:
    """Closing moves the log into the file; if the disk refuses, the log stays and is read at the next open."""
    with contextlib.suppress(apsw.FullError, apsw.IOError, apsw.ReadOnlyError):
        connection.close()


def open_reading(path: pathlib.Path) -> apsw.Connection:
    """Another process's database, never written by us. Raises StorageError."""
    with storage_errors(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def has_table(connection: apsw.Connection, name: str) -> bool:
    """Does the table exist? The owner creates its tables a moment after the file."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return found is not None


class FileDamaged(StorageError):
    """The file is not a whole SQLite database."""


@contextlib.contextmanager
def storage_errors(path: pathlib.Path) -> Iterator[None]:
    """Turns SQLite's errors into a StorageError with one sentence for the operator."""
    try:
        yield
    except apsw.Error as error:
        raise storage_error(path, error) from None


def storage_error(path: pathlib.Path, error: apsw.Error) -> StorageError:
    """SQLite's error as one sentence for the operator: what each commit and each poll of sync raises."""
    match error:
        case apsw.FullError():
            return StorageError(f"{path}: the disk is full; free some space, nothing is lost meanwhile.")
        case apsw.ReadOnlyError():
            return StorageError(f"{path}: may not be written; check its owner and the disk's mount.")
        case apsw.CantOpenError():
            return StorageError(f"{path}: cannot be opened; check that the folder exists and belongs to this user.")
        case apsw.IOError():
            return StorageError(f"{path}: the disk refuses; check whether it is full, unplugged or failing.")
        case apsw.CorruptError() | apsw.NotADBError() | apsw.FormatError():
            return FileDamaged(f"{path}: SQLite refuses ({error}).")
    return StorageError(f"{path}: SQLite refuses ({error}).")
