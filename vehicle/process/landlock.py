"""Landlock: from here on a process opens only the files and devices that are named, and signals only itself.

What is not named is refused by the kernel, to root too: other files, all TCP ports, /proc of other processes (also
their memory), abstract sockets, signals to whoever is not restricted with it. It holds for the calling thread and those
that it starts later, so it comes before any library has started one. Called by the pilot and by the children that
handle a stranger's model; `raceday doctor` asks what a kernel leaves open.
Source: landlock(7), linux/landlock.h and Documentation/userspace-api/landlock.rst of Linux 6.18.
"""

import contextlib
import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

# read: files, and the names in folders. list: only the names. run: read, and start as a program. device: read, write
# and ask (ioctl). write: all that a program does in a folder of its own, but no links and no device nodes.
FileUse = Literal["read", "list", "run", "device", "write"]

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE, _IOCTL_DEV = (1 << bit for bit in (7, 8, 13, 14, 15))
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV  # the others are of folders only
_RIGHTS: Final[dict[FileUse, int]] = {
    "read": _READ_FILE | _READ_DIR,
    "list": _READ_DIR,
    "run": _READ_FILE | _READ_DIR | _EXECUTE,
    "device": _READ_FILE | _READ_DIR | _WRITE_FILE | _IOCTL_DEV,
    "write": _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | _REFER
    | _MAKE_DIR | _MAKE_REG | _REMOVE_DIR | _REMOVE_FILE,
}  # fmt: skip
_FILE_RIGHTS_BY_ABI = (0, 13, 14, 15, 15, 16)  # how many rights of files each version knows; later ones as the last
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_BIND_TCP, _CONNECT_TCP, _ABSTRACT_SOCKETS, _SIGNALS = 1, 2, 1, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # on all machines
_VERSION, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
_NEWER = "Use a kernel with CONFIG_SECURITY_LANDLOCK, 6.12 or newer."
NO_LANDLOCK = (
    "This kernel has no Landlock: a racer's model can read every file of the car's user, its keys too, and open the "
    "devices that this user may, the motors' as well."
)


@dataclass(frozen=True, slots=True)
class FileGrant:
    """A file, or a folder with all that is below it, and what may be done there."""

    path: Path
    use: FileUse = "read"


class LandlockKernel(Protocol):
    """The three calls; each raises OSError."""

    def version(self) -> int:
        """The ABI version: 1 to 7 so far."""

    def create_ruleset(self, files: int, ports: int, scopes: int) -> int:
        """A new ruleset's descriptor; what it handles is refused unless a rule allows it."""

    def add_path(self, ruleset: int, rights: int, path: int) -> None:
        """Allow `rights` below the file of the descriptor `path`."""

    def restrict_self(self, ruleset: int) -> None:
        """Restrict this thread, for ever."""


class LinuxLandlock:
    """The calls of this machine's kernel."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def version(self) -> int:
        return self._call(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)

    def create_ruleset(self, files: int, ports: int, scopes: int) -> int:
        # An older kernel takes a longer struct if the part that it does not know is zero.
        attributes = struct.pack("=QQQ", files, ports, scopes)
        return self._call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)

    def add_path(self, ruleset: int, rights: int, path: int) -> None:
        self._call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, path), 0)

    def restrict_self(self, ruleset: int) -> None:
        if self._libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise _last_error()
        self._call(_RESTRICT_SELF, ruleset, 0)

    def _call(self, number: int, *words: object) -> int:
        answer: int = self._libc.syscall(number, *words)
        if answer < 0:
            raise _last_error()
        return answer


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))


def file_rights(abi: int) -> int:
    """All rights of files that this version handles."""
    return (1 << _FILE_RIGHTS_BY_ABI[min(abi, len(_FILE_RIGHTS_BY_ABI) - 1)]) - 1


def left_open_by(abi: int, *, is_filtered: bool) -> tuple[str, ...]:
    """What Landlock of this version, 0 for none, leaves open, a sentence each.

    `is_filtered`: seccomp.py's filter holds, which refuses signals, sockets and `truncate` as well.
    """
    if abi < 1:
        return (NO_LANDLOCK,)
    sentences = []
    if abi < 3:
        sentences.append(
            f"This kernel's Landlock, of version {abi}, does not keep a racer's model from emptying its own file."
        )
    if not is_filtered and abi < _TCP_SINCE:
        sentences.append(f"This kernel's Landlock, of version {abi}, does not keep a racer's model from the network.")
    if not is_filtered and abi < _SCOPES_SINCE:
        sentences.append(
            f"This kernel's Landlock, of version {abi}, does not keep a racer's model from stopping the guard."
        )
    return tuple(sentences)


def landlock_version(kernel: LandlockKernel) -> tuple[int, str]:
    """The version, 0 where there is none, and what to do for a better one; "" if this one does all that we ask."""
    try:
        version = kernel.version()
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            return 0, "It is switched off: add `landlock` to `lsm=` on the kernel's command line, and restart."
        return 0, _NEWER
    return version, _NEWER if version < _SCOPES_SINCE else ""


def restrict_files(
    grants: Iterable[FileGrant],
    *,
    is_filtered: bool,
    has_network: bool = False,
    kernel: LandlockKernel | None = None,
) -> list[str]:
    """Restrict this thread and those it starts to the grants; returns a sentence for each thing that stays open.

    A grant for what does not exist is passed over. `has_network`: TCP ports stay allowed.
    """
    kernel = LinuxLandlock() if kernel is None else kernel
    abi, cure = landlock_version(kernel)
    open_points = [f"{sentence} {cure}".strip() for sentence in left_open_by(abi, is_filtered=is_filtered)]
    if abi < 1:
        return open_points
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if threads > 1:
        open_points.append(f"{threads - 1} threads were there before Landlock, which does not hold for them.")
    handled = file_rights(abi)
    ports = _BIND_TCP | _CONNECT_TCP if abi >= _TCP_SINCE and not has_network else 0
    scopes = _ABSTRACT_SOCKETS | _SIGNALS if abi >= _SCOPES_SINCE else 0
    try:
        ruleset = kernel.create_ruleset(handled, ports, scopes)
        try:
            for grant in grants:
                _add(kernel, ruleset, grant, handled)
            kernel.restrict_self(ruleset)
        finally:
            os.close(ruleset)
    except OSError as error:
        return [*open_points, f"Landlock was refused ({error.strerror}). {NO_LANDLOCK}"]
    return open_points


def _add(kernel: LandlockKernel, ruleset: int, grant: FileGrant, handled: int) -> None:
    # What is not there, or not to be reached by this user, needs no rule.
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        descriptor = os.open(grant.path, os.O_PATH | os.O_CLOEXEC)
        try:
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            rights = _RIGHTS[grant.use] & handled & (-1 if is_folder else _OF_FILES)
            if rights:
                kernel.add_path(ruleset, rights, descriptor)
        finally:
            os.close(descriptor)
