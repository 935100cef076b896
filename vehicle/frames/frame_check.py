"""Checks that a frame shows something new. The pilot calls it for each frame, before the policy.

A camera can deliver on time and show nothing: a driver that returns old buffers in turn, a covered lens, the sun in it,
a sensor that gives only noise. Three cheap tests of the policy's own 160 x 120 picture, together some 0.1 ms:

* **New**: none of the last 64 pictures had the same blocks of 4 x 4 pixels and the same sum of squares. V4L2 has at
  most 32 buffers (VIDEO_MAX_FRAME), and two pictures of a real sensor never agree in both.
* **Content**: blocks differ from their neighbours, as at edges, in three of the picture's four vertical strips. A
  lamp or a reflection has its edges in one place. Where the brightness changes step by step from the border of the
  picture inwards, or around an overexposed place, light leaks in or glares: such steps do not count.
* **No noise**: averaged over a block, white noise loses 15/16 of its power, and a scene almost none. Coarser noise
  loses its power in larger patches, **and** does not correlate with earlier frames; several frames together must show
  both, since a spinning car sees something new in each frame, but large things.

The thresholds lie far below what recorded and rendered frames show (test_frame_check.py holds both against them).
"""

import math
import zlib
from collections import deque
from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np

from vehicle.frames.frame_edges import COLUMNS, ROWS, EdgeCounter
from vehicle.hardware.frame import Pixels

HISTORY: Final = 64
MIN_EDGES: Final = 16  # recorded: 412; rendered, turned away from the road: 40; a finger over the lens: 0
MIN_STRIPS: Final = 3  # of four
MIN_STRIP_EDGES: Final = 4  # in the third best; recorded: 68, at 0.15 of its contrast 32; rendered: 10; leaks: 0
MAX_EDGES: Final = 1_400  # of 2,330 pairs; rendered: at most 715
# A share of the power of the pixels' differences, left in the blocks'; rendered: 0.38 and more; white noise: 0.06.
MIN_REMAINING_POWER: Final = 0.22
PATCHES: Final = (8, 6)
MIN_PATCH_POWER: Final = 0.20  # of the blocks' power, in the patches'; scenes: 0.26 and more; soft noise: 0.16
COLUMN_MEANS: Final = (COLUMNS, 1)
LAG: Final = 24  # frames
MIN_CORRELATION: Final = 0.20  # of a frame to an earlier one, as correlation; a parked car: 0.9; noise: 0.06
MAX_PATCH_POWER, MAX_CORRELATION = 0.5, 0.6  # upper bounds on what one frame counts in the running means
NEWEST_WEIGHT: Final = 0.3  # a frame's weight in both means: noise is recognised after six
DARK, BRIGHT = 48, 208  # mean grey levels of a picture without edges: below, it is covered; above, dazzled

REPEATED: Final = "The camera repeats earlier pictures: it hangs."
COVERED: Final = "The camera's pictures are dark and show nothing: is the lens covered?"
DAZZLED: Final = "The camera's pictures are white and show nothing: is a light shining into the lens?"
BLANK: Final = "The camera's pictures are even and show nothing: is something in front of the lens?"
NOISE: Final = "The camera's pictures show only noise: check its cable, and the light."


class FrameCheck:
    """Checks one camera's pictures, which must come in order; not thread-safe."""

    def __init__(self) -> None:
        self._fingerprints: deque[tuple[int, float]] = deque(maxlen=HISTORY)
        self._half: Pixels = np.zeros((2 * ROWS, 2 * COLUMNS), np.uint8)
        self._blocks: Pixels = np.zeros((ROWS, COLUMNS), np.uint8)
        self._edges = EdgeCounter()
        self._noise = NoiseDetector()

    def problem(self, small: Pixels) -> str:
        """Why this picture, uint8 (120, 160), cannot be driven by, as a sentence; "" if it shows something new."""
        blocks = self._blocks
        cv2.resize(small, (2 * COLUMNS, 2 * ROWS), dst=self._half, interpolation=cv2.INTER_AREA)  # halvings are quick
        cv2.resize(self._half, (COLUMNS, ROWS), dst=blocks, interpolation=cv2.INTER_AREA)
        fingerprint = (zlib.crc32(blocks.data), cv2.norm(small, cv2.NORM_L2SQR))
        if fingerprint in self._fingerprints:
            return REPEATED
        self._fingerprints.append(fingerprint)
        return self._content_problem(small, blocks)

    def _content_problem(self, small: Pixels, blocks: Pixels) -> str:
        edges, strips = self._edges.count_quickly(blocks)
        if edges < MIN_EDGES:
            return _blank_reason(float(cv2.mean(blocks)[0]))
        is_coarse_noise = self._noise.update(blocks)
        if is_coarse_noise or edges > MAX_EDGES or _power(blocks) < MIN_REMAINING_POWER * _power(small):
            return NOISE
        if not _are_spread(strips) and not _are_spread(self._edges.count(blocks)[1]):
            return _blank_reason(float(cv2.mean(blocks)[0]))
        return ""


