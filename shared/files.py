"""Files that other processes rely on: ready files, written whole or not at all, and locks that die with their process.

Called by every machine's command: a supervisor waits for the ready file, a second process is kept off by the lock.
"""

import contextlib
import errno
import fcntl
import os
import pathlib
import secrets
import stat
import struct

from shared.errors import OperatorError, StorageError
from shared.text import Sentence, text

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, pid


def remedy_of(error: OSError) -> Sentence:
    """What to do about a disk that refuses a file, as the end of a sentence: space is what only a full one lacks."""
    return text("free some space") if error.errno in DISK_FULL else text("look at the disk")


def write_ready_file(path: pathlib.Path, line: str) -> None:
    """Write a one-line ready file by a rename, so that whoever waits for it reads all of it. Raises StorageError."""
    try:
        write_whole(path, f"{line}\n".encode())
    except OSError as error:
        remedy = "; free some space" if error.errno in DISK_FULL else ""
        raise StorageError(f"{path}: the ready file cannot be written ({error.strerror}){remedy}.") from None


def write_whole(
    path: pathlib.Path,
    data: bytes,
    *,
    is_durable: bool = False,
    mode: int = 0o666,
    like: os.stat_result | None = None,
) -> None:
    """Put a file in place by a rename: whoever looks, also after a power cut if `is_durable`, sees the old or the new.

    The folder may be a service's and the writer root: the file that is written first has a name that nobody foresees,
    and is never one that is there already, nor a link. `mode` as open(2) takes it, less the umask; `like`: the file
    whose mode and owner it gets instead. Raises OSError.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, new, mode if like is None else 0o600), "wb") as file:
        try:
            if like is not None:
                _make_like(file.fileno(), like)
            file.write(data)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    if is_durable:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _make_like(descriptor: int, like: os.stat_result) -> None:
    status = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (like.st_uid, like.st_gid):
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))  # last: a change of owner takes bits away


def lock_file(path: pathlib.Path) -> int | None:
    """Lock the file exclusively; return the descriptor that holds the lock until it is closed, None if it is taken.

    The file is made if it is not there. The kernel frees the lock when the process ends, however it ends (fcntl(2),
    open file description locks). Raises StorageError if the file cannot be opened or locked.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be opened ({error.strerror}); check that the folder exists and is ours."
        ) from None
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _whole_file(fcntl.F_WRLCK))
    except (BlockingIOError, PermissionError):  # POSIX allows either, EAGAIN or EACCES
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise StorageError(f"{path}: cannot be locked ({error.strerror}); use a local disk.") from None
    return descriptor


def hold_lock(path: pathlib.Path, holder: str) -> int:
    """As `lock_file`, for a process that cannot run beside another: raises OperatorError, which names the `holder`."""
    descriptor = lock_file(path)
    if descriptor is None:
        raise OperatorError(f"{path}: {holder}; stop it first.")
    return descriptor


def is_locked(path: pathlib.Path) -> bool:
    """Does a process hold the lock of this file? Asks the kernel and takes no lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _whole_file(fcntl.F_WRLCK))
    finally:
        os.close(descriptor)
    return int(struct.unpack(_FLOCK, answer)[0]) != fcntl.F_UNLCK


def _whole_file(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)
