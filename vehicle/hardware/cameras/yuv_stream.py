"""The two streams of `rpicam-vid`: YUV420 frames without a head, and beside them a text block of metadata for each.

Pure: bytes in. Called by rpicam.py. A frame is the Y plane, then U and V of a quarter of its size each. A block is
lines of `Name=value` and an empty line (rpicam-apps `output/output.cpp`, `write_metadata`).
"""

import re
from collections import deque

_STAMP = re.compile(rb"(?:^|\n)SensorTimestamp=(\d{1,19})\s*(?:\n|$)")
_MAX_BLOCK = 1 << 16  # a real one has about 2 kB
_MAX_STAMPS = 64


class YuvFrames:
    """Collects frames of one size, and keeps the newest whole one's Y plane."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self._luma = width_px * height_px
        self._size = self._luma * 3 // 2
        self._partial = bytearray()
        self._newest = b""
        self.complete = 0  # whole frames since the last `take`

    @property
    def wanted(self) -> int:
        """How many bytes the frame that is arriving lacks: never read beyond it."""
        return self._size - len(self._partial)

    def feed(self, data: bytes) -> None:
        """Take in bytes of the stream, of any length."""
        self._partial += data
        while len(self._partial) >= self._size:
            self._newest = bytes(self._partial[: self._luma])
            del self._partial[: self._size]
            self.complete += 1

    def take(self) -> bytes:
        """The Y plane of the newest whole frame."""
        self.complete = 0
        return self._newest


class FrameMetadata:
    """Collects the sensor's stamps, one a block, in the order of the frames."""

    def __init__(self) -> None:
        self._partial = b""
        self._stamps: deque[int | None] = deque(maxlen=_MAX_STAMPS)
        self.received = 0  # blocks since the last `take`

    def feed(self, data: bytes) -> None:
        """Take in bytes of the stream, of any length. A block without a stamp counts, and has none."""
        *blocks, self._partial = (self._partial + data).split(b"\n\n")
        self._partial = self._partial[-_MAX_BLOCK:]
        for block in blocks:
            found = _STAMP.search(block)
            self._stamps.append(int(found[1]) if found else None)
            self.received += 1

    def take(self, frames: int) -> int | None:
        """Drop the stamps of as many frames, and return the last one: nanoseconds of the boot-time clock, or None."""
        stamp_ns = None
        for _ in range(min(frames, len(self._stamps))):
            stamp_ns = self._stamps.popleft()
        self.received -= frames
        return stamp_ns