class NoiseDetector:
    """Detects noise whose grain is larger than a block (compressed, enlarged, denoised), over several frames."""

    def __init__(self) -> None:
        self._history: deque[tuple[Pixels, float, float]] = deque(maxlen=LAG)
        self._patch_power = MAX_PATCH_POWER
        self._correlation = self._lagged_correlation = MAX_CORRELATION

    def update(self, blocks: Pixels) -> bool:
        """Whether this picture and those before it are noise. `blocks`: uint8 (30, 40), not uniform.

        A camera that denoises makes each frame resemble the one before, even if it is noise. So a picture also counts
        as noise if it does not resemble the frame LAG before (at first: the first one) and has no vertical structures.
        A picture that strongly resembles that frame, or has much power in its patches, is a scene: nothing else is
        computed then.
        """
        mean = cv2.norm(blocks, cv2.NORM_L1) / blocks.size
        power = _sum_of_squares(blocks, mean)
        now = (blocks.copy(), mean, power)
        first, before = (self._history[0], self._history[-1]) if self._history else (now, now)
        self._history.append(now)
        lagged, correlation, patch_power = _correlation(first, now), MAX_CORRELATION, MAX_PATCH_POWER
        if lagged < MAX_CORRELATION:
            picture = np.subtract(blocks, mean, dtype=np.float32)
            patch_power = min(_power_in(picture, PATCHES) / power, MAX_PATCH_POWER)
            if patch_power < MAX_PATCH_POWER:
                correlation = min(_correlation(before, now), MAX_CORRELATION)
                lagged = max(lagged, _power_in(picture, COLUMN_MEANS) / power)
        self._patch_power += NEWEST_WEIGHT * (patch_power - self._patch_power)
        self._correlation += NEWEST_WEIGHT * (correlation - self._correlation)
        self._lagged_correlation += NEWEST_WEIGHT * (min(lagged, MAX_CORRELATION) - self._lagged_correlation)
        return (
            self._patch_power < MIN_PATCH_POWER and min(self._correlation, self._lagged_correlation) < MIN_CORRELATION
        )


def _sum_of_squares(picture: Pixels, mean: float) -> float:
    """The sum of the squared differences from the mean."""
    return cv2.norm(picture, cv2.NORM_L2SQR) - picture.size * mean * mean


def _correlation(one: tuple[Pixels, float, float], other: tuple[Pixels, float, float]) -> float:
    """The correlation, -1 to 1, of two pictures, each with its mean and its sum of squared differences from it."""
    (first, first_mean, first_power), (second, second_mean, second_power) = one, other
    apart = cv2.norm(first, second, cv2.NORM_L2SQR) - first.size * (first_mean - second_mean) ** 2
    return (first_power + second_power - apart) / 2 / math.sqrt(first_power * second_power)


def _power_in(picture: Pixels, parts: tuple[int, int]) -> float:
    """The sum of squares of a picture of mean 0 when each of its `parts` (across, down) is replaced by its mean."""
    means = cv2.resize(picture, parts, interpolation=cv2.INTER_AREA)
    return float(cv2.norm(means, cv2.NORM_L2SQR) * picture.size / means.size)


def _are_spread(strips: Iterable[int]) -> bool:
    return sum(edges >= MIN_STRIP_EDGES for edges in strips) >= MIN_STRIPS


def _power(picture: Pixels) -> float:
    """The mean square of the differences between neighbours, across and down."""
    across = cv2.norm(picture[:, 1:], picture[:, :-1], cv2.NORM_L2SQR) / picture[:, 1:].size
    return float(across + cv2.norm(picture[1:], picture[:-1], cv2.NORM_L2SQR) / picture[1:].size)


def _blank_reason(mean: float) -> str:
    if mean < DARK:
        return COVERED
    return DAZZLED if mean > BRIGHT else BLANK
