"""Flips the pictures of a camera that is mounted upside down or sees through a mirror."""

from collections.abc import Callable
from typing import Any, cast

import cv2

from shared.config import setting
from vehicle.hardware.frame import Pixels

FLIPS: dict[str, Callable[[Pixels], Pixels]] = {
    "none": lambda pixels: pixels,
    "horizontal": lambda pixels: cast(Pixels, cv2.flip(pixels, 1)),
    "vertical": lambda pixels: cast(Pixels, cv2.flip(pixels, 0)),
    "both": lambda pixels: cast(Pixels, cv2.flip(pixels, -1)),
}


def flip_setting() -> Any:
    """The setting `flip` of a camera driver."""
    return setting(
        "none", choices=tuple(FLIPS), what="horizontal: seen through a mirror; vertical; both: mounted upside down"
    )
