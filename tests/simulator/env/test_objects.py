"""Boxes and bots in the environments: what a reward function is told of them, and that a crash ends an episode."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import simulator.env  # noqa: F401  registers the environments
from shared.errors import BadInput
from simulator.env.options import read_options
from simulator.env.vector import RaceVectorEnv

SMALL: dict[str, Any] = {"size": (16, 12), "randomise": 0}
PLACES = [(1, 0.25), (-1, 0.6), (1, 0.8)]
AHEAD = np.array([[0.0, 0.0]], np.float32)


class Recorder:
    def __init__(self) -> None:
        self.given: list[dict[str, Any]] = []

    def __call__(self, parameters: dict[str, Any]) -> float:
        self.given.append(parameters)
        return 1.0


def made(recorder: Recorder, **options: Any) -> RaceVectorEnv:
    return RaceVectorEnv(1, reward=recorder, autoreset_mode="Disabled", **{**SMALL, **options})


@pytest.mark.parametrize("direction", ["counterclockwise", "clockwise"])
def test_a_reward_function_is_told_of_boxes_as_in_the_field(direction: str) -> None:
    recorder = Recorder()
    envs = made(recorder, boxes=PLACES, direction=direction)
    envs.reset(seed=1)
    track = envs.worlds.specs[0].track
    for s_m in (1.0, 0.4 * track.length_m, 0.9 * track.length_m):
        envs.worlds.put_at(s_m)
        envs.step(AHEAD)
    first, second, third = recorder.given
    assert [each["closest_objects"] for each in (first, second, third)] == [[2, 0], [0, 1], [2, 0]]
    distances = [share * track.length_m for _, share in PLACES]
    assert first["objects_distance"] == pytest.approx(distances, abs=0.05)
    assert (first["objects_speed"], first["objects_heading"]) == ([0.0] * 3, [0.0] * 3)
    inner_is_left = direction == "counterclockwise"
    assert first["objects_left_of_center"] == [inner_is_left, not inner_is_left, inner_is_left]
    assert first["objects_distance_from_center"] == pytest.approx([0.19] * 3, abs=0.02)  # half of half the road
    for (x, y), distance in zip(first["objects_location"], distances, strict=True):
        pose = track.pose_at(distance)
        assert math.hypot(x - pose.x, y - pose.y) == pytest.approx(0.19, abs=0.05)


def test_the_next_object_is_in_the_camera_when_it_stands_before_the_car() -> None:
    recorder = Recorder()
    envs = made(recorder, boxes=[(1, 0.12)])
    envs.reset(seed=1)
    at_m = 0.12 * envs.worlds.specs[0].track.length_m
    for s_m, turn in ((at_m - 1.0, 0.0), (at_m - 1.0, 1.5), (at_m - 1.0, -1.5), (at_m + 0.6, 0.0)):
        envs.worlds.put_at(s_m, 0.0, turn)
        envs.step(AHEAD)
    assert [each["object_in_camera"] for each in recorder.given] == [True, False, False, False]


def test_running_into_a_box_ends_the_episode_for_good() -> None:
    recorder = Recorder()
    envs = made(recorder, boxes=[(1, 0.12)])
    envs.reset(seed=1)
    lane_m = 0.5 * float(envs.worlds.specs[0].track.half_width_at(0))
    envs.worlds.put_at(0.12 * envs.worlds.specs[0].track.length_m - 1.0, lane_m)
    for _ in range(60):
        _, _, terminated, truncated, info = envs.step(AHEAD)
        if terminated[0]:
            break
    assert (bool(info["crashed"][0]), bool(info["off_track"][0]), bool(truncated[0])) == (True, False, False)
    assert [each["is_crashed"] for each in recorder.given] == [False] * (len(recorder.given) - 1) + [True]


def test_a_bot_that_runs_into_the_car_waits() -> None:
    recorder = Recorder()
    envs = made(recorder, bots=[(1, 0.1)], bot_speed_mps=2.0, max_episode_steps=1000)
    envs.reset(seed=1)
    track = envs.worlds.specs[0].track
    lane_m = 0.5 * float(track.half_width_at(0))
    envs.worlds.put_at(0.1 * track.length_m + 1.0, lane_m)  # stands in its way
    stand = np.array([[0.0, -1.0]], np.float32)
    speeds = []
    for _ in range(14):  # one step less, and it would be immobilised
        _, _, terminated, _, info = envs.step(stand)
        assert not terminated[0]
        assert not info["crashed"][0]
        speeds.append(recorder.given[-1]["objects_speed"][0])
    assert speeds[0] == 2.0
    assert 0.0 in speeds
    xs = [each["objects_location"][0] for each in recorder.given]
    moved = [math.dist(before, after) for before, after in pairwise(xs)]
    assert max(moved) == pytest.approx(2.0 / 15, abs=0.01)
    assert moved[-1] == 0.0
    heading = recorder.given[0]["objects_heading"][0]
    assert heading == pytest.approx(
        track.pose_at(0.1 * track.length_m).yaw, abs=0.1
    )  # radians, as the simulator has it


def test_boxes_and_bots_are_seen_in_frames_and_in_the_picture_for_people() -> None:
    """The same world with and without them: they cover a tenth of the picture at least, and no floor turns into one."""
    options: dict[str, Any] = {"randomise": 0, "size": (80, 60), "observation": "rgb", "render_mode": "rgb_array"}
    empty = RaceVectorEnv(1, **options)
    place = [(-1, 0.12)]
    for furnished in (RaceVectorEnv(1, boxes=place, **options), RaceVectorEnv(1, bots=place, **options)):
        both = [empty, furnished]
        frames = []
        for envs in both:
            envs.reset(seed=1)
            track = envs.worlds.specs[0].track
            envs.worlds.put_at(0.12 * track.length_m - 0.7, -0.5 * float(track.half_width_at(0)))
            pictures = envs.render()
            assert pictures is not None
            frames.append((envs._episodes.observe()[0].astype(int), pictures[0].astype(int)))
        for without, seen in zip(*frames, strict=True):
            changed = np.abs(seen - without).max(axis=2) > 12
            assert 0.05 < float(changed.mean()) < 0.6
            assert changed[:, changed.shape[1] // 2].any()


BAD_OBJECTS = [
    ({"boxes": 7}, "There are 7 objects: a race has 1 to 6"),
    ({"boxes": [(0, 0.5)]}, "in lane 0: the lanes are 1"),
    ({"boxes": [(1, 1.5)]}, "its share must be 0 to 1"),
    ({"boxes": [(1, 0.0)]}, "overlaps the start"),
    ({"boxes": [(1, 0.5), (1, 0.505)]}, "overlap: move one of them"),
    ({"boxes": [0.5]}, "lanes and shares of the track"),
    ({"boxes": "three"}, "lanes and shares of the track"),
    ({"bots": 2, "bot_speed_mps": 9}, "speed is 9 m/s: it must be 0.2 to 6"),
    ({"bots": 2, "bot_speed_mps": "fast"}, "give metres a second"),
    ({"bots": 1, "lane_change_s": (5, 1)}, "the lower first"),
    ({"bots": 1, "lane_change_s": 3}, "give two numbers of seconds"),
]


@pytest.mark.parametrize(("options", "sentence"), BAD_OBJECTS, ids=[str(each) for each, _ in BAD_OBJECTS])
def test_objects_that_cannot_be_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_options(**options)
