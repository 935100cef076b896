"""A fake of a USB camera behind OpenCV, with the kernel's queue of buffers between them, on a clock set by hand.

Its rules are those of drivers/media/usb/uvc (`uvc_queue.c`, `uvc_video.c`) and of OpenCV's cap_v4l.cpp: a frame begins
to arrive only into a buffer that is free at that moment, else it is lost; `retrieve` gives the buffer back; buffers are
given in the order in which they were filled; each has the stamp of its first data; a frame that `grab_waiting` has
taken stays until it is retrieved, and further grabs take no other.
"""

from collections import deque
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.clock import ManualClock

PERIOD_NS = 33_000_000
TRANSFER_NS = 32_900_000  # from the first data of a frame on the bus until its buffer is full: nearly all the time
COPY_NS = 200_000  # between taking a frame and giving its buffer back
POLL_NS = 1_000_000  # OpenCV's shortest look for a frame


class UsbCamera:
    """Gives `frames`, one a period, and falls silent; or the same one for ever. MJPEG comes as bytes."""

    def __init__(self, frames: list[NDArray[np.uint8] | None] | NDArray[np.uint8], *, wall_clock: bool = False) -> None:
        self.settings: dict[int, float] = {}
        self.released = False
        self.now_ns = 1_000_000_000
        self.clock = ManualClock(at_ns=50_000_000)  # the machine's, which goes on as the device's does
        self.lost = 0
        self._frames = frames
        self._offset_ns = 1_700_000_000_000_000_000 if wall_clock else 0
        self._next = 0  # the number of the frame that begins to arrive next
        self._free = 0
        self._held = self._pending = False
        self._filled: deque[int] = deque()
        self._grabbed = -1

    def monotonic_ns(self) -> int:
        return self.now_ns

    def set(self, name: int, value: float) -> bool:
        self.settings[name] = value
        if name == cv2.CAP_PROP_BUFFERSIZE:
            self._free = int(value)
        return name != cv2.CAP_PROP_FPS  # a camera that cannot do the rate ignores it

    def advance(self, duration_ns: int) -> None:
        """Let time pass: frames arrive, or are lost."""
        self.now_ns += duration_ns
        self.clock.advance(self.clock.now_ns() + duration_ns)
        while self._begins_ns(self._next) <= self.now_ns:
            if self._picture(self._next) is not None and self._free > 0:
                self._free -= 1
                self._filled.append(self._next)
            elif self._picture(self._next) is not None:
                self.lost += 1
            self._next += 1

    def grab(self) -> bool:
        if self._pending:
            return True
        self._give_back()
        for _ in range(5):
            if self._filled and self._full_ns(self._filled[0]) > self.now_ns:
                self.advance(self._full_ns(self._filled[0]) - self.now_ns)
            if self._filled:
                self._grabbed, self._held = self._filled.popleft(), True
                return True
            if self._is_over():
                return False
            self.advance(self._begins_ns(self._next) - self.now_ns)
        return False

    def grab_waiting(self) -> bool:
        if not self._filled or self._full_ns(self._filled[0]) > self.now_ns:
            self.advance(POLL_NS)
            return False
        self._pending = self.grab()
        return True

    def stamp_ns(self) -> int:
        return self._begins_ns(self._grabbed) + self._offset_ns

    def retrieve(self) -> tuple[bool, NDArray[Any]]:
        assert self._held, "nothing was grabbed"
        picture = self._picture(self._grabbed)
        assert picture is not None
        self.advance(COPY_NS)
        self._give_back()
        self._pending = False
        return True, picture

    def release(self) -> None:
        self.released = True

    def _give_back(self) -> None:
        if self._held:
            self._free, self._held = self._free + 1, False

    def _begins_ns(self, number: int) -> int:
        return 1_000_000_000 + number * PERIOD_NS

    def _full_ns(self, number: int) -> int:
        return self._begins_ns(number) + TRANSFER_NS

    def _is_over(self) -> bool:
        return isinstance(self._frames, list) and self._next >= len(self._frames)

    def _picture(self, number: int) -> NDArray[np.uint8] | None:
        if not isinstance(self._frames, list):
            return self._frames
        return self._frames[number] if number < len(self._frames) else None


def jpeg(value: int, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
    """The bytes of an even grey picture, as OpenCV gives them: one row."""
    return encoded(np.full((height, width, 3), value, np.uint8))


def encoded(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bytes of a picture's JPEG, as one row."""
    ok, data = cv2.imencode(".jpg", pixels)
    assert ok
    return np.asarray(data, np.uint8).reshape(1, -1)


def corner(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A dark picture with a light corner at the upper left."""
    picture = np.full((height, width), 20, np.uint8)
    picture[: height // 4, : width // 4] = 220
    return picture
