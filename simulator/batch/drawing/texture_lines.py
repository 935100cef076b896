"""One line of a floor's texture onto part of a row of the picture, compiled: these loops take most of a frame's time.

Most of a floor is of one kind for centimetres on end: where a block of 8 x 8 texels is, its pixels need no look at it.
Columns are unsigned here: an index that may be negative costs a question for each pixel.
"""

from typing import Any

import numpy as np

from simulator.batch.compiled import compiled
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


@compiled
def set_level(plane: Any, row: Any, first: Any, last: Any, level: Any) -> Any:
    """Give the columns [first, last) of a row one level."""
    r = np.uintp(row)
    for u in range(np.uintp(first), np.uintp(last)):
        plane[r, u] = level


@compiled
def set_mean(plane: Any, row: Any) -> Any:
    """Make a row the mean of the one above and the one below."""
    r, one, half = np.uintp(row), np.uintp(1), np.float32(0.5)
    for u in range(np.uintp(plane.shape[1])):
        plane[r, u] = (plane[r - one, u] + plane[r + one, u]) * half


@compiled
def add_level(plane: Any, row: Any, first: Any, last: Any, level: Any) -> Any:
    """Add one level to the columns [first, last) of a row."""
    r = np.uintp(row)
    for u in range(np.uintp(first), np.uintp(last)):
        plane[r, u] += level


@compiled
def tile_place(i: Any, j: Any, tiles: Any) -> Any:
    """Where texel (i, j) lies: a block's 64 texels lie together, so that a slanting line stays in the same memory."""
    side = 1 << BLOCK_BITS
    block = (j >> BLOCK_BITS) * tiles + (i >> BLOCK_BITS)
    return (block << (2 * BLOCK_BITS)) + ((j & (side - 1)) << BLOCK_BITS) + (i & (side - 1))


@compiled
def add_nearest(
    plane: Any, row: Any, first: Any, last: Any, start: Any, step: Any, where: Any, palette: Any, floor: Any, share: Any
) -> Any:
    """Add the texel at each of the columns [first, last).

    `start` (x, y) is the first one's place in texels of its level, `step` from column to column; `where` is (place of
    the level, how many blocks it is wide, place of its blocks).
    """
    base, tiles, _ = where
    r, begin = np.uintp(row), np.uintp(first)
    x, y = np.int64(start[0] * _ONE), np.int64(start[1] * _ONE)
    dx, dy = np.int64(step[0] * _ONE), np.int64(step[1] * _ONE)
    for u in range(np.uintp(last) - begin):
        k = np.int64(u)
        at = base + tile_place((x + k * dx) >> _BITS, (y + k * dy) >> _BITS, tiles)
        plane[r, begin + u] += palette[floor[np.uintp(at)]] * share


@compiled
def add_smooth(
    plane: Any, row: Any, first: Any, last: Any, start: Any, step: Any, where: Any, palette: Any, floor: Any, share: Any
) -> Any:
    """As `add_nearest`, but what lies between the texels: for pixels that are smaller."""
    base, tiles, block_base = where
    x, y = np.int64((start[0] - 0.5) * _ONE), np.int64((start[1] - 0.5) * _ONE)
    dx, dy = np.int64(step[0] * _ONE), np.int64(step[1] * _ONE)
    inverse_x, inverse_y = _inverse(dx), _inverse(dy)
    bits = _BITS + BLOCK_BITS
    u = first
    while u < last:
        count = min(_columns_left(x, dx, inverse_x, bits), _columns_left(y, dy, inverse_y, bits))
        end = min(last, u + 1 + np.int64(count - 1e-6))
        code = floor[np.uintp(block_base + (y >> bits) * tiles + (x >> bits))]
        if code != MIXED:
            add_level(plane, row, u, end, palette[code] * share)
        else:
            _add_between(plane, row, u, end, (x, y, dx, dy), base, tiles, palette, floor, share)
        x += dx * (end - u)
        y += dy * (end - u)
        u = end


@compiled
def _inverse(step: Any) -> Any:
    return 1.0 / abs(step) if step != 0 else 1.0


@compiled
def _columns_left(place: Any, step: Any, inverse: Any, bits: Any) -> Any:
    """After how many steps a place leaves its block, as a float."""
    inside = place & ((1 << bits) - 1)
    distance = (1 << bits) - inside if step > 0 else inside + 1
    return distance * inverse


