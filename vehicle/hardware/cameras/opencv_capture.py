"""OpenCV's V4L2 capture, with what the camera driver asks beside it: does a newer frame wait, when was this one taken?

Called by v4l2.py. Source: opencv `modules/videoio/src/cap_v4l.cpp` (4.5 to 5.0). `grab` takes the oldest filled buffer,
`retrieve` gives it back to the kernel and copies it after that (so with a single buffer it may be overwritten while it
is copied). `waitAny` polls, and grabs a frame that is there; until `retrieve`, another grab takes none.
CAP_PROP_POS_MSEC is the grabbed buffer's own stamp.
"""

import os
import pathlib
from typing import Any, Protocol, cast

import cv2
from numpy.typing import NDArray

from shared.errors import HardwareMissing
from shared.units import NS_PER_MS

_POLL_NS = 1  # OpenCV rounds up to a millisecond; 0 would wait for ever


class VideoCapture(Protocol):
    """What the v4l2 camera uses of a capture."""

    def set(self, name: int, value: float) -> bool:
        """Request a setting; a camera ignores what it does not support."""

    def grab(self) -> bool:
        """Take the oldest frame that waits, after waiting for one; False without."""

    def grab_waiting(self) -> bool:
        """Take the next frame if the kernel has it already; False if not. Call `retrieve` before."""

    def stamp_ns(self) -> int:
        """The kernel's stamp of the grabbed frame, on its monotonic clock if the driver is a modern one."""

    def retrieve(self) -> tuple[bool, NDArray[Any]]:
        """The data of the grabbed frame; its buffer goes back to the kernel."""

    def release(self) -> None:
        """Close the device."""


class OpenCvCapture:
    """A cv2.VideoCapture of the V4L2 backend."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture

    def set(self, name: int, value: float) -> bool:
        return self._capture.set(name, value)

    def grab(self) -> bool:
        return self._capture.grab()

    def grab_waiting(self) -> bool:
        try:
            return bool(cv2.VideoCapture.waitAny([self._capture], _POLL_NS)[0])
        except cv2.error:
            return False  # the device is gone: the next grab says so

    def stamp_ns(self) -> int:
        return round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * NS_PER_MS)

    def retrieve(self) -> tuple[bool, NDArray[Any]]:
        return cast("tuple[bool, NDArray[Any]]", self._capture.retrieve())

    def release(self) -> None:
        self._capture.release()


def open_capture(device: pathlib.Path) -> VideoCapture:
    """Open a video device. Raises HardwareMissing."""
    # A camera that falls silent blocks `grab` for this long, in seconds; OpenCV's own 10 are an eternity for a car.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
    capture = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise HardwareMissing(f"{device} cannot be opened as a camera: is it one, is it free, is this user in `video`?")
    return OpenCvCapture(capture)
