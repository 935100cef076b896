"""A V4L2 camera (USB, or the older ribbon camera): MJPEG frames through OpenCV, decoded to small grey pictures.

Decoding directly to a grey picture of a quarter of the side costs a quarter of a full decode, and its scaling in the
DCT averages as `grey-area` does. For the profile `deepracer-car`, which scales by itself, choose `decode = "grey"`.

The kernel has four buffers. With one, a USB camera has none to fill while we copy a frame, and gives half its rate
(LibreScanner/horus #60: 30 frames a second instead of 15). More than one could queue old frames: so frames that already
wait are passed over until the newest is reached. The stamp is the kernel's own, of the frame's first data on the bus; a
driver that stamps by another clock gets the time of arrival, which is 10 to 27 ms later. Which of the two a camera does
is decided once, on a frame that was waited for, so that a frame which waited for long is never taken for a new one.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from shared.units import NS_PER_S
from vehicle.hardware.cameras.capture_times import CaptureTimes
from vehicle.hardware.cameras.flip import FLIPS, flip_setting
from vehicle.hardware.cameras.opencv_capture import VideoCapture, open_capture
from vehicle.hardware.cameras.torn import is_torn
from vehicle.hardware.cameras.video_devices import AUTO, find_camera
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.landlock import FileGrant

DECODES = {  # OpenCV's flag, and the side of a decoded pixel in pixels of the camera
    "reduced": (cv2.IMREAD_REDUCED_GRAYSCALE_4, 4),
    "half": (cv2.IMREAD_REDUCED_GRAYSCALE_2, 2),
    "grey": (cv2.IMREAD_GRAYSCALE, 1),
}
BUFFERS = 4  # OpenCV's own number; while we decode, the camera may fill them all
_AT_ONCE_NS = 500_000  # a grab that took less did not wait for its frame
_MAX_WAITED_AGE_NS = 5 * NS_PER_S  # a frame that was waited for is younger; on another clock its stamp is anywhere
_SILENCE_TIMEOUT_S = 1.0  # a device without a frame for this long is gone, not slow


@dataclass(frozen=True, slots=True)
class V4l2CameraOptions:
    """`[camera.options]` of v4l2."""

    device: str = setting(AUTO, what="auto: the first that gives MJPEG; a name in /dev/v4l/by-id; or a path")
    width_px: int = setting(640, min=160, max=1920)
    height_px: int = setting(480, min=120, max=1080)
    rate_hz: float = setting(30.0, min=1.0, max=120.0, what="requested frames a second")
    decode: str = setting("half", choices=tuple(DECODES), what="reduced: a quarter of the side; half; grey: whole")
    flip: str = flip_setting()


class V4l2Camera:
    """Blocks in the driver for the next frame, or takes the newest of those that wait."""

    def __init__(
        self,
        options: dict[str, Any],
        clock: Clock,
        capture: VideoCapture | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._options = from_table(options, V4l2CameraOptions, "[camera.options]")
        self._monotonic_ns, self._times = monotonic_ns, CaptureTimes(clock, monotonic_ns)
        self._stamps_are_ours: bool | None = None  # None: not decided yet
        self._name = self._options.device
        if capture is None:
            path = find_camera(self._options.device)
            self._name, capture = str(path), open_capture(path)
        self._capture = capture
        self._closed = threading.Event()
        self._count = 0
        self._silent_since_ns: int | None = None
        self._configure()

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """The one device. Raises HardwareMissing while it is not there."""
        chosen = from_table(options, V4l2CameraOptions, "[camera.options]").device
        return [FileGrant(find_camera(chosen), "device")]

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame; None without one. Raises HardwareMissing once there was none for a second."""
        if self._closed.is_set():
            return None
        data, was_waited_for = self._newest()
        if data is None:
            self._on_no_picture(timeout_s, "gives no more frames: is the camera still plugged in?")
            return None
        if (at_ns := self._captured_ns(was_waited_for)) is None:
            self._on_no_picture(0.0, "gives only pictures of unknown age: plug it in again, at another port.")
            return None
        pixels = self._decoded(data)
        if pixels is None:
            # A torn JPEG is not a frame: its number is skipped, as for a dropped one.
            self._on_no_picture(0.0, "gives only torn pictures: check its cable, and what else is on its USB port.")
            return None
        self._silent_since_ns = None
        return Frame(FLIPS[self._options.flip](pixels), at_ns, self._count)

    def close(self) -> None:
        self._closed.set()
        self._capture.release()

    def _configure(self) -> None:
        o = self._options
        settings = (
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
            (cv2.CAP_PROP_FRAME_WIDTH, o.width_px),
            (cv2.CAP_PROP_FRAME_HEIGHT, o.height_px),
            (cv2.CAP_PROP_FPS, o.rate_hz),
            (cv2.CAP_PROP_BUFFERSIZE, BUFFERS),
            (cv2.CAP_PROP_CONVERT_RGB, 0),  # leave the JPEG undecoded: this driver decodes it
        )
        for name, value in settings:
            self._capture.set(name, value)  # a camera ignores what it does not support

    def _newest(self) -> tuple[NDArray[Any] | None, bool]:
        """The data of the newest frame, None without one, and whether it was waited for.

        Those that were passed over are counted, as dropped.

        A frame that came without waiting for it may be old: then those behind it are taken too. A queue that was full
        is old as a whole, since the camera threw newer frames away: then the next one is waited for.
        """
        data, was_waited_for = self._grabbed()
        passed = 1
        while data is not None and not was_waited_for and passed < BUFFERS and self._capture.grab_waiting():
            data, passed = self._retrieved(), passed + 1
        return self._grabbed() if passed == BUFFERS else (data, was_waited_for)

    def _grabbed(self) -> tuple[NDArray[Any] | None, bool]:
        """The data of the next frame, None without one, and whether it was waited for."""
        began_ns = self._monotonic_ns()
        if not self._capture.grab():
            return None, False
        was_waited_for = self._monotonic_ns() - began_ns >= _AT_ONCE_NS
        return self._retrieved(), was_waited_for

    def _retrieved(self) -> NDArray[Any] | None:
        """The data of the frame that was grabbed."""
        self._count += 1
        ok, data = self._capture.retrieve()
        return data if ok else None

    def _captured_ns(self, was_waited_for: bool) -> int | None:
        """When the grabbed frame was captured, on the machine's clock; None if nothing says so.

        A frame that waited for seconds, while the pilot stood still and the camera too, is as old as its stamp says. If
        the stamp is of another clock, it is dropped: only one that was waited for has come just now.
        """
        stamp_ns = self._capture.stamp_ns()
        if self._stamps_are_ours is None and was_waited_for:
            self._stamps_are_ours = stamp_ns > 0 and 0 <= self._monotonic_ns() - stamp_ns < _MAX_WAITED_AGE_NS
        if self._stamps_are_ours:
            return self._times.of_stamp(stamp_ns)
        return self._times.of_arrival() if was_waited_for else None

    def _decoded(self, data: NDArray[Any]) -> Pixels | None:
        """The grey picture in `data`: a JPEG, YUYV from a camera without MJPEG, or BGR; None if it is torn."""
        if data.ndim == 3 and data.shape[2] == 2:
            return np.ascontiguousarray(data[:, :, 0])
        if data.ndim == 3 and data.shape[2] == 3:
            return cast(Pixels, cv2.cvtColor(data, cv2.COLOR_BGR2GRAY))
        flag, side_px = DECODES[self._options.decode]
        pixels = cast("Pixels | None", cv2.imdecode(data.reshape(-1), flag))
        return None if pixels is None or is_torn(pixels, side_px) else pixels

    def _on_no_picture(self, wait_s: float, sentence: str) -> None:
        now_ns = self._monotonic_ns()
        if self._silent_since_ns is None:
            self._silent_since_ns = now_ns
        elif now_ns - self._silent_since_ns > _SILENCE_TIMEOUT_S * NS_PER_S:
            raise HardwareMissing(f"{self._name} {sentence}")
        self._closed.wait(min(wait_s, 0.05))
