"""The parameters are those of the field: its names, units and conventions, beside a slow second computation."""

import math

import numpy as np
import pytest

from simulator.env.reward.parameters import FrontPlaces, RewardTrack, StepFacts, is_clockwise
from simulator.world.car import FRONT_M
from simulator.world.geometry import Pose, Track
from simulator.world.tracks import load_track

NAMES = [
    "all_wheels_on_track",
    "x",
    "y",
    "heading",
    "distance_from_center",
    "projection_distance",
    "progress",
    "steps",
    "speed",
    "steering_angle",
    "track_width",
    "track_length",
    "waypoints",
    "closest_waypoints",
    "is_left_of_center",
    "is_reversed",
    "closest_objects",
    "objects_location",
    "objects_left_of_center",
    "object_in_camera",
    "objects_speed",
    "objects_heading",
    "objects_distance_from_center",
    "objects_distance",
    "is_crashed",
    "is_offtrack",
    "sim_time",
]


def places_of(track: Track, poses: list[Pose]) -> FrontPlaces:
    x, y, yaw = (np.array(values) for values in zip(*poses, strict=True))
    near = np.array([track.locate(pose.x, pose.y).segment for pose in poses])
    return RewardTrack(track).fronts(x, y, yaw, near)


def distance_to(line: np.ndarray, x: float, y: float) -> float:
    """The distance to a closed polyline: every segment, one by one."""
    best = math.inf
    for (ax, ay), (bx, by) in zip(line.tolist(), np.roll(line, -1, axis=0).tolist(), strict=True):
        u = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12)
        u = min(1.0, max(0.0, u))
        best = min(best, math.hypot(x - ax - u * (bx - ax), y - ay - u * (by - ay)))
    return best


def test_all_27_and_no_other_in_a_time_trial() -> None:
    track = load_track("reinvent_base")
    road = RewardTrack(track)
    facts = StepFacts(7, 0.4667, 1.4, -22.5, True, False)
    given = road.parameters(places_of(track, [track.pose_at(2.0, 0.1)]), 0, 12.5, facts)
    assert list(given) == NAMES
    assert len(given) == 27
    assert (given["steps"], given["speed"], given["steering_angle"], given["progress"]) == (7, 1.4, -22.5, 12.5)
    assert (given["objects_location"], given["closest_objects"], given["object_in_camera"]) == ([], [0, 0], False)
    waypoints = given["waypoints"]
    assert len(waypoints) == len(track.centre) + 1
    assert waypoints[0] == waypoints[-1] == tuple(track.centre[0])
    waypoints.clear()  # a racer's list is his own
    assert len(road.parameters(places_of(track, [track.pose_at(2.0)]), 0, 0.0, facts)["waypoints"]) == 119


@pytest.mark.parametrize("name", ["reinvent_base", "reInvent2019_track"])
@pytest.mark.parametrize("turned", [False, True])
def test_places_agree_with_a_slow_search_over_the_whole_track(name: str, turned: bool) -> None:
    track = load_track(name).reversed() if turned else load_track(name)
    rng = np.random.default_rng(5)
    poses = [
        Pose(*track.pose_at(float(s), float(aside))[:2], float(track.pose_at(float(s)).yaw + turn))
        for s, aside, turn in zip(
            np.linspace(0.0, track.length_m, 60), rng.uniform(-0.3, 0.3, 60), rng.uniform(-0.5, 0.5, 60), strict=True
        )
    ]
    places = places_of(track, poses)
    for row, pose in enumerate(poses):
        x, y = pose.x + FRONT_M * math.cos(pose.yaw), pose.y + FRONT_M * math.sin(pose.yaw)
        spot = track.locate(x, y)
        centre = track.pose_at(spot.s_m)
        assert (places.x[row], places.y[row]) == pytest.approx((x, y), abs=1e-12)
        assert places.heading_deg[row] == pytest.approx(math.degrees(math.remainder(pose.yaw, math.tau)), abs=1e-9)
        assert places.from_centre_m[row] == pytest.approx(distance_to(track.centre, x, y), abs=1e-9)
        assert places.projection_m[row] % track.length_m == pytest.approx(spot.s_m % track.length_m, abs=1e-9)
        width = distance_to(track.left, centre.x, centre.y) + distance_to(track.right, centre.x, centre.y)
        assert places.track_width_m[row] == pytest.approx(width, abs=0.02)  # both borders stand nearly opposite
        if abs(spot.lateral_m) > 0.02:
            assert bool(places.is_left[row]) == (spot.lateral_m > 0.0)


def test_closest_waypoints_are_the_one_behind_and_the_one_ahead_across_the_line_too() -> None:
    track = load_track("reinvent_base")
    road = RewardTrack(track)
    count, s_m = len(track.centre), track.s_m
    assert road.closest_waypoints(0.0) == [0, 1]
    assert road.closest_waypoints(float(s_m[5]) + 0.01) == [5, 6]
    assert road.closest_waypoints(float(s_m[-1]) + 0.001) == [count - 1, count]
    assert road.closest_waypoints(track.length_m) == [count, 0]


def test_clockwise_is_what_the_field_calls_reversed() -> None:
    track = load_track("reinvent_base")
    assert (is_clockwise(track), is_clockwise(track.reversed())) == (False, True)
    facts = StepFacts(1, 0.1, 1.0, 0.0, True, False)
    for road, pose in ((track, track.pose_at(1.0)), (track.reversed(), track.reversed().pose_at(1.0))):
        given = RewardTrack(road).parameters(places_of(road, [pose]), 0, 0.0, facts)
        assert given["is_reversed"] is is_clockwise(road)
