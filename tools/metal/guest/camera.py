"""Scenario camera: our driver on the kernel's own test camera (vivid): rate, newest frame, and a camera that goes away.

Runs with the installed product's Python. vivid makes frames at a steady rate, in memory, whoever reads them; it has no
MJPEG, which the scenario does not try.
"""

import itertools
import pathlib
import statistics
import time

from shared.clock import SystemClock
from shared.errors import HardwareMissing
from tools.metal.guest.checks import check
from tools.metal.guest.kernel_files import load, wait_for
from vehicle.hardware.cameras.v4l2 import V4l2Camera

DEVICE = pathlib.Path("/dev/video0")
DRIVER = pathlib.Path("/sys/bus/platform/drivers/vivid")
FRAMES_S = 10.0
RATE_HZ = 25.0
SLOW_S = 0.5  # a reader that is held up: what it then gets must be new, not what waited in a queue


def frames_of(camera: V4l2Camera) -> None:
    """Reads for a while: how many frames come, and how old each is when it is handed out."""
    ages_ms, stamps = [], []
    end_s = time.monotonic() + FRAMES_S
    while time.monotonic() < end_s:
        frame = camera.read(1.0)
        if frame is not None:
            ages_ms.append((time.monotonic_ns() - frame.at_ns) / 1e6)
            stamps.append(frame.at_ns)
    span_s = (stamps[-1] - stamps[0]) / 1e9 if len(stamps) > 1 else 0.0
    rate_hz = (len(stamps) - 1) / span_s if span_s else 0.0
    check("frames arrive at the camera's rate", rate_hz > 0.8 * RATE_HZ, f"{rate_hz:.1f} of {RATE_HZ:.0f} a second")
    backwards = sum(later <= earlier for earlier, later in itertools.pairwise(stamps))
    check("stamps go forwards", backwards == 0, f"{len(stamps)} frames, {backwards} backwards")
    median_ms = statistics.median(ages_ms)
    check("age of a frame", median_ms < 2000 / RATE_HZ, f"median {median_ms:.0f} ms, at most {max(ages_ms):.0f} ms")


def newest_after_a_pause(camera: V4l2Camera) -> None:
    """After a pause the first frame is a new one."""
    ages_ms = []
    for _ in range(5):
        time.sleep(SLOW_S)
        asked_ns = time.monotonic_ns()
        frame = camera.read(1.0)
        if frame is not None:
            ages_ms.append((asked_ns - frame.at_ns) / 1e6)
    worst_ms = max(ages_ms, default=float("inf"))
    check("after a pause no old frame", worst_ms < 3000 / RATE_HZ, f"at most {worst_ms:.0f} ms before it was asked for")


def main() -> None:
    load("vivid")
    wait_for(DEVICE)
    camera = V4l2Camera({"device": str(DEVICE), "rate_hz": RATE_HZ}, SystemClock())
    frames_of(camera)
    newest_after_a_pause(camera)
    device = next(each.name for each in DRIVER.iterdir() if each.name.startswith("vivid."))
    (DRIVER / "unbind").write_text(device)
    said = ""
    try:
        for _ in range(20):
            camera.read(0.5)
    except HardwareMissing as gone:
        said = str(gone)
    check("a camera that goes away is a sentence", bool(said), said or "no error within 10 s")
    camera.close()
    (DRIVER / "bind").write_text(device)
    wait_for(DEVICE)
    again = V4l2Camera({"device": str(DEVICE)}, SystemClock())
    check(
        "and opens again when it is back",
        again.read(5.0) is not None,
        str(DEVICE),
    )
    again.close()


if __name__ == "__main__":
    main()
