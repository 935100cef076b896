"""A V4L2 camera (USB, or the older ribbon camera): MJPEG frames through OpenCV, decoded to small grey pictures.

Decoding directly to a grey picture of a quarter of the side costs a quarter of a full decode, and its scaling in the
DCT averages as `grey-area` does. For the profile `deepracer-car`, which scales by itself, choose `decode = "grey"`.
The stamp is taken when the frame arrives; it does not include the delay of the sensor and the bus (10 to 27 ms).
"""

import pathlib
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from vehicle.hardware.cameras.flip import FLIPS, flip_setting
from vehicle.hardware.cameras.torn import is_torn
from vehicle.hardware.frame import Frame, Pixels

DECODES = {  # OpenCV's flag, and the side of a decoded pixel in pixels of the camera
    "reduced": (cv2.IMREAD_REDUCED_GRAYSCALE_4, 4),
    "half": (cv2.IMREAD_REDUCED_GRAYSCALE_2, 2),
    "grey": (cv2.IMREAD_GRAYSCALE, 1),
}
_SILENCE_TIMEOUT_S = 1.0  # a device without a frame for this long is gone, not slow


@dataclass(frozen=True, slots=True)
class V4l2CameraOptions:
    """`[camera.options]` of v4l2."""

    device: pathlib.Path = setting(pathlib.Path("/dev/video0"), what="the camera's device")
    width_px: int = setting(640, min=160, max=1920)
    height_px: int = setting(480, min=120, max=1080)
    rate_hz: float = setting(30.0, min=1.0, max=120.0, what="requested frames a second")
    decode: str = setting("half", choices=tuple(DECODES), what="reduced: a quarter of the side; half; grey: whole")
    flip: str = flip_setting()


class VideoCapture(Protocol):
    """The part of `cv2.VideoCapture` that is used here."""

    def isOpened(self) -> bool: ...  # noqa: N802  # OpenCV's name
    def set(self, propId: int, value: float) -> bool: ...  # noqa: N803  # OpenCV's name
    def grab(self) -> bool: ...
    def retrieve(self) -> tuple[bool, NDArray[Any]]: ...
    def release(self) -> None: ...


class V4l2Camera:
    """Blocks in the driver for the next frame; the kernel buffers only one, so it is always the newest."""

    def __init__(self, options: dict[str, Any], clock: Clock, capture: VideoCapture | None = None) -> None:
        self._options = from_table(options, V4l2CameraOptions, "[camera.options]")
        self._clock = clock
        self._capture = capture if capture is not None else _open(self._options.device)
        self._closed = threading.Event()
        self._count = 0
        self._silent_since_s: float | None = None
        self._configure()

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; None without one. Raises HardwareMissing once there was none for a second."""
        if self._closed.is_set():
            return None
        if not self._capture.grab():
            self._on_no_picture(timeout_s, "gives no more frames: is the camera still plugged in?")
            return None
        at_ns = self._clock.now_ns()
        self._count += 1
        ok, data = self._capture.retrieve()
        pixels = self._decoded(data) if ok else None
        if pixels is None:
            # A torn JPEG is not a frame: its number is skipped, as for a dropped one.
            self._on_no_picture(0.0, "gives only torn pictures: check its cable, and what else is on its USB port.")
            return None
        self._silent_since_s = None
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
            (cv2.CAP_PROP_BUFFERSIZE, 1),
            (cv2.CAP_PROP_CONVERT_RGB, 0),  # leave the JPEG undecoded: this driver decodes it
        )
        for name, value in settings:
            self._capture.set(name, value)  # a camera ignores what it does not support

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
        now_s = time.monotonic()
        if self._silent_since_s is None:
            self._silent_since_s = now_s
        elif now_s - self._silent_since_s > _SILENCE_TIMEOUT_S:
            raise HardwareMissing(f"{self._options.device} {sentence}")
        self._closed.wait(min(wait_s, 0.05))


def _open(device: pathlib.Path) -> VideoCapture:
    if not device.exists():
        devices = ", ".join(str(path) for path in sorted(device.parent.glob("video*"))) or "none"
        raise HardwareMissing(f"there is no camera at {device}; found here: {devices}.")
    capture = cv2.VideoCapture(str(device), cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise HardwareMissing(f"{device} cannot be opened as a camera: is it one, is it free, is this user in `video`?")
    return cast(VideoCapture, capture)
