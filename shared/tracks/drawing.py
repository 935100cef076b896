"""Draws a track as SVG: path data of the road, the start line and the arrow in the direction of driving. Pure.

Pages put the parts into an `<svg>` of their own, so that colours and line widths come from the style sheet. One unit is
a centimetre, y downwards.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.tracks.outline import Point, TrackOutline

MARGIN = 0.06  # of the larger extent, on each side
TOLERANCE_M = 0.01  # a point nearer than this to the line between its neighbours is left out
ASSUMED_WIDTH_M = 0.9  # of a road of which only the centre line is known
ARROW_AT_M = 1.2  # behind the start line
ARROW_SHARE = 0.016  # half the arrow's width is at least this share of the drawing, so that it is seen on a long track


@dataclass(frozen=True, slots=True)
class TrackDrawing:
    """The parts of an SVG drawing. `road` is to be filled by the rule evenodd; it is empty without known edges.

    `width`: of the road in units, for a page that strokes the centre line; `start`: the line across the road.
    """

    view_box: str
    road: str
    centre: str
    start: str
    arrow: str
    width: int


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Places metres on the drawing: centimetres from the upper left corner, y downwards."""

    left_m: float
    top_m: float
    width: int
    height: int

    def spot(self, point: Point) -> tuple[int, int]:
        return round((point[0] - self.left_m) * 100), round((self.top_m - point[1]) * 100)


def _sheet(outline: TrackOutline) -> _Sheet:
    drawn = (*outline.centre, *outline.inner, *outline.outer)
    left_m, right_m = min(x for x, _ in drawn), max(x for x, _ in drawn)
    bottom_m, top_m = min(y for _, y in drawn), max(y for _, y in drawn)
    extra_m = MARGIN * max(right_m - left_m, top_m - bottom_m) + (0 if outline.inner else ASSUMED_WIDTH_M / 2)
    width, height = (round((size + 2 * extra_m) * 100) for size in (right_m - left_m, top_m - bottom_m))
    return _Sheet(left_m - extra_m, top_m + extra_m, width, height)


def draw_track(outline: TrackOutline, *, reverse: bool = False) -> TrackDrawing:
    """The drawing of the track; `reverse`: it is driven against the order of its points."""
    sheet = _sheet(outline)
    edges = [_closed(sheet, simplified(edge)) for edge in (outline.outer, outline.inner) if edge]
    return TrackDrawing(
        f"0 0 {sheet.width} {sheet.height}",
        "".join(edges),
        _closed(sheet, simplified(outline.centre)),
        _start(sheet, outline),
        _arrow(sheet, outline, reverse),
        round(road_width_m(outline) * 100),
    )


def place_on(outline: TrackOutline, share: float) -> tuple[int, int]:
    """Where on the drawing a car is after this share of a lap, in units of its view box."""
    return _sheet(outline).spot(outline.point_at(share))


def spots_on(outline: TrackOutline, points: Sequence[Point]) -> list[tuple[int, int]]:
    """Where on the drawing these places are, in metres of the track's own map."""
    sheet = _sheet(outline)
    return [sheet.spot(point) for point in points]


def road_width_m(outline: TrackOutline) -> float:
    """The road's average width; what is usual if only its centre line is known."""
    if not outline.inner:
        return ASSUMED_WIDTH_M
    return sum(map(math.dist, outline.inner, outline.outer)) / len(outline.inner)


def simplified(points: Sequence[Point], tolerance_m: float = TOLERANCE_M) -> list[Point]:
    """Fewer points of a closed line, none of the others further than `tolerance_m` from it (Douglas and Peucker)."""
    half = len(points) // 2
    first = _thinned(points[: half + 1], tolerance_m)
    second = _thinned((*points[half:], points[0]), tolerance_m)
    return [*first[:-1], *second[:-1]]


def _thinned(points: Sequence[Point], tolerance_m: float) -> list[Point]:
    kept = [False] * len(points)
    kept[0] = kept[-1] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        begin, end = waiting.pop()
        away, furthest = max(
            ((_off_line(points[at], points[begin], points[end]), at) for at in range(begin + 1, end)), default=(0.0, 0)
        )
        if away > tolerance_m:
            kept[furthest] = True
            waiting += [(begin, furthest), (furthest, end)]
    return [point for point, keep in zip(points, kept, strict=True) if keep]


def _off_line(point: Point, begin: Point, end: Point) -> float:
    """The distance of the point from the line between two others."""
    length = math.dist(begin, end)
    if length == 0:
        return math.dist(point, begin)
    along = (point[0] - begin[0]) * (end[0] - begin[0]) + (point[1] - begin[1]) * (end[1] - begin[1])
    part = min(1.0, max(0.0, along / length**2))
    return math.dist(point, (begin[0] + part * (end[0] - begin[0]), begin[1] + part * (end[1] - begin[1])))


def _closed(sheet: _Sheet, points: Sequence[Point]) -> str:
    """A closed path: absolute to its first point, then relative, which is shorter."""
    spots = [sheet.spot(point) for point in points]
    steps = "".join(f"l{x - was_x} {y - was_y}" for (was_x, was_y), (x, y) in itertools.pairwise(spots))
    return f"M{spots[0][0]} {spots[0][1]}{steps}z"


def _start(sheet: _Sheet, outline: TrackOutline) -> str:
    if outline.inner:
        ends = (outline.inner[0], outline.outer[0])
    else:
        (x, y), (across_x, across_y) = outline.centre[0], _across(outline)
        half = ASSUMED_WIDTH_M / 2
        ends = ((x - half * across_x, y - half * across_y), (x + half * across_x, y + half * across_y))
    (from_x, from_y), (to_x, to_y) = map(sheet.spot, ends)
    return f"M{from_x} {from_y}L{to_x} {to_y}"


def _across(outline: TrackOutline) -> Point:
    """The unit vector across the road at the start line, to the left of the points' order."""
    (x, y), (next_x, next_y) = outline.centre[0], outline.centre[1]
    length = math.dist(outline.centre[0], outline.centre[1])
    return -(next_y - y) / length, (next_x - x) / length


def _arrow(sheet: _Sheet, outline: TrackOutline, reverse: bool) -> str:
    """A triangle on the road, a little after the start line in the direction of driving."""
    way = -1 if reverse else 1
    sheet_m = max(sheet.width, sheet.height) / 100
    half = max(road_width_m(outline) * 0.22, sheet_m * ARROW_SHARE)
    share = way * max(ARROW_AT_M, 5 * half) / outline.length_m
    tip, tail = outline.point_at(share), outline.point_at(share - way * 0.4 / outline.length_m)
    length = math.dist(tip, tail)
    if length == 0:
        return ""
    ahead = ((tip[0] - tail[0]) / length, (tip[1] - tail[1]) / length)
    tip = (tail[0] + ahead[0] * 2.2 * half, tail[1] + ahead[1] * 2.2 * half)
    corners = (
        tip,
        (tail[0] - ahead[1] * half, tail[1] + ahead[0] * half),
        (tail[0] + ahead[1] * half, tail[1] - ahead[0] * half),
    )
    return _closed(sheet, corners)
