"""A disk that can fill up, go read-only or fail: an SQLite VFS whose writes (or syncs) are refused while `full`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw


class FullDisk(apsw.VFS):
    """While it is registered it is the default, so the product opens its files through it without knowing."""

    def __init__(self, error: type[Exception], syncs: bool) -> None:
        self.error, self.syncs = error, syncs
        self.full = False
        self.refused = 0
        super().__init__("full-disk", "unix", makedefault=True)

    def refuse(self, spared: bool) -> None:
        if self.full and not spared:
            self.refused += 1
            raise self.error

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FullDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.refuse(self._disk.syncs)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.refuse(not self._disk.syncs)
        super().xSync(flags)


@contextmanager
def full_disk(error: type[Exception] = apsw.FullError, *, syncs: bool = False) -> Iterator[FullDisk]:
    """`error`: what the disk raises. `syncs`: writes succeed, and the sync fails."""
    disk = FullDisk(error, syncs)
    try:
        yield disk
    finally:
        disk.unregister()
