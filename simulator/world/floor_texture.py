"""The floor from above: one picture of the track, from which the camera's frames are rendered; 1 cm a pixel.

The geometry comes from `floor_masks`; what varies between venues (paint, light, carpet) is an Appearance. `looks` has
those of known tracks and draws others.
"""

import dataclasses
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.floor_masks import PIXELS_PER_M, FloorGeometry, FloorMasks, Image, draw_masks
from simulator.world.geometry import Points, Track
from simulator.world.surroundings import Colour, SurroundingsStyle, grey_level

_BLOCK_ROWS = 256
_LIGHT_PX = 150  # the light varies over 1.5 m


@dataclass(frozen=True, slots=True)
class Appearance:
    """Paint and light of one floor, and what surrounds it; colours are BGR."""

    field: Colour = (109, 143, 99)
    road: Colour = (68, 52, 38)
    line: Colour = (202, 206, 207)
    dash: Colour = (4, 128, 213)
    start_line: Colour = (202, 206, 207)
    grain: float = 2.0  # standard deviation of the road's grain, grey levels
    field_grain: float = 1.0
    blotches: float = 0.0  # relative unevenness of the light
    seed: int = 0
    geometry: FloorGeometry = dataclasses.field(default_factory=FloorGeometry)
    surroundings: SurroundingsStyle = dataclasses.field(default_factory=SurroundingsStyle)


@dataclass(frozen=True, eq=False)
class FloorTexture:
    """The floor picture (BGR or grey) and where its pixel (0, 0) lies; row 0 is the smallest y.

    `surround` is the colour of the floor beyond the picture; None: the picture's mean.
    """

    image: Image
    origin_x_m: float
    origin_y_m: float
    surround: Colour | None = None

    def grey(self) -> "FloorTexture":
        """The same floor in grey, as the car's camera delivers it."""
        image = cast(Image, cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY))
        return FloorTexture(image, self.origin_x_m, self.origin_y_m, self.surround)

    def beyond(self) -> tuple[float, ...]:
        """The level, or the three of a coloured floor, beyond the picture."""
        if self.surround is None:
            return tuple(cv2.mean(self.image[::64, ::64]))[: 1 if self.image.ndim == 2 else 3]
        return (grey_level(self.surround),) if self.image.ndim == 2 else self.surround

    def to_pixels(self, points: Points) -> Points:
        """Metres (N, 2) to pixel coordinates (N, 2)."""
        return np.asarray((points - np.array([self.origin_x_m, self.origin_y_m])) * PIXELS_PER_M)


def draw_texture(track: Track, appearance: Appearance) -> FloorTexture:
    """Draw the floor in colour."""
    return paint(draw_masks(track, appearance.geometry), appearance)


def paint(masks: FloorMasks, appearance: Appearance) -> FloorTexture:
    """Lay the colours over the field in the order of the masks; then light and grain."""
    image = np.full((*masks.road.shape, 3), appearance.field, np.uint8)
    layers = (
        (masks.road, appearance.road),
        (masks.lines, appearance.line),
        (masks.dashes, appearance.dash),
        (masks.start_line, appearance.start_line),
    )
    for mask, colour in layers:
        _lay_over(image, mask, colour)
    _add_light_and_grain(image, masks.road, appearance)
    return FloorTexture(image, masks.origin_x_m, masks.origin_y_m, appearance.field)


def _lay_over(image: Image, mask: Image, colour: Colour) -> None:
    rows, columns = np.nonzero(mask)
    share = mask[rows, columns, None].astype(np.float32) / 255
    mixed = image[rows, columns] * (1 - share) + np.array(colour, np.float32) * share
    image[rows, columns] = (mixed + 0.5).astype(np.uint8)


def _add_light_and_grain(image: Image, road: Image, appearance: Appearance) -> None:
    """Uneven light (a few metres wide) and carpet grain (one pixel), in place, row block by row block."""
    rng = np.random.default_rng(appearance.seed)
    height, width = image.shape[:2]
    coarse = _draw_light(rng, appearance, (height, width))
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    tile = rng.standard_normal((_BLOCK_ROWS, width), np.float32)
    for top in range(0, height, _BLOCK_ROWS):
        block = image[top : top + _BLOCK_ROWS]
        rows = len(block)
        strength = np.where(road[top : top + rows], appearance.grain, appearance.field_grain).astype(np.float32)
        mixed = block * light[top : top + rows, :, None] + (tile[:rows] * strength)[:, :, None] + 0.5
        np.clip(mixed, 0, 255, out=mixed)
        block[:] = mixed.astype(np.uint8)


def coarse_light(appearance: Appearance, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The light on a floor of this shape (height, width) in pixels, as factors about 1.5 m apart."""
    return _draw_light(np.random.default_rng(appearance.seed), appearance, shape)


def _draw_light(rng: np.random.Generator, appearance: Appearance, shape: tuple[int, int]) -> NDArray[np.float32]:
    coarse_shape = (max(2, shape[0] // _LIGHT_PX), max(2, shape[1] // _LIGHT_PX))
    return rng.normal(1.0, appearance.blotches, coarse_shape).astype(np.float32)
