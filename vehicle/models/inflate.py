"""Reads what a gzip file holds, forward only and within limits: what is packed may be a bomb. Source: RFC 1952."""

import zlib
from typing import BinaryIO

from shared.errors import BadInput

MOST_PACKED = 256 << 20
MOST_UNPACKED = 320 << 20
MOST_RATIO, RATIO_FROM = 50, 8 << 20
NOT_AN_ARCHIVE = "The file is not a complete tar.gz archive."

_LEAST, _CHUNK = 512, 1 << 20


class Inflated:
    """What a gzip file holds, read forward only, within limits."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(wbits=31)
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

    def skip(self, size: int) -> None:
        """Passes over `size` bytes. Raises BadInput if they are not there."""
        while size:
            passed = len(self.read(min(size, _CHUNK)))
            if not passed:
                raise BadInput(NOT_AN_ARCHIVE)
            size -= passed

    def _fill(self, wanted: int) -> bool:
        while not self._ready:
            if self._inflate.eof:
                return False
            packed = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            if not packed:
                raise BadInput(NOT_AN_ARCHIVE)
            try:
                self._ready = self._inflate.decompress(packed, min(max(wanted, _LEAST), _CHUNK))
            except zlib.error:
                raise BadInput(NOT_AN_ARCHIVE) from None
            self._packed += len(packed) - len(self._inflate.unconsumed_tail)
            self._unpacked += len(self._ready)
            self._check_sizes()
        return True

    def _check_sizes(self) -> None:
        if self._packed > MOST_PACKED:
            raise BadInput(f"The archive is larger than {MOST_PACKED >> 20} MB.")
        if self._unpacked > MOST_UNPACKED:
            raise BadInput(f"The archive unpacks to more than {MOST_UNPACKED >> 20} MB.")
        if self._unpacked > RATIO_FROM and self._unpacked > MOST_RATIO * self._packed:
            raise BadInput(f"The archive unpacks to more than {MOST_RATIO} times its size: no model does that.")
