"""A fake of picamera2 with libcamera's rules of cropping, and a scene that shows which part of the sensor is seen.

The rules (davidplowman in raspberrypi/picamera2 #450 and #167): without `sensor` the mode is chosen by the size of the
main stream; the crop is the largest part of that mode with the main stream's shape; on a Pi 4 every other stream is
scaled from the same crop, so one of another shape is squeezed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What `sensor_modes` gives on an IMX219 (Camera Module 2): the manual of picamera2, and rpicam-hello's list.
IMX219: list[dict[str, Any]] = [
    {"size": size, "fps": fps, "crop_limits": crop, "bit_depth": 10, "format": "SRGGB10_CSI2P"}
    for size, fps, crop in (
        ((640, 480), 206.65, (1000, 752, 1280, 960)),
        ((1640, 1232), 41.85, (0, 0, 3280, 2464)),
        ((1920, 1080), 47.57, (680, 692, 1920, 1080)),
        ((3280, 2464), 21.19, (0, 0, 3280, 2464)),
    )
]


class PiCameraLibrary:
    """The module `picamera2` and its one camera in one: padded YUV420 planes, the sensor's stamp, a limit on waiting.

    A picture's rows and columns are grey by where on the sensor they are, in hundredths of its width and height.
    """

    def __init__(self, frames: int = 1, error: Exception | None = None, modes: list[dict[str, Any]] = IMX219) -> None:
        self.frames, self.error = frames, error
        self.metadata: dict[str, Any] = {"SensorTimestamp": 0}  # at boot: as old as can be
        self.calls: list[str] = []
        self.sensor_modes = modes
        self.crop: tuple[float, float, float, float] = (0, 0, 0, 0)
        self.options: dict[str, Any] = {}

    def Picamera2(self, number: int) -> "PiCameraLibrary":  # the library's name
        if number:
            raise IndexError("list index out of range")
        return self

    def create_video_configuration(self, **options: Any) -> dict[str, Any]:
        assert options["lores"]["format"] == "YUV420"
        assert options["lores"]["size"] <= options.get("main", {}).get("size", (1280, 720)), "lores is never the larger"
        return options

    def configure(self, options: dict[str, Any]) -> None:
        assert options["queue"] is False
        self.options = options
        width, height = options.get("main", {}).get("size", (1280, 720))
        wanted = options.get("sensor", {}).get("output_size")
        fitting = [mode for mode in self.sensor_modes if mode["size"] == wanted] if wanted else []
        large_enough = [mode for mode in self.sensor_modes if mode["size"][0] >= width and mode["size"][1] >= height]
        mode = (fitting or large_enough or self.sensor_modes[-1:])[0]
        left, top, across, down = mode["crop_limits"]
        shape = width / height
        seen_across, seen_down = min(across, down * shape), min(down, across / shape)
        self.crop = (left + (across - seen_across) / 2, top + (down - seen_down) / 2, seen_across, seen_down)

    def capture_request(self, wait: float) -> "PiCameraLibrary":
        if self.error is not None:
            raise self.error
        if self.frames == 0:
            raise TimeoutError
        self.frames -= 1
        return self

    def make_array(self, name: str) -> NDArray[np.uint8]:
        width, height = self.options[name]["size"]
        left, top, across, down = self.crop
        _, _, whole_across, whole_down = max(
            (mode["crop_limits"] for mode in self.sensor_modes), key=lambda crop: crop[2]
        )
        columns = 100 * (left + across * (np.arange(width) + 0.5) / width) / whole_across
        rows = 100 * (top + down * (np.arange(height) + 0.5) / height) / whole_down
        planes = np.full((height * 3 // 2, width + 64), 255, np.uint8)  # padded at the right; U and V below
        planes[:height, :width] = np.rint(columns)[None, :] + np.rint(rows)[:, None]
        return planes

    def get_metadata(self) -> dict[str, Any]:
        return self.metadata

    def __getattr__(self, name: str) -> Any:
        return lambda: self.calls.append(name)
