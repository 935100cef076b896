"""Roads for tests: simple shapes whose geometry can be written down."""

import math

import numpy as np

from simulator.world.geometry import Track
from simulator.world.tracks import track_from_rows


def ring(radius_m: float = 3.0, width_m: float = 1.0, rows: int = 360) -> Track:
    """A circle driven counter-clockwise from (radius, 0)."""
    angles = np.arange(rows + 1) * math.tau / rows
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    parts = [unit * radius for radius in (radius_m, radius_m - width_m / 2, radius_m + width_m / 2)]
    return track_from_rows("ring", np.hstack(parts))


def box(side_m: float = 8.0, width_m: float = 0.8) -> Track:
    """A square, driven along +x first from its lower left corner plus one metre; straight where the line is."""
    half = width_m / 2
    corners = {0.0: _square(side_m, 0.0), half: _square(side_m, half), -half: _square(side_m, -half)}
    return track_from_rows("box", np.hstack([corners[0.0], corners[half], corners[-half]]))


def _square(side_m: float, inset_m: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    low, high = inset_m, side_m - inset_m
    middle = [(x, low) for x in (1.0, 2.0, 4.0, 6.0, 7.0)]
    loop = [*middle, (high, low), (high, 4.0), (high, high), (4.0, high), (low, high), (low, 4.0), (low, low)]
    return np.array([*loop, middle[0]])
