"""Backs up what a station must not lose, in one file: journal, key, record of posted results, tracks, hand ticks.

A backup may be made while the station runs: it is a copy of one moment, and no writer waits for it. Nothing of access
is in it: neither people with their PINs nor sessions and devices. Called by `raceday backup` and service/backups/.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import apsw

from shared.errors import BadInput, StorageError
from shared.text import joined, text
from station.store.database import open_reading, storage_errors
from station.store.disk_space import disk_space
from station.store.event_files.tracks import TrackLibrary
from station.store.hash_chain import Tampered
from station.store.opening import JOURNAL, KEY, SYNC, is_there
from station.store.recovery.carried_ticks import CARRIED_FILE, MAX_CARRIED_BYTES, copy_ticks, is_carried
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
MAX_MANIFEST_BYTES = 1_000_000
# The two that a backup is written with. Of the others a piece of input may unpack to any size.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
FORMAT = 2  # 1: without tracks
EXTRAS = "extras"  # in the manifest: files that a version which does not know them leaves out, as a roll-back's may
TRACKS = "tracks"
SPARE_BYTES = 50_000_000  # the disk keeps these for the race
_TRACK_FILE = re.compile(r"tracks/(?:[0-9a-f]{64}\.npy|[0-9a-f]{16}-[0-9a-f]{16}\.json)", re.ASCII)
PAGES_A_STEP = 500
COPIED, VERIFIED = 0.4, 0.7  # the shares of the work that are done then


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A sentence about a backup that was made, and one about what could not be put in it, "" if all is in it."""

    sentence: str
    left_out: str = ""

    def __str__(self) -> str:
        return joined([self.sentence, self.left_out]) if self.left_out else self.sentence


