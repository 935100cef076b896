"""Restores a backup so that a kill at any moment leaves the old station or the new one, never a part of each.

Three steps. `stage` unpacks and checks the backup beside the files in use. `commit` writes the plan: from then on the
restore happens, whatever happens. `finish` moves the files, the old ones aside; it may be cut off and called again as
often as need be. Every start of the station finishes a committed restore before it opens anything, and sync gives way
(`is_committed`). Called by `raceday restore`, by the station's command, and by service/backups/.
"""

import json
import pathlib
import shutil
import time
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter, ValidationError

from shared.errors import StorageError
from shared.files import remedy_of, write_whole
from station.store.opening import JOURNAL, KEY, SYNC
from station.store.recovery.backup import TRACKS, sync_folder, unpack
from station.store.recovery.carried_ticks import CARRIED_FILE, take_over_ticks
from station.store.recovery.salvage import put_aside

STAGED = "restore.staged"
PLAN = "restore.plan"
DONE = "restore.done"


@dataclass(frozen=True, slots=True)
class Restore:
    """A restore: which backup, how many records it has, their head; `with_posts`: it holds what was posted.

    `aside`: where the files before it are now.
    """

    backup: str
    records: int
    head: str
    with_posts: bool
    person: str = ""
    aside: tuple[str, ...] = ()


_STORED = TypeAdapter(Restore)


def stage(data_dir: pathlib.Path, backup: pathlib.Path, person: str = "") -> Restore:
    """Unpacks and checks the backup beside the files in use, which stay as they are. Raises BadInput, StorageError."""
    staged = data_dir / STAGED
    drop_staged(data_dir)
    staged.mkdir(mode=0o700)
    try:
        verified = unpack(backup, staged)
    except BaseException:
        drop_staged(data_dir)
        raise
    sync_folder(staged / JOURNAL)
    return Restore(backup.name, verified.seq, verified.head.hex(), (staged / SYNC).exists(), person)


def drop_staged(data_dir: pathlib.Path) -> None:
    """Removes what was staged and is not wanted."""
    shutil.rmtree(data_dir / STAGED, ignore_errors=True)


def commit(data_dir: pathlib.Path, restore: Restore) -> None:
    """Makes the staged files the station's: `finish` will move them. The caller holds the lock of the station."""
    _write_whole(data_dir / PLAN, restore)


def is_committed(data_dir: pathlib.Path) -> bool:
    """Is a restore to be finished before anything is opened?"""
    return (data_dir / PLAN).exists()


def finish(data_dir: pathlib.Path, utc_ns: int | None = None) -> Restore | None:
    """Finishes a committed restore and returns it; None if there is none. The caller holds both locks.

    `utc_ns`: what time it is; None: by this machine's clock. Raises StorageError.
    """
    if not is_committed(data_dir):
        return None
    restore = _read(data_dir / PLAN)
    if restore is None:
        raise StorageError(f"{data_dir / PLAN}: is damaged; move it away, and restore the backup again.")
    staged = data_dir / STAGED
    try:
        if staged.exists():  # else it was cut off between its last two steps
            if (staged / CARRIED_FILE).exists():
                now_utc_ns = time.time_ns() if utc_ns is None else utc_ns
                take_over_ticks(data_dir / CARRIED_FILE, staged / CARRIED_FILE, now_utc_ns)
            for file in (SYNC, KEY, CARRIED_FILE, JOURNAL):
                if (staged / file).exists():
                    put_aside(data_dir / file)
                    (staged / file).replace(data_dir / file)
                elif file == SYNC and not restore.with_posts:
                    put_aside(data_dir / file)
            if (staged / TRACKS).exists():
                _put_folder_aside(data_dir / TRACKS)
                (staged / TRACKS).replace(data_dir / TRACKS)
            sync_folder(data_dir / JOURNAL)
            _write_whole(data_dir / DONE, _with_aside(data_dir, restore))
            staged.rmdir()
        (data_dir / PLAN).unlink()
        sync_folder(data_dir / JOURNAL)
    except OSError as error:
        raise StorageError(f"{data_dir}: cannot be restored ({error.strerror}): {remedy_of(error)}.") from None
    return last_restore(data_dir)


def last_restore(data_dir: pathlib.Path) -> Restore | None:
    """The last restore that was finished in this folder; None if there was none."""
    return _read(data_dir / DONE)


def restore_of(document: object) -> Restore:
    """The restore in a JSON object, as another process wrote it."""
    return _STORED.validate_python(document)


def _with_aside(data_dir: pathlib.Path, restore: Restore) -> Restore:
    newest = [
        max(data_dir.glob(f"{file}.aside-*[0-9]"), key=lambda path: int(path.name.rpartition("-")[2]), default=None)
        for file in (JOURNAL, SYNC, KEY, TRACKS, CARRIED_FILE)
    ]
    names = tuple(path.name for path in newest if path is not None)
    return replace(restore, aside=names)


def _put_folder_aside(folder: pathlib.Path) -> None:
    if not folder.exists():
        return
    number = 1
    while (aside := folder.with_name(f"{folder.name}.aside-{number}")).exists():
        number += 1
    folder.replace(aside)


def _write_whole(path: pathlib.Path, restore: Restore) -> None:
    try:
        write_whole(path, json.dumps(asdict(restore)).encode(), is_durable=True)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror}): {remedy_of(error)}.") from None


def _read(path: pathlib.Path) -> Restore | None:
    try:
        return _STORED.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        return None
