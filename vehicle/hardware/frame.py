"""A camera's frame: the pixels, when they were captured, and the frame's number."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera.

    `pixels`: uint8, grey (height, width), or BGR (height, width, 3) if the camera gives colour. `at_ns`: when it was
    captured, in nanoseconds of the machine's `Clock`. `seq` counts what the camera captured: a gap is a dropped frame,
    the same number twice a repeated one.
    """

    pixels: Pixels
    at_ns: int
    seq: int
