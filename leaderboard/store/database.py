"""Opens the store: SQLite with exactly one writing connection, or PostgreSQL; brings its tables up to date.

The standard library's SQLite may carry the WAL-reset bug (3.7.0 to 3.51.2: two connections that write or
checkpoint at once). So one connection writes, under a lock, for as long as the process lives, and a lock file
keeps a second process away; readers are `query_only` and never the last to close.
"""

import contextlib
import os
import pathlib
import sqlite3
import threading
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.pool import StaticPool

from shared.errors import ConfigError, HardwareMissing, OperatorError, RetryLater, StorageError
from shared.files import is_locked, lock_file

_WAIT_S = 10.0
_MIGRATION_LOCK = 0x72616365
_KEPT = b"kept"  # in the lock file once the database was whole: from then on it is never made anew by itself


class Store:
    """Transactions on the leaderboard's database. What `write` ran without error is on the disk when it returns."""

    def __init__(
        self,
        writer: sa.Engine,
        readers: sa.Engine,
        lock: int | None = None,
        path: pathlib.Path | None = None,
    ) -> None:
        self._path = path  # of a file that must stay where it is
        self._opened: tuple[int, int] | None = None
        self._writer = writer
        self._readers = readers
        self._lock = lock
        # PostgreSQL orders its writers itself, by the row of the race.
        self._one_writer = threading.Lock() if lock is not None else None

    @property
    def backend(self) -> str:
        """What stores it: "sqlite" or "postgresql"."""
        return self._writer.dialect.name

    @property
    def path(self) -> pathlib.Path | None:
        """The file that it is stored in; None of PostgreSQL."""
        return self._path

    @property
    def engine(self) -> sa.Engine:
        """The connections that write, for what PostgreSQL does beside storing."""
        return self._writer

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction; committed (and synced) on leaving, rolled back on any error.

        Raises RetryLater when the store is busy or cannot be reached, StorageError when the disk refuses.
        """
        with self._turn(), _plain_errors():
            self._check_file()
            with self._writer.begin() as connection:
                yield connection
                self._check_file()  # once more before the commit: what is acknowledged is in the file of this name

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view; nothing can be written through it. Raises StorageError as `write` does."""
        with _plain_errors():
            self._check_file()
            with self._readers.begin() as connection:
                yield connection

    def pin_file(self) -> None:
        """From now on only the file that the path names now is accepted as the database."""
        self._opened = _file_id(self._path) if self._path is not None else None

    def _check_file(self) -> None:
        if self._opened is not None and self._path is not None and _file_id(self._path) != self._opened:
            raise StorageError(
                f"{self._path}: is gone: it was moved or deleted, or its disk was removed: nothing is stored "
                "or shown. Put it back in its place, or restart the leaderboard with another file."
            )

    def close(self) -> None:
        """Close all connections; idempotent."""
        self._readers.dispose()
        self._writer.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._one_writer is None:
            yield
            return
        if not self._one_writer.acquire(timeout=_WAIT_S):
            raise RetryLater("The leaderboard is busy writing.", after_s=1.0)
        try:
            yield
        finally:
            self._one_writer.release()


def open_store(path_or_url: str | pathlib.Path) -> Store:
    """The store at a file path, a `sqlite:///` or a `postgresql://` URL. Raises OperatorError."""
    url = _url(path_or_url)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    return _open_postgresql(url)


def open_readers(path_or_url: str | pathlib.Path) -> Store:
    """A store that is only read, beside a running leaderboard. Raises OperatorError."""
    url = _url(path_or_url)
    if url.get_backend_name() == "sqlite" and not pathlib.Path(str(url.database)).exists():
        raise StorageError(f"{url.database}: there is no such database yet; start `raceday leaderboard` once.")
    if url.get_backend_name() == "sqlite":
        readers = _sqlite_engine(url, writes=False)
    else:
        readers = _one_view(_postgresql_engine(url))
    return Store(readers, readers)


def is_served(path_or_url: str | pathlib.Path) -> bool:
    """Does a leaderboard hold this SQLite file? Never of PostgreSQL, where several processes write."""
    url = _url(path_or_url)
    return url.get_backend_name() == "sqlite" and is_locked(_lock_of(pathlib.Path(str(url.database))))


def migrate(connection: sa.Connection, to: str = "head") -> None:
    """Bring the tables up to date (or up to one step).

    Raises StorageError for a database of a newer leaderboard, and OperatorError if this one's own files are not whole.
    """
    folder = pathlib.Path(str(files("leaderboard") / "migrations"))
    if not any((folder / "versions").glob("0*.py")):
        raise OperatorError(
            f"it cannot be brought up to date, since {folder} of this program holds no steps, or this user may not "
            "read it: install Raceday anew, its files are not whole."
        )
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, to)
    except CommandError as error:
        raise StorageError(
            f"The database was made by another version of the leaderboard ({error}); upgrade this one."
        ) from None


