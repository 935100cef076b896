"""Geometry of a track: progress, sides, edges, reversal."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.tracks import load_track, shipped_tracks
from tests.simulator.world.sample_tracks import box, ring

RING = ring()


def test_length_and_width() -> None:
    assert RING.length_m == pytest.approx(math.tau * 3.0, rel=1e-4)
    assert RING.widths_m == pytest.approx(1.0)


@given(st.floats(0.0, 18.8), st.floats(-0.45, 0.45))
def test_locate_undoes_pose_at(s_m: float, lateral_m: float) -> None:
    pose = RING.pose_at(s_m, lateral_m)
    place = RING.locate(pose.x, pose.y)
    assert place.lateral_m == pytest.approx(lateral_m, abs=2e-3)
    assert math.remainder(place.s_m - s_m, RING.length_m) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("name", shipped_tracks())
def test_search_near_the_last_place_finds_what_a_full_search_finds(name: str) -> None:
    track = load_track(name)
    near = track.locate(*track.pose_at(0.0)[:2]).segment
    for step in range(int(track.length_m / 0.1)):
        pose = track.pose_at(step * 0.1, 0.2)
        place = track.locate(pose.x, pose.y, near)
        near = place.segment
        assert place == track.locate(pose.x, pose.y)


@pytest.mark.parametrize("name", shipped_tracks())
def test_reversed_track_has_its_sides_and_its_start_line_kept(name: str) -> None:
    track = load_track(name)
    back = track.reversed()
    assert back.length_m == pytest.approx(track.length_m)
    (lx, ly), (rx, ry) = track.line_at(0.0)
    assert back.line_at(0.0) == ((rx, ry), (lx, ly))
    assert math.cos(back.pose_at(1e-6).yaw - track.pose_at(track.length_m - 1e-6).yaw) == pytest.approx(-1.0, abs=1e-6)


ON_BOX = [
    # x, y, on the road
    (4.0, 0.0, True),
    (4.0, 0.39, True),
    (4.0, 0.41, False),
    (4.0, -0.39, True),
    (4.0, -0.41, False),
    (7.9, 0.1, True),
    (8.35, -0.35, True),  # the outer corner belongs to the road
    (8.45, 0.0, False),
    (4.0, 4.0, False),
]


@pytest.mark.parametrize(("x", "y", "on"), ON_BOX)
def test_on_road(x: float, y: float, on: bool) -> None:
    track = box()
    assert track.on_road(x, y, track.locate(x, y).segment) is on


@given(st.floats(0.0, 18.8), st.floats(-1.0, 1.0))
def test_on_road_agrees_with_the_lateral_distance(s_m: float, lateral_m: float) -> None:
    pose = RING.pose_at(s_m, lateral_m)
    if abs(abs(lateral_m) - 0.5) > 0.01:
        assert RING.on_road(pose.x, pose.y, RING.locate(pose.x, pose.y).segment) is (abs(lateral_m) < 0.5)


def test_another_stretch_of_the_same_road_does_not_count() -> None:
    track = box()
    here = track.locate(4.0, 0.0).segment
    assert track.on_road(4.0, 8.0, track.locate(4.0, 8.0).segment)
    assert not track.on_road(4.0, 8.0, here)
