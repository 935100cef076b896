"""The Raspberry Pi's camera by `rpicam-vid`, a child process that writes YUV420 to a pipe: no Python library is needed.

picamera2 comes from the system's packages and must fit the system's numpy; on Raspberry Pi OS Bookworm that is numpy 1,
and ours is 2 (raspberrypi/picamera2 #1088, #1170, #1211). The child needs none. Its second pipe gives each frame's
metadata, with the sensor's own stamp, after the frame (rpicam-apps `output/output.cpp`).
"""

import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, Any, cast

import numpy as np

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from vehicle.hardware.cameras.capture_times import CaptureTimes, boot_time_ns
from vehicle.hardware.cameras.libcamera_files import libcamera_grants
from vehicle.hardware.cameras.sensor_modes import SensorMode, listed_modes, why_no_camera, widest_mode
from vehicle.hardware.cameras.yuv_stream import FrameMetadata, YuvFrames
from vehicle.hardware.frame import Frame, Pixels
from vehicle.process.landlock import FileGrant

_LIST, _VIDEO = ("rpicam-hello", "libcamera-hello"), ("rpicam-vid", "libcamera-vid")
_LIST_TIMEOUT_S = 15.0
_END_TIMEOUT_S = 2.0
_SILENCE_TIMEOUT_S = 3.0  # the first frame takes about one second
_ROW_STEP_PX = 64  # the rows of these widths are not padded, on any Pi (rpicam-apps #857)
_MAX_ERROR = 4096  # of what the child complains of


@dataclass(frozen=True, slots=True)
class RpicamOptions:
    """`[camera.options]` of rpicam."""

    camera: int = setting(0, min=0, max=7, what="its number in `rpicam-hello --list-cameras`")
    width_px: int = setting(320, min=192, max=1920, what="a multiple of 64")
    height_px: int = setting(240, min=120, max=1080, what="an even number")
    rate_hz: float = setting(30.0, min=1.0, max=120.0)
    flip: bool = setting(False, what="the camera is mounted upside down")

    def __post_init__(self) -> None:
        if self.width_px % _ROW_STEP_PX or self.height_px % 2:
            raise ConfigError(f"`width_px` must be a multiple of {_ROW_STEP_PX}, and `height_px` even.")


