"""Tracks drawn as SVG: few points, near the real line, the start and the arrow where they belong."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tracks.drawing import draw_track, place_on, simplified
from shared.tracks.outline import Point, TrackOutline
from shared.tracks.shipped import shipped_names, shipped_outline

NUMBER = re.compile(r"-?\d+")


def numbers(path: str) -> list[int]:
    return [int(each) for each in NUMBER.findall(path)]


@pytest.mark.parametrize("name", shipped_names())
@pytest.mark.parametrize("reverse", [False, True])
def test_a_drawing_is_small_and_lies_within_its_view_box(name: str, reverse: bool) -> None:
    outline = shipped_outline(name)
    drawing = draw_track(outline, reverse=reverse)
    _, _, width, height = numbers(drawing.view_box)
    assert len(drawing.road) + len(drawing.centre) < 4000
    for share in range(20):
        x, y = place_on(outline, share / 20)
        assert 0 < x < width
        assert 0 < y < height
    from_x, from_y, to_x, to_y = numbers(drawing.start)
    assert 50 < math.dist((from_x, from_y), (to_x, to_y)) < 200
    assert 60 < drawing.width < 200


@pytest.mark.parametrize("reverse", [False, True])
def test_the_arrow_points_the_way_that_is_driven(reverse: bool) -> None:
    outline = shipped_outline("reinvent_base")
    arrow = numbers(draw_track(outline, reverse=reverse).arrow)
    tip, tail = arrow[:2], [arrow[0] + arrow[2] + arrow[4] / 2, arrow[1] + arrow[3] + arrow[5] / 2]
    way = -1 if reverse else 1
    ahead, behind = place_on(outline, way * 0.12), place_on(outline, way * 0.0)
    assert math.dist(tip, ahead) < math.dist(tail, ahead)
    assert math.dist(tip, behind) > math.dist(tail, behind)


def test_a_track_without_edges_is_drawn_by_its_centre_line() -> None:
    known = shipped_outline("Oval_track")
    drawing = draw_track(TrackOutline("oval", known.centre, (), (), known.length_m))
    assert drawing.road == ""
    assert drawing.width == 90
    assert drawing.start.startswith("M")


def shape(points: int, wobble: list[float]) -> list[Point]:
    return [
        ((5 + wobble[n % len(wobble)]) * math.cos(n * math.tau / points), 3 * math.sin(n * math.tau / points))
        for n in range(points)
    ]


@given(st.integers(8, 200), st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=7))
def test_no_point_that_is_left_out_is_far_from_the_drawn_line(points: int, wobble: list[float]) -> None:
    line = shape(points, wobble)
    drawn = simplified(line)
    assert set(drawn) <= set(line)
    for point in line:
        pairs = zip(drawn, [*drawn[1:], drawn[0]], strict=True)
        assert min(_away(point, begin, end) for begin, end in pairs) <= 0.0101


def _away(point: Point, begin: Point, end: Point) -> float:
    length = math.dist(begin, end)
    if length == 0:
        return math.dist(point, begin)
    along = (point[0] - begin[0]) * (end[0] - begin[0]) + (point[1] - begin[1]) * (end[1] - begin[1])
    part = min(1.0, max(0.0, along / length**2))
    return math.dist(point, (begin[0] + part * (end[0] - begin[0]), begin[1] + part * (end[1] - begin[1])))
