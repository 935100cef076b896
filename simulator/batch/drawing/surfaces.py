"""Flat things that stand upright, compiled: walls, gate boards, boxes and cars as convex polygons in the picture."""

import math
from typing import Any

import numpy as np

from simulator.batch.compiled import compiled_part
from simulator.batch.drawing.texture_lines import set_level
from simulator.world.camera import CUT_M

SUB_ROWS = 4  # edges are drawn by their share of four lines a row
MAX_CORNERS = 8
PLAIN_BACK = 150  # the level of a board from behind

# An upright: corners top left, top right, bottom right, bottom left as its front is seen (metres); the number of its
# picture, or -1 for a plain one with these levels (blue, green, red).
QUAD = np.dtype([("corners", np.float64, (4, 3)), ("picture", np.int64), ("colour", np.float64, (3,))])


@compiled_part
def project(camera: Any, x: Any, y: Any, z: Any) -> Any:
    """(column * depth, row * depth, depth) of a point; `camera` is the 3 x 4 matrix from metres to pixels."""
    u = camera[0, 0] * x + camera[0, 1] * y + camera[0, 2] * z + camera[0, 3]
    v = camera[1, 0] * x + camera[1, 1] * y + camera[1, 2] * z + camera[1, 3]
    w = camera[2, 0] * x + camera[2, 1] * y + camera[2, 2] * z + camera[2, 3]
    return u, v, w


@compiled_part
def outline(camera: Any, corners: Any, spots: Any) -> Any:
    """Fill `spots` (MAX_CORNERS, 2) with the polygon's corners in pixels, cut off at CUT_M; return how many."""
    count = 0
    for i in range(len(corners)):
        a, b = corners[i], corners[(i + 1) % len(corners)]
        au, av, aw = project(camera, a[0], a[1], a[2])
        bu, bv, bw = project(camera, b[0], b[1], b[2])
        if aw >= CUT_M:
            spots[count, 0], spots[count, 1] = au / aw, av / aw
            count += 1
        if (aw >= CUT_M) != (bw >= CUT_M):
            share = (CUT_M - aw) / (bw - aw)
            spots[count, 0], spots[count, 1] = (au + (bu - au) * share) / CUT_M, (av + (bv - av) * share) / CUT_M
            count += 1
    return count


@compiled_part
def rows_of(spots: Any, count: Any, plane: Any) -> Any:
    """The rows [first, last) of the picture that the polygon touches."""
    low, high, left, right = math.inf, -math.inf, math.inf, -math.inf
    for i in range(count):
        low, high = min(low, spots[i, 1]), max(high, spots[i, 1])
        left, right = min(left, spots[i, 0]), max(right, spots[i, 0])
    if count < 3 or not high > low or right < -0.5 or left > plane.shape[1] - 0.5:
        return 0, 0
    first = int(max(0.0, math.floor(low + 0.5)))
    return first, int(min(float(plane.shape[0]), math.ceil(high + 0.5)))


@compiled_part
def slopes_of(spots: Any, count: Any, slopes: Any) -> Any:
    """Fill `slopes` (MAX_CORNERS,): columns a row along each side."""
    for i in range(count):
        j = (i + 1) % count
        down = spots[j, 1] - spots[i, 1]
        slopes[i] = (spots[j, 0] - spots[i, 0]) / down if down != 0.0 else 0.0


@compiled_part
def spans_of(spots: Any, slopes: Any, count: Any, row: Any, width: Any, spans: Any) -> Any:
    """Where the polygon reaches on each line of a row: fill `spans` (SUB_ROWS, 2), 0 is the left side of column 0.

    Returns (first, last) touched column and (from, to) those that are wholly inside; none if last <= first.
    """
    left, right, inner_left, inner_right = float(width), 0.0, 0.0, float(width)
    for k in range(SUB_ROWS):
        spans[k, 0], spans[k, 1] = left, right
    for i in range(count):
        a, b = spots[i, 1], spots[i + 1 if i + 1 < count else 0, 1]
        if min(a, b) > row + 0.5 or max(a, b) < row - 0.5:  # as most sides do not reach a row
            continue
        for k in range(SUB_ROWS):
            y = row - 0.5 + (k + 0.5) / SUB_ROWS
            if (a <= y) != (b <= y):
                x = spots[i, 0] + slopes[i] * (y - a) + 0.5
                spans[k, 0], spans[k, 1] = min(spans[k, 0], max(x, 0.0)), max(spans[k, 1], min(x, float(width)))
    for k in range(SUB_ROWS):
        low, high = spans[k, 0], spans[k, 1]
        left, right = min(left, low), max(right, high)
        inner_left, inner_right = max(inner_left, low), min(inner_right, high)
    if right <= left:
        return 0, 0, 0, 0
    first, last = int(left), min(width, math.ceil(right))
    begin, end = math.ceil(inner_left), int(inner_right)
    return (first, last, begin, end) if end > begin else (first, last, last, last)


