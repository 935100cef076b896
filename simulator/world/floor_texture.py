"""The floor from above: one picture of the track, from which the camera's frames are rendered.

Green field, grey road, white borders about 5 cm wide, dashed orange centre line; 1 cm per pixel. What varies between
venues (paint, light, carpet) is an Appearance, drawn from a seed.
"""

import random
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.geometry import Points, Track

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]  # blue, green, red

PIXELS_PER_M = 100
MARGIN_M = 2.0
_SHIFT = 4  # OpenCV draws with 1/16 pixel


@dataclass(frozen=True, slots=True)
class Appearance:
    """Paint and light of one floor; colours are BGR."""

    field: Colour = (60, 130, 60)
    road: Colour = (75, 75, 75)
    border: Colour = (235, 235, 235)
    centre: Colour = (40, 140, 240)
    sky: Colour = (190, 180, 170)
    border_width_m: float = 0.05
    centre_width_m: float = 0.035
    dash_m: float = 0.20
    gap_m: float = 0.20
    grain: float = 4.0  # standard deviation of the carpet's grain, grey levels
    blotches: float = 0.06  # relative unevenness of the light
    seed: int = 0


def draw_appearance(seed: int, spread: float = 1.0) -> Appearance:
    """Draw appearance number `seed`; `spread` 0 is the standard floor, 1 the usual differences, more is harsher."""
    rng = random.Random(f"appearance-{seed}")

    def shade(base: Colour, by: float) -> Colour:
        common = rng.uniform(-by, by) * spread
        mixed = [round(c + common + rng.uniform(-by, by) * 0.4 * spread) for c in base]
        return (_level(mixed[0]), _level(mixed[1]), _level(mixed[2]))

    standard = Appearance()
    return Appearance(
        field=shade(standard.field, 45),
        road=shade(standard.road, 30),
        border=shade(standard.border, 22),
        centre=shade(standard.centre, 25),
        sky=shade(standard.sky, 60),
        border_width_m=0.05 + rng.uniform(-0.008, 0.008) * spread,
        centre_width_m=0.035 + rng.uniform(-0.008, 0.008) * spread,
        dash_m=0.20 + rng.uniform(-0.05, 0.05) * spread,
        gap_m=0.20 + rng.uniform(-0.05, 0.05) * spread,
        grain=rng.uniform(1.0, 7.0),
        blotches=rng.uniform(0.0, 0.14) * spread,
        seed=seed,
    )


def _level(value: int) -> int:
    return max(0, min(255, value))


@dataclass(frozen=True, eq=False)
class FloorTexture:
    """The floor picture (BGR or grey) and where its pixel (0, 0) lies; row 0 is the smallest y."""

    image: Image
    origin_x_m: float
    origin_y_m: float

    def grey(self) -> "FloorTexture":
        """The same floor in grey, as the car's camera delivers it."""
        return FloorTexture(cast(Image, cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY)), self.origin_x_m, self.origin_y_m)

    def to_pixels(self, points: Points) -> Points:
        """Metres (N, 2) to pixel coordinates (N, 2)."""
        return np.asarray((points - np.array([self.origin_x_m, self.origin_y_m])) * PIXELS_PER_M)


def draw_texture(track: Track, appearance: Appearance) -> FloorTexture:
    """Draw the floor in colour."""
    points = np.vstack([track.left, track.right])
    low, high = points.min(axis=0) - MARGIN_M, points.max(axis=0) + MARGIN_M
    width, height = (int(v) for v in np.ceil((high - low) * PIXELS_PER_M))
    image = np.full((height, width, 3), appearance.field, np.uint8)
    texture = FloorTexture(image, float(low[0]), float(low[1]))
    _paint_road(texture, track, appearance.road)
    _paint_borders(texture, track, appearance)
    _paint_dashes(texture, track, appearance)
    _add_light_and_grain(image, appearance)
    return texture


def _fixed(pixels: Points) -> NDArray[np.int32]:
    return np.round(pixels * (1 << _SHIFT)).astype(np.int32)


def _paint_road(texture: FloorTexture, track: Track, colour: Colour) -> None:
    left, right = _fixed(texture.to_pixels(track.left)), _fixed(texture.to_pixels(track.right))
    for i in range(len(left)):
        j = (i + 1) % len(left)
        for corners in ([left[i], left[j], right[i]], [right[i], left[j], right[j]]):
            cv2.fillConvexPoly(texture.image, np.array(corners), colour, cv2.LINE_AA, _SHIFT)


def _paint_borders(texture: FloorTexture, track: Track, appearance: Appearance) -> None:
    thickness = max(1, round(appearance.border_width_m * PIXELS_PER_M))
    for edge in (track.left, track.right):
        line = _fixed(texture.to_pixels(edge))
        cv2.polylines(texture.image, [line], True, appearance.border, thickness, cv2.LINE_AA, _SHIFT)


def _paint_dashes(texture: FloorTexture, track: Track, appearance: Appearance) -> None:
    thickness = max(1, round(appearance.centre_width_m * PIXELS_PER_M))
    period = appearance.dash_m + appearance.gap_m
    starts = np.arange(0.0, track.length_m - appearance.dash_m, period)
    for start in starts:
        poses = [track.pose_at(float(start + d)) for d in np.linspace(0.0, appearance.dash_m, 5)]
        line = _fixed(texture.to_pixels(np.array([(p.x, p.y) for p in poses])))
        cv2.polylines(texture.image, [line], False, appearance.centre, thickness, cv2.LINE_AA, _SHIFT)


def _add_light_and_grain(image: Image, appearance: Appearance) -> None:
    """Uneven light (a few metres wide) and carpet grain (one pixel), in place, row block by row block."""
    rng = np.random.default_rng(appearance.seed)
    height, width = image.shape[:2]
    coarse = rng.normal(1.0, appearance.blotches, (max(2, height // 150), max(2, width // 150))).astype(np.float32)
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    tile = rng.normal(0.0, appearance.grain, (256, width)).astype(np.float32)
    for top in range(0, height, 256):
        block = image[top : top + 256]
        rows = len(block)
        mixed = block * light[top : top + rows, :, None] + tile[:rows, :, None]
        np.clip(mixed, 0, 255, out=mixed)
        block[:] = mixed.astype(np.uint8)
