"""One line of a floor's texture onto part of a row of the picture, compiled: these loops take most of a frame's time.

Columns are unsigned here: an index that may be negative costs a question for each pixel.
"""

from typing import Any

import numpy as np

from simulator.batch.compiled import compiled_part
from simulator.world.floor_texture import GRAIN_PX

BLOCK_BITS = 3  # a block has 8 x 8 texels of its level
MIXED = 255  # the code of a block of several kinds
QUARTERS = 4  # the grain's pool has 4 x 4 places a texel of the floor
GRAIN_SIDE = GRAIN_PX * QUARTERS
_BITS = 16  # behind the point of places on the texture
_ONE = 1 << _BITS
_GRAIN_BITS = _BITS - 2  # those of a quarter of a texel
_SHINE_STEP = 48
_ON_ROAD = 0  # a code of paint on the road (see `materials`)


@compiled_part
def set_level(plane: Any, row: Any, first: Any, last: Any, level: Any) -> Any:
    """Give the columns [first, last) of a row one level."""
    r = np.uintp(row)
    for u in range(np.uintp(first), np.uintp(last)):
        plane[r, u] = level


@compiled_part
def set_row(plane: Any, row: Any, level: Any) -> Any:
    """Give all columns of a row one level."""
    r = np.uintp(row)
    for u in range(np.uintp(plane.shape[1])):
        plane[r, u] = level


@compiled_part
def add_level(plane: Any, row: Any, first: Any, last: Any, level: Any) -> Any:
    """Add one level to the columns [first, last) of a row."""
    r = np.uintp(row)
    for u in range(np.uintp(first), np.uintp(last)):
        plane[r, u] += level


@compiled_part
def set_between(plane: Any, above: Any, below: Any) -> Any:
    """Let the rows between two rows go straight from the one to the other."""
    a, b, one = np.uintp(above), np.uintp(below), np.uintp(1)
    for r in range(a + one, b):
        share = np.float32(np.float64(r - a) / np.float64(b - a))
        for u in range(np.uintp(plane.shape[1])):
            plane[r, u] = plane[a, u] + (plane[b, u] - plane[a, u]) * share


@compiled_part
def tile_place(i: Any, j: Any, tiles: Any) -> Any:
    """Where texel (i, j) lies: a block's 64 texels lie together, so that a slanting line stays in the same memory."""
    side = 1 << BLOCK_BITS
    block = (j >> BLOCK_BITS) * tiles + (i >> BLOCK_BITS)
    return (block << (2 * BLOCK_BITS)) | ((j & (side - 1)) << BLOCK_BITS) | (i & (side - 1))


@compiled_part
def fixed_way(start: Any, step: Any) -> Any:
    """(x, y, dx, dy) of a start and a step in texels, as whole numbers with _BITS bits behind the point."""
    return np.int64(start[0] * _ONE), np.int64(start[1] * _ONE), np.int64(step[0] * _ONE), np.int64(step[1] * _ONE)


@compiled_part
def place_texels(places: Any, count: Any, way: Any, tiles: Any) -> Any:
    """Fill `places` (int32) with where the texels of `count` columns lie.

    As this loop reads nothing, the processor does several columns at once.
    """
    x, y, dx, dy = way
    for k in range(np.uintp(count)):
        places[k] = tile_place(x >> _BITS, y >> _BITS, tiles)
        x += dx
        y += dy


@compiled_part
def place_grain(places: Any, count: Any, way: Any, shift: Any) -> Any:
    """Fill `places` (int32) with where the grain of `count` columns lies in its pool."""
    x, y, dx, dy = way
    x, y, mask = x + shift[0] * _ONE, y + shift[1] * _ONE, GRAIN_SIDE - 1
    for k in range(np.uintp(count)):
        places[k] = ((y >> _GRAIN_BITS) & mask) * GRAIN_SIDE + ((x >> _GRAIN_BITS) & mask)
        x += dx
        y += dy


@compiled_part
def add_texels(
    plane: Any, row: Any, first: Any, count: Any, places: Any, base: Any, palette: Any, floor: Any, share: Any
) -> Any:
    """Add the texels at `places` to `count` columns."""
    r, begin, base = np.uintp(row), np.uintp(first), np.uintp(base)
    for k in range(np.uintp(count)):
        plane[r, begin + k] += palette[floor[base + np.uintp(places[k])]] * share


@compiled_part
def add_specks(
    plane: Any, row: Any, first: Any, count: Any, spare: Any, base: Any, paint: Any, floor: Any, share: Any
) -> Any:
    """Add the grain to `count` columns, as strong as on their texels; `spare` is (_, places of texels, of grain)."""
    r, begin, base = np.uintp(row), np.uintp(first), np.uintp(base)
    _, strength, grain, _ = paint
    _, places, specks = spare
    share *= np.float32(1.0 / 32.0)
    for k in range(np.uintp(count)):
        level = strength[floor[base + np.uintp(places[k])]] * share
        plane[r, begin + k] += level * np.float32(grain[np.uintp(specks[k])])


