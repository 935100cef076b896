"""Files of certificates and keys: written whole or not at all, and a key is never readable by others, not for a moment.

A key's file is created with its final mode (O_EXCL, so that nobody can have laid one there), given to its owner while
it still has another name, synced, and renamed.
"""

import contextlib
import os
import pathlib
import pwd
import secrets
import stat
from dataclasses import dataclass

from shared.errors import StorageError
from shared.files import DISK_FULL

KEY_MODE = 0o600
PUBLIC_MODE = 0o644


@dataclass(frozen=True, slots=True)
class FileOwner:
    """A user and a group by number."""

    uid: int
    gid: int


def owner_named(user: str) -> FileOwner | None:
    """The user's numbers if the user exists and we may give files away; None: files stay ours."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return None
    return FileOwner(entry.pw_uid, entry.pw_gid)


def owner_of_sudo() -> FileOwner | None:
    """The person who said `sudo`: the file that they are to carry is theirs. None without sudo."""
    uid, gid = os.environ.get("SUDO_UID", ""), os.environ.get("SUDO_GID", "")
    if os.geteuid() != 0 or not (uid.isascii() and uid.isdigit() and gid.isascii() and gid.isdigit()):
        return None
    return FileOwner(int(uid), int(gid))


def write_file(path: pathlib.Path, data: bytes, mode: int, owner: FileOwner | None = None) -> None:
    """Write the file with its mode and owner, by a rename. Raises StorageError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_part(part, data, mode, owner)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise storage_fault(path, "written", error) from None


def write_new_file(path: pathlib.Path, data: bytes, mode: int, owner: FileOwner | None = None) -> None:
    """Write a file that must not be there yet, also on a stick that knows no modes and owners. Raises StorageError."""
    try:
        _write_part(path, data, mode, owner, is_strict=False)
    except FileExistsError:
        raise StorageError(f"{path}: is there already; move it away, or give another file by `-o`.") from None
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise storage_fault(path, "written", error) from None


def give_file(path: pathlib.Path, owner: FileOwner) -> bool:
    """Give the file to `owner`; False if it is the owner's already. Raises StorageError."""
    try:
        status = path.stat()
        if (status.st_uid, status.st_gid) == (owner.uid, owner.gid):
            return False
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    except OSError as error:
        raise storage_fault(path, "given to its owner", error) from None
    return True


def make_folder(path: pathlib.Path, mode: int) -> None:
    """Make the folder with this mode; one that is there keeps what it has. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            path.mkdir(mode)
            path.chmod(mode)  # whatever the umask took
    except OSError as error:
        raise storage_fault(path, "made", error) from None


def read_file(path: pathlib.Path, max_bytes: int = 1_000_000) -> bytes:
    """The file's bytes. Raises StorageError."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise storage_fault(path, "read", error) from None
    if len(data) > max_bytes:
        raise StorageError(f"{path}: is far too large to be what it should be.")
    return data


def is_open_to_others(status: os.stat_result) -> bool:
    """May anybody but the owner read or write it?"""
    return bool(stat.S_IMODE(status.st_mode) & 0o077)


def storage_fault(path: pathlib.Path, done: str, error: OSError) -> StorageError:
    """One sentence for what the disk refused, with what to do about it."""
    if isinstance(error, PermissionError):
        remedy = "; run this with sudo"
    elif error.errno in DISK_FULL:
        remedy = "; free some space"
    else:
        remedy = ""
    return StorageError(f"{path}: cannot be {done} ({error.strerror}){remedy}.")


def sync_folder(folder: pathlib.Path) -> None:
    """A name is on disk only when its folder is synced. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_part(part: pathlib.Path, data: bytes, mode: int, owner: FileOwner | None, *, is_strict: bool = True) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(part, flags, KEY_MODE)
    with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor, no path
        try:
            if owner is not None:
                os.fchown(descriptor, owner.uid, owner.gid)
            os.fchmod(descriptor, mode)
        except PermissionError:  # FAT has neither
            if is_strict:
                raise
        file.write(data)
        file.flush()
        os.fsync(descriptor)
