"""Decompresses a gzip file, forward only and within limits, since it may be a decompression bomb. Source: RFC 1952.

A file may consist of several gzip members, which form one stream (RFC 1952, 2.2); zlib verifies the CRC-32 and the
length of each. A tar that a browser has decompressed already is read through the same interface. Used by archive.py.
"""

import zlib
from typing import Protocol

from shared.errors import BadInput
from shared.text import text

MAX_PACKED = 288 << 20  # a leaderboard takes 300 million bytes
MAX_UNPACKED = 512 << 20
MAX_RATIO, RATIO_FROM = 50, 8 << 20
MAX_GZIP_MEMBERS = 20_000  # some programs write members of 64 kB; that many would be a gigabyte
GZIP = b"\x1f\x8b"
NOT_AN_ARCHIVE = text("The file is not a complete tar archive.")
DAMAGED = text(
    "The file was damaged on the way: it is cut off, or its checksum does not match. Send it or download it again."
)

PIECE = 1 << 20  # bytes that are read at a time
_MIN_READ = 16_384  # larger than a header of 512 bytes: each call copies the rest of the compressed data


class Readable(Protocol):
    """A binary file, or another stream."""

    def read(self, size: int, /) -> bytes | bytearray:
        """At most `size` of the next bytes; none at the end."""


class Unpacked:
    """A stream that is read forward only and within limits; here of a file that is not compressed."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._packed = self._unpacked = 0
        self._ready = b""

    def read(self, size: int) -> bytearray:
        """Exactly `size` bytes, fewer only at the end. Raises BadInput beyond a limit, or if the file is damaged."""
        content = bytearray()  # grows in place: a model of 230 MB must not be in memory twice
        while len(content) < size and (self._ready or self._fill(size - len(content))):
            missing = size - len(content)
            content += self._ready[:missing]
            self._ready = self._ready[missing:]
        return content

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, without consuming them. Raises BadInput as `read` does."""
        head = bytes(self.read(size))
        self._ready = head + self._ready
        return head

    def skip(self, size: int) -> None:
        """Skips `size` bytes. Raises BadInput if the stream ends first."""
        while size:
            passed = len(self.read(min(size, PIECE)))
            if not passed:
                raise BadInput(NOT_AN_ARCHIVE)
            size -= passed

    def end(self) -> None:
        """Reads to the end, so that all checksums are verified. Raises BadInput if one does not match."""
        while self.read(PIECE):
            pass

    def _fill(self, wanted: int) -> bool:
        self._ready = bytes(self._file.read(min(max(wanted, _MIN_READ), PIECE)))
        self._count(len(self._ready), len(self._ready))
        return bool(self._ready)

    def _count(self, packed: int, unpacked: int) -> None:
        self._packed += packed
        self._unpacked += unpacked
        check_sizes(self._packed, self._unpacked)


def check_sizes(packed: int, unpacked: int) -> None:
    """Raises BadInput if the sizes in bytes, packed and unpacked, exceed a limit or their ratio does."""
    if packed > MAX_PACKED:
        raise BadInput(text("The archive is larger than {limit} MB.", limit=MAX_PACKED >> 20))
    if unpacked > MAX_UNPACKED:
        raise BadInput(text("The archive unpacks to more than {limit} MB.", limit=MAX_UNPACKED >> 20))
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed:
        raise BadInput(
            text(
                "The archive unpacks to more than {max_ratio} times its size: no model does that.", max_ratio=MAX_RATIO
            )
        )


class Inflated(Unpacked):
    """The decompressed content of a gzip file."""

    def __init__(self, file: Readable) -> None:
        super().__init__(file)
        self._inflate = zlib.decompressobj(wbits=31)
        self._members = 1
        self._rest = b""  # bytes of the file that were read beyond the end of a member

    def _fill(self, wanted: int) -> bool:
        while not self._ready:
            if self._inflate.eof and not self._next_member():
                return False
            packed = self._inflate.unconsumed_tail or self._rest or self._file.read(PIECE)
            if not packed:
                raise BadInput(DAMAGED)
            self._rest = b""
            try:
                self._ready = self._inflate.decompress(packed, min(max(wanted, _MIN_READ), PIECE))
            except zlib.error:
                raise BadInput(DAMAGED) from None
            left = len(self._inflate.unconsumed_tail) + len(self._inflate.unused_data)
            self._count(len(packed) - left, len(self._ready))
        return True

    def _next_member(self) -> bool:
        """Starts the next member; False at the end of the file, which may be padded with zeros. Raises BadInput."""
        rest = self._inflate.unused_data
        while len(rest := rest.lstrip(b"\0")) < len(GZIP) and (more := self._file.read(PIECE)):
            rest += more
        if not rest:
            return False
        if not rest.startswith(GZIP):
            raise BadInput(text("After the end of the archive there is data that is not gzip: pack it again."))
        self._members += 1
        if self._members > MAX_GZIP_MEMBERS:
            raise BadInput(
                text(
                    "The archive is made of more than {max_gzip_members} gzip members.",
                    max_gzip_members=MAX_GZIP_MEMBERS,
                )
            )
        self._inflate, self._rest = zlib.decompressobj(wbits=31), rest
        return True