@compiled
def _add_between(
    plane: Any, row: Any, first: Any, last: Any, way: Any, base: Any, tiles: Any, palette: Any, floor: Any, share: Any
) -> Any:
    """What lies between the four texels around each pixel; several pixels lie between the same four."""
    x, y, dx, dy = way
    r, scale, before_i, before_j = np.uintp(row), np.float32(1.0 / _ONE), np.int64(-1), np.int64(-1)
    a = right = down = both = np.float32(0.0)
    for u in range(np.uintp(first), np.uintp(last)):
        i, j = x >> _BITS, y >> _BITS
        if i != before_i or j != before_j:
            before_i, before_j = i, j
            a = palette[floor[np.uintp(base + tile_place(i, j, tiles))]]
            right = palette[floor[np.uintp(base + tile_place(i + 1, j, tiles))]] - a
            c = palette[floor[np.uintp(base + tile_place(i, j + 1, tiles))]]
            down = c - a
            both = palette[floor[np.uintp(base + tile_place(i + 1, j + 1, tiles))]] - c - right
        fx, fy = np.float32(np.int32(x & (_ONE - 1))) * scale, np.float32(np.int32(y & (_ONE - 1))) * scale
        plane[r, u] += (a + right * fx + (down + both * fx) * fy) * share
        x += dx
        y += dy


@compiled
def add_grain(
    plane: Any, row: Any, first: Any, last: Any, start: Any, step: Any, where: Any, paint: Any, floor: Any, share: Any
) -> Any:
    """Add the grain of what lies at each of the columns [first, last)."""
    _, tiles, block_base = where
    _, strength, grain, shift = paint
    x, y = np.int64((start[0] - 0.5) * _ONE), np.int64((start[1] - 0.5) * _ONE)
    dx, dy = np.int64(step[0] * _ONE), np.int64(step[1] * _ONE)
    inverse_x, inverse_y = _inverse(dx), _inverse(dy)
    shift_x, shift_y = x + shift[0] * _ONE, y + shift[1] * _ONE
    bits = _BITS + BLOCK_BITS
    u = begin = first
    level = strength[_ON_ROAD]
    while u < last:
        at_x, at_y = x + dx * (u - first), y + dy * (u - first)
        code = floor[np.uintp(block_base + (at_y >> bits) * tiles + (at_x >> bits))]
        here = strength[code] if code != MIXED else strength[_ON_ROAD]
        if here != level:
            from_x, from_y = shift_x + dx * (begin - first), shift_y + dy * (begin - first)
            _add_specks(plane, row, begin, u, (from_x, from_y, dx, dy), level * share, grain)
            begin, level = u, here
        count = min(_columns_left(at_x, dx, inverse_x, bits), _columns_left(at_y, dy, inverse_y, bits))
        u = min(last, u + 1 + np.int64(count - 1e-6))
    from_x, from_y = shift_x + dx * (begin - first), shift_y + dy * (begin - first)
    _add_specks(plane, row, begin, last, (from_x, from_y, dx, dy), level * share, grain)


@compiled
def _add_specks(plane: Any, row: Any, first: Any, last: Any, way: Any, strength: Any, grain: Any) -> Any:
    x, y, dx, dy = way
    r, begin, mask = np.uintp(row), np.uintp(first), GRAIN_SIDE - 1
    strength *= np.float32(1.0 / 32.0)
    for u in range(np.uintp(last) - begin):
        k = np.int64(u)
        at = (((y + k * dy) >> _GRAIN_BITS) & mask) * GRAIN_SIDE + (((x + k * dx) >> _GRAIN_BITS) & mask)
        plane[r, begin + u] += strength * np.float32(grain[np.uintp(at)])


@compiled
def shine(plane: Any, row: Any, first: Any, last: Any, start: Any, step: Any, view: Any, light: Any) -> Any:
    """Multiply by the floor's light, which changes over metres: looked up every 48 pixels, straight between."""
    r = np.uintp(row)
    before = _light_at(start[0], start[1], view, light)
    for begin in range(first, last, _SHINE_STEP):
        end = min(begin + _SHINE_STEP, last)
        after = _light_at(start[0] + step[0] * (end - first), start[1] + step[1] * (end - first), view, light)
        slope = np.float32((after - before) / (end - begin))
        level = np.float32(before)
        for u in range(np.uintp(begin), np.uintp(end)):
            plane[r, u] *= level
            level += slope
        before = after


@compiled
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
