"""The floors and boards of all worlds in two flat arrays of bytes, each picture with its smaller ones.

A floor is shared by all worlds on the same track with the same geometry of paint; it is drawn once in a process.
"""

from collections.abc import Hashable, Iterable, Set
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.batch.compiled import call
from simulator.batch.drawing.materials import encode, weights_from
from simulator.batch.drawing.texture_lines import GRAIN_SIDE, QUARTERS, STRIP_BITS
from simulator.world.floor_masks import FloorGeometry, Image, draw_masks
from simulator.world.floor_texture import GRAIN_PX, grain_tile
from simulator.world.geometry import Track

LEVELS = 5  # each level has half the resolution of the one before: 1 to 16 cm a texel

# Where a picture lies: each level in the flat array, the size of level 0, the middle of its first texel.
PICTURE = np.dtype(
    [
        ("first", np.int64, (LEVELS,)),
        ("width", np.int64),
        ("height", np.int64),
        ("levels", np.int64),
        ("origin_x_m", np.float64),
        ("origin_y_m", np.float64),
    ]
)

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture of bytes with its smaller ones, largest first; each has half the sides of the one before."""

    levels: tuple[Bytes, ...]
    in_strips: bool = False  # floors are, boards are not
    drawn_shape: tuple[int, int] = (0, 0)  # of level 0, without padding
    origin_x_m: float = 0.0
    origin_y_m: float = 0.0

    @property
    def size_bytes(self) -> int:
        """All levels together."""
        return sum(level.size for level in self.levels)

    @cached_property
    def flat(self) -> Bytes:
        """All levels, one after the other; those of a floor are in strips."""
        return np.concatenate(list(map(_in_strips if self.in_strips else np.ravel, self.levels)))


@lru_cache(maxsize=96)
def floor_picture(track: Track, geometry: FloorGeometry) -> Picture:
    """The floor in codes (see `materials`), its sides padded with field, so that all levels have whole strips."""
    masks = draw_masks(track, geometry)
    step = 1 << (LEVELS - 1 + STRIP_BITS)
    height, width = (-(-side // step) * step for side in masks.road.shape)
    weights = weights_from(masks, height, width)
    levels = []
    for level in range(LEVELS):
        codes = np.empty((height >> level, width >> level), np.uint8)
        call(encode, weights, codes)
        levels.append(codes)
        if level < LEVELS - 1:
            weights = np.stack([_halved(plane) for plane in weights])
    return Picture(tuple(levels), True, masks.road.shape, masks.origin_x_m, masks.origin_y_m)


def _halved(picture: Any) -> Any:
    return cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _in_strips(codes: Bytes) -> Bytes:
    """The texels strip by strip (`texture_lines.strip_place`); the 8 side by side move as one number."""
    assert np.dtype(np.uint64).itemsize == 1 << STRIP_BITS
    return np.ascontiguousarray(codes.view(np.uint64).T).view(np.uint8).ravel()


def board_picture(image: Image) -> Picture:
    """A board's grey picture with its smaller ones."""
    step = 1 << (LEVELS - 1)
    height, width = (max(1, round(side / step)) * step for side in image.shape[:2])
    level = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))
    levels = [level]
    for _ in range(LEVELS - 1):
        levels.append(_halved(levels[-1]))
    return Picture(tuple(levels))


def _most_held(wanted: int) -> int:
    """How many pictures an atlas may hold if as many are wanted."""
    return 2 * wanted + 8


class Atlas:
    """Pictures by key in one flat array `texels`, whose places are in `pictures`, an array of PICTURE."""

    def __init__(self) -> None:
        self.texels: Bytes = np.zeros(0, np.uint8)
        self.pictures: NDArray[Any] = np.zeros(0, PICTURE)
        self._numbers: dict[Hashable, int] = {}
        self._held: list[Picture] = []

    def hold(self, wanted: Iterable[tuple[Hashable, Picture]]) -> None:
        """Hold these pictures, and those before as long as they are not too many: what was seen will be seen again.

        Numbers of pictures change only if one was missing.
        """
        every = dict(wanted)
        if self.holds(every.keys()):
            return
        before = dict(zip(self._numbers, self._held, strict=True))
        if len(before.keys() | every.keys()) <= _most_held(len(every)):
            every = before | every
        self._numbers = {key: number for number, key in enumerate(every)}
        self._held = list(every.values())
        self.pictures = np.zeros(len(every), PICTURE)
        first = 0
        for row, picture in zip(self.pictures, self._held, strict=True):
            row["height"], row["width"] = picture.levels[0].shape
            row["origin_x_m"], row["origin_y_m"] = picture.origin_x_m, picture.origin_y_m
            row["levels"] = len(picture.levels)
            for level, texels in enumerate(picture.levels):
                row["first"][level] = first
                first += texels.size
        self.texels = np.concatenate([np.zeros(0, np.uint8), *(picture.flat for picture in self._held)])

    def holds(self, keys: Set[Hashable]) -> bool:
        """True if `hold` of these would change nothing."""
        return keys <= self._numbers.keys() and len(self._numbers) <= _most_held(len(keys))

    def number(self, key: Hashable) -> int:
        """Which of `pictures` is the one with this key."""
        return self._numbers[key]


@cache
def grain_pool() -> NDArray[np.int8]:
    """The grain of all floors on a grid of a quarter of their texels, straight between these; 32 is 1, (S * S,)."""
    tile = grain_tile()
    at = (np.arange(GRAIN_SIDE) + 0.5) / QUARTERS
    low = at.astype(int)
    share = (at - low).astype(np.float32)
    rows = tile[low % GRAIN_PX] * (1 - share)[:, None] + tile[(low + 1) % GRAIN_PX] * share[:, None]
    both = rows[:, low % GRAIN_PX] * (1 - share) + rows[:, (low + 1) % GRAIN_PX] * share
    return np.asarray(np.clip(np.rint(both * 32), -127, 127).astype(np.int8).ravel())
