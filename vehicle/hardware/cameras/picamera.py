"""The Raspberry Pi's camera by picamera2: the Y plane of a small YUV420 stream, which is the grey picture itself.

Nothing is converted or scaled in software, and the stamp is the sensor's own (`SensorTimestamp`: the first pixel, on
the kernel's boot-time clock). The sensor's mode and the main stream are named, so that the picture is the whole field
and no squeezed part of it. Needs `python3-picamera2` in a virtual environment that sees the system's packages, and a
system with numpy 2 (Raspberry Pi OS Trixie); elsewhere the driver `rpicam` gives the same picture without.
"""

import importlib
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from vehicle.hardware.cameras.capture_times import CaptureTimes, boot_time_ns
from vehicle.hardware.cameras.libcamera_files import libcamera_grants
from vehicle.hardware.cameras.sensor_modes import SensorMode, why_no_camera, widest_mode
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.landlock import FileGrant
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
        self._times = CaptureTimes(clock, boot_time_ns)
        self._closed = threading.Event()
        self._count = 0
        self._camera = self._start(library if library is not None else _library())

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """What libcamera opens. Raises HardwareMissing while the kernel has no camera."""
        return libcamera_grants(from_table(options, PiCameraOptions, "[camera.options]").camera)

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

    def _frame(self, planes: Any, metadata: dict[str, Any]) -> Frame | None:
        """The Y plane comes first; its rows may be padded at the right. None without a stamp that is a later one."""
        o = self._options
        pixels: Pixels = np.ascontiguousarray(planes[: o.height_px, : o.width_px], dtype=np.uint8)
        if o.flip:
            pixels = np.ascontiguousarray(pixels[::-1, ::-1])
        self._count += 1
        at_ns = self._times.of_stamp(metadata.get("SensorTimestamp"))
        return None if at_ns is None else Frame(pixels, at_ns, self._count)

    def _start(self, library: Any) -> Any:
        o, camera = self._options, None
        try:
            camera = library.Picamera2(o.camera)
            camera.configure(
                camera.create_video_configuration(
                    # Its shape decides what is cropped from the sensor, for the small stream too.
                    main={"size": (2 * o.width_px, 2 * o.height_px)},
                    lores={"size": (o.width_px, o.height_px), "format": "YUV420"},
                    controls={"FrameRate": o.rate_hz},
                    buffer_count=3,
                    queue=False,  # the next frame from now on, never one that waited
                    **_sensor(widest_mode(_modes(camera), o.rate_hz, 2 * o.width_px, 2 * o.height_px)),
                )
            )
            camera.start()
        except (RuntimeError, IndexError) as error:
            if camera is not None:
                camera.close()  # or it would still be in use at the next attempt
            raise HardwareMissing(why_no_camera(o.camera, str(error))) from None
        return camera


def _modes(camera: Any) -> list[SensorMode]:
    """The sensor's modes; picamera2 tries each out, which takes a second."""
    modes = []
    for mode in camera.sensor_modes:
        (width_px, height_px), (_, _, crop_width_px, crop_height_px) = mode["size"], mode["crop_limits"]
        rate_hz, bits = float(mode["fps"]), int(mode["bit_depth"])
        modes.append(SensorMode(width_px, height_px, rate_hz, crop_width_px, crop_height_px, bits))
    return modes


def _sensor(mode: SensorMode | None) -> dict[str, Any]:
    if mode is None:
        return {}
    return {"sensor": {"output_size": (mode.width_px, mode.height_px), "bit_depth": mode.bits}}


def _library() -> Any:
    try:
        return importlib.import_module("picamera2")
    except Exception as error:
        raise HardwareMissing(_why_no_library(error)) from None


def _why_no_library(error: Exception) -> str:
    """Why picamera2 does not load, and what to do."""
    instead = 'set `driver = "rpicam"` in [camera], which gives the same picture without Python libraries'
    if isinstance(error, ModuleNotFoundError) and error.name == "picamera2":
        return (
            "the camera driver picamera needs python3-picamera2 in a virtual environment made with "
            f"--system-site-packages: install it with apt-get, or {instead}."
        )
    if "numpy" in str(error):
        return (
            f"this system's picamera2 was built for another numpy ({error}), as on Raspberry Pi OS Bookworm: {instead}."
        )
    return f"picamera2 does not load ({type(error).__name__}: {error}): {instead}."
