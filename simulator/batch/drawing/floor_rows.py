"""The floor in the picture, compiled, one row at a time: a row of the picture is a straight line on the floor.

So where field, texture and ground begin on it is worked out once a row, and no pixel asks. Far away a pixel is much
longer along the view than across: the texture's level is chosen by its width, and lines between are averaged.
"""

import math
from typing import Any

import numpy as np

from simulator.batch.compiled import compiled
from simulator.batch.drawing.texture_lines import (
    BLOCK_BITS,
    add_grain,
    add_level,
    add_nearest,
    add_smooth,
    set_level,
    set_mean,
    shine,
)

PIXELS_PER_M = 100.0
NEAR_PX = 0.6  # rows shorter than this many texels are so near that every third one lies between its neighbours
FAR_M = 14.0  # beyond this the floor has the field's colour (`world/camera.py`)
MAX_LINES = 8
SMOOTH_LINES = 1  # a row of no more lines is so near that its pixels lie between texels
GRAIN_LINES = 3  # the mean of more lines has little grain left
_EDGE_M = 0.01  # of the texture's rim is not drawn, so that no rounding leaves it

# A line on the floor: its place at column 0, from column to column, and how far ahead it is.
X, Y, DX, DY, AHEAD = range(5)


@compiled
def draw_floor(plane: Any, eye: Any, scene: Any) -> Any:
    """Fill the plane (H, W) float32 with sky, floor and ground; `eye` is (x, y, cos, sin) of the lens.

    `scene` is (view, look, picture of the floor, its texels, paint, light); `paint` is (palette, strength of the grain,
    grain, its shift).
    """
    height = plane.shape[0]
    line = np.empty(5)
    row = 0
    while row < height:
        _draw_row(plane, row, eye, scene, line)
        if row + 2 < height and _along_px(scene[0], row, height) < NEAR_PX:
            _draw_row(plane, row + 2, eye, scene, line)
            set_mean(plane, row + 1)
            row += 2
        row += 1


@compiled
def _draw_row(plane: Any, row: Any, eye: Any, scene: Any, line: Any) -> Any:
    view, look, picture, _, _, light = scene
    width = plane.shape[1]
    b = (row - (plane.shape[0] - 1) / 2) / view.focal_px
    lines, level = _lines_of(view, b)
    if lines == 0:
        set_level(plane, row, 0, width, look.sky)
        return
    set_level(plane, row, 0, width, np.float32(0.0))
    share = np.float32(1.0 / lines)
    for k in range(lines):
        place_line(eye, view, b + ((k + 0.5) / lines - 0.5) / view.focal_px, width, line)
        _draw_line(plane, row, line, level, lines, share, scene)
    if view.light_columns > 0:
        place_line(eye, view, b, width, line)
        _shine(plane, row, line, view, picture, light)


@compiled
def _along_px(view: Any, row: Any, height: Any) -> Any:
    """How many texels long a row is, along the view."""
    slope = (row - (height - 1) / 2) / view.focal_px * view.cos_pitch + view.sin_pitch
    return view.up_m / max(slope, 1e-3) ** 2 / view.focal_px * PIXELS_PER_M


@compiled
def _lines_of(view: Any, b: Any) -> Any:
    """(how many lines a row is averaged from, which level of the texture); no lines for a row of sky."""
    half = 0.5 / view.focal_px
    if (b + half) * view.cos_pitch + view.sin_pitch <= 1e-6:
        return 0, 0
    slope = max(b * view.cos_pitch + view.sin_pitch, 1e-3)
    across_px = view.up_m / slope / view.focal_px * PIXELS_PER_M
    along_px = across_px / slope
    level = min(4, max(0, math.floor(math.log2(across_px) + 0.25)))
    lines = math.ceil(along_px / (1 << level) * 0.5)
    return min(MAX_LINES, max(1, lines)), level


@compiled
def place_line(eye: Any, view: Any, b: Any, width: Any, line: Any) -> Any:
    """Fill `line` with the floor that a row sees; `b` is the row's tangent below the optical axis."""
    slope = b * view.cos_pitch + view.sin_pitch
    if slope <= 1e-6:
        line[AHEAD] = math.inf
        return
    t, ahead = view.up_m / slope, view.cos_pitch - b * view.sin_pitch
    c, s = eye[2], eye[3]
    a = -(width - 1) / 2 / view.focal_px
    line[X], line[Y] = eye[0] + t * (a * s + ahead * c), eye[1] + t * (-a * c + ahead * s)
    line[DX], line[DY] = t * s / view.focal_px, -t * c / view.focal_px
    line[AHEAD] = t * ahead


