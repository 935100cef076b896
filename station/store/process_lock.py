"""One sync process at a time, and a way to see whether it runs: an open-file-description lock, freed by the kernel.

No file says "I am alive", so nothing can be stale: a killed process holds no lock.
"""

import fcntl
import os
import pathlib
import struct

from shared.errors import OperatorError, StorageError

_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, pid


def hold(path: pathlib.Path) -> int:
    """Take the lock for as long as this process lives; the file descriptor. Raises OperatorError."""
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be opened ({error.strerror}); check that the folder exists and is ours."
        ) from None
    try:
        fcntl.fcntl(held, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except OSError:
        os.close(held)
        raise OperatorError(f"{path}: another sync process already posts for this station; stop it first.") from None
    return held


def is_held(path: pathlib.Path) -> bool:
    """Does a sync process run? Asks the kernel and takes no lock."""
    try:
        probe = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        answer = fcntl.fcntl(probe, fcntl.F_OFD_GETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(probe)
    return int(struct.unpack(_FLOCK, answer)[0]) != fcntl.F_UNLCK
