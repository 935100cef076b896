"""The floor in the picture, compiled, one row at a time: a row of the picture is a straight line on the floor.

So where field, texture and ground begin on it is worked out once a row, and no pixel asks. Far away a pixel is much
longer along the view than across: the texture's level is chosen by its width, and lines between are averaged. Near by,
where a texel fills several pixels, the floor is looked up once a texel, and goes straight between.
"""

import math
from typing import Any

import numpy as np

from simulator.batch.compiled import compiled_inside, compiled_part
from simulator.batch.drawing.texture_lines import (
    STRIP_BITS,
    add_level,
    add_specks,
    add_texels,
    fixed_way,
    place_grain,
    place_texels,
    put_every_fourth,
    put_every_second,
    put_levels,
    set_between,
    set_row,
    shine,
    take_between,
)

PIXELS_PER_M = 100.0
FAR_M = 14.0  # beyond this the floor has the field's colour (`world/camera.py`)
COARSER = 2.0**0.75  # texels a pixel, from which on a level with half the resolution is taken
MAX_LINES = 8
LEVELS = 5
LONGEST = 1.25  # texels from one place that is looked up to the next
MAX_ROWS = 4  # from one row that is looked up to the next
GRAIN_LINES = 3  # the mean of more lines has little grain left
_EDGE_M = 0.03  # of the texture's rim is not drawn, so that no rounding leaves it, nor a step of one texel

# A line on the floor: its place at column 0, from column to column, and how far ahead it is.
X, Y, DX, DY, AHEAD = range(5)


@compiled_part
def draw_floor(plane: Any, eye: Any, scene: Any, spare: Any) -> Any:
    """Fill the plane (H, W) float32 with sky, floor and ground; `eye` is (x, y, cos, sin) of the lens, and the
    tangent of a pixel.

    `scene` is (view, look, picture of the floor, its texels, paint, light); `paint` is (palette, strength of the grain,
    grain, its shift). `spare` is (levels, places of texels, of grain, of texels beside, and the levels of those
    beside, below, and beside that, and the grain's), each as long as a row and a few more.
    """
    view, look, picture, _, _, light = scene
    height, width = plane.shape
    rim = _rim(view, picture)
    row = before = np.int64(0)
    while row < height:
        b = (row - (height - 1) / 2) * eye[4]
        lines, level, along_px = _lines_of(view, b, eye[4])
        if lines == 0:
            set_row(plane, row, look.sky)
        else:
            middle = place_line(eye, view, b, width)
            begin, end = _textured(middle, width, rim)
            if level == 0 and lines == 1:
                _put_near(plane, row, begin, end, middle, scene, spare)
            else:
                _put_far(plane, row, b, (lines, level, rim), eye, scene, spare)
            if view.light_columns > 0 and end > begin:
                start, step = _on_texture(middle, begin, np.int64(0), picture)
                shine(plane, row, begin, end, start, step, view, light)
        set_between(plane, before, row)
        before = row
        rows = min(MAX_ROWS, max(1, int(1.0 / along_px)))
        row += 1 if row == height - 1 else min(rows, height - 1 - row)


@compiled_part
def _lines_of(view: Any, b: Any, pixel: Any) -> Any:
    """(how many lines a row is averaged from, which level of the texture, how many texels long the row is).

    There are no lines for a row of sky.
    """
    if (b + 0.5 * pixel) * view.cos_pitch + view.sin_pitch <= 1e-6:
        return 0, 0, math.inf
    slope = max(b * view.cos_pitch + view.sin_pitch, 1e-3)
    across_px = view.up_m / slope * pixel * PIXELS_PER_M
    along_px = across_px / slope
    level, texels = 0, COARSER
    while level < LEVELS - 1 and across_px >= texels:
        level, texels = level + 1, texels * 2.0
    # Two texels lie between lines; where a row takes more than two of them anyway, three: their mean hides the gaps.
    texels_a_row = along_px / (1 << level)
    lines = math.ceil(texels_a_row * 0.5)
    lines = max(2, math.ceil(texels_a_row / 3.0)) if lines > 2 else max(1, lines)
    return min(MAX_LINES, lines), level, along_px


@compiled_part
def place_line(eye: Any, view: Any, b: Any, width: Any) -> Any:
    """The line on the floor that a row sees; `b` is the row's tangent below the optical axis."""
    slope = b * view.cos_pitch + view.sin_pitch
    if slope <= 1e-6:
        return 0.0, 0.0, 0.0, 0.0, math.inf
    t, ahead = view.up_m / slope, view.cos_pitch - b * view.sin_pitch
    c, s, pixel = eye[2], eye[3], eye[4]
    a = (1 - width) * 0.5 * pixel
    x, y = eye[0] + t * (a * s + ahead * c), eye[1] + t * (-a * c + ahead * s)
    return x, y, t * s * pixel, -t * c * pixel, t * ahead


@compiled_part
def _columns_in(line: Any, width: Any, x0: Any, y0: Any, x1: Any, y1: Any) -> Any:
    """The columns [first, last) whose floor lies in the rectangle."""
    x, y, dx, dy, _ = line
    to_x, to_y = x + dx * (width - 1), y + dy * (width - 1)
    if min(x, to_x) >= x0 and max(x, to_x) <= x1 and min(y, to_y) >= y0 and max(y, to_y) <= y1:
        return 0, width
    low, high = _inside(x, dx, x0, x1, 0.0, width - 1.0)
    low, high = _inside(y, dy, y0, y1, low, high)
    if high < low:
        return 0, 0
    first, last = math.ceil(low), math.floor(high) + 1
    return first, max(first, last)


