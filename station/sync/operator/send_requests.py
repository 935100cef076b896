"""Officials' requests to the sync process ("send now", "send that one again"), passed on in a file.

The station's page, or `raceday sync send`, appends a line; sync reads the lines under the same lock, and removes them
once they are in its own database. Requests can be made while sync is down or its disk is full: they are done later.
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
    """A request to send now what waits. `rejected`: also what was rejected; `webhook_id`: only this row, "" for all.

    `test`: to ask the leaderboard about the races, and to prove the station's secret, whatever is known already.
    """

    rejected: bool = False
    webhook_id: str = ""
    author: str = ""
    test: bool = False


class SendRequestQueue:
    """The file as sync reads it: a request stays in it until `acknowledge` is called. Raises StorageError."""

    def __init__(self, data_dir: pathlib.Path) -> None:
        self._path = data_dir / REQUESTS_FILE
        self._read_to = 0  # bytes
        self._acknowledged_to = 0

    def pending(self) -> list[SendRequest]:
        """All requests that are not acknowledged yet, oldest first."""
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            size = 0
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be read ({error.strerror}).") from None
        if size < self._acknowledged_to:
            self._acknowledged_to = 0  # it is another file now
        if size == self._acknowledged_to:
            return []
        with _locked(self._path) as file:
            text = os.pread(file, 2 * MAX_FILE_BYTES, self._acknowledged_to)
        self._read_to = self._acknowledged_to + len(text)
        requests = [each for line in text.splitlines() if (each := _parse(line)) is not None]
        if not requests:
            self.acknowledge()  # there are only torn lines
        return requests

    def acknowledge(self) -> None:
        """Marks what `pending` last returned as done, and empties the file unless there are new requests."""
        self._acknowledged_to = self._read_to
        with _locked(self._path) as file:
            if os.fstat(file).st_size <= self._acknowledged_to:
                os.ftruncate(file, 0)
                self._read_to = self._acknowledged_to = 0


def remove_requests(data_dir: pathlib.Path) -> list[SendRequest]:
    """Removes all requests from the file and returns them. Raises StorageError."""
    queue = SendRequestQueue(data_dir)
    if requests := queue.pending():
        queue.acknowledge()
    return requests


def add_request(data_dir: pathlib.Path, request: SendRequest) -> None:
    """Appends a request. Raises StorageError, and then nothing was requested."""
    test = [True] if request.test else []
    line = json.dumps([request.rejected, request.webhook_id, request.author, *test]).encode() + b"\n"
    with _locked(data_dir / REQUESTS_FILE, os.O_CREAT) as file:
        size = os.fstat(file).st_size
        if size > MAX_FILE_BYTES:
            raise StorageError(
                f"{data_dir / REQUESTS_FILE}: too many requests wait; start the sync service, or free some disk space."
            )
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line  # a power cut has torn the line before it
        if os.write(file, line) != len(line):  # a disk that becomes full writes only a part of the line
            os.ftruncate(file, size)
            raise StorageError(f"{data_dir / REQUESTS_FILE}: the disk is full; free some space, and try again.")


def _parse(line: bytes) -> SendRequest | None:
    """The request in a line; None for a line that a power cut has torn, whose author sees that nothing happened."""
    try:
        rejected, webhook_id, author, *test = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if test not in ([], [True]):
        return None
    if not (isinstance(rejected, bool) and isinstance(webhook_id, str) and isinstance(author, str)):
        return None
    return SendRequest(rejected, webhook_id, author, bool(test))


@contextlib.contextmanager
def _locked(path: pathlib.Path, more: int = 0) -> Iterator[int]:
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | more, 0o600)
    except OSError as error:
        raise StorageError(f"{path}: cannot be opened ({error.strerror}); check who owns the folder.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror}).") from None
    finally:
        os.close(file)
