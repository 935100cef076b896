"""How much room the disk has, asked without writing: a full or read-only disk shows before the next crossing."""

import os
import pathlib
from dataclasses import dataclass

SCARCE_BYTES = 100_000_000
GONE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """What the file system says of itself."""

    free_bytes: int
    read_only: bool

    @property
    def doubtful(self) -> bool:
        """The next write may be refused: try one."""
        return self.read_only or self.free_bytes < GONE_BYTES

    def warning(self, path: pathlib.Path) -> str:
        """A sentence for the operator while all is kept still; "" if there is room."""
        if self.free_bytes >= SCARCE_BYTES:
            return ""
        return f"{path}: the disk has only {self.free_bytes // 1_000_000} MB left; free some space."


def disk_space(path: pathlib.Path) -> DiskSpace:
    """Of the disk on which the file lies. A disk that does not answer is doubtful."""
    try:
        told = os.statvfs(path)
    except OSError:
        return DiskSpace(0, read_only=True)
    return DiskSpace(told.f_bavail * told.f_frsize, bool(told.f_flag & os.ST_RDONLY))
