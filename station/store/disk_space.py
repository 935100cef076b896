"""Reads the disk's free space without writing, so that a full or read-only disk is noticed before the next crossing."""

import os
import pathlib
from dataclasses import dataclass

from shared.text import text

LOW_BYTES = 100_000_000
FULL_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What the file system reports about a disk."""

    free_bytes: int
    read_only: bool

    @property
    def doubtful(self) -> bool:
        """May the next write be refused? Then one should be tried."""
        return self.read_only or self.free_bytes < FULL_BYTES

    def warning(self, path: pathlib.Path) -> str:
        """A sentence for the operator while writes still succeed; "" if there is enough space."""
        if self.free_bytes >= LOW_BYTES:
            return ""
        return text(
            "{path}: the disk has only {free} MB left; free some space.",
            path=path,
            free=self.free_bytes // 1_000_000,
        )


def disk_space(path: pathlib.Path) -> DiskSpace:
    """The free space of the disk that holds `path`. A disk that does not answer counts as read-only and full."""
    try:
        status = os.statvfs(path)
    except OSError:
        return DiskSpace(0, read_only=True)
    return DiskSpace(status.f_bavail * status.f_frsize, bool(status.f_flag & os.ST_RDONLY))