def _url(path_or_url: str | pathlib.Path) -> sa.URL:
    text = str(path_or_url)
    if "://" not in text:
        return sa.URL.create("sqlite", database=str(pathlib.Path(text).absolute()))
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise ConfigError(
            "the store's URL is not valid: write a file path, sqlite:///PATH or postgresql://..."
        ) from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql") or (backend == "sqlite" and url.database in (None, "", ":memory:")):
        raise ConfigError(f"the store {url.render_as_string()} is not known: use a file path or postgresql://...")
    return url.set(drivername="postgresql+psycopg") if backend == "postgresql" else url


def _open_sqlite(url: sa.URL) -> Store:
    path = pathlib.Path(str(url.database))
    lock = _claim(path)
    try:
        _check_kept(path, lock)
    except StorageError:
        os.close(lock)
        raise
    writer, readers = _sqlite_engine(url, writes=True), _sqlite_engine(url, writes=False)
    store = Store(writer, readers, lock, path)
    try:
        _check_whole(store)
        with store.write() as connection:
            migrate(connection)
        store.pin_file()
        os.pwrite(lock, _KEPT, 0)
    except OperatorError as error:
        store.close()
        raise StorageError(f"{path}: {error}") from None
    return store


def _check_kept(path: pathlib.Path, lock: int) -> None:
    """Refuses to begin anew where results were kept: the lock file says so. Raises StorageError."""
    if os.pread(lock, len(_KEPT), 0) and not (path.exists() and path.stat().st_size):
        raise StorageError(
            f"{path}: is missing or empty, but a leaderboard kept its results here: put the file back (a backup), "
            f"or remove {_lock_of(path)} to begin without any."
        )


def _check_whole(store: Store) -> None:
    """Refuses a damaged file (SQLite's `quick_check`: 0.2 s for 400 MB). Raises StorageError."""
    with store.write() as connection:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if found != "ok":
        raise StorageError(f"is damaged ({' '.join(str(found).split())}): put a backup in its place.")


def _file_id(path: pathlib.Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lock_of(path: pathlib.Path) -> pathlib.Path:
    return path.with_name(path.name + ".lock")


def _claim(path: pathlib.Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: the leaderboard cannot write there ({error.strerror}).") from None
    try:
        lock = lock_file(_lock_of(path))
    except StorageError as error:
        raise StorageError(f"{path}: the leaderboard cannot write there ({error}).") from None
    if lock is None:
        raise StorageError(f"{path}: another leaderboard is using this database; stop it first.")
    return lock


def _sqlite_engine(url: sa.URL, writes: bool) -> sa.Engine:
    # isolation_level None: the driver would otherwise begin by itself, too late and not for DDL.
    arguments = {"isolation_level": None, "check_same_thread": False}
    pool: dict[str, Any] = {"poolclass": StaticPool} if writes else {"pool_size": 8, "max_overflow": 24}
    engine = sa.create_engine(url, connect_args=arguments, **pool)
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        _pragmas(connection, writes)

    @sa.event.listens_for(engine, "begin")
    def begin_now(connection: sa.Connection) -> None:
        # Of the driver itself: SQLAlchemy's part of it takes longer than reading a rank.
        connection.connection.cursor().execute(begin)

    return engine


def _pragmas(connection: sqlite3.Connection, writes: bool) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    if not writes:
        connection.execute("PRAGMA query_only = ON")
        return
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError("the file system there does not allow WAL; choose a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    # What a large board changes lies far apart: of 16 MB of log more pages are the same than of the usual 4.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA foreign_keys = ON")


def _open_postgresql(url: sa.URL) -> Store:
    engine = _postgresql_engine(url)
    store = Store(engine, _one_view(engine))
    try:
        with store.write() as connection:
            migrate(connection)
    except RetryLater as error:
        store.close()
        raise StorageError(f"{url.host or 'PostgreSQL'}: {error}") from None
    return store


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    try:
        return sa.create_engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True, pool_timeout=_WAIT_S)
    except ImportError:
        raise HardwareMissing("PostgreSQL needs the Python package psycopg: install raceday[postgres].") from None


def _one_view(engine: sa.Engine) -> sa.Engine:
    """An engine over the same connections whose transactions see one moment, and write nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError):
        raise  # a repeat at the same moment, or a bug of ours: neither is the disk's fault
    except sa.exc.TimeoutError:
        raise RetryLater("The leaderboard's database has no free connection.", after_s=1.0) from None
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        original = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        cause = str(original).strip().splitlines()[0]
        if isinstance(original, sqlite3.Error):
            raise StorageError(f"the database cannot be used now ({cause}).") from None
        raise RetryLater(f"the database cannot be reached now ({cause}).", after_s=5.0) from None
