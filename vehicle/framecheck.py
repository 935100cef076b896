"""Does a frame show something that was not shown before? The pilot asks for each frame, before the policy looks.

A camera can deliver punctually and show nothing: a driver that hands out old buffers in turn, a covered lens, the sun
in it, a sensor that only gives noise. Three cheap looks at the policy's own 160 x 120 picture, some 70 us together:

* **New**: none of the last 64 pictures was the same to the last grey level. V4L2 has at most 32 buffers
  (VIDEO_MAX_FRAME), and two pictures of a real sensor never agree in all pixels.
* **Something**: blocks of 4 x 4 pixels differ from their neighbours, which is what edges do, in three of the picture's
  four upright strips. A lamp or a reflection has its edges in one place. Where the brightness changes step by step
  from the border of the picture inwards, light leaks in or glares: such steps do not count.
* **No noise**: white noise loses 15 of 16 parts of its power in a block, and a scene next to none. Coarser noise loses
  its power in larger patches, **and** has nothing to do with the frame before; some frames together must show both,
  since a car that spins looks at something new each time, but at large things.

The thresholds lie far below what recorded and rendered frames show (test_framecheck.py holds both against them).
"""

import math
import zlib
from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vehicle.frameedges import COLUMNS, ROWS, EdgeCounter
from vehicle.hardware.devices import Pixels

KEPT: Final = 64
LEAST_EDGES: Final = 16  # recorded: 412; rendered, turned away from the road: 40; a finger over the lens: 0
LEAST_STRIPS: Final = 3  # of four
LEAST_STRIP_EDGES: Final = 4  # in the third best; recorded: 68, at 0.15 of its contrast 32; rendered: 10; leaks: 0
MOST_EDGES: Final = 1_400  # of 2,330 pairs; rendered: at most 715
LEAST_KEPT_POWER: Final = 0.22  # of the pixels' differences, in the blocks'; rendered: 0.38 and more; white noise: 0.06
PATCHES: Final = (8, 6)
LEAST_PATCH_POWER: Final = 0.20  # of the blocks' power, in the patches'; scenes: 0.26 and more; soft noise: 0.16
LEAST_LIKENESS: Final = 0.20  # of a frame to the one before, as correlation; a parked car: 0.9; noise: 0.06
MOST_PATCH_POWER, MOST_LIKENESS = 0.5, 0.6  # what one frame may speak for those that follow
NEWEST: Final = 0.3  # a frame's weight in both means: noise is told after six
DARK, BRIGHT = 48, 208  # the mean of a picture without edges says which sentence it gets

REPEATED: Final = "The camera gives pictures that it gave before: it hangs."
COVERED: Final = "The camera's pictures are dark and show nothing: is the lens covered?"
DAZZLED: Final = "The camera's pictures are white and show nothing: does a light shine into the lens?"
BLANK: Final = "The camera's pictures are even and show nothing: is something before the lens?"
NOISE: Final = "The camera's pictures show only noise: check its cable, and the light."


class FrameCheck:
    """Of one camera; not thread-safe."""

    def __init__(self) -> None:
        self._shown: deque[int] = deque(maxlen=KEPT)
        self._blocks: Pixels = np.zeros((ROWS, COLUMNS), np.uint8)
        self._edges = EdgeCounter()
        self._noise = NoiseWatch()

    def trouble(self, small: Pixels) -> str:
        """Why nobody can drive by this picture, uint8 (120, 160), as a sentence; "" if it shows something new."""
        checksum = zlib.crc32(small.data)
        if checksum in self._shown:
            return REPEATED
        self._shown.append(checksum)
        return self._emptiness(small)

    def _emptiness(self, small: Pixels) -> str:
        blocks = self._blocks
        cv2.resize(small, (COLUMNS, ROWS), dst=blocks, interpolation=cv2.INTER_AREA)
        edges, strips = self._edges.count(blocks)
        if edges < LEAST_EDGES:
            return _even(float(cv2.mean(blocks)[0]))
        is_coarse_noise = self._noise.see(blocks)
        if is_coarse_noise or edges > MOST_EDGES or _power(blocks) < LEAST_KEPT_POWER * _power(small):
            return NOISE
        if sum(edges >= LEAST_STRIP_EDGES for edges in strips) < LEAST_STRIPS:
            return _even(float(cv2.mean(blocks)[0]))
        return ""


class NoiseWatch:
    """Noise whose grains are larger than a block (compressed, enlarged, denoised), seen over some frames."""

    def __init__(self) -> None:
        self._before: tuple[NDArray[np.float32], float] | None = None
        self._likeness = MOST_LIKENESS
        self._patch_power = MOST_PATCH_POWER

    def see(self, blocks: Pixels) -> bool:
        """Are this picture and those before it noise? Blocks as uint8 (30, 40), not even."""
        picture = np.subtract(blocks, cv2.mean(blocks)[0], dtype=np.float32)
        power = cv2.norm(picture, cv2.NORM_L2SQR)
        before, self._before = self._before, (picture, power)
        if before is None:
            return False
        patches = cv2.resize(picture, PATCHES, interpolation=cv2.INTER_AREA)
        patch_power = cv2.norm(patches, cv2.NORM_L2SQR) * picture.size / patches.size / power
        likeness = float(np.vdot(before[0], picture)) / math.sqrt(before[1] * power)
        self._patch_power += NEWEST * (min(patch_power, MOST_PATCH_POWER) - self._patch_power)
        self._likeness += NEWEST * (min(likeness, MOST_LIKENESS) - self._likeness)
        return self._patch_power < LEAST_PATCH_POWER and self._likeness < LEAST_LIKENESS


def _power(picture: Pixels) -> float:
    """The mean square of the differences between neighbours, across and down."""
    across = cv2.norm(picture[:, 1:], picture[:, :-1], cv2.NORM_L2SQR) / picture[:, 1:].size
    return float(across + cv2.norm(picture[1:], picture[:-1], cv2.NORM_L2SQR) / picture[1:].size)


def _even(mean: float) -> str:
    if mean < DARK:
        return COVERED
    return DAZZLED if mean > BRIGHT else BLANK
