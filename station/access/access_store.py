"""access.db: people, devices, sessions, failures and the log of access, in a SQLite file beside the journal.

Never in the journal: secrets can be removed from here, and a copy of the journal holds none. The file is readable by
its owner only. Called by station_access.py under its lock, and by `raceday station token`, also while a station runs.
"""

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any, get_args

from shared.access.throttle import Failures
from shared.errors import StorageError
from station.access.pass_codes import Kind
from station.access.records import AccessEvent, Deed, DeviceKind, PairedDevice, Person, Session
from station.access.roles import Role
from station.store.database import close_quietly, open_durable, storage_errors

ACCESS = "access.db"
FORMAT = 1
_SCHEMA = """
CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE, role INTEGER NOT NULL,
  code_kind TEXT NOT NULL, code_hash TEXT NOT NULL) STRICT;
CREATE TABLE device (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, role INTEGER NOT NULL,
  token_sha256 TEXT NOT NULL UNIQUE, paired_by TEXT NOT NULL, paired_s REAL NOT NULL) STRICT;
CREATE TABLE session (id TEXT PRIMARY KEY, token_sha256 TEXT NOT NULL UNIQUE, person_id TEXT NOT NULL,
  device_id TEXT NOT NULL, opened_s REAL NOT NULL) STRICT;
CREATE TABLE last_used (id TEXT PRIMARY KEY, at_s REAL NOT NULL) STRICT;
CREATE TABLE failure (key TEXT PRIMARY KEY, count INTEGER NOT NULL, last_s REAL NOT NULL) STRICT;
CREATE TABLE event (seq INTEGER PRIMARY KEY, at_s REAL NOT NULL, deed TEXT NOT NULL, person TEXT NOT NULL,
  device TEXT NOT NULL, subject TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL) STRICT;
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER event_never_updated BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER event_never_deleted BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""


class AccessStore:
    """The open file. Call from one thread at a time; each method may raise StorageError, and then nothing changed."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        _make_private(path)
        self._db = open_durable(path)
        try:
            with storage_errors(path):
                self._create()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        close_quietly(self._db)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes within are stored together, or none of them."""
        with storage_errors(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def version(self) -> int:
        """A number that changes when another process has changed the file."""
        with storage_errors(self.path):
            return int(self._db.pragma("data_version"))

    def people(self) -> list[Person]:
        rows = self._rows("SELECT id, name, role, code_kind, code_hash FROM person ORDER BY role DESC, key")
        return [Person(i, name, Role(role), _one_of(get_args(Kind), kind), code) for i, name, role, kind, code in rows]

    def devices(self) -> list[PairedDevice]:
        rows = self._rows(
            "SELECT id, name, kind, role, token_sha256, paired_by, paired_s FROM device ORDER BY paired_s"
        )
        return [
            PairedDevice(i, name, _one_of(get_args(DeviceKind), kind), Role(role), *rest)
            for i, name, kind, role, *rest in rows
        ]

    def sessions(self) -> list[Session]:
        return [
            Session(*row) for row in self._rows("SELECT id, token_sha256, person_id, device_id, opened_s FROM session")
        ]

    def last_used(self) -> dict[str, float]:
        """When each session and device, by id, was last used."""
        return dict(self._rows("SELECT id, at_s FROM last_used"))

    def failures(self) -> dict[str, Failures]:
        return {
            key: Failures(count, last_s) for key, count, last_s in self._rows("SELECT key, count, last_s FROM failure")
        }

    def events(self, after: int = 0) -> list[tuple[int, AccessEvent]]:
        """The log from number `after` on, with each event's number."""
        rows = self._rows(
            "SELECT seq, at_s, deed, person, device, subject, before, after FROM event WHERE seq > ? ORDER BY seq",
            after,
        )
        return [(seq, AccessEvent(at_s, _one_of(get_args(Deed), deed), *rest)) for seq, at_s, deed, *rest in rows]

    def settings(self) -> dict[str, str]:
        """What was chosen in the browser: "station" (its name, as pages show it) and "language"."""
        return dict(self._rows("SELECT key, value FROM setting"))

    def put_setting(self, key: str, value: str) -> None:
        self._run("INSERT OR REPLACE INTO setting VALUES (?, ?)", key, value)

    def put_person(self, person: Person, key: str) -> None:
        """Adds the person, or replaces the one with this id. `key`: what all spellings of the name share."""
        self._run(
            "INSERT OR REPLACE INTO person VALUES (?, ?, ?, ?, ?, ?)",
            *(person.id, person.name, key, int(person.role), person.code_kind, person.code_hash),
        )

    def put_device(self, device: PairedDevice) -> None:
        self._run(
            "INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(device.id, device.name, device.kind, int(device.role)),
            *(device.token_sha256, device.paired_by, device.paired_s),
        )

    def put_session(self, session: Session) -> None:
        self._run(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
            *(session.id, session.token_sha256, session.person_id, session.device_id, session.opened_s),
        )

    def remove(self, table: str, key: str) -> None:
        """Removes the person, device, session or failure with this id or key."""
        column = "key" if table == "failure" else "id"
        assert table in ("person", "device", "session", "failure")
        self._run(f"DELETE FROM {table} WHERE {column} = ?", key)  # noqa: S608 (names of this module)

    def put_failures(self, key: str, failures: Failures) -> None:
        self._run("INSERT OR REPLACE INTO failure VALUES (?, ?, ?)", key, failures.count, failures.last_s)

    def put_last_used(self, used_s: dict[str, float]) -> None:
        for key, at_s in used_s.items():
            self._run("INSERT OR REPLACE INTO last_used VALUES (?, ?)", key, at_s)

    def add_event(self, event: AccessEvent) -> None:
        self._run(
            "INSERT INTO event (at_s, deed, person, device, subject, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(event.at_s, event.deed, event.person, event.device, event.subject, event.before, event.after),
        )

    def _create(self) -> None:
        """Makes the tables in a new file, also if two processes open it at the same time."""
        self._db.execute("BEGIN IMMEDIATE")
        found = int(self._db.pragma("user_version"))
        if found == 0:
            self._db.execute(_SCHEMA)
            self._db.pragma("user_version", FORMAT)
        self._db.execute("COMMIT")
        if found > FORMAT:
            raise StorageError(f"{self.path}: this access file is of a newer version of Raceday; use that version.")

    def _rows(self, sql: str, *values: str | float) -> list[tuple[Any, ...]]:
        with storage_errors(self.path):
            return list(self._db.execute(sql, values))

    def _run(self, sql: str, *values: str | float) -> None:
        with storage_errors(self.path):
            self._db.execute(sql, values)


def _make_private(path: pathlib.Path) -> None:
    """Makes the file, readable by its owner only, before SQLite opens it; its log files get the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be opened ({error.strerror}); check that the folder exists and belongs to this user."
        ) from None


def _one_of(words: tuple[Any, ...], value: str) -> Any:
    """The stored word, if it is one of these. Raises StorageError."""
    if value not in words:
        raise StorageError(f"the access file holds {value[:40]!r}, which this version does not know.")
    return value
