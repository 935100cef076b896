"""The LiDAR: a fan of rays in the plane, against the outlines of boxes and cars and the walls around the field.

deepracer-simapp (`sensors/constants.py`, `urdf/deepracer/*lidar.urdf`, `filters/observation`): 64 beams over +-150
degrees, 0.15 to 12 m, noise of 0.01 m; it is mounted looking backwards, so that the 60 degrees ahead, which the camera
sees, are blind. What a network gets is the ranges up to 1 m, or of each of 8 sectors whether something is within 0.5 m.
The field's LiDAR is 0.18 m up; as it is there to notice cars, it notices them here whatever their height.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BEAMS = 64
HALF_FAN_RAD = math.radians(150.0)
MIN_RANGE_M, MAX_RANGE_M = 0.15, 12.0
NOISE_M = 0.01
FORWARD_M = 0.02913  # from the car's base
OBSERVED_RANGE_M = 1.0
SECTORS = 8
SECTOR_RANGE_M = 0.5

Array = NDArray[np.float64]

NOTHING_AROUND: Array = np.empty((0, 6))


def beam_angles() -> Array:
    """The directions of the beams from the car's heading, radians, shape (64,): from ahead left round the back."""
    return math.pi + np.linspace(-HALF_FAN_RAD, HALF_FAN_RAD, BEAMS)


Walls = tuple[float, float, float, float]


def ray_to_outline(x: float, y: float, dx: float, dy: float, outline: Sequence[float]) -> float:
    """Metres along the ray from x, y in the unit direction dx, dy to the outline (a slab test in its own axes).

    `outline`: x, y, yaw, front, rear and half width. Infinite if the ray misses it, 0.0 from within.
    """
    ox, oy, o_yaw, front, rear, half = outline
    c, s = math.cos(o_yaw), math.sin(o_yaw)
    along, across = (x - ox) * c + (y - oy) * s, (y - oy) * c - (x - ox) * s
    d_along, d_across = dx * c + dy * s, dy * c - dx * s
    near, far = 0.0, math.inf
    for place, speed, low, high in ((along, d_along, rear, front), (across, d_across, -half, half)):
        if abs(speed) < 1e-12:
            if place < low or place > high:
                return math.inf
            continue
        first, last = (low - place) / speed, (high - place) / speed
        near, far = max(near, min(first, last)), min(far, max(first, last))
    return near if near <= far else math.inf


def ray_to_walls(x: float, y: float, dx: float, dy: float, walls: Walls) -> float:
    """Metres along the ray to the inside of the rectangle (x0, y0, x1, y1); infinite from outside it."""
    x0, y0, x1, y1 = walls
    if not (x0 <= x <= x1 and y0 <= y <= y1):
        return math.inf
    to_x = ((x1 if dx > 0.0 else x0) - x) / dx if abs(dx) > 1e-12 else math.inf
    to_y = ((y1 if dy > 0.0 else y0) - y) / dy if abs(dy) > 1e-12 else math.inf
    return min(to_x, to_y)


def scan(x: float, y: float, yaw: float, outlines: Array, walls: Walls | None) -> Array:
    """The ranges in metres of the 64 beams of a car at x, y, yaw, without noise; MAX_RANGE_M where nothing is.

    `outlines` (n, 6): x, y, yaw, front, rear and half width of all that stands around, the car itself left out;
    `walls`: the rectangle x0, y0, x1, y1 around the field, or None.
    """
    ox, oy = x + FORWARD_M * math.cos(yaw), y + FORWARD_M * math.sin(yaw)
    ranges = np.full(BEAMS, MAX_RANGE_M)
    for n, angle in enumerate(beam_angles() + yaw):
        dx, dy = math.cos(angle), math.sin(angle)
        if walls is not None:
            ranges[n] = min(ranges[n], ray_to_walls(ox, oy, dx, dy, walls))
        for each in outlines.tolist():
            ranges[n] = min(ranges[n], ray_to_outline(ox, oy, dx, dy, each))
    return np.asarray(np.maximum(ranges, MIN_RANGE_M))


def with_noise(ranges: Array, noise: np.random.Generator) -> Array:
    """The ranges as the sensor measures them; a beam that meets nothing stays at MAX_RANGE_M."""
    noisy = np.clip(ranges + noise.normal(0.0, NOISE_M, ranges.shape), MIN_RANGE_M, MAX_RANGE_M)
    return np.where(ranges >= MAX_RANGE_M, MAX_RANGE_M, noisy)


def lidar_input(ranges: Array) -> NDArray[np.float32]:
    """`LIDAR` for a network: the ranges, cut at 1 m, shape (64,)."""
    return np.clip(ranges, MIN_RANGE_M, OBSERVED_RANGE_M).astype(np.float32)


def sector_input(ranges: Array, sectors: int = SECTORS) -> NDArray[np.float32]:
    """`SECTOR_LIDAR` for a network, shape (sectors,): 1.0 for a sector with something nearer than 0.5 m, else 0.0."""
    return np.asarray(ranges.reshape(sectors, -1).min(axis=1) < SECTOR_RANGE_M, np.float32)


def discretized_input(
    ranges: Array, sectors: int, values: int, clipping_m: float = SECTOR_RANGE_M
) -> NDArray[np.float32]:
    """`DISCRETIZED_SECTOR_LIDAR` for a network, shape (sectors * values,), of zeros and ones.

    Of each sector it says in which of `values` equal steps up to `clipping_m` the nearest thing is; zeros beyond.
    """
    nearest = np.minimum(ranges.reshape(sectors, -1).min(axis=1), clipping_m)
    steps = np.floor(nearest / (clipping_m / values)).astype(int)
    one_hot = np.eye(values + 1, dtype=np.float32)[np.minimum(steps, values)]
    return np.asarray(one_hot[:, :values].reshape(-1))
