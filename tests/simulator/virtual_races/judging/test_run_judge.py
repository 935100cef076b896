"""Runs judged in the batch: laps with penalties that are served, resets that run out, and two rivals on one track."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from shared.conditions import Conditions, DrivenRules
from shared.rules.head_to_head import Reason
from simulator.batch.vector import BatchWorlds, Floats, WorldSpec
from simulator.objects.boxes import BoxSetup, make_boxes
from simulator.objects.lanes import INNER, lanes_of
from simulator.objects.placing import ObjectPlace
from simulator.virtual_races.judging.head_to_head import RivalRun, ahead_after
from simulator.virtual_races.judging.run_book import RunBook
from simulator.virtual_races.judging.run_judge import ASIDE_M, RunJudge
from simulator.virtual_races.worlds import STAGGER_M, start_places
from simulator.world.tracks import load_track
from simulator.world.world import START_BEFORE_LINE_M, draw_parts

S = 1_000_000_000
TRACK = load_track("reinvent_base")
LANES = lanes_of(TRACK)
SPEC = WorldSpec(TRACK, draw_parts(TRACK, 1), 1)
RULES = DrivenRules(consecutive_laps=1, off_track_penalty_ns=3 * S, collision_penalty_ns=2 * S)
ONE_LAP = Conditions(laps=1, rules=RULES, run_limit_ms=90_000)


def along(batch: BatchWorlds, throttle: float = 0.4, aside_m: float | Floats = 0.0) -> Floats:
    """Commands that keep each car beside the centre line."""
    steering = -1.6 * batch.heading_error_rad - 1.2 * (batch.lateral_m - aside_m)
    return np.stack([steering, np.full(len(batch), throttle)], axis=1)


def judged(batch: BatchWorlds, conditions: Conditions, before_m: tuple[float, ...] = ()) -> RunJudge:
    """The judge of runs in which penalties are served."""
    starts = before_m or (START_BEFORE_LINE_M,) * len(batch)
    return RunJudge(
        batch, [RunBook(conditions, TRACK.length_m, each, served=True) for each in starts], conditions.rules
    )


def driven(batch: BatchWorlds, judge: RunJudge, commands: Callable[[], Floats]) -> None:
    """Drive until each run is over; whoever serves a penalty stands."""
    while going := [run for run, book in enumerate(judge.books) if book.end is None]:
        table = commands()
        table[[run for run in going if judge.stands(run)]] = 0.0
        judge.judge(going, batch.step(table, going))


def test_a_penalty_is_served_and_belongs_to_its_lap() -> None:
    batch = BatchWorlds([SPEC, SPEC])
    judge = judged(batch, replace(ONE_LAP, laps=2))
    stood: list[int] = []

    def commands() -> Floats:
        table = along(batch)
        if judge.stands(1):
            stood.append(int(batch.now_ns[1]))
            assert batch.speed_mps[1] == 0.0
        elif not stood and 5.0 < batch.s_m[1] < 9.0 and not judge.books[1].laps:
            table[1, 0] = 1.0  # the second turns off the road, once
        return table

    driven(batch, judge, commands)
    clean, reset = judge.books
    assert (clean.end, clean.resets, reset.end, reset.resets) == ("laps", 0, "laps", 1)
    assert stood[-1] - stood[0] == pytest.approx(3 * S, abs=S // 15)
    lap = reset.laps[0]
    assert (lap.off_tracks, lap.resets, lap.penalty_ns) == (1, 1, 0)
    took_ns = reset.crossings_ns[1] - reset.crossings_ns[0]
    assert took_ns - lap.lap_ns == 3 * S  # as driven, the rules add the penalty
    assert 0 < lap.lap_ns - clean.laps[0].lap_ns < 3 * S  # and the way from where it was put back
    assert reset.laps[1].lap_ns == pytest.approx(clean.laps[1].lap_ns, abs=S // 10)
    assert (lap.ended_ns, clean.clock_ns(7)) == (reset.crossings_ns[1], 7)


def test_a_run_ends_when_its_resets_are_used_up_or_its_time() -> None:
    boxes = make_boxes(LANES, BoxSetup(1, (ObjectPlace(INNER, 0.2),)), 0)
    batch = BatchWorlds([SPEC, SPEC, SPEC, replace(SPEC, boxes=boxes)])
    batch.put_at(8.0, turn_rad=np.pi, worlds=[2])  # it stands the wrong way round
    judge = judged(batch, replace(ONE_LAP, resets=2, run_limit_ms=60_000))
    aside_m = TRACK.locate(*boxes[0].pose[:2]).lateral_m

    def commands() -> Floats:
        table = along(batch, aside_m=aside_m)
        table[0] = 0.0, 0.0  # stands
        table[1] = 1.0, 0.3  # turns on the spot, off the road
        table[2] = 0.0, 0.3  # goes straight on
        return table

    driven(batch, judge, commands)
    kinds = [[event.kind for event in book.events if event.kind not in ("line", "put_back")] for book in judge.books]
    assert kinds[0] == ["immobilized"] * 3
    assert set(kinds[1]) == {"off_track"}
    assert kinds[2][0] == "reversed"
    assert kinds[3][0] == "crashed"
    assert [book.end for book in judge.books[:3]] == ["resets"] * 3
    assert not judge.books[0].laps
    late = BatchWorlds([SPEC])
    slow = judged(late, replace(ONE_LAP, run_limit_ms=10_000))
    driven(late, slow, lambda: np.array([[0.0, 0.02]]) + along(late, 0.0))
    assert (slow.books[0].end, int(late.now_ns[0])) == ("time", 10 * S)


def rivals(throttles: tuple[float, float], conditions: Conditions) -> tuple[BatchWorlds, RunJudge]:
    """Two cars that keep to their lanes, driven until both are through."""
    batch = BatchWorlds([replace(SPEC, rival=1), replace(SPEC, rival=0)])
    for n, pose in enumerate(start_places(LANES)):
        place = TRACK.locate(pose.x, pose.y)
        batch.put_at(place.s_m, place.lateral_m, worlds=[n])
    aside_m = batch.lateral_m.copy()
    judge = judged(batch, conditions, (START_BEFORE_LINE_M, START_BEFORE_LINE_M + STAGGER_M))

    def commands() -> Floats:
        table = along(batch, aside_m=aside_m)
        table[:, 1] = throttles
        return table

    driven(batch, judge, commands)
    return batch, judge


def test_of_two_rivals_the_faster_one_is_ahead_and_is_out_of_the_way_when_it_is_through() -> None:
    batch, judge = rivals((0.34, 0.46), ONE_LAP)  # the second starts behind in the other lane
    assert [book.resets for book in judge.books] == [0, 0]  # they pass each other without touching
    first, second = (RivalRun(tuple(each.crossings_ns), each.reached_m, each.reached_ns) for each in judge.books)
    verdict = ahead_after((first, second), 1)
    assert (verdict.winner, verdict.reason) == (1, Reason.FIRST_TO_FINISH)
    assert verdict.by_s == pytest.approx((first.crossings_ns[1] - second.crossings_ns[1]) / 1e9)
    assert np.abs(batch.lateral_m) == pytest.approx(ASIDE_M, rel=0.1)


def test_a_car_that_serves_its_penalty_is_driven_through_and_nobody_is_blamed() -> None:
    batch = BatchWorlds([replace(SPEC, rival=1), replace(SPEC, rival=0)])
    batch.put_at([10.0, 8.0])
    judge = judged(batch, ONE_LAP, (0.0, 0.0))
    while not judge.stands(0):
        judge.judge([0, 1], batch.step([[1.0, 0.4], [0.0, 0.0]]))
    batch.put_at(float(batch.s_m[0]) - 0.8, worlds=[1])
    for _ in range(30):
        judge.judge([0, 1], batch.step(along(batch) * [[0.0], [1.0]]))
    assert batch.s_m[1] > batch.s_m[0]  # it went through
    assert [event.kind for event in judge.books[1].events if event.kind == "crashed"] == []