def back_up(
    data_dir: pathlib.Path, out: pathlib.Path, progress: Callable[[float], None] = lambda _: None
) -> MadeBackup:
    """Writes the backup `out` (mode 0600), completely or not at all; returns what is to be said about it.

    `progress` gets the share of the work that is done. Raises StorageError, BadInput.
    """
    path, key = data_dir / JOURNAL, data_dir / KEY
    if not is_there(path) or not key.exists():
        raise BadInput(
            text(
                "{folder}: holds no station's journal and key; name the station's own file with --config.",
                folder=data_dir,
            )
        )
    if out.exists():
        raise BadInput(text("{file}: exists already; a backup is never written over another file.", file=out))
    check_space(
        out.absolute().parent, 2 * sum(each.stat().st_size for each in data_dir.glob("s*.db*") if each.is_file())
    )
    part = out.with_name(f"{out.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=f"{out.name}.", dir=out.absolute().parent) as name:
            copies = pathlib.Path(name)
            _copy_all(data_dir, copies, lambda share: progress(share * COPIED))
            left_out = copy_ticks(data_dir, copies)
            verified = verify_journal(copies / JOURNAL, frozenset({public_key_of(key)}))
            progress(VERIFIED)
            _pack(copies, part, verified, lambda share: progress(VERIFIED + share * (1 - VERIFIED)))
        part.replace(out)
        sync_folder(out)
    except OSError as error:
        raise BadInput(
            text(
                "{file}: cannot be written ({why}); name a file on a disk with free space.",
                file=out,
                why=error.strerror,
            )
        ) from None
    finally:
        part.unlink(missing_ok=True)
    made = text(
        "{file}: {records} records, head {head}. It contains the station's key: store it as safely as the key itself.",
        file=out,
        records=verified.seq,
        head=verified.head.hex(),
    )
    return MadeBackup(made, left_out)


def _copy_all(data_dir: pathlib.Path, copies: pathlib.Path, progress: Callable[[float], None]) -> None:
    """Copies what a station keeps: what was posted, journal, key and tracks."""
    # First what was posted: it must not know of results that the copied journal does not hold.
    for file in (SYNC, JOURNAL):
        if (data_dir / file).exists():
            _copy(data_dir / file, copies / file, progress)
    (copies / KEY).write_bytes((data_dir / KEY).read_bytes())
    (copies / TRACKS).mkdir()
    for track in TrackLibrary(data_dir).files():
        (copies / TRACKS / track.name).write_bytes(track.read_bytes())
    progress(1.0)


def unpack(backup: pathlib.Path, into: pathlib.Path) -> VerifiedJournal:
    """Puts the files of a backup into an empty folder and checks them: digests, hash chain, signatures of its own key.

    Raises BadInput, StorageError; then what lies in `into` is of no use.
    """
    with_tracks = _unpack(backup, into)
    try:
        verified = verify_journal(into / JOURNAL, frozenset({public_key_of(into / KEY)}))
    except Tampered as error:
        raise BadInput(text("{file}: its journal was changed ({why}).", file=backup.name, why=str(error))) from None
    if not verified.signatures:
        raise BadInput(
            text("{file}: its journal bears no signature of its key: it is not a station's backup.", file=backup.name)
        )
    for log in into.glob("*-*"):  # the logs that SQLite left beside the databases while verifying
        if log.is_file():
            log.unlink()
    if with_tracks:
        (into / TRACKS).mkdir(exist_ok=True)
    return verified


def check_space(folder: pathlib.Path, needed_bytes: int) -> None:
    """Raises StorageError if so much would leave the disk too little for the race."""
    space = disk_space(folder)
    if space.free_bytes < needed_bytes + SPARE_BYTES:
        raise StorageError(
            text(
                "{folder}: the disk has {free} MB left, and this needs {needed} MB; free some space.",
                folder=folder,
                free=space.free_bytes // 1_000_000,
                needed=(needed_bytes + SPARE_BYTES) // 1_000_000,
            )
        )


def public_key_of(key: pathlib.Path) -> bytes:
    """The public key (32 bytes) of a key file. Raises StorageError."""
    return load_signer(key).public_key


def _copy(source: pathlib.Path, target: pathlib.Path, progress: Callable[[float], None]) -> None:
    """Copies a database that may be in use, as it is at one moment, to one file without a log.

    The reader holds that moment from its first step to its last, which keeps no writer waiting (write-ahead log).
    """
    reader = open_reading(source)
    with storage_errors(source):
        writer = apsw.Connection(str(target))
        try:
            reader.execute("BEGIN").execute("SELECT count(*) FROM sqlite_schema").fetchall()
            with writer.backup("main", reader, "main") as copying:
                while not copying.done:
                    copying.step(PAGES_A_STEP)
                    progress(1 - copying.remaining / max(1, copying.page_count))
            reader.execute("COMMIT")
            writer.pragma("journal_mode", "delete")
        finally:
            writer.close()
            reader.close()


def _pack(
    copies: pathlib.Path, part: pathlib.Path, verified: VerifiedJournal, progress: Callable[[float], None]
) -> None:
    files = {file: copies / file for file in (JOURNAL, KEY, SYNC) if (copies / file).exists()}
    files |= {f"{TRACKS}/{path.name}": path for path in sorted((copies / TRACKS).iterdir())}
    extras = {file: copies / file for file in (CARRIED_FILE,) if (copies / file).exists()}
    manifest = {
        "backup": FORMAT,
        "raceday": importlib.metadata.version("raceday"),
        "records": verified.seq,
        "head": verified.head.hex(),
        "files": {file: _digest(path) for file, path in files.items()},
        EXTRAS: {file: _digest(path) for file, path in extras.items()},
    }
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.writestr(MANIFEST, json.dumps(manifest, indent=1))
            for number, (file, path) in enumerate((files | extras).items(), 1):
                packed.write(path, file)
                progress(number / len(files | extras))
        raw.flush()
        os.fsync(raw.fileno())


def _unpack(backup: pathlib.Path, into: pathlib.Path) -> bool:
    """Writes the files of the backup; returns whether tracks belong to it."""
    try:
        with zipfile.ZipFile(backup) as packed:
            _check_packing(packed)
            manifest = json.loads(packed.read(MANIFEST))
            form, wanted = int(manifest["backup"]), manifest["files"]
            if form > FORMAT:
                raise BadInput(
                    text(
                        "{file}: was made by a newer Raceday ({version}): update the station first.",
                        file=backup.name,
                        version=str(manifest.get("raceday", "?"))[:20],
                    )
                )
            others = set(wanted) - {JOURNAL, KEY, SYNC}
            if not {JOURNAL, KEY} <= set(wanted) or not all(_TRACK_FILE.fullmatch(each) for each in others):
                raise BadInput(text("{file}: does not hold a station's journal and key.", file=backup.name))
            size = sum(packed.getinfo(file).file_size for file in wanted)
            if size > MAX_UNPACKED_BYTES:
                raise BadInput(text("{file}: is larger than any station's backup.", file=backup.name))
            check_space(into, size)
            for file in sorted(wanted):
                (into / file).parent.mkdir(exist_ok=True)
                _unpack_file(packed, file, wanted[file], into / file)
            if (ticks := manifest.get(EXTRAS, {}).get(CARRIED_FILE)) is not None:
                _unpack_ticks(packed, ticks, into / CARRIED_FILE)
    except FileNotFoundError:
        raise BadInput(text("{file}: there is no such file.", file=backup)) from None
    except _UNREADABLE as error:
        raise BadInput(
            text("{file}: is not a complete backup of a station ({why}).", file=backup.name, why=str(error)[:200])
        ) from None
    except OSError as error:
        raise StorageError(
            text("{file}: cannot be put back ({why}).", file=backup.name, why=error.strerror or str(error))
        ) from None
    return form >= 2


def _check_packing(packed: zipfile.ZipFile) -> None:
    """Before anything is unpacked. Raises KeyError, BadZipFile."""
    if packed.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
        raise zipfile.BadZipFile(f"its {MANIFEST} is larger than any station's")
    if any(each.compress_type not in _METHODS for each in packed.infolist()):
        raise zipfile.BadZipFile("a file is packed in a way that no station packs a backup")


def _unpack_ticks(packed: zipfile.ZipFile, digest: str, path: pathlib.Path) -> None:
    if packed.getinfo(CARRIED_FILE).file_size > MAX_CARRIED_BYTES:
        raise _damaged(packed, CARRIED_FILE)
    _unpack_file(packed, CARRIED_FILE, digest, path)
    if not is_carried(path):
        raise _damaged(packed, CARRIED_FILE)


def _unpack_file(packed: zipfile.ZipFile, file: str, digest: str, path: pathlib.Path) -> None:
    _write(packed, file, path)
    if _digest(path) != digest:
        raise _damaged(packed, file)


def _damaged(packed: zipfile.ZipFile, file: str) -> BadInput:
    name = pathlib.Path(packed.filename or "").name
    return BadInput(text("{file}: {part} in it is damaged; use another backup.", file=name, part=file))


def _write(packed: zipfile.ZipFile, file: str, path: pathlib.Path) -> None:
    left = packed.getinfo(file).file_size
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target, packed.open(file) as source:
        while block := source.read(1_048_576):
            left -= len(block)
            if left < 0:
                raise zipfile.BadZipFile("it holds more than it says")
            target.write(block)
        target.flush()
        os.fsync(target.fileno())


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(path: pathlib.Path) -> None:
    """Syncs the folder of `path` to disk, without which a file's new name may be lost."""
    folder = os.open(path.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
