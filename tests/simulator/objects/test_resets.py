"""When a car is taken back and where it is put: counters, whose fault a crash is, and the lane that is free."""

import pytest

from simulator.objects.lanes import INNER, OUTER, lanes_of
from simulator.objects.placing import PlacedObject
from simulator.objects.putting_back import nearest_lane, put_back_place, put_back_pose
from simulator.objects.reset_rules import STEPS_TO_RESET, count_reversed, count_still, is_behind
from tests.simulator.world.sample_tracks import ring

LANES = lanes_of(ring())
LENGTH_M = LANES.length_m


def box(s_m: float, lane: int) -> PlacedObject:
    """A box at a place."""
    return PlacedObject(s_m, lane, LANES.pose(s_m, lane))


def test_fifteen_steps_backwards_are_reversed_and_one_forward_begins_anew() -> None:
    count, at_m = 0, 5.0
    for step in range(STEPS_TO_RESET):
        assert count == step
        count, at_m = count_reversed(count, at_m - 0.02, at_m, running=True), at_m - 0.02
    assert count == STEPS_TO_RESET
    assert count_reversed(count, at_m + 0.001, at_m, running=True) == 0
    assert count_reversed(count, at_m, at_m, running=True) == 0  # standing is not reversed
    assert count_reversed(count, at_m - 0.02, at_m, running=False) == 0  # nor is a car that was put back


@pytest.mark.parametrize(("moved_m", "counts"), [(0.0, True), (0.0002, True), (0.00031, False), (0.1, False)])
def test_a_car_that_moves_at_most_a_third_of_a_millimetre_stands(moved_m: float, counts: bool) -> None:
    assert count_still(7, 1.0 + moved_m, 2.0, 1.0, 2.0, running=True) == (8 if counts else 0)
    assert count_still(7, 1.0 + moved_m, 2.0, 1.0, 2.0, running=False) == 0


@pytest.mark.parametrize(
    ("car_m", "other_m", "behind"),
    [(4.0, 5.0, True), (5.0, 4.0, False), (LENGTH_M - 0.2, 0.1, True), (0.1, LENGTH_M - 0.2, False), (4.0, 4.0, True)],
)
def test_the_car_behind_is_at_fault_also_across_the_line(car_m: float, other_m: float, behind: bool) -> None:
    assert is_behind(car_m, other_m, LENGTH_M) is behind


@pytest.mark.parametrize(
    ("s_m", "lane", "boxes", "resets_here", "wanted"),
    [
        (6.0, INNER, [], 0, (5.0, INNER)),
        (0.4, OUTER, [], 0, (LENGTH_M - 0.6, OUTER)),
        (6.0, INNER, [box(6.3, INNER)], 0, (5.3, OUTER)),  # beside the box, a metre before it
        (6.0, OUTER, [box(6.3, INNER)], 2, (5.3, OUTER)),
        (6.0, OUTER, [box(6.3, INNER)], 3, (7.3, OUTER)),  # the fourth time beyond it
        (6.0, INNER, [box(4.8, OUTER)], 0, (3.8, INNER)),  # it would be put down at the box behind
        (6.0, INNER, [box(8.0, INNER)], 0, (5.0, INNER)),
        (0.2, INNER, [box(LENGTH_M - 0.3, OUTER)], 0, (LENGTH_M - 1.3, INNER)),
    ],
)
def test_a_car_is_put_back_into_the_free_lane(
    s_m: float, lane: int, boxes: list[PlacedObject], resets_here: int, wanted: tuple[float, int]
) -> None:
    at_m, in_lane = put_back_place(LANES, s_m, lane, boxes, resets_here)
    assert (at_m, in_lane) == (pytest.approx(wanted[0]), wanted[1])


def test_a_car_comes_back_to_the_lane_that_it_left() -> None:
    for lane in (INNER, OUTER):
        pose = LANES.pose(6.0, lane)
        assert nearest_lane(LANES, 6.0, pose.x, pose.y) == lane
        assert put_back_pose(LANES, 6.0, pose.x, pose.y, []) == LANES.pose(5.0, lane)
