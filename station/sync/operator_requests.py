"""What officials ask of the sync process: "send now", "send that one again". A file between two processes.

The station's page, or `raceday sync send`, appends a line; sync reads them under the same lock, and takes them out when
it has noted them in its own file. It works while sync is down, or its disk is full: then it is done afterwards.
"""

import contextlib
import fcntl
import json
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import StorageError

REQUESTS_FILE = "sync.requests"
MAX_FILE_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Send what waits, now. `rejected`: those too that were rejected; with a `webhook_id` that one alone."""

    rejected: bool = False
    webhook_id: str = ""
    author: str = ""


class SendRequestQueue:
    """The file as the sync process takes it: what was asked for stays in it until `noted`. Raises StorageError."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self._path = data_dir / REQUESTS_FILE
        self._read_to = 0  # bytes
        self._noted_to = 0

    def waiting(self) -> list[SendRequest]:
        """All that were asked for since `noted` was called last."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            size = 0
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be read ({error.strerror}).") from None
        if size < self._noted_to:
            self._noted_to = 0  # another file
        if size == self._noted_to:
            return []
        with _locked(self._path) as held:
            text = os.pread(held, 2 * MAX_FILE_BYTES, self._noted_to)
        self._read_to = self._noted_to + len(text)
        found = [each for line in text.splitlines() if (each := _read(line)) is not None]
        if not found:
            self.noted()  # nothing but torn lines
        return found

    def noted(self) -> None:
        """What `waiting` gave last is kept elsewhere now; the file is emptied, unless more was asked for meanwhile."""
        self._noted_to = self._read_to
        with _locked(self._path) as held:
            if os.fstat(held).st_size <= self._noted_to:
                os.ftruncate(held, 0)
                self._read_to = self._noted_to = 0


def take_requests(data_dir: pathlib.Path) -> list[SendRequest]:
    """All that were asked for, taken out of the file at once: for whoever keeps them. Raises StorageError."""
    wishes = SendRequestQueue(data_dir)
    if found := wishes.waiting():
        wishes.noted()
    return found


def add_request(data_dir: pathlib.Path, wanted: SendRequest) -> None:
    """Ask for it. Raises StorageError, and then nothing was asked for."""
    line = json.dumps([wanted.rejected, wanted.webhook_id, wanted.author]).encode() + b"\n"
    with _locked(data_dir / REQUESTS_FILE, os.O_CREAT) as held:
        size = os.fstat(held).st_size
        if size > MAX_FILE_BYTES:
            raise StorageError(
                f"{data_dir / REQUESTS_FILE}: too many requests wait; start the sync service, or free some disk space."
            )
        if size and os.pread(held, 1, size - 1) != b"\n":
            line = b"\n" + line  # behind one that a power cut tore apart
        if os.write(held, line) != len(line):  # a disk that becomes full takes a part of it
            os.ftruncate(held, size)
            raise StorageError(f"{data_dir / REQUESTS_FILE}: the disk is full; free some space, and ask again.")


def _read(line: bytes) -> SendRequest | None:
    """A line that a power cut tore apart is no wish: who asked sees that nothing happened, and asks again."""
    try:
        rejected, webhook_id, author = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(rejected, bool) and isinstance(webhook_id, str) and isinstance(author, str)):
        return None
    return SendRequest(rejected, webhook_id, author)


@contextlib.contextmanager
def _locked(path: pathlib.Path, more: int = 0) -> Iterator[int]:
    try:
        held = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | more, 0o600)
    except OSError as error:
        raise StorageError(f"{path}: cannot be opened ({error.strerror}); check that the folder is ours.") from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield held
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        os.close(held)
