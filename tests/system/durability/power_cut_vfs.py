"""A disk that can lose power: what was written and not synced is lost, torn, garbled or intact, sector by sector.

An SQLite VFS after the method of SQLite's own crash tests: files lie on the real disk for reading, and beside them
it keeps what would have survived. A sync makes a file's writes last; a new name lasts once its folder was synced
(SQLite does that with the first sync of a new log), and so does the end of a name: a log that was deleted may be there
again, with all that it would undo, unless the folder was synced (`synchronous=EXTRA`). No real fsync is called: so it
is fast.
"""

import pathlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import apsw

SECTOR = 512
Fate = Literal["none", "all", "some", "torn"]
FATES: tuple[Fate, ...] = ("none", "all", "some", "torn")
_LOGS = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
Change = tuple[int, bytes | None]  # offset and bytes; None: cut off there


class DiskFile:
    """One file as it is on the disk, and the changes since its last sync."""

    def __init__(self, image: bytes = b"") -> None:
        self.image = bytearray(image)
        self.changes: list[Change] = []

    def sync(self) -> None:
        for change in self.changes:
            _apply(self.image, change)
        self.changes.clear()

    def survive(self, fate: Fate, chance: random.Random) -> bytes:
        """Draws what is left after a power cut: each sector of each unsynced write may have survived, in any order."""
        left = bytearray(self.image)
        pieces = [piece for change in self.changes for piece in _sectors(change)]
        if fate == "some":
            pieces = [piece for piece in pieces if chance.random() < 0.5]
        elif fate == "torn":
            pieces = pieces[: chance.randrange(len(pieces) + 1)]
            if pieces and pieces[-1][1] is not None:  # the sector that was being written
                pieces[-1] = pieces[-1][0], chance.randbytes(len(pieces[-1][1]))
        for piece in pieces if fate != "none" else ():
            _apply(left, piece)
        return bytes(left)


class PowerCut(apsw.VFS):
    """While it is registered it is the default, so the product opens its files through it without knowing.

    The power is cut at operation `cut_at` (writes, syncs, truncations and deletions count); then nothing works.
    """

    def __init__(self, folder: pathlib.Path, cut_at: int) -> None:
        self.folder, self.cut_at = folder, cut_at
        self.operations = 0
        self.files = {str(path): DiskFile(path.read_bytes()) for path in folder.iterdir()}
        self.entries = set(self.files)  # names that survive
        self.deleted: dict[str, DiskFile] = {}  # names whose end may not survive
        super().__init__("power-cut", "unix", makedefault=True)

    @property
    def dead(self) -> bool:
        return self.operations > self.cut_at

    def count(self) -> None:
        """Counts one more operation. Raises IOError from the cut on."""
        self.operations += 1
        if self.dead:
            raise apsw.IOError

    def excepthook(self, *_: object) -> bool:
        """Ignores errors: SQLite still uses the dead disk while it closes, and its refusal was reported already."""
        return True

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = str(name.filename() if isinstance(name, apsw.URIFilename) else name)
        fresh = path not in self.files
        if flags[0] & apsw.SQLITE_OPEN_CREATE and fresh:
            self.count()
            self.files[path] = DiskFile()
        return _File(self, name, flags, self.files[path], fresh and bool(flags[0] & _LOGS))

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.count()
        super().xDelete(filename, False)
        gone = self.files.pop(filename)
        if filename in self.entries:
            self.deleted[filename] = gone
        if syncdir:
            self.sync_folder()

    def sync_folder(self) -> None:
        self.entries = set(self.files)
        self.deleted.clear()

    def survive(self, folder: pathlib.Path, chance: random.Random) -> Fate:
        """Writes what is left to another folder; a name that was never synced may exist there or not, made or ended."""
        fate = chance.choice(FATES)
        for path, file_on_disk in self.deleted.items():
            if fate == "none" or (fate != "all" and chance.random() < 0.5):
                (folder / pathlib.Path(path).name).write_bytes(file_on_disk.survive(fate, chance))
        for path, file_on_disk in self.files.items():
            if path in self.entries or (fate == "all" or (fate != "none" and chance.random() < 0.5)):
                (folder / pathlib.Path(path).name).write_bytes(file_on_disk.survive(fate, chance))
        return fate


class _File(apsw.VFSFile):
    def __init__(self, disk: PowerCut, name: Any, flags: list[int], file_on_disk: DiskFile, names_folder: bool) -> None:
        self._disk, self._file, self._names_folder = disk, file_on_disk, names_folder
        super().__init__("unix", name, flags)

    def excepthook(self, *_: object) -> bool:
        """As the VFS's own."""
        return True

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.count()
        super().xWrite(data, offset)
        self._file.changes.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.count()
        super().xTruncate(size)
        self._file.changes.append((size, None))

    def xSync(self, flags: int) -> None:
        self._disk.count()
        self._file.sync()
        if self._names_folder:
            self._disk.sync_folder()
            self._names_folder = False


@contextmanager
def power_cut(folder: pathlib.Path, cut_at: int) -> Iterator[PowerCut]:
    disk, said, unraised = PowerCut(folder, cut_at), sys.excepthook, sys.unraisablehook
    # A connection that was never opened is dropped on the dead disk, and apsw writes that down where nobody asks.
    sys.excepthook = lambda *error: None if disk.dead else said(*error)
    sys.unraisablehook = lambda error: None if disk.dead else unraised(error)
    try:
        yield disk
    finally:
        disk.unregister()
        sys.excepthook, sys.unraisablehook = said, unraised


def _apply(image: bytearray, change: Change) -> None:
    offset, data = change
    if data is None:
        del image[offset:]
        return
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


def _sectors(change: Change) -> Iterator[Change]:
    offset, data = change
    if data is None:
        yield change
        return
    at = 0
    while at < len(data):
        step = SECTOR - (offset + at) % SECTOR
        yield offset + at, data[at : at + step]
        at += step
