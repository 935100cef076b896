"""The replay from traces: where a ghost is when, its sectors and faults, the coloured line, the gap of two."""

import math
import re
from dataclasses import replace

import pytest

from leaderboard.core.evaluations.replays import ReplayRun
from leaderboard.pages.replay.ghost import WHOLE_RUN, best_lap, make_ghost
from leaderboard.pages.replay.views import replay_car, replay_data, replay_view
from shared.traces.trace import DriveTrace, OtherCar, TraceBox, TraceEvent, TraceFrames
from shared.tracks.outline import TrackOutline
from tests.leaderboard import sample_races
from tests.shared.traces.driven import LENGTH_MM, NS, round_trip

RADIUS_M = LENGTH_MM / 1000 / math.tau


def _ring(radius_m: float) -> tuple[tuple[float, float], ...]:
    return tuple((radius_m * math.cos(n * math.tau / 90), radius_m * math.sin(n * math.tau / 90)) for n in range(90))


ROUND = TrackOutline("round", _ring(RADIUS_M), _ring(RADIUS_M - 0.4), _ring(RADIUS_M + 0.4), LENGTH_MM / 1000)
RACE = sample_races.race("cup", track="reinvent_base", direction="counterclockwise")
FAULTY = round_trip(3, 1.0, ((6.2, "off_track", 2.0), (12.4, "crashed", 5.0)))
OTHER = ReplayRun("b", "Ben", None, "")


def test_a_lap_begins_at_the_line_and_ends_with_its_time() -> None:
    ghost = make_ghost(round_trip(2), ROUND, 1)
    assert (ghost.lap, ghost.lap_ms, ghost.times_ms[0], ghost.times_ms[-1]) == (1, 5000, 33, 5000)
    assert sum(ghost.parts_ms) == 5000
    assert ghost.parts_ms == pytest.approx((1667, 1666, 1667), abs=2)
    assert ghost.progress[-1] == 1_000_000
    assert {speed for speed in ghost.speeds_mm_s if not 1990 <= speed <= 2010} == set()
    quarter = next(n for n, at_ms in enumerate(ghost.times_ms) if at_ms >= 1250)
    assert ghost.y[quarter] < ghost.y[0] - 100
    second = make_ghost(round_trip(2), ROUND, 2)
    assert (second.lap_ms, sum(second.parts_ms)) == (5000, 5000)


def test_penalties_run_on_the_clock_and_faults_are_marked_once() -> None:
    ghost = make_ghost(FAULTY, ROUND, 2)
    assert (ghost.lap_ms, ghost.times_ms[-1]) == (7000, 7000)
    assert [(fault.kind, fault.at_ms, fault.penalty_ms) for fault in ghost.faults] == [("off_track", 700, 2000)]
    assert sum(ghost.parts_ms) == 7000
    assert make_ghost(FAULTY, ROUND, 1).faults == ()
    whole = make_ghost(FAULTY, ROUND, WHOLE_RUN)
    assert [fault.at_ms for fault in whole.faults] == [6200, 14_400]
    assert whole.parts_ms == (5000, 7000, 10_000)
    assert whole.times_ms[-1] == pytest.approx(16_467 + 7000, abs=1)
    assert whole.progress[-1] == pytest.approx(3_193_333, abs=200)


def test_penalties_that_are_in_the_frames_are_counted_once() -> None:
    served = replace(FAULTY, penalties_served=True)  # each lap of 5 s has its penalty within
    assert [make_ghost(served, ROUND, lap).lap_ms for lap in (1, 2, 3)] == [5000] * 3
    whole = make_ghost(served, ROUND, WHOLE_RUN)
    assert [fault.at_ms for fault in whole.faults] == [6200, 12_400]
    assert [fault.penalty_ms for fault in whole.faults] == [2000, 5000]
    assert (whole.parts_ms, whole.times_ms[-1]) == ((5000, 5000, 5000), pytest.approx(16_467, abs=1))


