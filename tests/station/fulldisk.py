"""A disk that can fill up: an SQLite VFS whose writes fail with ENOSPC while `full` is set."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw


class FullDisk(apsw.VFS):
    """While registered it is the default, so the product opens its files through it unknowing."""

    def __init__(self) -> None:
        self.full = False
        self.refused = 0
        super().__init__("full-disk", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FullDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.full:
            self._disk.refused += 1
            raise apsw.FullError
        super().xWrite(data, offset)


@contextmanager
def full_disk() -> Iterator[FullDisk]:
    disk = FullDisk()
    try:
        yield disk
    finally:
        disk.unregister()