@compiled_part
def take_between(levels: Any, count: Any, way: Any, where: Any, paint: Any, floor: Any) -> Any:
    """Fill `levels` with what lies between the texels at `count` places of a way, and its grain.

    `where` is (place of the level, how many blocks it is wide, place of its blocks). Most of a floor is of one kind for
    centimetres on end: the block tells.
    """
    x, y, dx, dy = way
    base, tiles, block_base = where
    palette, strength, grain, shift = paint
    shift_x, shift_y, mask = shift[0] * _ONE, shift[1] * _ONE, GRAIN_SIDE - 1
    bits, scale = _BITS + BLOCK_BITS, np.float32(1.0 / 32.0)
    for k in range(np.uintp(count)):
        code = floor[np.uintp(block_base + (y >> bits) * tiles + (x >> bits))]
        if code != MIXED:
            level, rough = palette[code], strength[code]
        else:
            level, rough = _between(x, y, base, tiles, palette, floor), strength[_ON_ROAD]
        speck = (((y + shift_y) >> _GRAIN_BITS) & mask) * GRAIN_SIDE + (((x + shift_x) >> _GRAIN_BITS) & mask)
        levels[k] = level + rough * scale * np.float32(grain[np.uintp(speck)])
        x += dx
        y += dy


@compiled_part
def _between(x: Any, y: Any, base: Any, tiles: Any, palette: Any, floor: Any) -> Any:
    i, j, scale = x >> _BITS, y >> _BITS, np.float32(1.0 / _ONE)
    a = palette[floor[np.uintp(base + tile_place(i, j, tiles))]]
    b = palette[floor[np.uintp(base + tile_place(i + 1, j, tiles))]]
    c = palette[floor[np.uintp(base + tile_place(i, j + 1, tiles))]]
    d = palette[floor[np.uintp(base + tile_place(i + 1, j + 1, tiles))]]
    fx, fy = np.float32(np.int32(x & (_ONE - 1))) * scale, np.float32(np.int32(y & (_ONE - 1))) * scale
    above, below = a + (b - a) * fx, c + (d - c) * fx
    return above + (below - above) * fy


@compiled_part
def put_levels(plane: Any, row: Any, first: Any, count: Any, levels: Any) -> Any:
    """Give `count` columns these levels."""
    r, begin = np.uintp(row), np.uintp(first)
    for k in range(np.uintp(count)):
        plane[r, begin + k] = levels[k]


@compiled_part
def put_every_second(plane: Any, row: Any, first: Any, count: Any, levels: Any) -> Any:
    """Give every second of `count` columns its level, and those between the mean of both sides."""
    r, begin, one, half = np.uintp(row), np.uintp(first), np.uintp(1), np.float32(0.5)
    pairs = np.uintp(count) >> one
    for k in range(pairs):
        plane[r, begin + k + k] = levels[k]
        plane[r, begin + k + k + one] = (levels[k] + levels[k + one]) * half
    if np.uintp(count) & one:
        plane[r, begin + pairs + pairs] = levels[pairs]


@compiled_part
def put_every_fourth(plane: Any, row: Any, first: Any, count: Any, levels: Any) -> Any:
    """Give every fourth of `count` columns its level; those between go straight from one to the next."""
    r, begin, quarter = np.uintp(row), np.uintp(first), np.float32(0.25)
    two, three = np.uintp(2), np.uintp(3)
    for k in range(np.uintp(count) >> two):
        level, step, u = levels[k], (levels[k + np.uintp(1)] - levels[k]) * quarter, begin + (k << two)
        plane[r, u] = level
        plane[r, u + np.uintp(1)] = level + step
        plane[r, u + two] = level + step + step
        plane[r, u + three] = level + step + step + step
    last = np.uintp(count) >> two
    for left in range(np.uintp(count) & three):
        step = (levels[last + np.uintp(1)] - levels[last]) * quarter
        plane[r, begin + (last << two) + left] = levels[last] + step * np.float32(np.int64(left))


@compiled_part
def shine(plane: Any, row: Any, first: Any, last: Any, start: Any, step: Any, view: Any, light: Any) -> Any:
    """Multiply by the floor's light, which changes over metres: looked up every 48 pixels or texels."""
    r, pixels = np.uintp(row), last - first
    texels = int(max(abs(step[0]), abs(step[1])) * pixels)
    parts = 1 + (min(texels, pixels - 1)) // _SHINE_STEP
    length = (pixels + parts - 1) // parts
    before = _light_at(start[0], start[1], view, light)
    for begin in range(first, last, length):
        end = min(begin + length, last)
        after = _light_at(start[0] + step[0] * (end - first), start[1] + step[1] * (end - first), view, light)
        level, slope, from_u = np.float32(before), np.float32((after - before) / (end - begin)), np.uintp(begin)
        for k in range(np.uintp(end - begin)):
            plane[r, from_u + k] *= level + slope * np.float32(np.int32(k))
        before = after


@compiled_part
def _light_at(x_px: Any, y_px: Any, view: Any, light: Any) -> Any:
    """The light at a place of the texture (in its pixels, 0 is the rim of the first)."""
    columns, rows = view.light_columns, view.light_rows
    x = min(max(x_px * view.light_x_per_px - 0.5, 0.0), columns - 1.0)
    y = min(max(y_px * view.light_y_per_px - 0.5, 0.0), rows - 1.0)
    i, j = np.uintp(min(int(x), columns - 2)), np.uintp(min(int(y), rows - 2))
    one = np.uintp(1)
    fx, fy = np.float32(x - np.float64(i)), np.float32(y - np.float64(j))
    above = light[j, i] + (light[j, i + one] - light[j, i]) * fx
    below = light[j + one, i] + (light[j + one, i + one] - light[j + one, i]) * fx
    return above + (below - above) * fy