@compiled_part
def _inside(start: Any, step: Any, near: Any, far: Any, low: Any, high: Any) -> Any:
    """The part of [low, high] in which a place that moves by `step` lies between near and far."""
    if abs(step) < 1e-12:
        return (low, high) if near <= start <= far else (1.0, 0.0)
    a, b = (near - start) / step, (far - start) / step
    return max(low, min(a, b)), min(high, max(a, b))


@compiled_part
def _rim(view: Any, picture: Any) -> Any:
    """(x0, y0, x1, y1) of what shows the texture: within its rim, and within the walls."""
    x0, y0 = picture.origin_x_m - 0.5 / PIXELS_PER_M, picture.origin_y_m - 0.5 / PIXELS_PER_M
    x1, y1 = x0 + picture.width / PIXELS_PER_M - _EDGE_M, y0 + picture.height / PIXELS_PER_M - _EDGE_M
    return max(x0 + _EDGE_M, view.x0), max(y0 + _EDGE_M, view.y0), min(x1, view.x1), min(y1, view.y1)


@compiled_part
def _textured(line: Any, width: Any, rim: Any) -> Any:
    """The columns [first, last) that show the texture."""
    if line[AHEAD] >= FAR_M:
        return 0, 0
    return _columns_in(line, width, rim[0], rim[1], rim[2], rim[3])


@compiled_part
def _add_plain(plane: Any, row: Any, line: Any, begin: Any, end: Any, share: Any, view: Any, look: Any) -> Any:
    """Add a line's sky, ground and field to the row, but for the columns [begin, end) of its texture."""
    left, width = np.int64(0), plane.shape[1]
    if line[AHEAD] == math.inf:
        add_level(plane, row, left, width, look.sky * share)
        return
    first, last = _columns_in(line, width, view.x0, view.y0, view.x1, view.y1)
    if end <= begin:
        begin, end = first, first
    ends, levels = (left, first, begin, end, last, width), (look.ground, look.field, look.sky, look.field, look.ground)
    for part in range(5):
        if part != 2:  # the texture's
            add_level(plane, row, ends[part], ends[part + 1], levels[part] * share)


@compiled_part
def _on_texture(line: Any, begin: Any, level: Any, picture: Any) -> Any:
    """((x, y) of column `begin`, the step from column to column), in texels of a level; 0 is the rim of the first."""
    scale, half = PIXELS_PER_M / (1 << level), 0.5 / (1 << level)
    x = (line[X] + begin * line[DX] - picture.origin_x_m) * scale + half
    y = (line[Y] + begin * line[DY] - picture.origin_y_m) * scale + half
    return (x, y), (line[DX] * scale, line[DY] * scale)


@compiled_inside
def _put_far(plane: Any, row: Any, b: Any, taken: Any, eye: Any, scene: Any, spare: Any) -> Any:
    """Make a row the mean of its lines, each of the texels at its pixels. One line brings the grain that all have.

    `taken` is (how many lines, of which level, the rim of the texture).
    """
    view, look, picture, floor, paint, _ = scene
    lines, level, rim = taken
    places, specks = spare[1], spare[2]
    width, share = plane.shape[1], np.float32(1.0 / lines)
    base, strip = np.uintp(picture.first[level]), _strip_length(picture, level)
    grained = lines >> 1 if level == 0 and lines <= GRAIN_LINES else -1
    part = eye[4] / lines
    set_row(plane, row, np.float32(0.0))
    for k in range(lines):
        line = place_line(eye, view, b + (k - 0.5 * (lines - 1)) * part, width)
        begin, end = _textured(line, width, rim)
        count = end - begin
        if count < width:
            _add_plain(plane, row, line, begin, end, share, view, look)
        if count <= 0:
            continue
        start, step = _on_texture(line, begin, level, picture)
        way = fixed_way(start, step)
        place_texels(places, count, way, strip)
        add_texels(plane, row, begin, count, places, base, paint[0], floor, share)
        if k == grained:
            place_grain(specks, count, way, paint[3])
            add_specks(plane, row, begin, count, spare, base, paint, floor, np.float32(math.sqrt(share)))


@compiled_part
def _strip_length(picture: Any, level: Any) -> Any:
    """How many texels a strip of a level has."""
    return np.uint32((picture.height >> level) << STRIP_BITS)


@compiled_inside
def _put_near(plane: Any, row: Any, begin: Any, end: Any, line: Any, scene: Any, spare: Any) -> Any:
    """Make a row its one line, whose pixels [begin, end) on the texture are smaller than texels."""
    view, look, picture, floor, paint, _ = scene
    levels = spare[0]
    count = end - begin
    if count < plane.shape[1]:
        set_row(plane, row, np.float32(0.0))
        _add_plain(plane, row, line, begin, end, np.float32(1.0), view, look)
    if count <= 0:
        return
    start, step = _on_texture(line, begin, np.int64(0), picture)
    across = max(abs(step[0]), abs(step[1]))
    every = 4 if across <= LONGEST / 4 else 2 if across <= LONGEST / 2 else 1
    way = fixed_way((start[0] - 0.5, start[1] - 0.5), (step[0] * every, step[1] * every))
    base, strip = np.uintp(picture.first[0]), _strip_length(picture, np.int64(0))
    take_between(spare, (count + every - 1) // every + 1, way, base, strip, paint, floor)
    if every == 4:
        put_every_fourth(plane, row, begin, count, levels)
    elif every == 2:
        put_every_second(plane, row, begin, count, levels)
    else:
        put_levels(plane, row, begin, count, levels)