@compiled
def _columns_in(line: Any, width: Any, x0: Any, y0: Any, x1: Any, y1: Any) -> Any:
    """The columns [first, last) whose floor lies in the rectangle."""
    low, high = 0.0, width - 1.0
    for axis in range(2):
        start, step = line[axis], line[axis + 2]
        near, far = (x0, x1) if axis == 0 else (y0, y1)
        if abs(step) < 1e-12:
            if not near <= start <= far:
                return 0, 0
            continue
        a, b = (near - start) / step, (far - start) / step
        low, high = max(low, min(a, b)), min(high, max(a, b))
    if high < low:
        return 0, 0
    first, last = math.ceil(low), math.floor(high) + 1
    return first, max(first, last)


@compiled
def _textured(line: Any, width: Any, picture: Any) -> Any:
    """The columns [first, last) that show the texture."""
    if line[AHEAD] >= FAR_M:
        return 0, 0
    x0, y0 = picture.origin_x_m - 0.5 / PIXELS_PER_M, picture.origin_y_m - 0.5 / PIXELS_PER_M
    x1, y1 = x0 + picture.width / PIXELS_PER_M, y0 + picture.height / PIXELS_PER_M
    return _columns_in(line, width, x0 + _EDGE_M, y0 + _EDGE_M, x1 - _EDGE_M, y1 - _EDGE_M)


@compiled
def _draw_line(plane: Any, row: Any, line: Any, level: Any, lines: Any, share: Any, scene: Any) -> Any:
    """Add one line of sky, ground, field and texture to the row."""
    view, look, picture, floor, paint, _ = scene
    width = plane.shape[1]
    if line[AHEAD] == math.inf:
        add_level(plane, row, 0, width, look.sky * share)
        return
    first, last = _columns_in(line, width, view.x0, view.y0, view.x1, view.y1)
    add_level(plane, row, 0, first, look.ground * share)
    add_level(plane, row, last, width, look.ground * share)
    begin, end = _textured(line, width, picture)
    begin, end = max(begin, first), min(end, last)
    if end <= begin:
        add_level(plane, row, first, last, look.field * share)
        return
    add_level(plane, row, first, begin, look.field * share)
    add_level(plane, row, end, last, look.field * share)
    scale = PIXELS_PER_M / (1 << level)
    half = 0.5 / (1 << level)
    x = (line[X] + begin * line[DX] - picture.origin_x_m) * scale + half
    y = (line[Y] + begin * line[DY] - picture.origin_y_m) * scale + half
    where = (picture.first[level], picture.width >> (level + BLOCK_BITS), picture.blocks[level])
    start, step = (x, y), (line[DX] * scale, line[DY] * scale)
    palette = paint[0]
    if level == 0 and lines <= SMOOTH_LINES:
        add_smooth(plane, row, begin, end, start, step, where, palette, floor, share)
    else:
        add_nearest(plane, row, begin, end, start, step, where, palette, floor, share)
    if level == 0 and lines <= GRAIN_LINES:
        add_grain(plane, row, begin, end, start, step, where, paint, floor, share)


@compiled
def _shine(plane: Any, row: Any, line: Any, view: Any, picture: Any, light: Any) -> Any:
    """Let the floor's light fall on the row."""
    width = plane.shape[1]
    first, last = _columns_in(line, width, view.x0, view.y0, view.x1, view.y1)
    begin, end = _textured(line, width, picture)
    begin, end = max(begin, first), min(end, last)
    if end <= begin:
        return
    x = (line[X] + begin * line[DX] - picture.origin_x_m) * PIXELS_PER_M + 0.5
    y = (line[Y] + begin * line[DY] - picture.origin_y_m) * PIXELS_PER_M + 0.5
    shine(plane, row, begin, end, (x, y), (line[DX] * PIXELS_PER_M, line[DY] * PIXELS_PER_M), view, light)
