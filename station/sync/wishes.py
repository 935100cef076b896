"""What officials ask of the sync process: "send now", "send that one again". A file between two processes.

The station's page, or `raceday sync send`, appends a line; sync takes all of them under the same lock. It works while
sync is down: then it is done when sync starts.
"""

import contextlib
import fcntl
import json
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import StorageError

WISHES = "sync.wishes"
MOST_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Wish:
    """Send what waits, now. `rejected`: those too that were rejected; with a `webhook_id` that one alone."""

    rejected: bool = False
    webhook_id: str = ""
    author: str = ""


def wish(data_dir: pathlib.Path, wanted: Wish) -> None:
    """Ask for it. Raises StorageError."""
    line = json.dumps([wanted.rejected, wanted.webhook_id, wanted.author]).encode() + b"\n"
    with _locked(data_dir / WISHES, os.O_CREAT) as held:
        if os.fstat(held).st_size > MOST_BYTES:
            raise StorageError(f"{data_dir / WISHES}: too many wishes wait already; start the sync service.")
        os.write(held, line)


def take_wishes(data_dir: pathlib.Path) -> list[Wish]:
    """All that were asked for since the last call. Raises StorageError."""
    path = data_dir / WISHES
    try:
        if not path.stat().st_size:
            return []
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}).") from None
    with _locked(path) as held:
        text = os.pread(held, 2 * MOST_BYTES, 0)
        os.ftruncate(held, 0)
    return [found for line in text.splitlines() if (found := _read(line)) is not None]


def _read(line: bytes) -> Wish | None:
    """A line that a power cut tore apart is no wish: who asked sees that nothing happened, and asks again."""
    try:
        rejected, webhook_id, author = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (isinstance(rejected, bool) and isinstance(webhook_id, str) and isinstance(author, str)):
        return None
    return Wish(rejected, webhook_id, author)


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
