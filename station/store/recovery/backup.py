"""Backs up what a station must not lose, in one file: journal, key, and the record of posted results; and restores it.

A backup may be made while the station runs. After a restore, the station's next start draws a new random part of the
result ids, so nothing that was posted after the backup is overwritten (station/core/runs/result_identity.py).
"""

import hashlib
import json
import os
import pathlib
import tempfile
import zipfile
import zlib

import apsw

from shared.errors import BadInput, StorageError
from station.store.database import open_reading, storage_errors
from station.store.opening import JOURNAL, KEY, SYNC, is_there
from station.store.recovery.salvage import put_aside
from station.store.signer import load_signer
from station.store.verify import VerifiedJournal, verify_journal

MANIFEST = "raceday-backup.json"
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
)
MAX_UNPACKED_BYTES = 8_000_000_000  # of all files together


def back_up(data_dir: pathlib.Path, out: pathlib.Path) -> str:
    """Writes the backup `out` (mode 0600), completely or not at all; returns a sentence about it.

    Raises StorageError, BadInput.
    """
    path, key = data_dir / JOURNAL, data_dir / KEY
    if not is_there(path) or not key.exists():
        raise BadInput(f"{data_dir}: holds no station's journal and key; name the station's own file with --config.")
    if out.exists():
        raise BadInput(f"{out}: exists already; a backup is never written over another file.")
    part = out.with_name(f"{out.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=f"{out.name}.", dir=out.absolute().parent) as name:
            copies = pathlib.Path(name)
            # First what was posted: it must not know of results that the copied journal does not hold.
            for file in (SYNC, JOURNAL):
                if (data_dir / file).exists():
                    _copy(data_dir / file, copies / file)
            (copies / KEY).write_bytes(key.read_bytes())
            verified = verify_journal(copies / JOURNAL, frozenset({public_key_of(key)}))
            _pack(copies, part, verified)
        part.replace(out)
        _sync_folder(out)
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror}); name a file on a disk with free space.") from None
    finally:
        part.unlink(missing_ok=True)
    return (
        f"{out}: {verified.seq} records, head {verified.head.hex()}. It contains the station's key: store it as safely "
        "as the key itself."
    )


def restore_backup(data_dir: pathlib.Path, backup: pathlib.Path) -> str:
    """Puts a backup in place of the folder's files, which are moved aside; returns a sentence about it.

    The caller holds the locks of station and sync. Raises BadInput, StorageError.
    """
    with tempfile.TemporaryDirectory(prefix="restore.", dir=data_dir) as name:
        fresh = pathlib.Path(name)
        _unpack(backup, fresh)
        verified = verify_journal(fresh / JOURNAL, frozenset({public_key_of(fresh / KEY)}))
        if not verified.signatures:
            raise BadInput(f"{backup}: its journal bears no signature of its key: it is not a station's backup.")
        for log in fresh.glob("*-*"):  # the logs that SQLite left beside the databases while verifying
            log.unlink()
        aside = [put_aside(data_dir / file) for file in (JOURNAL, SYNC, KEY)]
        for file in (KEY, SYNC, JOURNAL):  # the journal last: without it no station starts
            if (fresh / file).exists():
                (fresh / file).replace(data_dir / file)
    _sync_folder(data_dir / JOURNAL)
    old_files = ", ".join(str(path) for path in aside if path is not None)
    return (
        f"{data_dir}: restored, {verified.seq} records, head {verified.head.hex()}."
        + (f" The files that were there before: {old_files}." if old_files else "")
        + " Results that were posted after this backup remain at the leaderboard as they are."
    )


def public_key_of(key: pathlib.Path) -> bytes:
    """The public key (32 bytes) of a key file. Raises StorageError."""
    return load_signer(key).public_key


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies a database that may be in use, as it is at one moment, to one file without a log."""
    reader = open_reading(source)
    with storage_errors(source):
        writer = apsw.Connection(str(target))
        try:
            with writer.backup("main", reader, "main") as copying:
                copying.step(-1)
            writer.pragma("journal_mode", "delete")
        finally:
            writer.close()
            reader.close()


def _pack(copies: pathlib.Path, part: pathlib.Path, verified: VerifiedJournal) -> None:
    files = {file: copies / file for file in (JOURNAL, KEY, SYNC) if (copies / file).exists()}
    manifest = {
        "backup": 1,
        "records": verified.seq,
        "head": verified.head.hex(),
        "files": {file: _digest(path) for file, path in files.items()},
    }
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.writestr(MANIFEST, json.dumps(manifest, indent=1))
            for file, path in files.items():
                packed.write(path, file)
        raw.flush()
        os.fsync(raw.fileno())


def _unpack(backup: pathlib.Path, into: pathlib.Path) -> None:
    try:
        with zipfile.ZipFile(backup) as packed:
            if sum(info.file_size for info in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise BadInput(f"{backup}: is larger than any station's backup.")
            wanted = json.loads(packed.read(MANIFEST))["files"]
            if not {JOURNAL, KEY} <= set(wanted) <= {JOURNAL, KEY, SYNC}:
                raise BadInput(f"{backup}: does not hold a station's journal and key.")
            for file in sorted(wanted):
                _write(packed, file, into / file)
                if _digest(into / file) != wanted[file]:
                    raise BadInput(f"{backup}: {file} in it is damaged; use another backup.")
    except FileNotFoundError:
        raise BadInput(f"{backup}: there is no such file.") from None
    except _UNREADABLE as error:
        raise BadInput(f"{backup}: is not a complete backup of a station ({error}).") from None
    except OSError as error:
        raise StorageError(f"{backup}: cannot be put back ({error.strerror or error}).") from None


def _write(packed: zipfile.ZipFile, file: str, path: pathlib.Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target, packed.open(file) as source:
        while block := source.read(1_048_576):
            target.write(block)
        target.flush()
        os.fsync(target.fileno())


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(path: pathlib.Path) -> None:
    """Syncs the folder of `path` to disk, without which a file's new name may be lost."""
    folder = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
