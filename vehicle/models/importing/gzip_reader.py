"""Reads what a gzip file holds, forward only and within limits: what is packed may be a bomb. Source: RFC 1952.

A file may be several gzip members one after the other, which mean one stream (RFC 1952 2.2); the check sum and the
length of each are held against what came out. A tar that a browser has unpacked already is read the same way.
"""

import zlib
from typing import Protocol

from shared.errors import BadInput

MAX_PACKED = 256 << 20
MAX_UNPACKED = 320 << 20
MAX_RATIO, RATIO_FROM = 50, 8 << 20
MAX_GZIP_MEMBERS = 20_000  # of 64 kB each, as some packers write them, they would be a gigabyte
GZIP = b"\x1f\x8b"
NOT_AN_ARCHIVE = "The file is not a complete tar archive."

PIECE = 1 << 20  # what is read at a time of something large
_MIN_READ = 16_384  # a header is 512 bytes: what is left of the packed is copied at each turn


class Readable(Protocol):
    """A file, or another stream."""

    def read(self, size: int, /) -> bytes | bytearray:
        """The next bytes."""


class Unpacked:
    """A stream that is read forward only, within limits: here of a file that is not packed."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._packed = self._unpacked = 0
        self._ready = b""

    def read(self, size: int) -> bytearray:
        """Exactly `size` bytes, or fewer at the end. Raises BadInput."""
        found = bytearray()  # grows in place: a model of 230 MB is not held twice
        while len(found) < size and (self._ready or self._fill(size - len(found))):
            missing = size - len(found)
            found += self._ready[:missing]
            self._ready = self._ready[missing:]
        return found

    def peek(self, size: int) -> bytes:
        """What comes next; it is not passed. Raises BadInput."""
        head = bytes(self.read(size))
        self._ready = head + self._ready
        return head

    def skip(self, size: int) -> None:
        """Passes over `size` bytes. Raises BadInput if they are not there."""
        while size:
            passed = len(self.read(min(size, PIECE)))
            if not passed:
                raise BadInput(NOT_AN_ARCHIVE)
            size -= passed

    def end(self) -> None:
        """Reads what is left, so that all of it was checked. Raises BadInput."""
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
    """Raises BadInput if no honest archive has these sizes."""
    if packed > MAX_PACKED:
        raise BadInput(f"The archive is larger than {MAX_PACKED >> 20} MB.")
    if unpacked > MAX_UNPACKED:
        raise BadInput(f"The archive unpacks to more than {MAX_UNPACKED >> 20} MB.")
    if unpacked > RATIO_FROM and unpacked > MAX_RATIO * packed:
        raise BadInput(f"The archive unpacks to more than {MAX_RATIO} times its size: no model does that.")


class Inflated(Unpacked):
    """What a gzip file holds."""

    def __init__(self, file: Readable) -> None:
        super().__init__(file)
        self._inflate = zlib.decompressobj(wbits=31)
        self._members = 1
        self._rest = b""  # of the file, read together with a member's end

    def _fill(self, wanted: int) -> bool:
        while not self._ready:
            if self._inflate.eof and not self._next_member():
                return False
            packed = self._inflate.unconsumed_tail or self._rest or self._file.read(PIECE)
            if not packed:
                raise BadInput(NOT_AN_ARCHIVE)
            self._rest = b""
            try:
                self._ready = self._inflate.decompress(packed, min(max(wanted, _MIN_READ), PIECE))
            except zlib.error:
                raise BadInput(NOT_AN_ARCHIVE) from None
            left = len(self._inflate.unconsumed_tail) + len(self._inflate.unused_data)
            self._count(len(packed) - left, len(self._ready))
        return True

    def _next_member(self) -> bool:
        """Begins the member that follows; False at the file's end, which may be filled up with zeros."""
        rest = self._inflate.unused_data
        while len(rest := rest.lstrip(b"\0")) < len(GZIP) and (more := self._file.read(PIECE)):
            rest += more
        if not rest:
            return False
        if not rest.startswith(GZIP):
            raise BadInput("Behind the archive's end stands something that is no gzip: pack it again.")
        self._members += 1
        if self._members > MAX_GZIP_MEMBERS:
            raise BadInput(f"The archive is made of more than {MAX_GZIP_MEMBERS} gzip members.")
        self._inflate, self._rest = zlib.decompressobj(wbits=31), rest
        return True
