"""The pause of posting: a file beside the journal while sync is to post nothing. Results wait on the station's disk.

`raceday sync pause` writes it, `raceday sync resume` removes it; sync looks at it before each post.
"""

import json
import pathlib
from dataclasses import dataclass

from shared.errors import StorageError
from shared.files import write_whole

PAUSE_FILE = "sync.paused"


@dataclass(frozen=True, slots=True)
class SyncPause:
    """Since when posting is paused, and by whom."""

    since_utc_ns: int = 0
    author: str = ""


def pause(data_dir: pathlib.Path, author: str, now_utc_ns: int) -> SyncPause:
    """Pause posting; a pause that is on already stays as it is. Raises StorageError."""
    if (existing := pause_of(data_dir)) is not None:
        return existing
    try:
        write_whole(data_dir / PAUSE_FILE, json.dumps([now_utc_ns, author]).encode(), is_durable=True)
    except OSError as error:
        raise StorageError(f"{data_dir / PAUSE_FILE}: cannot be written ({error.strerror}).") from None
    return SyncPause(now_utc_ns, author)


def resume(data_dir: pathlib.Path) -> bool:
    """End the pause; whether there was one. Raises StorageError."""
    try:
        (data_dir / PAUSE_FILE).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(f"{data_dir / PAUSE_FILE}: cannot be removed ({error.strerror}).") from None
    return True


def pause_of(data_dir: pathlib.Path) -> SyncPause | None:
    """The pause that is on; None if there is none. A file that cannot be read is a pause: somebody wanted one."""
    path = data_dir / PAUSE_FILE
    try:
        since_utc_ns, author = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, RecursionError):
        return SyncPause()
    valid = isinstance(since_utc_ns, int) and isinstance(author, str)
    return SyncPause(since_utc_ns, author) if valid else SyncPause()