@compiled_part
def share_of(spans: Any, column: Any) -> Any:
    """How much of a column's pixel the lines of its row cover, 0 to 1."""
    total = 0.0
    for k in range(SUB_ROWS):
        total += max(0.0, min(column + 1.0, spans[k, 1]) - max(float(column), spans[k, 0]))
    return np.float32(total / SUB_ROWS)


@compiled_part
def fill(plane: Any, polygon: Any, count: Any, level: Any) -> Any:
    """Draw the polygon in one level over the plane (H, W) float32.

    `polygon` is (its corners in pixels, room for the spans of a row, room for the slopes of its sides).
    """
    spots, spans, slopes = polygon
    width = plane.shape[1]
    slopes_of(spots, count, slopes)
    first_row, last_row = rows_of(spots, count, plane)
    for row in range(first_row, last_row):
        first, last, begin, end = spans_of(spots, slopes, count, row, width, spans)
        for u in range(first, begin):
            plane[row, u] += (level - plane[row, u]) * share_of(spans, u)
        set_level(plane, row, begin, end, level)
        for u in range(end, last):
            plane[row, u] += (level - plane[row, u]) * share_of(spans, u)


@compiled_part
def is_turned(spots: Any, count: Any) -> Any:
    """True if the polygon is seen from behind."""
    area = 0.0
    for i in range(count):
        j = (i + 1) % count
        area += spots[i, 0] * spots[j, 1] - spots[j, 0] * spots[i, 1]
    return area < 0.0


@compiled_part
def unprojected(camera: Any, corners: Any, m: Any, back: Any) -> Any:
    """Fill `back` (3, 3): from a pixel (u, v, 1) to (across, down, 1) of the quad times something; False if edge-on.

    `m` (3, 3) is room for the way forth.
    """
    a, b, d = corners[0], corners[1], corners[3]
    for i in range(3):
        m[i, 0] = camera[i, 0] * (b[0] - a[0]) + camera[i, 1] * (b[1] - a[1]) + camera[i, 2] * (b[2] - a[2])
        m[i, 1] = camera[i, 0] * (d[0] - a[0]) + camera[i, 1] * (d[1] - a[1]) + camera[i, 2] * (d[2] - a[2])
        m[i, 2] = camera[i, 0] * a[0] + camera[i, 1] * a[1] + camera[i, 2] * a[2] + camera[i, 3]
    for i in range(3):
        for j in range(3):
            p, q, r, s = (j + 1) % 3, (j + 2) % 3, (i + 1) % 3, (i + 2) % 3
            back[i, j] = m[p, r] * m[q, s] - m[p, s] * m[q, r]
    return abs(m[0, 0] * back[0, 0] + m[0, 1] * back[1, 0] + m[0, 2] * back[2, 0]) > 1e-12


@compiled_part
def draw_picture(plane: Any, polygon: Any, count: Any, back: Any, picture: Any, texels: Any, exposed: Any) -> Any:
    """Draw the quad's picture over the plane, from the level whose texels are about as large as the pixels."""
    spots, spans, slopes = polygon
    width = plane.shape[1]
    slopes_of(spots, count, slopes)
    first_row, last_row = rows_of(spots, count, plane)
    level = _level_of(spots, count, picture)
    across, down, base = picture.width >> level, picture.height >> level, picture.first[level]
    for row in range(first_row, last_row):
        first, last, begin, end = spans_of(spots, slopes, count, row, width, spans)
        for u in range(first, last):
            w = back[2, 0] * u + back[2, 1] * row + back[2, 2]
            x = (back[0, 0] * u + back[0, 1] * row + back[0, 2]) / w * across - 0.5
            y = (back[1, 0] * u + back[1, 1] * row + back[1, 2]) / w * down - 0.5
            value = _smooth(texels, base, across, down, x, y, exposed)
            share = np.float32(1.0) if begin <= u < end else share_of(spans, u)
            plane[row, u] += (value - plane[row, u]) * share


@compiled_part
def _level_of(spots: Any, count: Any, picture: Any) -> Any:
    area = 0.0
    for i in range(count):
        j = (i + 1) % count
        area += spots[i, 0] * spots[j, 1] - spots[j, 0] * spots[i, 1]
    per_pixel = math.sqrt(picture.width * picture.height / max(abs(area) / 2, 1.0))
    return min(picture.levels - 1, max(0, math.floor(math.log2(per_pixel) + 0.3)))


@compiled_part
def _smooth(texels: Any, base: Any, width: Any, height: Any, x: Any, y: Any, exposed: Any) -> Any:
    """The picture at a place between its texels."""
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    i, j = min(int(x), width - 2), min(int(y), height - 2)
    fx, fy = np.float32(x - i), np.float32(y - j)
    at = base + j * width + i
    a, b = exposed[texels[np.uintp(at)]], exposed[texels[np.uintp(at + 1)]]
    c, d = exposed[texels[np.uintp(at + width)]], exposed[texels[np.uintp(at + width + 1)]]
    above = a + (b - a) * fx
    return above + (c + (d - c) * fx - above) * fy
