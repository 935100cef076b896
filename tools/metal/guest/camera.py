"""Scenario camera: our driver on two cameras of the kernel: rate, newest frame, order of stamps, and their loss.

Runs with the installed product's Python. vivid makes its own pictures (YUYV), v4l2loopback gives what a program writes:
real JPEGs, as a webcam does. An emulated processor paints vivid's pictures more slowly than a sensor would: so what
our driver gets is held against what the kernel hands to a reader that does nothing else.
"""

import contextlib
import itertools
import pathlib
import statistics
import subprocess
import sys
import time

import cv2

from shared.clock import SystemClock
from shared.errors import HardwareMissing
from tools.metal.guest.checks import check
from tools.metal.guest.kernel_files import load, wait_for
from tools.metal.guest.mjpeg_writer import HEIGHT_PX, WIDTH_PX
from vehicle.hardware.cameras.opencv_capture import VideoCapture, open_capture
from vehicle.hardware.cameras.v4l2 import BUFFERS, V4l2Camera

VIVID, LOOPBACK = pathlib.Path("/dev/video0"), pathlib.Path("/dev/video9")
DRIVER = pathlib.Path("/sys/bus/platform/drivers/vivid")
VIVID_OPTIONS = {"device": str(VIVID), "width_px": 320, "height_px": 180, "rate_hz": 25.0}
LOOPBACK_OPTIONS = {"device": str(LOOPBACK), "width_px": WIDTH_PX, "height_px": HEIGHT_PX, "decode": "reduced"}
FRAMES_S = 10.0
SLOW_S = 0.5  # a reader that is held up: what it then gets must be new, not what waited in a queue
PAUSES = 5
GONE_S = 10.0
WRITER = pathlib.Path(__file__).with_name("mjpeg_writer.py")


def rate_of_the_kernel(options: dict[str, object], buffers: int = BUFFERS) -> float:
    """Frames a second of a reader that does nothing with them."""
    capture = open_capture(pathlib.Path(str(options["device"])))
    try:
        configure(capture, options, buffers)
        capture.grab()
        began_s, count = time.monotonic(), 0
        while time.monotonic() < began_s + FRAMES_S:
            count += capture.grab() and capture.retrieve()[0]
        return count / (time.monotonic() - began_s)
    finally:
        capture.release()


def configure(capture: VideoCapture, options: dict[str, object], buffers: int) -> None:
    """Size and buffers, as our driver asks for them."""
    for name, value in (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, options["width_px"]),
        (cv2.CAP_PROP_FRAME_HEIGHT, options["height_px"]),
        (cv2.CAP_PROP_BUFFERSIZE, buffers),
        (cv2.CAP_PROP_CONVERT_RGB, 0),
    ):
        capture.set(name, float(str(value)))


def frames_of(what: str, camera: V4l2Camera, kernel_hz: float) -> None:
    """Reads for a while: how many frames come, and how old each is when it is handed out."""
    camera.read(1.0)
    ages_ms, stamps = [], []
    end_s = time.monotonic() + FRAMES_S
    while time.monotonic() < end_s:
        frame = camera.read(1.0)
        if frame is not None:
            ages_ms.append((time.monotonic_ns() - frame.at_ns) / 1e6)
            stamps.append(frame.at_ns)
    span_s = (stamps[-1] - stamps[0]) / 1e9 if len(stamps) > 1 else 0.0
    rate_hz = (len(stamps) - 1) / span_s if span_s else 0.0
    check(f"{what}: the kernel's own rate", rate_hz > 0.8 * kernel_hz, f"{rate_hz:.1f} of {kernel_hz:.1f} a second")
    backwards = sum(later <= earlier for earlier, later in itertools.pairwise(stamps))
    check(f"{what}: stamps go forwards", backwards == 0, f"{len(stamps)} frames, {backwards} backwards")
    median_ms = statistics.median(ages_ms) if ages_ms else float("inf")
    seen = f"median {median_ms:.0f} ms, at most {max(ages_ms, default=0):.0f} ms"
    check(f"{what}: age of a frame", median_ms < 2000 / kernel_hz, seen)


def newest_after_a_pause(what: str, camera: V4l2Camera, kernel_hz: float) -> None:
    """After a pause the first frame is a new one. A read may give none, as for a stamp of the future: read on then."""
    ages_ms, dropped = [], 0
    for _ in range(PAUSES):
        time.sleep(SLOW_S)
        asked_ns = time.monotonic_ns()
        frame = camera.read(1.0)
        while frame is None and time.monotonic_ns() - asked_ns < 1e9:
            frame, dropped = camera.read(1.0), dropped + 1
        if frame is not None:
            ages_ms.append((asked_ns - frame.at_ns) / 1e6)
    worst_ms = max(ages_ms, default=float("inf"))
    is_new = len(ages_ms) == PAUSES and worst_ms < 3000 / kernel_hz
    ages = ", ".join(f"{age_ms:.0f}" for age_ms in ages_ms)
    check(f"{what}: after a pause no old frame", is_new, f"{ages} ms before it was asked for; {dropped} reads without")


def lost_and_found(camera: V4l2Camera) -> None:
    """The camera is pulled, and plugged in again."""
    device = next(each.name for each in DRIVER.iterdir() if each.name.startswith("vivid."))
    (DRIVER / "unbind").write_text(device)
    said = ""
    end_s = time.monotonic() + GONE_S
    try:
        while time.monotonic() < end_s:
            camera.read(0.5)
    except HardwareMissing as gone:
        said = str(gone)
    check("a camera that goes away is a sentence", bool(said), said or f"no error within {GONE_S:.0f} s")
    camera.close()
    (DRIVER / "bind").write_text(device)
    wait_for(VIVID)
    again = V4l2Camera(dict(VIVID_OPTIONS), SystemClock())
    check("and opens again when it is back", again.read(5.0) is not None, str(VIVID))
    again.close()


def webcam() -> None:
    """Real JPEGs, 30 a second."""
    load(f"v4l2loopback devices=1 video_nr={LOOPBACK.name.removeprefix('video')} exclusive_caps=1 card_label=webcam")
    wait_for(LOOPBACK)
    writer = subprocess.Popen([sys.executable, str(WRITER), str(LOOPBACK)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()  # the first frame is written
    try:
        kernel_hz = rate_of_the_kernel(LOOPBACK_OPTIONS)
        one_hz = rate_of_the_kernel(LOOPBACK_OPTIONS, buffers=1)
        check("MJPEG: what a reader gets", kernel_hz > 0, f"{kernel_hz:.1f} a second, {one_hz:.1f} with one buffer")
        with contextlib.closing(V4l2Camera(dict(LOOPBACK_OPTIONS), SystemClock())) as camera:
            frame = camera.read(5.0)
            shape = None if frame is None else frame.pixels.shape
            check("MJPEG: a picture of a quarter of the side", shape == (HEIGHT_PX // 4, WIDTH_PX // 4), shape)
            frames_of("MJPEG", camera, kernel_hz)
            newest_after_a_pause("MJPEG", camera, kernel_hz)
    finally:
        writer.kill()
        writer.wait()


def main() -> None:
    load("vivid")
    wait_for(VIVID)
    kernel_hz = rate_of_the_kernel(VIVID_OPTIONS)
    check("YUYV: what a reader gets", kernel_hz > 0, f"{kernel_hz:.1f} a second")
    camera = V4l2Camera(dict(VIVID_OPTIONS), SystemClock())
    frames_of("YUYV", camera, kernel_hz)
    newest_after_a_pause("YUYV", camera, kernel_hz)
    lost_and_found(camera)
    webcam()


if __name__ == "__main__":
    main()
