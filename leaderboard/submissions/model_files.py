"""The folder of the models' bytes: unfinished uploads in `parts/`, whole archives by their hash in `archives/`.

What is said to be there is on the disk: files are synced before the database names them. The folder is shared by all
processes of a leaderboard; `exclusive` orders whoever puts files in their place or takes them away.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
from collections.abc import Iterator

from shared.errors import RetryLater, StorageError
from shared.files import DISK_FULL, lock_file
from shared.text import text

# What is left free for the database beside it.
RESERVED_BYTES = 64 * 1024 * 1024


class ReceivingPart:
    """An upload's file while a chunk of it arrives. Nobody else can write to it; to be closed. Raises RetryLater."""

    def __init__(self, path: pathlib.Path) -> None:
        descriptor = lock_file(path)
        if descriptor is None:
            # As after a break that this side has not noticed yet: whoever sends tries again by itself.
            raise RetryLater(text("Another chunk of this upload is just arriving: wait for its end."), after_s=2.0)
        self._path, self._descriptor = path, descriptor

    def begin(self, offset_bytes: int) -> None:
        """Go on from there. Bytes behind it were never acknowledged: their chunk is sent again. Raises StorageError."""
        with _plain(self._path):
            os.ftruncate(self._descriptor, offset_bytes)
            os.lseek(self._descriptor, offset_bytes, os.SEEK_SET)

    def write(self, piece: bytes) -> None:
        """Add bytes. Raises StorageError."""
        with _plain(self._path):
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def sync(self) -> int:
        """Bring it to the disk; how many bytes there are. Raises StorageError."""
        with _plain(self._path):
            os.fsync(self._descriptor)
            return os.fstat(self._descriptor).st_size

    def head(self, size: int) -> bytes:
        """Its first bytes."""
        with _plain(self._path):
            return os.pread(self._descriptor, size, 0)

    def close(self) -> None:
        """Let others write; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class ModelFiles:
    """The files of one leaderboard's models. Nothing is made before the first upload."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._parts, self._archives = folder / "parts", folder / "archives"
        self._lock = folder / "models.lock"

    def check_room(self, size_bytes: int) -> None:
        """Check that the disk has room for so much more. Raises StorageError."""
        with _plain(self._parts):
            self._parts.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._parts).free
        if free < size_bytes + RESERVED_BYTES:
            raise StorageError(
                text("The leaderboard's disk has no room for this archive: its operator must free some.")
            )

    def part_size(self, upload_id: str) -> int:
        """How many bytes of the upload are in its file, acknowledged or not."""
        try:
            return self._part(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    def receive(self, upload_id: str) -> ReceivingPart:
        """The upload's file, for one more chunk. Raises RetryLater while another arrives, StorageError."""
        with _plain(self._parts):
            self._parts.mkdir(parents=True, exist_ok=True)
        return ReceivingPart(self._part(upload_id))

    def part_sha256(self, upload_id: str) -> str:
        """The hash of the upload's file. Raises StorageError."""
        path = self._part(upload_id)
        with _plain(path), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def drop_part(self, upload_id: str) -> None:
        """Delete the upload's file; it may be gone already. Raises StorageError."""
        with _plain(self._part(upload_id)):
            self._part(upload_id).unlink(missing_ok=True)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Only one, of all processes, puts archives in their place or sweeps. Short; never within a transaction."""
        with _plain(self._lock):
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def put_part(self, upload_id: str, sha256: str) -> None:
        """Make the upload's file the archive of this hash, which its bytes have. Raises StorageError."""
        target = self._archive(sha256)
        with _plain(target):
            self._make_folder(target)
            self._part(upload_id).replace(target)
            _sync_folder(target.parent)

    def receive_kept(self, sha256: str, token: str) -> "ReceivingPart":
        """A file of its own for what a farm brings under this hash. Raises StorageError."""
        path = self._kept_part(sha256, token)
        with _plain(path):
            self._make_folder(path)
        return ReceivingPart(path)

    def put_kept(self, sha256: str, token: str) -> None:
        """Make what a farm brought the file of this hash, which its bytes have. Raises StorageError."""
        target = self._archive(sha256)
        with _plain(target):
            self._kept_part(sha256, token).replace(target)
            _sync_folder(target.parent)

    def drop_kept_part(self, sha256: str, token: str) -> None:
        """Delete what a farm brought; it may be gone already. Raises StorageError."""
        with _plain(self._kept_part(sha256, token)):
            self._kept_part(sha256, token).unlink(missing_ok=True)

    def drop_dead_parts(self) -> None:
        """Delete what farms brought to a process that died meanwhile. Raises StorageError."""
        for path in self._archives.glob("??/*.part"):
            with _plain(path):
                descriptor = lock_file(path)
                if descriptor is not None:  # nobody writes to it any more
                    path.unlink(missing_ok=True)
                    os.close(descriptor)

    def path(self, sha256: str) -> pathlib.Path:
        """Where the file of this hash is. Raises StorageError if it is not there."""
        path = self._archive(sha256)
        if not path.is_file():
            raise StorageError(f"{path}: is gone; put the folder of models back as it was.")
        return path

    def has(self, sha256: str) -> bool:
        """Whether the file of this hash is there."""
        return self._archive(sha256).is_file()

    def drop(self, sha256: str) -> None:
        """Delete the file of this hash; it may be gone already. Raises StorageError."""
        with _plain(self._archive(sha256)):
            self._archive(sha256).unlink(missing_ok=True)

    def stored(self) -> list[str]:
        """The hashes of all archives that are there."""
        return [path.name for path in self._archives.glob("??/*") if len(path.name) == 64]

    def parts(self) -> list[str]:
        """The ids of all uploads of which something is there."""
        return [path.name.removesuffix(".part") for path in self._parts.glob("*.part")]

    def _part(self, upload_id: str) -> pathlib.Path:
        return self._parts / f"{upload_id}.part"

    def _kept_part(self, sha256: str, token: str) -> pathlib.Path:
        return self._archives / sha256[:2] / f"{sha256}.{token}.part"

    def _archive(self, sha256: str) -> pathlib.Path:
        return self._archives / sha256[:2] / sha256

    def _make_folder(self, target: pathlib.Path) -> None:
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            _sync_folder(target.parent.parent)


def _sync_folder(folder: pathlib.Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _plain(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise StorageError(
                text("The leaderboard's disk is full: nothing more is stored until its operator frees some.")
            ) from None
        raise StorageError(f"{path}: cannot be used ({error.strerror}).") from None
