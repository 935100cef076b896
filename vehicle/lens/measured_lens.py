"""The result of a measurement: the lens, how sure it is, and what is left unexplained. Made by both ways to measure."""

import math
from dataclasses import dataclass

import numpy as np

from vehicle.lapwatch.lens import Lens
from vehicle.lens.bundle import BundleFit, Floats
from vehicle.lens.lens_candidates import NAMES, LensCandidate

PIXEL_SIGMA = 0.3  # how well a corner of a board is found; the scatter that is seen corrects it


# A corner of a black square is found a little inside of where it is, since the white around it bleeds into it: how
# many pixels along both sides, and how much that varies with sharpness and light. Each measurement fits it, too.
INSET_PX, INSET_SIGMA_PX = 0.13, 0.1


def inset(corners: Floats, by_px: float) -> Floats:
    """Corners (..., 4, 2) of squares, in pixels, moved inwards along both of their sides."""
    after, before = np.roll(corners, -1, axis=-2) - corners, np.roll(corners, 1, axis=-2) - corners
    return np.asarray(corners + by_px * (_unit(after) + _unit(before)))


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


@dataclass(frozen=True, slots=True)
class CornerMiss:
    """A corner at (x_px, y_px), and by how much the lens puts it elsewhere; pixels."""

    x_px: float
    y_px: float
    right_px: float
    down_px: float


@dataclass(frozen=True, slots=True)
class MeasuredLens:
    """A lens at the size of the pictures that it was measured in.

    `sigmas` are of the fitted ones of NAMES (one standard deviation; focal length and centre in pixels), the others
    were not to be told from 0. `pitch_rad`: how far down the camera points, if the boards stood upright; None: unknown.
    """

    lens: Lens
    width_px: int
    height_px: int
    sigmas: dict[str, float]
    views: int
    corners: tuple[CornerMiss, ...]
    pitch_rad: float | None = None

    @property
    def scatter_px(self) -> float:
        """Root mean square of the corners' misses in either direction, pixels."""
        squares = [one.right_px**2 + one.down_px**2 for one in self.corners]
        return math.sqrt(sum(squares) / (2 * len(squares))) if squares else 0.0

    @property
    def distance_share(self) -> float:
        """By how much distances may be wrong because of the focal length (one standard deviation), as a share."""
        return self.sigmas[NAMES[0]] / self.lens.focal_px

    @property
    def fov_rad(self) -> float:
        """The angle across the width of the picture."""
        row = self.lens.centre_px[1]
        left, right = self.lens.rays(np.array([[-0.5, row], [self.width_px - 0.5, row]]))
        return float(np.arccos(np.clip(left @ right, -1.0, 1.0)))

    @property
    def reach_share(self) -> float:
        """How far out corners were seen, as a share of half of the picture's width."""
        middle = self.lens.centre_px
        far = max((math.hypot(one.x_px - middle[0], one.y_px - middle[1]) for one in self.corners), default=0.0)
        return far / (self.width_px / 2)


def measured(
    candidate: LensCandidate,
    fit: BundleFit,
    corners: tuple[CornerMiss, ...],
    views: int,
    height_px: int,
    pitch_rad: float | None,
) -> MeasuredLens:
    """The fit of a candidate as a result."""
    lens = candidate.lens(fit.shared)
    spread = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
    sigmas = {NAMES[n]: float(spread[place]) for place, n in enumerate(candidate.free)}
    sigmas[NAMES[0]] *= lens.focal_px  # its logarithm was fitted
    return MeasuredLens(lens, candidate.width_px, height_px, sigmas, views, corners, pitch_rad)


def corner_misses(points: Floats, missed_px: Floats) -> tuple[CornerMiss, ...]:
    """The misses (..., 2) of corners at `points` (..., 2), without those that were not seen."""
    pairs = zip(points.reshape(-1, 2).tolist(), missed_px.reshape(-1, 2).tolist(), strict=True)
    return tuple(CornerMiss(x, y, right, down) for (x, y), (right, down) in pairs if math.isfinite(right + down))
