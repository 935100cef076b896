"""Finds the stripe across the road in a grey frame: how far ahead its middle is, in metres. For tracks without boards.

Five columns of the picture are averaged to five profiles of the floor. A stripe across the road is a band of another
brightness in nearly all of them, as deep as the stripe, with the same road before and behind it, and its places lie on
one line that is nearly perpendicular to our heading. Dashes and borders appear in one column or two, or run along.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vehicle.hardware.frame import Pixels
from vehicle.lapwatch.lens import lens_of
from vehicle.lapwatch.lens_options import NO_LENS, LensOptions
from vehicle.lapwatch.markers import StripeOptions

_COLUMNS = 5
_FROM, _TO = 0.26, 0.74  # the part of the picture's width that is used
_MIN_COLUMNS = 4
_MIN_CONTRAST = 24.0  # grey levels between stripe and road
_MIN_ROWS = 2
_MIN_FLOOR_ROWS, _MIN_PICTURE_WIDTH = 8, 40  # less has no room for a stripe with road before and behind it
_MAX_SLANT = math.tan(math.radians(35))
_MAX_SCATTER_M = 0.06
_SAME_ROAD = 0.35  # the road before and behind the stripe differ by no more, as a share of the contrast
_STEEP = 0.05  # of a ray's length: what points down more steeply shows the car's own nose
_DEPTHS = (0.4, 2.5)  # of the stripe's own width: it is seen slanted, blurred and by rows


@dataclass(frozen=True, slots=True)
class Optics:
    """The camera's horizontal field of view or its lens, and how far down it points; radians."""

    fov_rad: float
    pitch_rad: float
    lens: LensOptions = NO_LENS


class StripeFinder:
    """Searches frames one by one; what depends on the frame's size is computed once."""

    def __init__(self, options: StripeOptions, optics: Optics) -> None:
        self._options, self._optics = options, optics
        self._shape: tuple[int, ...] = ()
        self._first_row = self._last_row = 0
        self._ahead_m: NDArray[np.float64] = np.zeros((0, 0))  # of each column and each row's upper edge
        self._left: NDArray[np.float64] = np.zeros((0, 0))  # for each metre ahead
        self._spans: list[tuple[int, int]] = []

    def find(self, pixels: Pixels) -> float | None:
        """Metres from the lens to the gate's line, along our heading; None if no stripe is seen. Grey (H, W)."""
        if pixels.shape != self._shape:
            self._prepare(pixels.shape)
        floor = pixels[self._first_row : self._last_row]
        if len(floor) < _MIN_FLOOR_ROWS or pixels.shape[1] < _MIN_PICTURE_WIDTH:
            return None
        places = []
        for column, (begin, end) in enumerate(self._spans):
            place = self._band(column, cv2.reduce(floor[:, begin:end], 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[:, 0])
            if place is not None:
                places.append(place)
        if len(places) < _MIN_COLUMNS:
            return None
        return self._line_m(np.array(places))

    def _line_m(self, places: NDArray[np.float64]) -> float | None:
        """Metres to the gate's line by places (left, ahead) of the stripe; None if they are on no such line."""
        across, ahead = places[:, 0], places[:, 1]
        slant, ahead_m = (float(value) for value in np.polyfit(across, ahead, 1))
        if abs(slant) > _MAX_SLANT or float(np.abs(ahead - ahead_m - slant * across).max()) > _MAX_SCATTER_M:
            return None
        return ahead_m * math.cos(math.atan(slant)) - self._options.after_line_m

    def _band(self, column: int, profile: NDArray[Any]) -> tuple[float, float] | None:
        """Where the middle of the stripe is by one column's profile, metres (left, ahead); None without a stripe."""
        if not self._options.is_light:
            profile = 255.0 - profile
        road = float(np.median(profile))
        top = int(profile.argmax())
        contrast = float(profile[top]) - road
        if contrast < _MIN_CONTRAST:
            return None
        above = profile > road + contrast / 2
        far, near = top, top  # rows go from far to near
        while far > 0 and above[far - 1]:
            far -= 1
        while near < len(profile) - 1 and above[near + 1]:
            near += 1
        if far < _MIN_ROWS or near > len(profile) - 1 - _MIN_ROWS or near - far + 1 < _MIN_ROWS:
            return None  # cut off by the picture's edge, or too far away to be distinguished from noise
        ahead_m = self._ahead_m[column]
        far_m, near_m = float(ahead_m[far]), float(ahead_m[near + 1])
        behind, before = float(profile[far - 2 : far].mean()), float(profile[near + 1 : near + 3].mean())
        depth = (far_m - near_m) / self._options.width_m
        if not _DEPTHS[0] <= depth <= _DEPTHS[1] or abs(behind - before) > _SAME_ROAD * contrast:
            return None
        middle_m = (far_m + near_m) / 2
        return float(self._left[column, (far + near + 1) // 2]) * middle_m, middle_m

    def _prepare(self, shape: tuple[int, ...]) -> None:
        """Find the rows that show the floor where a stripe can be recognised, and how far away each is."""
        height, width = shape
        lens = lens_of(self._optics.lens, self._optics.fov_rad, shape)
        bounds = np.linspace(_FROM * width, _TO * width, _COLUMNS + 1).round().astype(int)
        self._spans = [(int(a), int(b)) for a, b in itertools.pairwise(bounds)]
        middles = np.array([(a + b - 1) / 2 for a, b in self._spans])
        rows = np.arange(height + 1) - 0.5
        rays = lens.rays(np.stack(np.meshgrid(middles, rows, indexing="ij"), axis=-1))
        right, down, ahead = np.moveaxis(rays, -1, 0)
        cos, sin = math.cos(self._optics.pitch_rad), math.sin(self._optics.pitch_rad)
        level = ahead * cos - down * sin
        fall = np.where(level > _STEEP, (ahead * sin + down * cos) / level, 0.0)  # metres down for each metre ahead
        farthest_m = math.sqrt(lens.focal_px * self._options.camera_up_m * self._options.width_m / _MIN_ROWS) * 1.25
        shows_floor = (fall > self._options.camera_up_m / farthest_m).all(axis=0)
        floor_rows = np.flatnonzero(shows_floor)
        self._first_row = int(floor_rows[0]) if len(floor_rows) else height
        self._last_row = int(floor_rows[-1]) if len(floor_rows) else height
        floor = slice(self._first_row, self._last_row + 1)
        self._ahead_m = self._options.camera_up_m / fall[:, floor]
        self._left = -right[:, floor] / level[:, floor]
        self._shape = shape
