"""Lens and sensor, compiled: blur, offset and noise, from exposed levels to a picture of bytes."""

import math
from typing import Any

import numpy as np

from simulator.batch.compiled import compiled_part

NOISE_POOL = 1 << 18
NOISE_SD = 32.0  # of the pool's numbers
MIN_BLUR_PX = 0.1
MAX_BLUR = 8  # pixels on either side


@compiled_part
def expose(plane: Any, spare: Any, weights: Any, view: Any, chance: Any, noise: Any, out: Any) -> Any:
    """Fill `out` (H, W) uint8 from the levels (H, W); `chance`, 64 bits, says which noise of the pool is taken.

    `spare` (H, W) and `weights` (2 * MAX_BLUR + 1) are room for the blur.
    """
    if view.blur_px > MIN_BLUR_PX:
        blur(plane, spare, weights, view.blur_px)
    height, width = plane.shape
    offset, scale = np.float32(view.offset), np.float32(view.noise / NOISE_SD)
    low, high = np.float32(0.0), np.float32(255.0)
    for row in range(np.uintp(height)):
        place = (chance + row * np.uint64(8_546_123)) % np.uint64(NOISE_POOL - width)
        for u in range(np.uintp(width)):
            level = min(high, max(low, plane[row, u] + offset))
            level += np.float32(noise[place + u]) * scale
            out[row, u] = np.uint8(np.int32(min(high, max(low, level))))


@compiled_part
def blur(plane: Any, spare: Any, weights: Any, sigma: Any) -> Any:
    """A Gaussian of this standard deviation (pixels), across and then down; beyond the rim the rim's pixel goes on.

    A picture is wider than twice what it reaches.
    """
    reach = min(MAX_BLUR, max(1, math.ceil(sigma * 2.5)))
    _gaussian(sigma, reach, weights)
    height, width = plane.shape
    for row in range(height):
        _blur_across(plane, spare, np.uintp(row), np.uintp(width), np.uintp(reach), weights)
    last = height - 1
    for row in range(height):
        r, middle = np.uintp(row), weights[reach]
        for u in range(np.uintp(width)):
            plane[r, u] = spare[r, u] * middle
        for k in range(1, reach + 1):
            a, b, side = np.uintp(max(0, row - k)), np.uintp(min(last, row + k)), weights[reach - k]
            for u in range(np.uintp(width)):
                plane[r, u] += (spare[a, u] + spare[b, u]) * side


@compiled_part
def _blur_across(plane: Any, spare: Any, row: Any, width: Any, reach: Any, weights: Any) -> Any:
    """One row; its last pixels on either side repeat the rim's."""
    one, first = np.uintp(1), np.uintp(0)
    for u in range(width):
        spare[row, u] = plane[row, u] * weights[reach]
    for k in range(one, reach + one):
        side = weights[reach - k]
        for u in range(k, width - k):
            spare[row, u] += (plane[row, u - k] + plane[row, u + k]) * side
        for u in range(k):
            spare[row, u] += (plane[row, first] + plane[row, u + k]) * side
            spare[row, width - one - u] += (plane[row, width - one] + plane[row, width - one - u - k]) * side


@compiled_part
def _gaussian(sigma: Any, reach: Any, weights: Any) -> Any:
    """Fill the first 2 * reach + 1 of `weights`, which add up to 1."""
    total = 0.0
    for k in range(2 * reach + 1):
        total += math.exp(-0.5 * ((k - reach) / sigma) ** 2)
    for k in range(2 * reach + 1):
        weights[k] = math.exp(-0.5 * ((k - reach) / sigma) ** 2) / total