class RpicamCamera:
    """The newest whole frame of the pipe, its Y plane."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        self._options = from_table(options, RpicamOptions, "[camera.options]")
        self._times = CaptureTimes(clock, boot_time_ns)
        self._closed = threading.Event()
        self._count = 0
        self._complaint = b""
        self._silent_since_s = time.monotonic()
        o = self._options
        program, mode = _program(_VIDEO), _mode_of(o)
        self._frames, self._metadata = YuvFrames(o.width_px, o.height_px), FrameMetadata()
        reading, writing = os.pipe()
        self._metadata_pipe = reading
        try:
            self._child = subprocess.Popen(
                arguments(program, o, mode, writing),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(writing,),
                env=os.environ | {"LIBCAMERA_LOG_LEVELS": "*:ERROR"},
            )
        except OSError as error:
            os.close(reading)
            raise HardwareMissing(f"{program} does not start ({error}).") from None
        finally:
            os.close(writing)
        self._selector = selectors.DefaultSelector()
        for source in (self._pipe(self._child.stdout), self._pipe(self._child.stderr), reading):
            os.set_blocking(source, False)
            self._selector.register(source, selectors.EVENT_READ)

    @staticmethod
    def grants(options: dict[str, Any]) -> list[FileGrant]:
        """What its programs and libcamera open. Raises HardwareMissing while the kernel has no camera."""
        return libcamera_grants(from_table(options, RpicamOptions, "[camera.options]").camera)

    @property
    def processes(self) -> tuple[int, ...]:
        """The child's process id: it must stay possible to end it (vehicle/process/seccomp.py)."""
        return (self._child.pid,)

    def read(self, timeout_s: float) -> Frame | None:
        """The newest frame, after waiting up to `timeout_s` for it; None on timeout. Raises HardwareMissing."""
        deadline_s = time.monotonic() + timeout_s
        while not self._closed.is_set():
            if self._receive(0.0):
                continue  # there may be more, and then a newer frame
            if self._frames.complete and self._metadata.received >= self._frames.complete:
                if (frame := self._newest()) is not None:
                    return frame
                continue
            if (left_s := deadline_s - time.monotonic()) <= 0:
                break
            self._receive(left_s)
        if time.monotonic() - self._silent_since_s > _SILENCE_TIMEOUT_S:
            silent = f"the Pi's camera {self._options.camera} gives no frames that have a stamp"
            raise HardwareMissing(f"{silent}: check its ribbon.")
        return None

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._selector.close()
        os.close(self._metadata_pipe)
        for pipe in (self._child.stdout, self._child.stderr):
            cast("IO[bytes]", pipe).close()

    def _newest(self) -> Frame | None:
        """The newest frame; None without a stamp that is a later one: it may have waited in the pipe for long."""
        passed_over = self._frames.complete
        pixels: Pixels = np.frombuffer(self._frames.take(), np.uint8).reshape(
            self._options.height_px, self._options.width_px
        )
        self._count += passed_over
        at_ns = self._times.of_stamp(self._metadata.take(passed_over))
        if at_ns is None:
            return None
        self._silent_since_s = time.monotonic()
        return Frame(pixels, at_ns, self._count)

    def _receive(self, timeout_s: float) -> bool:
        """Take in what has arrived; whether there was anything. Raises HardwareMissing once the child has ended."""
        ready = self._selector.select(timeout_s)
        for key, _ in ready:
            data = os.read(key.fd, self._frames.wanted if key.fd == self._pipe(self._child.stdout) else 65536)
            if key.fd == self._pipe(self._child.stderr):
                self._complaint = (self._complaint + data)[-_MAX_ERROR:]
            elif key.fd == self._metadata_pipe:
                self._metadata.feed(data)
            elif data:
                self._frames.feed(data)
            else:
                raise HardwareMissing(why_no_camera(self._options.camera, self._last_words()))
            if not data:
                self._selector.unregister(key.fd)
        return bool(ready)

    def _last_words(self) -> str:
        """The child's last line of complaint, or how it ended."""
        self._complaint += os.read(self._pipe(self._child.stderr), _MAX_ERROR) if self._has_more() else b""
        lines = self._complaint.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else "rpicam-vid has ended"

    def _has_more(self) -> bool:
        return any(key.fd == self._pipe(self._child.stderr) for key, _ in self._selector.select(0.2))

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> int:
        assert pipe is not None
        return pipe.fileno()


def arguments(program: str, options: RpicamOptions, mode: SensorMode | None, metadata_fd: int) -> list[str]:
    """The command line of the child."""
    o = options
    flips = ["--rotation", "180"] if o.flip else []
    sensor = ["--mode", f"{mode.width_px}:{mode.height_px}:{mode.bits}"] if mode is not None else []
    return [
        *(program, "--camera", str(o.camera), "--nopreview", "--timeout", "0", "--flush"),
        *("--codec", "yuv420", "--width", str(o.width_px), "--height", str(o.height_px)),
        *("--framerate", f"{o.rate_hz:g}", "--output", "-"),
        *("--metadata", f"/dev/fd/{metadata_fd}", "--metadata-format", "txt"),
        *sensor,
        *flips,
    ]


def _mode_of(options: RpicamOptions) -> SensorMode | None:
    """The mode that sees most. Raises HardwareMissing if there is no such camera."""
    program = _program(_LIST)
    try:
        done = subprocess.run(
            [program, "--list-cameras"],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIST_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HardwareMissing(f"{program} --list-cameras gives no answer ({error}).") from None
    cameras = listed_modes(done.stdout + done.stderr)
    if options.camera not in cameras:
        there = ", ".join(f"{number} ({name})" for number, (name, _) in cameras.items()) or "none"
        raise HardwareMissing(why_no_camera(options.camera, f"cameras found: {there}"))
    return widest_mode(cameras[options.camera][1], options.rate_hz, options.width_px, options.height_px)


def _program(names: tuple[str, ...]) -> str:
    for name in names:
        if (path := shutil.which(name)) is not None:
            return path
    raise HardwareMissing(f"the camera driver rpicam needs `{names[0]}`: `sudo apt-get install rpicam-apps-lite`.")
