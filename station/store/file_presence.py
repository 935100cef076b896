"""Checks that the open file is still the one at its path: a moved or deleted journal accepts writes, all in vain."""

import pathlib

from shared.errors import StorageError

FileId = tuple[int, int]  # device, inode


class FilePresence:
    """Watches a SQLite database and its log from when it was opened."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._opened = file_identity(path)
        self._logged: FileId | None = None

    def check(self) -> None:
        """Raises StorageError if the database or its log is no longer at its path; cheap enough for every commit."""
        if self._opened is None:
            return  # not a file of this file system (a test's VFS)
        if file_identity(self._path) != self._opened:
            raise StorageError(
                f"{self._path}: is missing; it was moved or deleted, or its disk was removed: nothing is stored. "
                "Put it back in its place; or stop the station and `raceday restore` a backup."
            )
        logged = file_identity(self._log)
        if self._logged is not None and logged != self._logged:
            raise StorageError(
                f"{self._log}: is missing: the newest records are lost when the station stops. "
                "Put it back in its place, or make a `raceday backup` now."
            )
        self._logged = logged


def file_identity(path: pathlib.Path) -> FileId | None:
    """The file's device and inode; None if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_nlink else None
