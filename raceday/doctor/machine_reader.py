"""All that the doctor asks of a machine: files, modes, accounts, commands. It reads and writes nothing.

The checks see a machine through these methods alone, so that a test can show them any machine.
"""

import datetime as dt
import grp
import importlib
import os
import pathlib
import platform
import pwd
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.clock_set import is_set

COMMAND_S = 10.0
CONNECT_S = 5.0
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What stat says: permission bits, numbers of owner and group, and whether it is a folder."""

    mode: int
    uid: int
    gid: int
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class UserAccount:
    """A user with the numbers of all its groups."""

    name: str
    uid: int
    gids: frozenset[int]


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """Python and the machine that it runs on."""

    python: tuple[int, int, int]
    bits: int
    machine: str
    is_root: bool


class MachineReader(Protocol):
    """What the checks may ask."""

    @property
    def platform(self) -> PlatformFacts: ...
    def now(self) -> dt.datetime: ...
    def is_clock_set(self) -> bool: ...
    def data(self, path: str) -> bytes | None:
        """A file's first megabyte, None if it cannot be read."""

    def names(self, folder: str) -> tuple[str, ...]:
        """What is in a folder, sorted; () if it cannot be read."""

    def status(self, path: str) -> FileStatus | None: ...
    def target(self, path: str) -> str:
        """Where a path leads once all links are followed."""

    def user(self, name: str) -> UserAccount | None: ...
    def group_number(self, name: str) -> int | None: ...
    def free_bytes(self, path: str) -> int | None: ...
    def run(self, words: Sequence[str]) -> str | None:
        """What a command printed; None if there is none of that name, it failed, or it took over COMMAND_S."""

    def connects(self, host: str, port: int) -> str:
        """Why no TCP connection is made; "" if one is."""

    def attribute(self, module: str, name: str) -> bool | None:
        """Does the Python module have this attribute? None if there is no such module."""


def text(reader: MachineReader, path: str) -> str | None:
    """A file as text, None if it cannot be read."""
    data = reader.data(path)
    return None if data is None else data.decode("utf-8", "replace")


class ThisMachine:
    """The machine that this runs on."""

    @property
    def platform(self) -> PlatformFacts:
        version = sys.version_info
        bits = struct.calcsize("P") * 8
        python = (version.major, version.minor, version.micro)
        return PlatformFacts(python, bits, platform.machine(), os.geteuid() == 0)

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def is_clock_set(self) -> bool:
        return is_set(time.time_ns())

    def data(self, path: str) -> bytes | None:
        try:
            with pathlib.Path(path).open("rb") as file:
                return file.read(MAX_BYTES)
        except OSError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        try:
            return tuple(sorted(os.listdir(folder)))  # noqa: PTH208  # names are wanted, of a path that is a text
        except OSError:
            return ()

    def status(self, path: str) -> FileStatus | None:
        try:
            found = pathlib.Path(path).stat()
        except OSError:
            return None
        return FileStatus(found.st_mode & 0o7777, found.st_uid, found.st_gid, pathlib.Path(path).is_dir())

    def target(self, path: str) -> str:
        return os.path.realpath(path)

    def user(self, name: str) -> UserAccount | None:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return UserAccount(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))

    def group_number(self, name: str) -> int | None:
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            return None

    def free_bytes(self, path: str) -> int | None:
        try:
            found = os.statvfs(path)
        except OSError:
            return None
        return found.f_bavail * found.f_frsize

    def run(self, words: Sequence[str]) -> str | None:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                list(words), check=True, capture_output=True, text=True, timeout=COMMAND_S, env=environment
            )
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            return None
        return done.stdout

    def connects(self, host: str, port: int) -> str:
        try:
            socket.create_connection((host, port), CONNECT_S).close()
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def attribute(self, module: str, name: str) -> bool | None:
        try:
            return hasattr(importlib.import_module(module), name)
        except ImportError:
            return None
