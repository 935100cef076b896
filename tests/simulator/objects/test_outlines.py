"""Outlines: rectangles at known places, and against a check that knows no axes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.objects.outlines import BOX_OUTLINE, CAR_OUTLINE, Outline, corners_of, outlines_overlap

Place = tuple[float, float, float]


def overlap(a: Place, one: Outline, b: Place, other: Outline) -> bool:
    """Whether two outlines overlap."""
    return outlines_overlap(a, one.size, b, other.size)


@pytest.mark.parametrize(
    ("car", "box", "hit"),
    [
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), True),
        ((0.0, 0.0, 0.0), (0.339, 0.0, 0.0), True),  # 0.14 + 0.20, nose to tail
        ((0.0, 0.0, 0.0), (0.341, 0.0, 0.0), False),
        ((0.0, 0.0, 0.0), (0.0, 0.247, 0.0), True),  # 0.098 + 0.15, side by side
        ((0.0, 0.0, 0.0), (0.0, 0.249, 0.0), False),
        ((0.0, 0.0, math.pi / 2), (0.0, 0.339, math.pi / 2), True),
        ((0.0, 0.0, 0.0), (0.289, 0.0, math.pi / 2), True),  # the box lies across: 0.14 + 0.15
        ((0.0, 0.0, 0.0), (0.291, 0.0, math.pi / 2), False),
        ((0.0, 0.0, math.pi / 4), (0.39, 0.0, 0.0), False),  # a turned nose is shorter, its corner is not wide enough
        ((0.0, 0.0, math.pi / 4), (0.36, 0.0, 0.0), True),
        ((0.0, 0.0, math.pi / 4), (0.34, 0.30, 0.0), False),  # the bounding rectangles overlap, the outlines do not
    ],
)
def test_a_car_meets_a_box(car: Place, box: Place, hit: bool) -> None:
    assert overlap(car, CAR_OUTLINE, box, BOX_OUTLINE) is hit
    assert overlap(box, BOX_OUTLINE, car, CAR_OUTLINE) is hit


def test_one_within_the_other_overlaps_although_no_edges_cross() -> None:
    assert overlap((0.0, 0.0, 0.3), Outline(5.0, -5.0, 5.0, 1.0), (1.0, 1.0, 1.0), CAR_OUTLINE)


PLACES = st.tuples(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(-4.0, 4.0))


@given(PLACES, PLACES)
def test_it_is_what_sampled_points_say(a: Place, b: Place) -> None:
    """Points over one outline, nearly its whole area: one of them in the other outline means overlap."""

    def within(x: float, y: float, place: Place, outline: Outline, slack_m: float) -> bool:
        c, s = math.cos(place[2]), math.sin(place[2])
        along, across = (x - place[0]) * c + (y - place[1]) * s, (y - place[1]) * c - (x - place[0]) * s
        if not outline.rear_m - slack_m <= along <= outline.front_m + slack_m:
            return False
        return abs(across) <= outline.half_width_m + slack_m

    def points(place: Place) -> list[tuple[float, float]]:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners_of(*place, CAR_OUTLINE)
        shares = [n / 14 for n in range(15)]
        front_to_rear = [
            ((ax + t * (dx - ax), ay + t * (dy - ay)), (bx + t * (cx - bx), by + t * (cy - by))) for t in shares
        ]
        return [(lx + u * (rx - lx), ly + u * (ry - ly)) for (lx, ly), (rx, ry) in front_to_rear for u in shares]

    sampled = points(a)
    hit = overlap(a, CAR_OUTLINE, b, BOX_OUTLINE)
    if any(within(x, y, b, BOX_OUTLINE, 0.0) for x, y in sampled):
        assert hit
    if not any(within(x, y, b, BOX_OUTLINE, 0.012) for x, y in sampled):  # half a diagonal between two points
        assert not hit


def test_corners_go_round_from_the_front_left() -> None:
    corners = corners_of(1.0, 2.0, math.pi / 2, CAR_OUTLINE)
    wanted = [(1 - 0.098, 2.14), (1 + 0.098, 2.14), (1 + 0.098, 1.86), (1 - 0.098, 1.86)]
    assert corners == [pytest.approx(corner) for corner in wanted]
