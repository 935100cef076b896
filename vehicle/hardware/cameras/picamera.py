"""The Raspberry Pi's camera by libcamera: the Y plane of a small YUV420 stream, which is the grey picture itself.

Nothing is converted or scaled in software, and the stamp is the sensor's own (`SensorTimestamp`: the first pixel, on
the kernel's boot-time clock). Needs `python3-picamera2`, which Debian's package manager installs.
"""

import importlib
import threading
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.seccomp import AllowedSockets


@dataclass(frozen=True, slots=True)
class PiCameraOptions:
    """`[camera.options]` of picamera."""

    camera: int = setting(0, min=0, max=7, what="its number in `rpicam-hello --list-cameras`")
    width_px: int = setting(320, min=160, max=1920)
    height_px: int = setting(240, min=120, max=1080)
    rate_hz: float = setting(30.0, min=1.0, max=120.0)
    flip: bool = setting(False, what="the camera is mounted upside down")


class PiCamera:
    """The newest request of libcamera, its Y plane copied out."""

    sockets: ClassVar[AllowedSockets] = "device events"  # libcamera listens for device events

    def __init__(self, options: dict[str, Any], clock: Clock, library: Any = None) -> None:
        self._options = from_table(options, PiCameraOptions, "[camera.options]")
        self._clock = clock
        self._closed = threading.Event()
        self._count = 0
        self._camera = self._start(library if library is not None else _library())

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, after waiting up to `timeout_s` for it; None on timeout. Raises HardwareMissing."""
        if self._closed.is_set():
            return None
        try:
            request = self._camera.capture_request(wait=timeout_s)
        except TimeoutError:
            return None
        except RuntimeError as error:
            raise HardwareMissing(f"the Pi's camera stopped ({error}): check its ribbon.") from None
        try:
            return self._frame(request.make_array("lores"), request.get_metadata())
        finally:
            request.release()

    def close(self) -> None:
        if not self._closed.is_set():
            self._closed.set()
            self._camera.stop()
            self._camera.close()

    def _frame(self, planes: Any, metadata: dict[str, Any]) -> Frame:
        """The Y plane comes first; its rows may be padded at the right."""
        o = self._options
        pixels: Pixels = np.ascontiguousarray(planes[: o.height_px, : o.width_px], dtype=np.uint8)
        if o.flip:
            pixels = np.ascontiguousarray(pixels[::-1, ::-1])
        age_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - metadata["SensorTimestamp"]
        self._count += 1
        return Frame(pixels, self._clock.now_ns() - max(0, age_ns), self._count)

    def _start(self, library: Any) -> Any:
        o, camera = self._options, None
        try:
            camera = library.Picamera2(o.camera)
            camera.configure(
                camera.create_video_configuration(
                    lores={"size": (o.width_px, o.height_px), "format": "YUV420"},
                    controls={"FrameRate": o.rate_hz},
                    buffer_count=3,
                    queue=False,  # the next frame from now on, never one that waited
                )
            )
            camera.start()
        except (RuntimeError, IndexError) as error:
            if camera is not None:
                camera.close()  # or it would still be in use at the next attempt
            raise HardwareMissing(f"the Pi's camera {o.camera} does not start ({error}): check its ribbon.") from None
        return camera


def _library() -> Any:
    try:
        return importlib.import_module("picamera2")
    except ImportError:
        raise HardwareMissing(
            "the camera driver picamera needs python3-picamera2: apt-get install it on the Pi, and make the virtual "
            "environment with --system-site-packages."
        ) from None
