"""Opens SQLite: durable for writing, read-only for reading; SQLite's errors become one sentence for the operator."""

import contextlib
import pathlib
from collections.abc import Iterator

import apsw

from shared.errors import StorageError

BUSY_TIMEOUT_MS = 2000


def open_durable(path: pathlib.Path) -> apsw.Connection:
    """Opens, or creates, a database whose commits survive a power cut. Raises StorageError."""
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
        raise StorageError(f"{path}: SQLite cannot use a write-ahead log here ({mode}); choose a local disk.")
    return connection


def close_quietly(connection: apsw.Connection) -> None:
    """Closes the connection, which moves the log into the file; if the disk refuses, the next open reads the log."""
    with contextlib.suppress(apsw.FullError, apsw.IOError, apsw.ReadOnlyError):
        connection.close()


def open_reading(path: pathlib.Path) -> apsw.Connection:
    """Opens a database read-only, which another process may be writing. Raises StorageError."""
    with storage_errors(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection


def has_table(connection: apsw.Connection, name: str) -> bool:
    """Does the table exist? The owner of a database creates its tables a moment after the file."""
    row = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).fetchone()
    return row is not None


class FileDamaged(StorageError):
    """The file is not an intact SQLite database."""


@contextlib.contextmanager
def storage_errors(path: pathlib.Path) -> Iterator[None]:
    """Turns SQLite's errors into a StorageError with one sentence for the operator."""
    try:
        yield
    except apsw.Error as error:
        raise storage_error(path, error) from None


def storage_error(path: pathlib.Path, error: apsw.Error) -> StorageError:
    """SQLite's error as a StorageError with one sentence for the operator."""
    match error:
        case apsw.FullError():
            return StorageError(f"{path}: the disk is full; free some space, nothing is lost meanwhile.")
        case apsw.ReadOnlyError():
            return StorageError(f"{path}: cannot be written to; check its owner and how the disk is mounted.")
        case apsw.CantOpenError():
            return StorageError(f"{path}: cannot be opened; check that the folder exists and belongs to this user.")
        case apsw.IOError():
            return StorageError(f"{path}: the disk refuses; check whether it is full, unplugged or failing.")
        case apsw.CorruptError() | apsw.NotADBError() | apsw.FormatError():
            return FileDamaged(f"{path}: SQLite refuses ({error}).")
    return StorageError(f"{path}: SQLite refuses ({error}).")
