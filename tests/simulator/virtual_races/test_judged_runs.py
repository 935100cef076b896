"""Judged runs in the batch: laps with their penalties, resets that run out, and two rivals on one track."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.batch.vector import BatchWorlds, Floats, WorldSpec
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import INNER, lanes_of
from simulator.objects.placing import ObjectPlace
from simulator.virtual_races.head_to_head import Reason, ahead_after, start_places
from simulator.virtual_races.judged_runs import JudgedRuns
from simulator.virtual_races.phases import Occurrence, Phase, ResetRules
from simulator.world.tracks import load_track
from simulator.world.world import draw_parts

TRACK = load_track("reinvent_base")
LANES = lanes_of(TRACK)
SPEC = WorldSpec(TRACK, draw_parts(TRACK, 1), 1)
QUICK = ResetRules(off_track_s=1.0, crashed_s=2.0, reversed_s=1.0, immobilized_s=1.0, max_resets=2)


def along(batch: BatchWorlds, throttle: float = 0.4, aside_m: float | Floats = 0.0) -> Floats:
    """Commands that keep each car beside the centre line."""
    steering = -1.6 * batch.heading_error_rad - 1.2 * (batch.lateral_m - aside_m)
    return np.stack([steering, np.full(len(batch), throttle)], axis=1)


def test_a_penalty_is_part_of_its_lap_and_the_car_drives_on() -> None:
    batch = BatchWorlds([SPEC, SPEC])
    judged = JudgedRuns(batch, replace(QUICK, max_resets=15, off_track_s=3.0), laps=2, max_s=90.0)
    assert judged.running == [0, 1]
    left = False
    while judged.unfinished:
        commands = along(batch)
        if not left and 5.0 < batch.s_m[1] < 9.0 and judged.laps_s(1) == ():
            commands[1, 0] = 1.0  # the second turns off the road, once
        judged.step(commands)
        left = left or judged.states[1].count(Occurrence.OFF_TRACK) > 0
        if judged.states[1].phase is Phase.PAUSE:
            assert batch.speed_mps[1] == 0.0
    clean, reset = judged.states
    assert (clean.phase, clean.ended_by, clean.resets) == (Phase.PARK, Occurrence.FINISHED, ())
    assert (reset.phase, reset.ended_by, reset.resets) == (Phase.PARK, Occurrence.FINISHED, (Occurrence.OFF_TRACK,))
    first, second = judged.laps_s(1)
    assert judged.laps_s(0)[1] == pytest.approx(second, abs=0.1)
    assert 3.0 < first - judged.laps_s(0)[0] < 6.0  # the penalty, and the way from where it was put back


def test_a_run_ends_when_its_resets_are_used_up() -> None:
    boxes = make_boxes(LANES, BoxSetup(1, (ObjectPlace(INNER, 0.2),)), 0)
    batch = BatchWorlds([SPEC, SPEC, SPEC, replace(SPEC, boxes=boxes)])
    batch.put_at(8.0, turn_rad=np.pi, worlds=[2])  # it stands the wrong way round
    judged = JudgedRuns(batch, QUICK, laps=1, max_s=60.0)
    aside_m = TRACK.locate(*boxes[0].pose[:2]).lateral_m
    for _ in range(60 * 15):
        commands = along(batch, aside_m=aside_m)
        commands[0] = 0.0, 0.0  # stands
        commands[1] = 1.0, 0.3  # turns on the spot, off the road
        commands[2] = 0.0, 0.3  # goes straight on
        judged.step(commands)
    stands, leaves, reverses, crashes = judged.states
    assert (stands.phase, stands.resets, stands.ended_by) == (
        Phase.PARK,
        (Occurrence.IMMOBILIZED,) * 2,
        Occurrence.IMMOBILIZED,
    )
    assert (leaves.phase, set(leaves.resets)) == (Phase.PARK, {Occurrence.OFF_TRACK})
    assert reverses.phase is Phase.PARK
    assert reverses.resets[0] is Occurrence.REVERSED
    assert crashes.resets[0] is Occurrence.CRASHED
    assert judged.laps_s(0) == ()


def test_a_car_that_is_put_back_before_the_line_gets_no_second_lap() -> None:
    batch = BatchWorlds([SPEC])
    judged = JudgedRuns(batch, replace(QUICK, max_resets=15), laps=1, max_s=60.0)
    crossed = 0
    while judged.unfinished:
        commands = along(batch)
        if len(judged.runs[0].crossings_ns) == 1 and not crossed and batch.s_m[0] < 5.0:
            judged._put_back(0, judged._runs[0])  # as if it had left the road right behind the line
            crossed = 1
        judged.step(commands)
    assert crossed
    (lap_s,) = judged.laps_s(0)
    assert lap_s > 10.0


def test_time_runs_out() -> None:
    batch = BatchWorlds([SPEC])
    judged = JudgedRuns(batch, ResetRules(countdown_s=1.0), laps=3, max_s=2.0)
    assert judged.running == []
    frames = 0
    while judged.unfinished:
        judged.step(along(batch))
        frames += 1
        assert (batch.speed_mps[0] > 0.0) <= (frames > 15)  # nobody drives in the countdown
    assert frames == 30
    assert judged.states[0].ended_by is Occurrence.TIME_UP


def test_of_two_rivals_the_faster_one_is_ahead() -> None:
    batch = BatchWorlds([replace(SPEC, rival=1), replace(SPEC, rival=0)])
    for n, pose in enumerate(start_places(LANES)):
        place = TRACK.locate(pose.x, pose.y)
        batch.put_at(place.s_m, place.lateral_m, worlds=[n])
    aside_m = batch.lateral_m.copy()
    judged = JudgedRuns(batch, ResetRules(), laps=1, max_s=40.0)
    while judged.unfinished:
        commands = along(batch, aside_m=aside_m)
        commands[:, 1] = 0.34, 0.46  # the second starts behind in the other lane, and is faster
        judged.step(commands)
    assert [state.resets for state in judged.states] == [(), ()]  # they pass each other without touching
    verdict = ahead_after(judged.runs, 1)
    assert (verdict.winner, verdict.reason) == (1, Reason.FIRST_TO_FINISH)
    assert verdict.by_s == pytest.approx((judged.runs[0].crossings_ns[1] - judged.runs[1].crossings_ns[1]) / 1e9)