def test_the_best_lap_counts_penalties_and_an_unknown_lap_is_the_best() -> None:
    assert best_lap(FAULTY) == 1
    assert best_lap(round_trip(0)) == 1
    assert make_ghost(FAULTY, ROUND, 9).lap == 1
    assert make_ghost(round_trip(0, 2.0), ROUND, 1).lap_ms is None
    empty = make_ghost(DriveTrace("x", "clockwise", 1000, TraceFrames()), ROUND, 1)
    assert (empty.times_ms, empty.faults) == ((), ())


def test_a_car_that_was_put_back_jumps_and_is_not_drawn_there() -> None:
    trace = round_trip(2, 1.0, ((1.0, "off_track", 2.0),))
    put_back = replace(trace, events=tuple(sorted((*trace.events, TraceEvent(NS, "put_back")), key=lambda e: e.at_ns)))
    ghost = make_ghost(put_back, ROUND, WHOLE_RUN)
    assert ghost.jumps == (16,)
    assert ghost.speeds_mm_s[16] == 0
    view = replay_view(RACE, ROUND, [replay_car(OTHER, put_back, ROUND, WHOLE_RUN)], WHOLE_RUN)
    assert view.ghosts[0].path.count("M") == 2
    lines = view.ghosts[0].lines
    assert all(re.fullmatch(r"M\d+ \d+(l-?\d+ -?\d+)+", line.path) for line in lines)
    drawn = sum(line.path.count("l") for line in lines)
    assert drawn == view.ghosts[0].path.count("l")


def test_two_cars_are_compared_sector_by_sector() -> None:
    cars = [replay_car(ReplayRun("a", "Ada", 5000, ""), round_trip(2), ROUND, 1), replay_car(OTHER, FAULTY, ROUND, 2)]
    view = replay_view(RACE, ROUND, cars, 1)
    first, second = view.ghosts
    assert [part.gap for part in first.parts] == ["", "", ""]
    assert [part.label for part in second.parts] == ["S1", "S2", "S3"]
    assert [part.gap for part in second.parts][1:] == ["±0.000", "±0.000"]
    assert second.parts[0].gap == "+2.000"
    assert (first.time, second.time) == ("5.000", "7.000")
    assert [str(mark.words) for mark in second.faults] == ["Off the track at 0.700, penalty 2 s"]
    assert [step.words for step in view.legend][-1].endswith("–2.0")
    assert [end.label for end in view.sector_ends] == ["S2", "S3"]
    assert view.boxes == ()
    boxed = replace(FAULTY, boxes=(TraceBox(0, 0, 90_000, 400, 300),))
    (box,) = replay_view(RACE, ROUND, [replay_car(OTHER, boxed, ROUND, 2)], 2).boxes
    corners = [tuple(map(int, spot.split())) for spot in box[1:-1].split("L")]
    sides = [max(values) - min(values) for values in zip(*corners, strict=True)]
    assert sides == [30, 40]
    count = range(len(FAULTY.frames))
    bot = OtherCar(tuple(n * 10 for n in count), (5000,) * len(count), (0,) * len(count))
    beside = replay_car(OTHER, replace(FAULTY, others=(bot,)), ROUND, 2)
    (companion,) = replay_data([beside])["companions"]
    assert len(companion["x"]) == len(companion["y"]) == len(beside.ghost.times_ms)
    assert companion["x"][-1] - companion["x"][0] == pytest.approx((len(companion["x"]) - 1) / 10, abs=1)
    assert replay_view(RACE, ROUND, [beside, cars[0]], 2).companions == ((companion["x"][0], companion["y"][0]),)
    assert replay_data(cars)["companions"] == []
    data = replay_data(cars)["cars"]
    assert [car["letter"] for car in data] == ["A", "B"]
    assert {len(data[0][name]) for name in ("times", "x", "y", "speeds", "progress")} == {76}
