"""The camera's lens, pure: which ray a point of the picture saw, and back. Pinhole, or fisheye with k1 to k4.

The fisheye model is that of Kannala and Brandt (IEEE TPAMI 28(8), 2006) as OpenCV's `cv2.fisheye` has it: a ray at the
angle t from the axis falls r = focal_px * (t + k1 t^3 + k2 t^5 + k3 t^7 + k4 t^9) pixels from the centre. Points are
undistorted, never pictures: a frame has a few corners of boards, but 76,800 pixels.
Called by: marker_finder.py, stripe_finder.py, `vehicle/lens/`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vehicle.lapwatch.lens_options import KNOWN_LENSES, LensOptions

Floats = NDArray[np.float64]
Distortion = tuple[float, float, float, float]

_NEWTON_STEPS = 4
_WIDEST_RAD = math.pi / 2 + 0.35  # no lens of a car's camera sees farther than 110 degrees from its axis
_SAMPLES = 400


@dataclass(frozen=True)
class Lens:
    """A lens and a picture size: focal length and centre in pixels; pixel (0, 0) has its middle at 0."""

    focal_px: float
    centre_px: tuple[float, float]
    k: Distortion | None = None  # None: a pinhole

    def pixels(self, rays: Floats) -> Floats:
        """Where rays (N, 3), right, down and ahead along the axis, of any length, fall: pixels (N, 2).

        NaN for a ray that no point of this lens's picture sees.
        """
        right, down, ahead = np.moveaxis(np.asarray(rays, np.float64), -1, 0)
        off_axis = np.hypot(right, down)
        angle = np.arctan2(off_axis, ahead)
        if self.k is None:
            radius = np.where(ahead > 0, off_axis / np.where(ahead > 0, ahead, 1.0), np.nan)
        else:
            radius = np.where(angle <= self.widest_rad, _distorted(angle, self.k), np.nan)
        scale = self.focal_px * np.where(off_axis > 0, radius / np.where(off_axis > 0, off_axis, 1.0), 0.0)
        return np.stack([right * scale + self.centre_px[0], down * scale + self.centre_px[1]], axis=-1)

    def rays(self, points: Floats) -> Floats:
        """The rays (N, 3) of unit length, right, down and ahead, that points (N, 2) of the picture saw.

        NaN for a point that no ray reaches.
        """
        across = (np.asarray(points, np.float64) - self.centre_px) / self.focal_px
        radius = np.hypot(across[..., 0], across[..., 1])
        angle = np.arctan(radius) if self.k is None else self._angle(radius)
        sideways = np.sin(angle) / np.where(radius > 0, radius, 1.0)
        return np.stack([across[..., 0] * sideways, across[..., 1] * sideways, np.cos(angle)], axis=-1)

    @cached_property
    def widest_rad(self) -> float:
        """The largest angle from the axis up to which a larger angle falls farther out."""
        if self.k is None:
            return math.pi / 2
        angles = np.linspace(0.0, _WIDEST_RAD, _SAMPLES)
        falling = np.flatnonzero(_slope(angles, self.k) <= 0)
        return float(angles[falling[0] - 1]) if len(falling) else _WIDEST_RAD

    @cached_property
    def _table(self) -> tuple[Floats, Floats]:
        """Angles up to the widest, and how far out each falls for a focal length of 1."""
        assert self.k is not None
        angles = np.linspace(0.0, self.widest_rad, _SAMPLES)
        return angles, _distorted(angles, self.k)

    def _angle(self, radius: Floats) -> Floats:
        """The angle that falls so far out: by the table, then by Newton's method between its neighbours; NaN beyond."""
        assert self.k is not None
        angles, radii = self._table
        guess = np.interp(radius, radii, angles)
        spacing = float(angles[1])
        angle = guess
        for _ in range(_NEWTON_STEPS):
            step = (_distorted(angle, self.k) - radius) / np.maximum(_slope(angle, self.k), 1e-6)
            angle = np.clip(angle - step, guess - spacing, guess + spacing)
        return np.where(radius <= radii[-1], angle, np.nan)


def lens_of(options: LensOptions, fov_rad: float, shape: Sequence[int]) -> Lens:
    """The lens for pictures of this shape (height, width): measured, else known by name, else a pinhole of `fov_rad`.

    A picture of other proportions than the measured one counts as one that is cut above and below: cameras give 16:9
    of a 4:3 sensor so.
    """
    height, width = shape[0], shape[1]
    middle = ((width - 1) / 2, (height - 1) / 2)
    if options.known:
        known = KNOWN_LENSES[options.known]
        half = width / 2 if known.is_horizontal else math.hypot(width, width * 3 / 4) / 2
        if known.is_fisheye:
            return Lens(half / (known.fov_rad / 2), middle, (0.0, 0.0, 0.0, 0.0))
        return Lens(half / math.tan(known.fov_rad / 2), middle)
    if not options.is_measured:
        return Lens(width / 2 / math.tan(fov_rad / 2), middle)
    scale = width / options.width_px
    centre = (
        (options.centre_x_px + 0.5) * scale - 0.5,
        (options.centre_y_px + 0.5 - options.height_px / 2) * scale + height / 2 - 0.5,
    )
    return Lens(options.focal_px * scale, centre, options.k if options.model == "fisheye" else None)


def _distorted(angle: Floats, k: Distortion) -> Floats:
    square = angle * angle
    k1, k2, k3, k4 = k
    return angle * (1.0 + square * (k1 + square * (k2 + square * (k3 + square * k4))))


def _slope(angle: Floats, k: Distortion) -> Floats:
    square = angle * angle
    k1, k2, k3, k4 = k
    return 1.0 + square * (3 * k1 + square * (5 * k2 + square * (7 * k3 + square * 9 * k4)))
