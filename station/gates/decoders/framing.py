"""Cuts a stream of bytes into frames, for several protocols, and computes the CRC of AMB P3 and RC-4.

`LineFramer` and `BracketFramer` are incremental and bounded: they hold at most one frame of the maximum length, count
what they drop, and give whole frames only.
"""

import re
from collections.abc import Iterator

from station.gates.decoders.decoder import Counts

_LINE_END = re.compile(rb"[\r\n]+")


class LineFramer:
    """Frames that end with CR, LF or both. Empty lines are ignored; a line over `max_bytes` is dropped."""

    def __init__(self, max_bytes: int, counts: Counts) -> None:
        self._max_bytes, self._counts = max_bytes, counts
        self._half = b""
        self._skipping = False  # the line is already too long, and is dropped up to its end

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that these bytes end, without their ends."""
        *whole, half = _LINE_END.split(self._half + data)
        self._half = b""
        for line in whole:
            if self._skipping or len(line) > self._max_bytes:
                self._drop(line)
            elif line:
                yield line
            self._skipping = False
        if self._skipping or len(half) > self._max_bytes:
            self._drop(half)
            self._skipping = True
        else:
            self._half = half

    def forget(self) -> None:
        """Drops half a line and counts it, at a new connection."""
        if self._half:
            self._counts.bad("bad_length", len(self._half))
        self._half, self._skipping = b"", False

    def _drop(self, part: bytes) -> None:
        self._counts.resynced_bytes += len(part)
        self._counts.bad_length += not self._skipping


class BracketFramer:
    """Frames between a start and an end byte that occur nowhere inside a frame. Frames are given with both."""

    def __init__(self, start: bytes, end: bytes, max_bytes: int, counts: Counts) -> None:
        self._start, self._end, self._max_bytes, self._counts = start, end, max_bytes, counts
        self._buffer = bytearray()
        self._line_ends, self._dirty = 0, False  # since the last frame

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that these bytes complete."""
        self._buffer += data
        while self._at_start():
            end = self._buffer.find(self._end, 1, self._max_bytes)
            restart = self._buffer.find(self._start, 1, self._max_bytes if end < 0 else end)
            if restart > 0:
                self._drop(restart)
            elif end > 0:
                frame = bytes(self._buffer[: end + 1])
                del self._buffer[: end + 1]
                yield frame
            elif len(self._buffer) >= self._max_bytes:
                self._drop(1)
            else:
                return

    def forget(self) -> None:
        """Drops half a frame and counts it, at a new connection."""
        if self._buffer:
            self._drop(len(self._buffer))

    def _at_start(self) -> bool:
        """Drops what lies before the next start byte; False if there is none."""
        start = self._buffer.find(self._start)
        self._noise(self._buffer[: start if start >= 0 else len(self._buffer)])
        if start < 0:
            return False
        self._line_ends, self._dirty = 0, False
        return True

    def _noise(self, noise: bytearray) -> None:
        """Drops noise before a frame. Mere line ends between two frames are not counted, those within noise are."""
        del self._buffer[: len(noise)]
        line_ends = noise.count(b"\r") + noise.count(b"\n")
        if len(noise) > line_ends and not self._dirty:
            self._dirty = True
            self._counts.resynced_bytes += self._line_ends
        if self._dirty:
            self._counts.resynced_bytes += len(noise)
        else:
            self._line_ends += line_ends

    def _drop(self, length: int) -> None:
        self._counts.bad("bad_length", length)
        del self._buffer[:length]


def _table() -> tuple[int, ...]:
    rows = []
    for high in range(256):
        crc = high << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        rows.append(crc & 0xFFFF)
    return tuple(rows)


_CRC_TABLE = _table()


def crc_amb(data: bytes) -> int:
    """The CRC-16 of AMB's frames: polynomial 1021h, initial FFFFh, bytes shifted in at the low end, no augmentation.

    Derived from AMB's own frames (p3.py and rc4.py name the captures): no document states it.
    """
    crc = 0xFFFF
    for byte in data:
        crc = _CRC_TABLE[crc >> 8] ^ ((crc << 8) & 0xFFFF) ^ byte
    return crc
