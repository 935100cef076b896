"""Reads the rows of a SQLite file page by page, even if a bad page or a missing end makes SQLite refuse all of them.

Only the leaf pages of tables and the overflow pages of long rows are read; the pages that lead to them may be damaged.
Only the form of a row is checked here: the caller (surviving_records.py) checks it against a hash.

The format: https://www.sqlite.org/fileformat2.html
"""

import os
import pathlib
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import StorageError

Value = int | bytes | str | None

PAGE_BYTES = 4096  # unless the file says otherwise
_MAGIC = b"SQLite format 3\0"
_LEAF = 13  # of a table
_LOG_HEADER, _FRAME_HEADER = 32, 24
_LOG_ORDER = {0x377F0682: "<", 0x377F0683: ">"}
_INT_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
_MAX_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page is: in the log or in the database, at the byte `offset`."""

    in_log: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A row in a leaf page: where it is, its rowid, and SQLite's serial type of each column."""

    origin: Origin
    at: int
    rowid: int
    types: tuple[int, ...]


class PageFile:
    """The database `path` and its log, neither changed nor locked. Raises StorageError if it cannot be read at all."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._files: dict[bool, int] = {}
        self._page: tuple[Origin, bytes] | None = None
        for in_log, file in ((False, path), (True, path.with_name(f"{path.name}-wal"))):
            try:
                self._files[in_log] = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            except OSError as error:
                self.close()
                raise StorageError(f"{file}: cannot be read ({error.strerror}).") from None
        header = self._read(False, 0, 100)
        ours = header.startswith(_MAGIC)
        self.page_bytes = _page_bytes(int.from_bytes(header[16:18], "big")) if ours else PAGE_BYTES
        self._bytes = sum(os.fstat(file).st_size for file in self._files.values())
        pages = -(-os.fstat(self._files[False]).st_size // self.page_bytes) if False in self._files else 0
        self.absent_pages = max(0, int.from_bytes(header[28:32], "big") - pages) if ours else 0
        self._newest = {number: Origin(False, (number - 1) * self.page_bytes) for number in range(1, pages + 1)}
        self._older: list[Origin] = []
        self._doubtful: dict[int, Origin] = {}
        self._read_log()

    def close(self) -> None:
        for file in self._files.values():
            os.close(file)
        self._files = {}

    def cells(self) -> Iterator[Cell]:
        """Every row of every leaf: first those of the current pages, then those of pages that were replaced since."""
        for number in sorted(self._newest):
            yield from self._leaf(self._newest[number])
        for origin in self._older:
            yield from self._leaf(origin)

    def values(self, cell: Cell) -> tuple[Value, ...]:
        """The columns of a row; an INTEGER PRIMARY KEY is None. Raises ValueError if a part of the row is missing."""
        page = self._loaded(cell.origin)
        size, at = _varint(page, cell.at)
        _, at = _varint(page, at)
        row = self._row_bytes(page, at, size)
        at, _ = _varint(row, 0)
        columns: list[Value] = []
        for kind in cell.types:
            width = _INT_BYTES.get(kind, (kind - 12) // 2)
            part = row[at : at + width]
            if len(part) != width or kind in (7, 10, 11):
                raise ValueError("a column is missing")
            columns.append(_value(kind, part))
            at += width
        return tuple(columns)

    def _leaf(self, origin: Origin) -> Iterator[Cell]:
        page = self._loaded(origin)
        if page[0] != _LEAF:
            return
        count = min(int.from_bytes(page[3:5], "big"), len(page) // 4)
        for place in range(8, 8 + 2 * count, 2):
            at = int.from_bytes(page[place : place + 2], "big")
            try:
                rowid, types = _head(page, at)
            except (IndexError, ValueError):
                continue
            yield Cell(origin, at, rowid, types)

    def _row_bytes(self, page: bytes, at: int, size: int) -> bytes:
        """All bytes of a row: those in its leaf, and those on its overflow pages."""
        usable = self.page_bytes
        if size <= usable - 35:
            return page[at : at + size]
        if size > self._bytes:
            raise ValueError("longer than the file")
        min_local = (usable - 12) * 32 // 255 - 23
        local = min_local + (size - min_local) % (usable - 4)
        local = min_local if local > usable - 35 else local
        parts, left = [page[at : at + local]], size - local
        following = int.from_bytes(page[at + local : at + local + 4], "big")
        while left > 0:
            origin = self._newest.get(following) or self._doubtful.get(following)
            if origin is None:
                raise ValueError("a page is missing")
            more = self._read_page(origin)
            parts.append(more[4 : 4 + min(left, usable - 4)])
            left -= usable - 4
            following = int.from_bytes(more[:4], "big")
        return b"".join(parts)

    def _loaded(self, origin: Origin) -> bytes:
        """As `_read_page`, but the last page is cached: a leaf is read row by row."""
        if self._page is None or self._page[0] != origin:
            self._page = (origin, self._read_page(origin))
        return self._page[1]

    def _read_page(self, origin: Origin) -> bytes:
        return self._read(origin.in_log, origin.offset, self.page_bytes).ljust(self.page_bytes, b"\0")

    def _read(self, in_log: bool, offset: int, size: int) -> bytes:
        if in_log not in self._files:
            return b""
        try:
            return os.pread(self._files[in_log], size, offset)
        except OSError:
            return b""  # a bad sector is a bad page: what was there is reported as lost

    def _read_log(self) -> None:
        """Its committed pages replace the database's; those after a damaged place in the log are a last resort."""
        header = self._read(True, 0, _LOG_HEADER)
        order = _LOG_ORDER.get(int.from_bytes(header[:4], "big"))
        frames = self._frames(header[16:24] if order is not None else None)
        sound = committed = 0
        sums = _sums(header[:24], (0, 0), order) if order is not None else None
        for count, (head, origin) in enumerate(frames, 1):
            if sums is not None and order is not None:
                sums = _sums(head[:8] + self._read_page(origin), sums, order)
                sums = sums if struct.unpack(">II", head[16:24]) == sums else None
            if head[4:8] != bytes(4):  # the last page of a transaction
                committed = count
                sound = count if sums is not None else sound
        for head, origin in frames[:sound]:
            number = int.from_bytes(head[:4], "big")
            if number in self._newest:
                self._older.append(self._newest[number])
            self._newest[number] = origin
        for head, origin in frames[sound:committed]:
            self._older.append(origin)
            self._doubtful[int.from_bytes(head[:4], "big")] = origin

    def _frames(self, salt: bytes | None) -> list[tuple[bytes, Origin]]:
        """The header and place of each of the log's pages with this salt; `salt` None: with the most frequent salt."""
        frames = list[tuple[bytes, Origin]]()
        offset = _LOG_HEADER
        while len(head := self._read(True, offset, _FRAME_HEADER)) == _FRAME_HEADER:
            frames.append((head, Origin(True, offset + _FRAME_HEADER)))
            offset += _FRAME_HEADER + self.page_bytes
        salts = Counter(head[8:16] for head, _ in frames)
        salt = max(salts, key=salts.__getitem__, default=b"") if salt is None else salt
        return [(head, origin) for head, origin in frames if head[8:16] == salt]


def _page_bytes(stored: int) -> int:
    size = 65_536 if stored == 1 else stored
    return size if 512 <= size <= 65_536 and size & (size - 1) == 0 else PAGE_BYTES


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The variable-length integer at `at`, and where it ends. Raises IndexError if it is cut off."""
    value = 0
    for _ in range(8):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


def _head(page: bytes, at: int) -> tuple[int, tuple[int, ...]]:
    """A row's number and the types of its columns. Raises IndexError, ValueError if there is no row at `at`."""
    _, at = _varint(page, at)
    rowid, at = _varint(page, at)
    length, place = _varint(page, at)
    end, types = at + length, list[int]()
    while place < end:
        kind, place = _varint(page, place)
        types.append(kind)
        if len(types) > _MAX_COLUMNS:
            raise ValueError("too many columns")
    return rowid, tuple(types)


def _value(kind: int, part: bytes) -> Value:
    if kind == 0:
        return None
    if kind in (8, 9):
        return kind - 8
    if kind < 12:
        return int.from_bytes(part, "big", signed=True)
    return part if kind % 2 == 0 else part.decode()


def _sums(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    """The log's running checksum after these bytes (a multiple of eight)."""
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
