"""Where the station's processes can be killed: around each commit, each post and each published message."""

import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.link.mock import MockLink
from station.service.station import Station
from station.store.journal import Journal, JournalEntry
from station.store.signer import Signer
from station.sync.attempts import AttemptStore
from station.sync.outbox_reader import OutboxReader
from station.sync.schedule import OutboxRow, SyncAnswer
from station.sync.syncer import Syncer

KEY = bytes(range(32))  # the same in every meeting, as Ed25519 signs the same each time: a hash must repeat


class ProcessKilled(BaseException):
    """Raised to end the simulated process. No product code may catch it."""


class CrashPoint:
    """Kills a process at one of its next steps."""

    def __init__(self) -> None:
        self._left: int | None = None

    def arm(self, steps: int) -> None:
        """Let the process die after `steps` more steps."""
        self._left = steps

    def disarm(self) -> bool:
        """Disarm; True if it was still armed."""
        armed, self._left = self._left is not None, None
        return armed

    def step(self, _where: str) -> None:
        """Mark a point where the process may die. Raises ProcessKilled when the armed step is reached."""
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            self._left = None
            raise ProcessKilled


class CrashingJournal(Journal):
    """The product's journal on a disk that can be full, in a process that can die around a commit."""

    def __init__(self, path: pathlib.Path, step: Callable[[str], None]) -> None:
        super().__init__(path, Signer(Ed25519PrivateKey.from_private_bytes(KEY)))
        self._step = step

    def disk_full(self, full: bool) -> None:
        """Allow SQLite no further page (True), or lift that limit (False)."""
        self._db.pragma("max_page_count", self._db.pragma("page_count") if full else 2**31)

    def append(self, entries: Sequence[JournalEntry]) -> list[int]:
        self._step("before the commit")
        seqs = super().append(entries)
        self._step("after the commit")
        return seqs


class CrashingAttempts(AttemptStore):
    """The product's store of posting attempts, in a process that can die around each write."""

    def __init__(self, path: pathlib.Path, step: Callable[[str], None]) -> None:
        super().__init__(path)
        self._step = step

    def begin(self, row: OutboxRow, at_utc_ns: int) -> int:
        self._step("before the attempt is stored")
        return super().begin(row, at_utc_ns)

    def finish(self, attempt_id: int, answer: SyncAnswer, at_utc_ns: int) -> None:
        self._step("before the answer is stored")
        super().finish(attempt_id, answer, at_utc_ns)


@dataclass(slots=True)
class StationProcess:
    """One run of the station's process, from start to kill."""

    number: int
    station: Station
    journal: CrashingJournal
    link: MockLink

    def work(self) -> None:
        """Do everything that is due now."""
        while self.station.pump():
            pass
        while self.station.pump_live():
            pass


@dataclass(slots=True)
class SyncProcess:
    """One run of the sync process, from start to kill."""

    syncer: Syncer
    source: OutboxReader
    attempts: AttemptStore
