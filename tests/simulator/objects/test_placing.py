"""Objects on the track: lanes, given places and drawn ones, and every refusal."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import INNER, OUTER, lanes_of
from simulator.objects.placing import (
    FROM_START_M,
    MIN_GAP_M,
    TO_START_M,
    ObjectPlace,
    place_drawn,
)
from simulator.world.tracks import load_track, shipped_tracks
from tests.simulator.world.sample_tracks import ring

RING = ring()  # driven counter-clockwise, radius 3 m, 1 m wide: 18.85 m
LANES = lanes_of(RING)


def test_the_inner_lane_is_beside_the_shorter_edge_in_both_directions() -> None:
    for track in (RING, RING.reversed()):
        lanes = lanes_of(track)
        for share in (0.0, 0.3, 0.999):
            s_m = share * lanes.length_m
            inner, outer, middle = lanes.pose(s_m, INNER), lanes.pose(s_m, OUTER), track.pose_at(s_m)
            assert math.hypot(inner.x, inner.y) == pytest.approx(2.75, abs=2e-3)
            assert math.hypot(outer.x, outer.y) == pytest.approx(3.25, abs=2e-3)
            assert math.remainder(inner.yaw - middle.yaw, math.tau) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("name", shipped_tracks())
def test_lanes_lie_on_the_road_and_turn_without_a_jump(name: str) -> None:
    track = load_track(name)
    lanes = lanes_of(track)
    for lane in (INNER, OUTER):
        poses = [lanes.pose(n * 0.25, lane) for n in range(int(lanes.length_m / 0.25) + 2)]
        for pose in poses:
            place = track.locate(pose.x, pose.y)
            assert track.on_road(pose.x, pose.y, place.segment)
        assert max(abs(math.remainder(b.yaw - a.yaw, math.tau)) for a, b in pairwise(poses)) < 0.6


def test_boxes_stand_where_they_are_put() -> None:
    boxes = make_boxes(LANES, BoxSetup(2, (ObjectPlace(INNER, 0.5), ObjectPlace(OUTER, 0.25))), seed=1)
    assert [box.lane for box in boxes] == [INNER, OUTER]
    assert boxes[0].pose[:2] == pytest.approx((-2.75, 0.0), abs=2e-3)
    assert boxes[1].pose[:2] == pytest.approx((0.0, 3.25), abs=2e-3)
    assert math.remainder(boxes[1].pose.yaw - math.pi, math.tau) == pytest.approx(0.0, abs=1e-2)


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        ([ObjectPlace(0, 0.5)], "Object 1 is in lane 0: the lanes are 1 (inner) and -1 (outer)."),
        ([ObjectPlace(1, 0.5), ObjectPlace(2, 0.7)], "Object 2 is in lane 2: the lanes are 1 (inner) and -1 (outer)."),
        ([ObjectPlace(1, 1.2)], "Object 1 is at 1.2 of the track: its share must be 0 to 1."),
        ([ObjectPlace(1, -0.1)], "Object 1 is at -0.1 of the track: its share must be 0 to 1."),
        ([ObjectPlace(1, math.nan)], "Object 1 is at nan of the track: its share must be 0 to 1."),
        ([ObjectPlace(1, 0.0)], "Object 1 overlaps the start: its share must be 0.032 to 0.875 on this track."),
        ([ObjectPlace(1, 0.9)], "Object 1 overlaps the start: its share must be 0.032 to 0.875 on this track."),
        ([ObjectPlace(1, 0.5), ObjectPlace(1, 0.51)], "Objects 1 and 2 overlap: move one of them."),
        ([ObjectPlace(1, 0.1 + n * 0.1) for n in range(7)], "There are 7 objects: a race has 1 to 6."),
        ([], "There are 0 objects: a race has 1 to 6."),
    ],
)
def test_what_cannot_be_placed_is_refused(places: list[ObjectPlace], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        make_boxes(LANES, BoxSetup(len(places), tuple(places)), seed=1)
    assert str(refused.value) == sentence


def test_the_shares_that_a_refusal_names_are_accepted() -> None:
    boxes = make_boxes(LANES, BoxSetup(2, (ObjectPlace(INNER, 0.033), ObjectPlace(OUTER, 0.874))), seed=1)
    assert len(boxes) == 2


def test_two_objects_may_stand_side_by_side_in_both_lanes() -> None:
    boxes = make_boxes(LANES, BoxSetup(2, (ObjectPlace(INNER, 0.5), ObjectPlace(OUTER, 0.5))), seed=1)
    assert [box.lane for box in boxes] == [INNER, OUTER]


def test_a_setup_needs_a_place_for_each() -> None:
    with pytest.raises(BadInput, match="There are 3 boxes but 1 places"):
        BoxSetup(3, (ObjectPlace(1, 0.5),))
    with pytest.raises(BadInput, match="There are 7 objects: a race has 1 to 6"):
        BoxSetup(7)


@given(st.integers(0, 1 << 40), st.integers(1, 6))
@settings(max_examples=200)
def test_drawn_objects_keep_clear_of_the_start_and_of_each_other(seed: int, count: int) -> None:
    placed = place_drawn(LANES, count, f"test-{seed}")
    assert placed == place_drawn(LANES, count, f"test-{seed}")
    assert len(placed) == count
    assert placed[0].s_m >= FROM_START_M
    assert placed[-1].s_m <= LANES.length_m - TO_START_M + 1e-9
    assert all(b.s_m - a.s_m >= MIN_GAP_M - 1e-9 for a, b in pairwise(placed))
    assert {one.lane for one in placed} <= {INNER, OUTER}


def test_drawn_objects_come_everywhere_and_in_both_lanes() -> None:
    drawn = [one for seed in range(400) for one in make_boxes(LANES, BoxSetup(1), seed)]
    free_m = LANES.length_m - FROM_START_M - TO_START_M
    quarters = [0, 0, 0, 0]
    for one in drawn:
        quarters[min(3, int((one.s_m - FROM_START_M) / free_m * 4))] += 1
    assert all(70 <= count <= 130 for count in quarters), quarters
    assert 150 <= sum(one.lane == INNER for one in drawn) <= 250


def test_too_many_for_a_short_track_are_refused() -> None:
    small = lanes_of(ring(radius_m=1.5, width_m=0.8))
    assert len(place_drawn(small, 3, "a")) == 3
    with pytest.raises(BadInput, match=r"6 objects do not fit on a track of 9.4 m with 2 m between them: choose fewer"):
        place_drawn(small, 6, "a")
