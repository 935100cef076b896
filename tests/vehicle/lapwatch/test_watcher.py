"""The lap watcher: geometry of a board, and crossings from synthetic approaches."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config import from_table
from shared.errors import ConfigError
from tests.vehicle.lapwatch.drawn_boards import OPTIONS, view
from vehicle.hardware.frame import Frame
from vehicle.lapwatch.line_estimator import LineCrossing, LineEstimator
from vehicle.lapwatch.marker_finder import MarkerFinder, MarkerPose
from vehicle.lapwatch.markers import STOCK_BOARDS, BoardKind, LapwatchOptions
from vehicle.lapwatch.watcher import LapWatcher

FRAME_NS = 66_666_667
NEAR, FAR = STOCK_BOARDS
Pose = tuple[BoardKind, float, float, float, float]


@pytest.mark.parametrize("turn_deg", [-30, -10, 0, 10, 30])
@pytest.mark.parametrize("along_m", [1.1, 1.5, 2.2])
def test_a_board_is_found_where_it_stands(along_m: float, turn_deg: float) -> None:
    turn_rad = math.radians(turn_deg)
    left_m = -math.tan(turn_rad) * along_m * 0.9  # so that it stays in the picture
    (sight,) = MarkerFinder(OPTIONS).find(view([(FAR, along_m, left_m)], turn_rad))
    assert sight.kind is FAR
    assert sight.ahead_m == pytest.approx(along_m * math.cos(turn_rad) - left_m * math.sin(turn_rad), rel=0.05)
    assert sight.to_line_m(turn_rad) == pytest.approx(along_m - FAR.after_line_m, abs=0.06 * along_m)
    assert math.degrees(sight.yaw_rad) == pytest.approx(turn_deg, abs=8)


def test_other_markers_and_empty_rooms_are_no_gate() -> None:
    finder = MarkerFinder(OPTIONS)
    assert finder.find(view([(BoardKind(7, 0.28, 0.0), 1.2, 0.0)])) == []
    assert finder.find(np.zeros((240, 320), np.uint8)) == []
    noise = np.random.default_rng(3).integers(0, 255, (240, 320), np.uint8)
    assert finder.find(noise) == []


def sights(distance_m: float, half_road_m: float = 0.55) -> list[MarkerPose]:
    """What is in view `distance_m` before the line on a straight road."""
    places = [(kind, side * (half_road_m + 0.2)) for kind in STOCK_BOARDS for side in (1, -1)]
    all_of_them = [MarkerPose(kind, distance_m + kind.after_line_m, left_m, 0.0, 0.01) for kind, left_m in places]
    return [sight for sight in all_of_them if 0 < sight.ahead_m < 4 and abs(sight.left_m) / sight.ahead_m < 0.6]


def laps(
    speed_mps: float,
    length_m: float,
    count: int,
    start_m: float = 3.0,
    half_road_m: float = 0.55,
    min_lap_s: float = 2.0,
) -> tuple[list[LineCrossing], list[int]]:
    """The estimated crossings, and the true instants, at a steady speed."""
    estimator = LineEstimator(min_lap_s, 0.0)
    crossings, at_ns = [], 10**9
    truth = [at_ns + round((start_m + n * length_m) / speed_mps * 1e9) for n in range(count)]
    while at_ns < truth[-1] + 10**9:
        gone_m = (at_ns - 10**9) / 1e9 * speed_mps
        distance_m = (start_m - gone_m) % length_m
        distance_m = distance_m - length_m if distance_m > length_m / 2 else distance_m
        crossing = estimator.on_markers(at_ns, sights(distance_m, half_road_m), moved=True)
        if crossing is not None:
            crossings.append(crossing)
        at_ns += FRAME_NS
    return crossings, truth


@settings(max_examples=60, deadline=None)
@given(
    speed_mps=st.floats(0.5, 3.5),
    length_m=st.floats(12, 60),
    start_m=st.floats(0.8, 5),
    half_road_m=st.floats(0.3, 0.75),
)
def test_every_lap_is_seen_once_and_well(speed_mps: float, length_m: float, start_m: float, half_road_m: float) -> None:
    crossings, truth = laps(speed_mps, length_m, 3, start_m, half_road_m)
    if len(crossings) == 2 and start_m < 0.35 + 4 * speed_mps / 15:
        truth = truth[1:]  # set down so near that the first line was over before it could be detected
    assert len(crossings) == len(truth)
    for crossing, at_ns in zip(crossings, truth, strict=True):
        assert abs(crossing.at_ns - at_ns) < 20_000_000
        assert crossing.frames_seen >= 3
    assert [p.lap_ns is None for p in crossings] == [True] + [False] * (len(crossings) - 1)


def test_two_crossings_cannot_be_closer_than_a_lap() -> None:
    crossings, _ = laps(2.0, 12.0, 4, min_lap_s=8.0)
    assert len(crossings) == 2


def run(distances_m: list[float | None], moved: bool = True) -> list[LineCrossing]:
    estimator = LineEstimator(2.0, 0.0)
    poses = [[] if d is None else sights(d) for d in distances_m]
    crossings = [estimator.on_markers(10**9 + n * FRAME_NS, s, moved=moved) for n, s in enumerate(poses)]
    return [crossing for crossing in crossings if crossing is not None]


APPROACH: list[float | None] = [1.5 - 0.1 * n for n in range(9)]  # to 0.7 m before the line


@pytest.mark.parametrize(
    ("distances_m", "moved", "count"),
    [
        (APPROACH + [None] * 30, True, 1),
        (APPROACH + [None] * 30, False, 0),  # it stopped where the boards are out of the picture
        ([*APPROACH, *([0.7] * 40)], True, 0),  # it stopped in front of the line
        ([1.5] * 20 + [None] * 30, True, 0),  # someone carried it away
        ([3.0, 2.9, 2.8, 2.7] + [None] * 30, True, 0),  # it turned off long before
        ([1.0, 1.1, 1.2, 1.3] + [None] * 30, True, 0),  # it goes backwards
        ([1.5, 1.4] + [None] * 30, True, 0),  # too little to tell from
        ([None] * 50, True, 0),
        ([0.1, 0.05, 0.0, -0.1, -0.2] + [None] * 30, True, 0),  # set down on the line
    ],
)
def test_what_counts_as_a_crossing(distances_m: list[float | None], moved: bool, count: int) -> None:
    assert len(run(distances_m, moved)) == count


def test_boards_seen_from_the_side_tell_nothing() -> None:
    estimator = LineEstimator(2.0, 0.0)
    for n in range(60):
        slanted = [MarkerPose(NEAR, 1.5 - 0.02 * n, 0.9, math.radians(75), 0.01)] if n < 20 else []
        assert estimator.on_markers(n * FRAME_NS, slanted, moved=True) is None


def test_a_repeated_frame_changes_nothing() -> None:
    estimator = LineEstimator(2.0, 0.0)
    for n, distance_m in enumerate(APPROACH):
        assert distance_m is not None
        for _ in range(3):
            assert estimator.on_markers(n * FRAME_NS, sights(distance_m), moved=False) is None


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**9),
            st.lists(
                st.tuples(
                    st.sampled_from(STOCK_BOARDS),
                    st.floats(0.05, 9),
                    st.floats(-9, 9),
                    st.floats(-3, 3),
                    st.floats(1e-4, 3),
                ),
                max_size=4,
            ),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_nothing_that_is_seen_breaks_it(frames: list[tuple[int, list[Pose], bool]]) -> None:
    estimator, at_ns, last_ns = LineEstimator(2.0, 0.0), 0, -(10**18)
    for step_ns, poses, moved in frames:
        at_ns += step_ns
        crossing = estimator.on_markers(at_ns, [MarkerPose(*each) for each in poses], moved=moved)
        if crossing is not None:
            assert crossing.at_ns - last_ns >= 2 * 10**9
            assert crossing.uncertainty_ns > 0
            last_ns = crossing.at_ns


def test_rendered_frames_make_a_report() -> None:
    watcher, report = LapWatcher(LapwatchOptions(camera_ahead_m=0.0), "boot-7"), None
    speed_mps, true_ns = 1.5, 2 * 10**9
    for n in range(60):
        at_ns = n * FRAME_NS
        distance_m = (true_ns - at_ns) / 1e9 * speed_mps
        boards = [
            (kind, distance_m + kind.after_line_m, left_m)
            for kind in STOCK_BOARDS
            for left_m in (0.75, -0.75)
            if distance_m + kind.after_line_m > 1.2
        ]
        pixels = view(boards)
        pixels[0, :] = n  # the surroundings are never quite still
        pixels[100:140] += np.uint8(n % 7 * 9)
        report = report or watcher.process_frame(Frame(pixels, at_ns, n))
    assert report is not None
    assert abs(report.at_ns - true_ns) < 60_000_000
    assert (report.car_boot, report.board_id, report.lap_ns) == ("boot-7", 0, None)
    assert report.decided_at_ns % FRAME_NS == 0  # of a frame, after what it reports
    assert report.decided_at_ns > report.at_ns


def test_boards_come_from_the_config() -> None:
    table = {"boards": [{"id": 3, "size_m": 0.3}]}
    assert from_table(table, LapwatchOptions, "t").boards == (BoardKind(3, 0.3, 0.0),)
    for boards in ([], [{"id": 3, "size_m": 0.3}, {"id": 3, "size_m": 0.2}], [{"id": 77, "size_m": 0.3}]):
        with pytest.raises(ConfigError):
            from_table({"boards": boards}, LapwatchOptions, "t")


def test_a_car_that_stops_behind_the_line_has_passed_it() -> None:
    estimator, crossings = LineEstimator(2.0, 0.0), []
    for n in range(40):
        distance_m = 1.5 - 0.1 * n  # the line is passed in frame 15, and then it brakes
        crossing = estimator.on_markers(n * FRAME_NS, sights(distance_m) if n < 9 else [], moved=n < 17)
        crossings += [crossing] if crossing is not None else []
    assert len(crossings) == 1


@pytest.mark.parametrize("ahead_m", [0.1, 0.005, -0.05])
def test_it_is_the_nose_that_passes_the_line(ahead_m: float) -> None:
    """The lens of a car is ahead of its nose or behind it; it is on the line so much earlier or later."""
    by_boards, by_stripe = LineEstimator(2.0, ahead_m), LineEstimator(2.0, ahead_m)
    found: list[LineCrossing | None] = []
    for n in range(40):
        at_ns, lens_m = n * FRAME_NS, 1.5 - n / 15  # 1 m/s: the lens is on the line at 1.5 s
        found.append(by_boards.on_markers(at_ns, sights(lens_m), moved=True))
        found.append(by_stripe.on_line_distance(at_ns, lens_m if lens_m > 0.3 else None, moved=True))
    reported = [one.at_ns for one in found if one is not None]
    assert reported == [pytest.approx((1.5 + ahead_m) * 1e9, abs=2e6)] * 2


def test_far_boards_of_few_pixels_do_not_move_the_crossing() -> None:
    """Seen by a wide lens: far away both kinds are wrong by decimetres, as their pixels say, and near they are right.

    So they are in frames of a camera of 160 degrees, where the nearest kind is last seen a hand before the line.
    """
    estimator, crossings = LineEstimator(2.0, 0.0), []
    for n in range(60):
        line_m = 2.4 - n / 15  # 1 m/s
        poses = []
        for kind in STOCK_BOARDS:
            ahead_m = line_m + kind.after_line_m
            coarse_m = 0.05 * max(0.0, ahead_m - 1.1) ** 2
            if 0.4 < ahead_m < 10 * kind.size_m:
                seen_m = ahead_m + (2 * coarse_m if kind is FAR else -coarse_m)
                poses += [MarkerPose(kind, seen_m, left_m, 0.0, 0.004 + coarse_m) for left_m in (0.7, -0.6)]
        crossings.append(estimator.on_markers(n * FRAME_NS, poses, moved=True))
    (found,) = [one for one in crossings if one is not None]
    assert found.at_ns == pytest.approx(2.4e9, abs=15e6)
