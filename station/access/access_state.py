"""The state of access in memory, and the one place where it changes: on disk first, then here, then whoever listens.

Requests read `rules` without a lock or the disk, so that the stop of all cars waits for neither. Used by
station_access.py and people_and_devices.py.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

from shared.access.throttle import Failures
from shared.errors import RetryLater, StorageError
from shared.text import text
from station.access.access_rules import AccessRules, SessionLimits
from station.access.access_store import AccessStore
from station.access.records import AccessEvent

SAVE_USES_S = 60.0  # how often it is stored when sessions and devices were last used
_LOG = logging.getLogger("raceday.web")


class TooManyTries(RetryLater):
    """Too many wrong PINs or codes: the next try is allowed after `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, round(wait_s + 0.5))
        super().__init__(text("Too many wrong tries: wait {seconds} s, then try again.", seconds=self.wait_s))


def steady_utc() -> Callable[[], float]:
    """A clock of UTC seconds that no step of the machine's clock moves while this process runs."""
    began_s = time.time() - time.monotonic()
    return lambda: began_s + time.monotonic()


class AccessState:
    """People, devices and sessions, thread-safe. `clock` gives UTC seconds."""

    def __init__(self, store: AccessStore, limits: SessionLimits, clock: Callable[[], float]) -> None:
        self.store, self.now_s = store, clock
        self._limits = limits
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self._failures = store.failures()
        self.used_s = store.last_used()
        self._saved_s, self._saved_uses = clock(), dict(self.used_s)
        self.rules = self._read()

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after each change, on the thread that made it."""
        self._listeners.append(changed)

    @contextlib.contextmanager
    def change(self) -> Iterator[AccessStore]:
        """A change of the stored state; once it is stored, it holds here. Raises StorageError: nothing changed."""
        with self._lock:
            with self.store.transaction():
                yield self.store
            self.rules = self._read()
        for changed in self._listeners:
            changed()

    def record(self, *events: AccessEvent) -> None:
        """Adds a line for each event to the log of access, all or none. Raises StorageError."""
        with self._lock, self.store.transaction():
            for event in events:
                self.store.add_event(event)

    def events(self, after: int = 0) -> list[tuple[int, AccessEvent]]:
        """The log from number `after` on. Raises StorageError."""
        with self._lock:
            return self.store.events(after)

    def begin_try(self, keys: tuple[str, ...]) -> None:
        """Counts a try as wrong before it is compared, so that many at the same time count too.

        Raises TooManyTries, StorageError.
        """
        now_s = self.now_s()
        with self._lock:
            wait_s = max(self._failures.get(key, Failures()).wait_s(now_s) for key in keys)
            if wait_s > 0:
                raise TooManyTries(wait_s)
            counted = {key: self._failures.get(key, Failures()).after_failure(now_s) for key in keys}
            over = [key for key, failures in self._failures.items() if failures.is_over(now_s) and key not in counted]
            with self.store.transaction():
                for key, failures in counted.items():
                    self.store.put_failures(key, failures)
                for key in over:
                    self.store.remove("failure", key)
            self._failures = {key: each for key, each in self._failures.items() if key not in over} | counted

    def forget_tries(self, keys: tuple[str, ...]) -> None:
        """The try was right: its key starts anew. Raises StorageError."""
        with self._lock:
            with self.store.transaction():
                for key in keys:
                    self.store.remove("failure", key)
            self._failures = {key: each for key, each in self._failures.items() if key not in keys}

    def note_use(self, key: str) -> None:
        """The session or device `key` was used now; stored later by `poll`."""
        self.used_s[key] = self.now_s()

    def poll(self) -> None:
        """Reads what another process changed, and stores the uses now and then; for a thread that may wait."""
        try:
            with self._lock:
                if self.store.version() != self._version:
                    self.rules = self._read()
                    changed = True
                else:
                    changed = False
                self._save_uses()
        except StorageError as error:
            _LOG.warning("%s", error)  # the log is limited, and what holds in memory goes on
            return
        for listener in self._listeners if changed else ():
            listener()

    def close(self) -> None:
        with self._lock:
            self.store.close()

    def _save_uses(self) -> None:
        now_s = self.now_s()
        fresh = {key: at_s for key, at_s in list(self.used_s.items()) if self._saved_uses.get(key) != at_s}
        if fresh and not 0 <= now_s - self._saved_s < SAVE_USES_S:
            with self.store.transaction():
                self.store.put_last_used(fresh)
            self._saved_s, self._saved_uses = now_s, self._saved_uses | fresh

    def _read(self) -> AccessRules:
        self._version = self.store.version()
        self.settings = self.store.settings()
        return AccessRules(
            self._limits,
            {person.id: person for person in self.store.people()},
            {device.token_sha256: device for device in self.store.devices()},
            {session.token_sha256: session for session in self.store.sessions()},
        )
