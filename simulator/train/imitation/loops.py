"""Random closed roads for training, so that the model learns roads in general and not certain tracks."""

import math
import random

import numpy as np
from numpy.typing import NDArray

from simulator.world.geometry import Track

Array = NDArray[np.float64]

STEP_M = 0.12
TIGHTEST_M = 0.50  # radius of the centre line
GAP_M = 0.35  # field between two stretches of the same road
TRIES = 1500


def random_track(seed: int) -> Track:
    """Road number `seed`: 12 to 60 m round, 0.6 to 1.4 m wide, bends from 0.5 m radius, either way round."""
    rng = random.Random(f"loop-{seed}")
    bendy_rad = rng.uniform(0.0, 9.0)  # total turning beyond one full circle
    for _ in range(TRIES):
        bendy_rad *= 0.993
        width = rng.choice((rng.uniform(0.6, 0.8), rng.uniform(0.6, 1.4), rng.uniform(1.0, 1.12)))
        centre = _resampled(_rounded(_corners(rng), rng.uniform(0.2, 0.6)))
        if _turn_rad(centre) > math.tau + bendy_rad and _drivable(centre, width):
            track = _with_edges(f"random{seed}", centre, _widths(rng, len(centre), width))
            return track.reversed() if rng.random() < 0.5 else track
    raise AssertionError(f"no drivable road in {TRIES} tries for seed {seed}")


def _corners(rng: random.Random) -> Array:
    """Corners of a polygon around the origin, some pulled far in, so that the road bends both ways."""
    count = rng.randint(4, 14)
    size = rng.uniform(2.0, 3.2) * count / 6
    angles = [(i + rng.uniform(-0.35, 0.35)) * math.tau / count for i in range(count)]
    radii = [size * rng.uniform(0.35, 1.35) for _ in range(count)]
    stretch = rng.uniform(0.7, 1.6)
    return np.array([(r * math.cos(a) * stretch, r * math.sin(a)) for r, a in zip(radii, angles, strict=True)])


def _rounded(corners: Array, softness_m: float) -> Array:
    """The polygon with rounded corners, smoothed along its length."""
    line = _resampled(corners)
    reach = max(2, round(2.5 * softness_m / STEP_M))
    shifts = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (shifts * STEP_M / softness_m) ** 2)
    total = sum((w * np.roll(line, int(s), axis=0) for s, w in zip(shifts, weights, strict=True)), np.zeros_like(line))
    return np.asarray(total / weights.sum())


def _resampled(points: Array) -> Array:
    """The closed line with points STEP_M apart."""
    closed = np.vstack([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    count = max(8, round(along[-1] / STEP_M))
    at = np.arange(count) * along[-1] / count
    return np.stack([np.interp(at, along, closed[:, 0]), np.interp(at, along, closed[:, 1])], axis=1)


def _heading_changes(centre: Array) -> Array:
    """The absolute change of heading at each point (over two steps), radians."""
    ahead = np.roll(centre, -2, axis=0) - centre
    heading = np.arctan2(ahead[:, 1], ahead[:, 0])
    return np.asarray(np.abs((np.roll(heading, -2) - heading + np.pi) % math.tau - np.pi))


def _turn_rad(centre: Array) -> float:
    """The total turning of the road in radians; a circle has one full turn."""
    return float(_heading_changes(centre).sum()) / 2


def _drivable(centre: Array, width: float) -> bool:
    """True if the road is long enough, nowhere too tight, and no stretch is too near another."""
    if not 12.0 <= len(centre) * STEP_M <= 60.0:
        return False
    if float(_heading_changes(centre).max()) / (2 * STEP_M) > 1.0 / max(TIGHTEST_M, width / 2 + 0.08):
        return False
    distance = np.linalg.norm(centre[:, None] - centre[None], axis=2)
    apart = np.abs(np.arange(len(centre))[:, None] - np.arange(len(centre))[None])
    apart = np.minimum(apart, len(centre) - apart) * STEP_M
    return not bool(((distance < width + GAP_M) & (apart > 2.2 * (width + GAP_M))).any())


def _widths(rng: random.Random, count: int, width: float) -> Array:
    """The width at each point: mostly constant; on one road in three it varies by up to a quarter."""
    if rng.random() > 0.33:
        return np.full(count, width)
    phase = np.arange(count) * math.tau / count
    waves = sum(
        (rng.uniform(-1, 1) * np.sin(n * phase + rng.uniform(0, math.tau)) for n in range(1, 5)), np.zeros(count)
    )
    return np.clip(width * (1.0 + 0.12 * waves), 0.6, None)


def _with_edges(name: str, centre: Array, widths: Array) -> Track:
    ahead = np.roll(centre, -1, axis=0) - np.roll(centre, 1, axis=0)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1)[:, None]
    aside = normal * (widths / 2)[:, None]
    return Track(name, centre, centre + aside, centre - aside)
