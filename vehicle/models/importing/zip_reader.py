"""Reads a ZIP archive without ever writing a file. The archive is untrusted. Used by archive.py.

Browsers and download buttons make a ZIP of a folder, often under the name of the tar.gz. The central directory at the
end of the file lists the entries; only those that are requested are unpacked, within limits, and their CRC-32 is
verified. An archive with encrypted files, links or devices, or a split one, is refused. Source: PKWARE APPNOTE 6.3.
"""

import io
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.gzip_reader import PIECE, check_sizes

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
NOT_A_ZIP = text("The file is not a tar.gz archive, and as a zip archive it is not complete.")

_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_ENTRY, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_MAX_COMMENT = 65_535
_MAX_DIRECTORY = 4 << 20
_FULL16, _FULL32 = 0xFFFF, 0xFFFF_FFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _IS_UTF8, _MASKED = 1 << 0, 1 << 11, 1 << 13


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One entry of the central directory; its content is unpacked on request."""

    name: str
    size: int
    is_folder: bool
    raw_name: bytes
    packed: int
    method: int
    crc: int
    begins: int
    file: BinaryIO

    def pieces(self, max_bytes: int) -> Iterator[bytes]:
        """The content in pieces. Raises BadInput if it exceeds `max_bytes`, is incomplete or fails its CRC-32."""
        if self.size > max_bytes:
            raise BadInput(
                text(
                    "The archive's {name!r} has {size} bytes; at most {max_bytes} are accepted.",
                    name=self.name[:60],
                    size=self.size,
                    max_bytes=max_bytes,
                )
            )
        if self.method not in (_STORED, _DEFLATED):
            raise BadInput(
                text(
                    "The archive's {name!r} is packed in a way that is not supported: use plain zip.",
                    name=self.name[:60],
                )
            )
        self._to_content()
        size = crc = 0
        for piece in self._stored() if self.method == _STORED else self._inflated():
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > self.size:
                break
            yield piece
        if size != self.size or crc != self.crc:
            raise BadInput(text("The archive's {name!r} is damaged: its checksum does not match.", name=self.name[:60]))

    def _to_content(self) -> None:
        """Seeks to the content. Raises BadInput if the local header contradicts the central directory."""
        self.file.seek(self.begins)
        header = self.file.read(30)
        if len(header) < 30 or header[:4] != _LOCAL:
            raise BadInput(NOT_A_ZIP)
        flags, method = struct.unpack_from("<2H", header, 6)
        name_size, extra_size = struct.unpack_from("<2H", header, 26)
        if flags & _ENCRYPTED or method != self.method or self.file.read(name_size) != self.raw_name:
            raise BadInput(text("The archive contradicts itself about {name!r}.", name=self.name[:60]))
        self.file.seek(extra_size, io.SEEK_CUR)

    def _stored(self) -> Iterator[bytes]:
        left = self.size if self.packed == self.size else 0
        while left and (piece := self.file.read(min(left, PIECE))):
            left -= len(piece)
            yield piece

    def _inflated(self) -> Iterator[bytes]:
        inflate, left = zlib.decompressobj(wbits=-15), self.packed
        while not inflate.eof:
            packed = inflate.unconsumed_tail or self.file.read(min(left, PIECE))
            left -= 0 if inflate.unconsumed_tail else len(packed)
            if not packed:
                return
            try:
                yield inflate.decompress(packed, PIECE)
            except zlib.error:
                return  # the content is too short so far, which the caller reports


def zip_members(file: BinaryIO) -> Iterator[ZipMember]:
    """The entries of the central directory, in its order. Raises BadInput if one is damaged, encrypted or too large."""
    directory, begins = _directory(file)
    packed = unpacked = at = 0
    while at < len(directory):
        member, size = _member(file, directory, at)
        at += size
        packed, unpacked = packed + member.packed, unpacked + member.size
        if member.begins + 30 + len(member.raw_name) + member.packed > begins or packed > begins:
            raise BadInput(NOT_A_ZIP)  # outside the file, or overlapping the directory
        check_sizes(packed, unpacked)
        yield member


def _directory(file: BinaryIO) -> tuple[bytes, int]:
    """The bytes of the central directory, and its offset. Raises BadInput."""
    size = file.seek(0, io.SEEK_END)
    tail_at = max(0, size - _MAX_COMMENT - 22)
    file.seek(tail_at)
    tail = file.read(size - tail_at)
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 22:
        raise BadInput(NOT_A_ZIP)
    disk, first_disk, _, count, length, begins, comment = struct.unpack_from("<4H2LH", tail, place + 4)
    end = tail_at + place
    if end + 22 + comment != size:
        raise BadInput(NOT_A_ZIP)
    if _FULL16 in (disk, first_disk, count) or _FULL32 in (length, begins):
        end, length, begins = _large_end(file, end)
    elif disk or first_disk:
        raise BadInput(text("The zip archive is split over several files: pack it into one."))
    if begins + length != end:
        raise BadInput(NOT_A_ZIP)
    if length > _MAX_DIRECTORY:
        raise BadInput(text("The archive's names are longer than any model's."))
    file.seek(begins)
    return file.read(length), begins


def _large_end(file: BinaryIO, end: int) -> tuple[int, int, int]:
    """End, length and offset of the central directory of a ZIP64 archive. Raises BadInput."""
    file.seek(max(0, end - 20))
    locator = file.read(20)
    if locator[:4] != _LOCATOR64 or len(locator) < 20:
        raise BadInput(NOT_A_ZIP)
    (at,) = struct.unpack_from("<Q", locator, 8)
    if at + 56 > end:
        raise BadInput(NOT_A_ZIP)
    file.seek(at)
    record = file.read(56)
    if len(record) < 56 or record[:4] != _END64:
        raise BadInput(NOT_A_ZIP)
    disk, first_disk, _, _, length, begins = struct.unpack_from("<2L4Q", record, 16)
    if disk or first_disk:
        raise BadInput(text("The zip archive is split over several files: pack it into one."))
    return at, length, begins


def _member(file: BinaryIO, directory: bytes, at: int) -> tuple[ZipMember, int]:
    """The entry at offset `at` of the central directory, and its length there. Raises BadInput."""
    if len(directory) < at + 46 or directory[at : at + 4] != _ENTRY:
        raise BadInput(NOT_A_ZIP)
    flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size = struct.unpack_from(
        "<4H3L3H", directory, at + 8
    )
    attributes, begins = struct.unpack_from("<2L", directory, at + 38)
    raw = directory[at + 46 : at + 46 + name_size]
    extra = directory[at + 46 + name_size : at + 46 + name_size + extra_size]
    length = 46 + name_size + extra_size + comment_size
    if len(raw) != name_size or len(extra) != extra_size or len(directory) < at + length:
        raise BadInput(NOT_A_ZIP)
    name = _name(raw, flags)
    if flags & (_ENCRYPTED | _MASKED):
        raise BadInput(text("The archive's {name!r} is encrypted, which is not supported.", name=name[:60]))
    _check_kind(name, attributes >> 16)
    size, packed, begins = _large(extra, size, packed, begins)
    is_folder = name.endswith(("/", "\\")) or stat.S_ISDIR(attributes >> 16)
    return ZipMember(name, 0 if is_folder else size, is_folder, raw, packed, method, crc, begins, file), length


def _name(raw: bytes, flags: int) -> str:
    if flags & _IS_UTF8:
        return raw.decode("utf-8", "backslashreplace")
    try:
        return raw.decode("utf-8")  # what many programs write without setting the flag
    except UnicodeDecodeError:
        return raw.decode("cp437")


def _check_kind(name: str, mode: int) -> None:
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a link" if stat.S_ISLNK(mode) else "something other than files"
        raise BadInput(text("The archive holds {what} ({name!r}), which is not accepted.", what=what, name=name[:60]))


def _large(extra: bytes, size: int, packed: int, begins: int) -> tuple[int, int, int]:
    """Size, packed size and offset; those that do not fit 32 bits are in the ZIP64 extra field."""
    numbers = [size, packed, begins]
    places = [place for place, number in enumerate(numbers) if number == _FULL32]
    at = 0
    while places and at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1 and length >= 8 * len(places) and len(extra) >= at + 4 + length:
            for count, place in enumerate(places):
                (numbers[place],) = struct.unpack_from("<Q", extra, at + 4 + 8 * count)
            places = []
        at += 4 + length
    return numbers[0], numbers[1], numbers[2]
