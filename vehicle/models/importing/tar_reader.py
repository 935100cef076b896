"""Reads a tar archive, forward only, without ever writing a file. The archive is untrusted.

An archive with links, devices or sparse files, or an incomplete one, is refused as a whole. Source: POSIX.1-2017 (pax
and ustar), GNU tar manual ("Basic Tar Format"). Used by archive.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text
from vehicle.models.importing.gzip_reader import MAX_UNPACKED, NOT_AN_ARCHIVE, PIECE, Unpacked

_BLOCK = 512
_MAX_EXTENSION, _MAX_EXTENSIONS = 65_536, 1 << 20  # bytes of one; of all, not counting the usual size of each
_USUAL_EXTENSION = 512
_MAX_HEADERS = 25_000  # extension headers, one for each file
_MAX_RECORDS = 100
_REFUSED = {
    b"1": text("a hard link"),
    b"2": text("a link"),
    b"3": text("a device"),
    b"4": text("a device"),
    b"6": text("a pipe"),
    b"S": text("a sparse file"),
}


def is_tar(head: bytes) -> bool:
    """Whether `head`, the beginning of a file, holds a tar header."""
    try:
        return len(head) >= _BLOCK and any(head[:_BLOCK]) and _is_summed(head[:_BLOCK])
    except BadInput:
        return False


@dataclass(slots=True)
class TarMember:
    """One entry; its content can be read until the next entry is requested."""

    name: str
    size: int
    is_folder: bool
    stream: Unpacked
    left: int

    def pieces(self, max_bytes: int) -> Iterator[bytearray]:
        """The content in pieces. Raises BadInput if it exceeds `max_bytes` or is incomplete."""
        if self.size > max_bytes:
            raise BadInput(
                text(
                    "The archive's {name!r} has {size} bytes; at most {max_bytes} are accepted.",
                    name=self.name[:60],
                    size=self.size,
                    max_bytes=max_bytes,
                )
            )
        while self.left:
            piece = self.stream.read(min(self.left, PIECE))
            if not piece:
                raise BadInput(NOT_AN_ARCHIVE)
            self.left -= len(piece)
            yield piece


def tar_members(stream: Unpacked) -> Iterator[TarMember]:
    """The entries in order. A pax or GNU extension header applies to the entry that follows it. Raises BadInput."""
    extended: dict[str, str] = {}
    extra = count = 0
    while (header := _header(stream)) is not None:
        kind, size = header[156:157], _number(header[124:136])
        if kind in (b"x", b"g", b"L"):
            extra, count = extra + max(size - _USUAL_EXTENSION, 0), count + 1
            if size > _MAX_EXTENSION or extra > _MAX_EXTENSIONS or count > _MAX_HEADERS:
                raise BadInput(text("The archive's names are longer than any model's."))
            extension = bytes(stream.read(size))
            stream.skip(-size % _BLOCK)
            extended |= {"path": _text(extension)} if kind == b"L" else _records(extension)
            continue
        member = _member(stream, header, kind, size, extended)
        extended = {}
        yield member
        stream.skip(member.left + -member.size % _BLOCK)
    stream.end()


def _member(stream: Unpacked, header: bytes, kind: bytes, size: int, extended: dict[str, str]) -> TarMember:
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    name = extended.get("path") or (f"{prefix}/" if prefix else "") + _text(header[0:100])
    if kind not in (b"0", b"\0", b"7", b"5"):
        raise BadInput(
            text(
                "The archive holds {what} ({name!r}), which is not accepted.",
                what=_REFUSED.get(kind, text("something unknown")),
                name=name[:60],
            )
        )
    if "size" in extended:
        size = _decimal(extended["size"])
    if size > MAX_UNPACKED:
        raise BadInput(text("The archive's {name!r} has {size} bytes, which is too large.", name=name[:60], size=size))
    if kind == b"5":
        size = 0
    return TarMember(name, size, kind == b"5" or name.endswith("/"), stream, size)


def _header(stream: Unpacked) -> bytes | None:
    """The next header; None at the end of the archive, a block of zeros. Raises BadInput."""
    header = bytes(stream.read(_BLOCK))
    if len(header) < _BLOCK:
        raise BadInput(NOT_AN_ARCHIVE)
    if not any(header):
        return None
    if not _is_summed(header):
        raise BadInput(NOT_AN_ARCHIVE)
    return header


def _is_summed(header: bytes) -> bool:
    return _number(header[148:156]) == sum(header) - sum(header[148:156]) + 8 * ord(" ")


def _number(data: bytes) -> int:
    """A numeric field: octal digits, or GNU's base 256; never negative. Raises BadInput."""
    if data[0] & 0x80:
        value = int.from_bytes(data, "big", signed=False) & ((1 << (8 * len(data) - 1)) - 1)
        if data[0] & 0x40 or value > 1 << 62:
            raise BadInput(NOT_AN_ARCHIVE)
        return value
    digits = data.strip(b" \0")
    if digits.strip(b"01234567"):
        raise BadInput(NOT_AN_ARCHIVE)
    return int(digits or b"0", 8)


def _decimal(data: str) -> int:
    if not (data.isascii() and data.isdigit() and len(data) < 19):
        raise BadInput(NOT_AN_ARCHIVE)
    return int(data)


def _text(data: bytes) -> str:
    """A text field up to its first zero byte; invalid UTF-8 becomes backslash escapes."""
    return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _records(content: bytes) -> dict[str, str]:
    """The `length key=value` records of a pax header. Raises BadInput."""
    records: dict[str, str] = {}
    at = 0
    for _ in range(_MAX_RECORDS):
        if at >= len(content):
            return records
        length = content[at : at + 20].partition(b" ")[0]
        end = at + _decimal(length.decode("ascii", "replace"))
        key, equals, value = content[at + len(length) + 1 : end - 1].partition(b"=")
        if not equals or end > len(content) or content[end - 1 : end] != b"\n":
            raise BadInput(NOT_AN_ARCHIVE)
        if key.startswith((b"GNU.sparse", b"SCHILY.realsize")):
            raise BadInput(text("The archive holds a sparse file, which is not accepted."))
        records[_text(key)] = _text(value)
        at = end
    raise BadInput(text("The archive has more than {max_records} pax records for one file.", max_records=_MAX_RECORDS))
