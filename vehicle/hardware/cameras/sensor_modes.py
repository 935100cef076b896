"""Which mode of a Raspberry Pi's image sensor sees the most, and what keeps libcamera from a camera.

libcamera crops the sensor to the shape of the largest stream, and chooses the mode by the size that is asked for: at
320 x 240 an IMX219 gives its 640 x 480 mode, the middle third of what the lens sees (christianrauch/camera_ros #99), at
the library's own 1280 x 720 a strip of 16:9 (picamera2 #450). A model that learned from the whole picture drives badly
by either. So the mode is named. Called by picamera.py, rpicam.py and their findings.
"""

import os
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

DMA_HEAPS = pathlib.Path("/dev/dma_heap")
_CAMERA = re.compile(r"^(\d+) : (\S+)")
_FORMAT = re.compile(r"'S?[A-Za-z]+(\d+)[^']*' :")
_MODE = re.compile(r"(\d+)x(\d+) \[([\d.]+) fps(?: - \(\d+, \d+\)/(\d+)x(\d+) crop)?")
_NO_ACCESS = (
    "libcamera finds no camera without /dev/dma_heap, which this program may not open: run `raceday install car` "
    "again, which allows it (`DeviceAllow=char-dma_heap rw`, and the group video)."
)


@dataclass(frozen=True, slots=True)
class SensorMode:
    """One way of reading a sensor: its picture, and the part of the sensor that it covers, in the sensor's pixels."""

    width_px: int
    height_px: int
    rate_hz: float
    crop_width_px: int
    crop_height_px: int
    bits: int


def widest_mode(modes: Sequence[SensorMode], rate_hz: float, width_px: int, height_px: int) -> SensorMode | None:
    """The mode that sees most of what fits the picture's shape; of those one that is fast enough, then the smallest.

    None if there are no modes.
    """

    def seen(mode: SensorMode) -> float:
        across = min(mode.crop_width_px, mode.crop_height_px * width_px / height_px)
        return across * across

    # Modes that see the same differ by a few columns of their binning, which is not worth a quarter of the rate.
    widest = max(map(seen, modes), default=0.0)
    wide = [mode for mode in modes if seen(mode) > 0.97 * widest]
    fast = [mode for mode in wide if mode.rate_hz >= rate_hz and mode.width_px >= width_px] or wide
    return min(fast, key=lambda mode: (-min(mode.rate_hz, rate_hz), mode.width_px * mode.height_px), default=None)


def listed_modes(listing: str) -> dict[int, tuple[str, list[SensorMode]]]:
    """What `rpicam-hello --list-cameras` printed: number → the sensor's name and its modes."""
    cameras: dict[int, tuple[str, list[SensorMode]]] = {}
    modes: list[SensorMode] = []
    bits = 10
    for line in listing.splitlines():
        if camera := _CAMERA.match(line):
            modes = []
            cameras[int(camera[1])] = (camera[2], modes)
        if kind := _FORMAT.search(line):
            bits = int(kind[1])
        if mode := _MODE.search(line):
            width_px, height_px = int(mode[1]), int(mode[2])
            crop = (int(mode[4]), int(mode[5])) if mode[4] else (width_px, height_px)
            modes.append(SensorMode(width_px, height_px, float(mode[3]), *crop, bits))
    return cameras


def why_no_camera(number: int, error: str, heaps: pathlib.Path = DMA_HEAPS) -> str:
    """Why libcamera gives no camera, as a sentence. `error` is its own text."""
    if "busy" in error.lower() or "in use" in error.lower() or "__init__ sequence" in error:
        return f"the Pi's camera {number} is in use by another program ({error}): end that one (`fuser /dev/media*`)."
    if heaps.exists() and not any(os.access(heap, os.R_OK | os.W_OK) for heap in heaps.glob("*")):
        return _NO_ACCESS
    return (
        f"the Pi's camera {number} does not start ({error}): check its ribbon, and whether "
        "`rpicam-hello --list-cameras` shows it (on Ubuntu config.txt must name the sensor: `dtoverlay=imx219`)."
    )
