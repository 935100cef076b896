"""Does a frame show something that was not shown before? The pilot asks for each frame, before the policy looks.

A camera can deliver punctually and show nothing: a driver that hands out old buffers in turn, a covered lens, the sun
in it, a sensor that only gives noise. Two cheap looks at the policy's own 160 x 120 picture, some 40 us together:

* **New**: none of the last 64 pictures was the same to the last grey level. V4L2 has at most 32 buffers
  (VIDEO_MAX_FRAME), and two pictures of a real sensor never agree in all pixels.
* **Something**: blocks of 4 x 4 pixels differ from their neighbours, which is what edges do. Noise does so as well, but
  white noise loses 15 of 16 parts of its power in a block, and a scene next to none.

The thresholds lie far below what recorded and rendered frames show (test_framecheck.py holds both against them).
"""

import zlib
from collections import deque
from typing import Final

import cv2
import numpy as np

from vehicle.hardware.devices import Pixels

KEPT: Final = 64
COLUMNS, ROWS = 40, 30
STEP: Final = 8  # grey levels between two blocks that make an edge
LEAST_EDGES: Final = 16  # recorded: 412; rendered, turned away from the road: 40; a finger over the lens: 0
MOST_EDGES: Final = 1_400  # of 2,330 pairs; rendered: at most 715
LEAST_KEPT_POWER: Final = 0.22  # of the pixels' differences, in the blocks'; rendered: 0.38 and more; white noise: 0.06
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
        across, down = cv2.absdiff(blocks[:, 1:], blocks[:, :-1]), cv2.absdiff(blocks[1:], blocks[:-1])
        edges = int(np.count_nonzero(across >= STEP)) + int(np.count_nonzero(down >= STEP))
        if edges < LEAST_EDGES:
            return _even(float(cv2.mean(blocks)[0]))
        kept = cv2.norm(across, cv2.NORM_L2SQR) / across.size + cv2.norm(down, cv2.NORM_L2SQR) / down.size
        if edges > MOST_EDGES or kept < LEAST_KEPT_POWER * _power(small):
            return NOISE
        return ""


def _power(small: Pixels) -> float:
    """The mean square of the differences between neighbouring pixels, across and down."""
    across = cv2.norm(small[:, 1:], small[:, :-1], cv2.NORM_L2SQR) / small[:, 1:].size
    return float(across + cv2.norm(small[1:], small[:-1], cv2.NORM_L2SQR) / small[1:].size)


def _even(mean: float) -> str:
    if mean < DARK:
        return COVERED
    return DAZZLED if mean > BRIGHT else BLANK
