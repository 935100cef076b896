"""Boxes, bots and rivals in a batch: they move as the pure functions say, and a car that meets one feels it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from simulator.batch.track_objects import BOT, BOX, RIVAL
from simulator.batch.vector import CRASHED, BatchWorlds, WorldSpec
from simulator.objects.bots import BotSetup, make_bots
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import INNER, OUTER, lanes_of
from simulator.objects.placing import ObjectPlace
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

TRACK = load_track("reinvent_base")
LANES = lanes_of(TRACK)
PLAIN = WorldSpec(TRACK, draw_parts(TRACK, 1), 1)
FRAME_S = 1 / 15


def along(batch: BatchWorlds, throttle: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Commands that keep each car on the centre line."""
    steering = -1.6 * batch.heading_error_rad - 1.2 * batch.lateral_m
    return np.stack([steering, np.full(len(batch), throttle)], axis=1)


def test_bots_are_where_their_clock_says() -> None:
    bots = make_bots(LANES, BotSetup(3, 1.0, None, (0.5, 1.5)), 4)
    boxes = make_boxes(LANES, BoxSetup(1), 4)
    batch = BatchWorlds([PLAIN, replace(PLAIN, bots=bots, boxes=boxes)])
    assert batch.objects[0]["kind"].max() == 0
    assert batch.objects[1]["kind"][:5].tolist() == [BOX, BOT, BOT, BOT, 0]
    for frame in range(1, 41):
        batch.step(np.zeros((2, 2)))
        if frame == 20:
            batch.pause_bots(1, 0.25)
        clock_s = frame * FRAME_S - (min(0.25, (frame - 20) * FRAME_S) if frame > 20 else 0.0)
        rows = batch.objects[1][1:4]
        for row, pose in zip(rows, bots.poses(clock_s), strict=True):
            assert (row["to_x"], row["to_y"], row["to_yaw"]) == pytest.approx(pose, abs=1e-9)
    assert (batch.objects[1]["x"][0], batch.objects[1]["y"][0]) == boxes[0].pose[:2]


@pytest.mark.parametrize("lane", [INNER, OUTER])
def test_a_car_feels_the_box_that_it_meets_and_is_put_back_beside_it(lane: int) -> None:
    boxes = make_boxes(LANES, BoxSetup(1, (ObjectPlace(lane, 0.4),)), 0)
    batch = BatchWorlds([replace(PLAIN, boxes=boxes), PLAIN])
    lateral_m = TRACK.locate(*boxes[0].pose[:2]).lateral_m
    batch.put_at(boxes[0].s_m - 1.5, lateral_m)
    crashed = []
    for _ in range(40):
        steering = -1.6 * batch.heading_error_rad - 1.2 * (batch.lateral_m - lateral_m)
        events = batch.step(np.stack([steering, np.full(2, 0.4)], axis=1))
        crashed += events[events["kind"] == CRASHED].tolist()
        if batch.hit[0] == 0:
            break
    assert [each[:4] for each in crashed] == [
        (0, CRASHED, 0, 1)
    ]  # the car was behind; the world without a box felt none
    assert batch.hit.tolist() == [0, -1]
    gap_m = boxes[0].s_m - float(batch.s_m[0])
    assert 0.2 < gap_m < 0.36  # nose to box: 0.14 + 0.20
    batch.put_back([0])
    assert batch.s_m[0] == pytest.approx(boxes[0].s_m - 1.0, abs=0.06)
    assert np.sign(batch.lateral_m[0]) == -np.sign(lateral_m)
    for _ in range(60):  # past the box in the free lane
        steering = -1.6 * batch.heading_error_rad - 1.2 * (batch.lateral_m + lateral_m)
        batch.step(np.stack([steering, np.full(2, 0.4)], axis=1))
        assert batch.hit[0] == -1
    assert math.remainder(float(batch.s_m[0]) - boxes[0].s_m, TRACK.length_m) > 0.5


def test_a_bot_that_runs_into_a_standing_car_is_at_fault() -> None:
    bots = make_bots(LANES, BotSetup(1, 2.0, (ObjectPlace(INNER, 0.3),)), 0)
    batch = BatchWorlds([replace(PLAIN, bots=bots)])
    pose = LANES.pose(0.3 * LANES.length_m + 1.5, INNER)
    place = TRACK.locate(pose.x, pose.y)
    batch.put_at(place.s_m, place.lateral_m)
    faults = []
    for _ in range(20):
        events = batch.step(np.zeros((1, 2)))
        faults += events[events["kind"] == CRASHED]["direction"].tolist()
    assert faults == [-1]


def test_a_car_that_serves_a_penalty_touches_nothing() -> None:
    boxes = make_boxes(LANES, BoxSetup(1, (ObjectPlace(INNER, 0.4),)), 0)
    batch = BatchWorlds([replace(PLAIN, boxes=boxes)])
    place = TRACK.locate(*boxes[0].pose[:2])
    batch.set_solid(False)
    batch.put_at(place.s_m, place.lateral_m)
    assert not len(batch.step(np.zeros((1, 2))))
    batch.set_solid(True)
    assert batch.step(np.zeros((1, 2)))["kind"].tolist() == [CRASHED]


def test_rivals_meet_each_other_whatever_the_threads() -> None:
    def race(threads: int) -> list[tuple[int, ...]]:
        pair = [replace(PLAIN, rival=1), replace(PLAIN, rival=0, seed=2)]
        batch = BatchWorlds([*pair, PLAIN], threads=threads)
        assert batch.objects["kind"][:, 0].tolist() == [RIVAL, RIVAL, 0]
        batch.put_at(2.0, worlds=[0, 2])
        batch.put_at(1.0, worlds=[1])
        crashed = []
        for _ in range(60):
            commands = along(batch, 0.3)
            commands[0, 1] = 0.0  # the first stands, the second comes from behind
            events = batch.step(commands)
            crashed += events[events["kind"] == CRASHED].tolist()
        batch.close()
        return crashed

    crashed = race(1)
    assert [each[:4] for each in crashed] == [(0, CRASHED, 0, -1), (1, CRASHED, 0, 1)]
    assert race(2) == crashed


def test_the_fourth_time_a_car_is_put_beyond_the_box() -> None:
    boxes = make_boxes(LANES, BoxSetup(1, (ObjectPlace(INNER, 0.4),)), 0)
    batch = BatchWorlds([replace(PLAIN, boxes=boxes)])
    behind = []
    for _ in range(4):
        batch.put_at(boxes[0].s_m - 0.3)
        batch.put_back()
        behind.append(bool(batch.s_m[0] < boxes[0].s_m))
    assert behind == [True, True, True, False]
