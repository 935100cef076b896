"""The floor from above: one picture of the track, from which the camera's frames are rendered; 1 cm a pixel.

The geometry comes from `floor_masks`; what varies between venues (paint, light, carpet) is an Appearance. `looks` has
those of known tracks and draws others.
"""

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.floor_masks import PIXELS_PER_M, FloorGeometry, FloorMasks, Image, draw_masks
from simulator.world.geometry import Points, Track
from simulator.world.surroundings import Colour, SurroundingsStyle, grey_level

GRAIN_PX = 128  # after as many pixels the grain repeats
_BLOCK_ROWS = 2 * GRAIN_PX
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


def draw_texture(track: Track, appearance: Appearance, *, grey: bool = False) -> FloorTexture:
    """Draw the floor, in colour or as a grey camera sees it."""
    return paint(draw_masks(track, appearance.geometry), appearance, grey=grey)


def paint(masks: FloorMasks, appearance: Appearance, *, grey: bool = False) -> FloorTexture:
    """Lay the colours over the field in the order of the masks; then light and grain."""

    def channels(colour: Colour) -> NDArray[np.float32]:
        return np.array([grey_level(colour)] if grey else colour, np.float32)

    field = channels(appearance.field)
    image = np.empty((*masks.road.shape, len(field)), np.uint8)
    image[:] = field
    np.copyto(image, channels(appearance.road).astype(np.uint8), where=(masks.road > 0)[:, :, None])
    for mask, colour in (
        (masks.lines, appearance.line),
        (masks.dashes, appearance.dash),
        (masks.start_line, appearance.start_line),
    ):
        _lay_over(image, mask, channels(colour))
    _add_light_and_grain(image, masks.road, appearance)
    return FloorTexture(image[:, :, 0] if grey else image, masks.origin_x_m, masks.origin_y_m, appearance.field)


def _lay_over(image: Image, mask: Image, colour: NDArray[np.float32]) -> None:
    pixels, covered = image.reshape(-1, image.shape[2]), np.flatnonzero(mask)
    share = mask.reshape(-1)[covered, None].astype(np.float32) / 255
    pixels[covered] = (pixels[covered] * (1 - share) + colour * share + 0.5).astype(np.uint8)


def _add_light_and_grain(image: Image, road: Image, appearance: Appearance) -> None:
    """Uneven light (a few metres wide) and carpet grain (one pixel), in place, row block by row block."""
    height, width = image.shape[:2]
    coarse = coarse_light(appearance, (height, width))
    light = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    tile = _grain_of(appearance.seed, _BLOCK_ROWS, width)
    for top in range(0, height, _BLOCK_ROWS):
        block = image[top : top + _BLOCK_ROWS]
        rows = len(block)
        strength = np.where(road[top : top + rows], np.float32(appearance.grain), np.float32(appearance.field_grain))
        grain = tile[:rows] * strength + np.float32(0.5)
        for channel in range(image.shape[2]):
            mixed = block[:, :, channel] * light[top : top + rows]
            mixed += grain
            np.clip(mixed, 0, 255, out=mixed)
            block[:, :, channel] = mixed


@cache
def grain_tile() -> NDArray[np.float32]:
    """The grain that all floors repeat: normal numbers, one a pixel of a square, (GRAIN_PX, GRAIN_PX)."""
    return np.random.default_rng(0x6A).standard_normal((GRAIN_PX, GRAIN_PX), np.float32)


def grain_shift(seed: int) -> tuple[int, int]:
    """From which column and row of the tile the grain of floor `seed` begins."""
    return seed * 37 % GRAIN_PX, seed * 101 % GRAIN_PX


def _grain_of(seed: int, height: int, width: int) -> NDArray[np.float32]:
    column, row = grain_shift(seed)
    rows, columns = (np.arange(height) + row) % GRAIN_PX, (np.arange(width) + column) % GRAIN_PX
    return grain_tile()[np.ix_(rows, columns)]


def coarse_light(appearance: Appearance, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The light on a floor of this shape (height, width) in pixels, as factors about 1.5 m apart."""
    rng = np.random.default_rng(appearance.seed)
    coarse_shape = (max(2, shape[0] // _LIGHT_PX), max(2, shape[1] // _LIGHT_PX))
    return rng.normal(1.0, appearance.blotches, coarse_shape).astype(np.float32)
