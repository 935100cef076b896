"""Reports by what the finder saw through a camera of 160 degrees with blur, noise and JPEG, at 2 m/s.

`data/spoilt_160_degrees.json` holds the boards of 24 approaches of `./dev bench lapwatch-optics` (that row's six, and
18 more): for each frame its time in ns, 0 as the nose is on the line, and for each board its id, metres ahead and to
the left, yaw in radians and standard deviation in metres.
"""

import json
import math
import pathlib
import statistics

import pytest

from vehicle.lapwatch.gate_distance import line_distances_m
from vehicle.lapwatch.line_estimator import LineEstimator
from vehicle.lapwatch.marker_finder import MarkerPose
from vehicle.lapwatch.markers import STOCK_BOARDS, LapwatchOptions

DATA = pathlib.Path(__file__).parent / "data/spoilt_160_degrees.json"
KINDS = {kind.id: kind for kind in STOCK_BOARDS}
START_NS = 10_000_000_000
Approaches = list[list[tuple[int, list[MarkerPose]]]]


@pytest.fixture(scope="module")
def approaches() -> Approaches:
    return [
        [(at_ns, [MarkerPose(KINDS[number], *seen) for number, *seen in boards]) for at_ns, boards in frames]
        for frames in json.loads(DATA.read_bytes())
    ]


def errors_ms(approaches: Approaches) -> list[float]:
    """The first report of each approach, less the truth."""
    found = []
    for frames in approaches:
        estimator = LineEstimator(2.0, LapwatchOptions().camera_ahead_m)
        reports = (estimator.on_markers(START_NS + at_ns, poses, moved=True) for at_ns, poses in frames)
        crossing = next(one for one in reports if one is not None)
        found.append((crossing.at_ns - START_NS) / 1e6)
    return found


def test_nine_of_ten_reports_are_within_30_ms_and_so_are_the_six_of_the_bench(approaches: Approaches) -> None:
    """The sixth was 32 ms early: for half of the way one board was seen, whose turn was taken for right within 4
    degrees; it is beside the car, where 7 degrees are 5 cm."""
    misses = [abs(error) for error in errors_ms(approaches)]
    assert len(misses) == 24
    assert sorted(misses)[math.ceil(0.9 * len(misses)) - 1] <= 30.0
    assert max(misses[:6]) <= 30.0
    assert abs(statistics.median(errors_ms(approaches))) < 10.0


def test_boards_of_a_few_pixels_that_are_lost_again_are_no_passed_line(approaches: Approaches) -> None:
    """Three frames from 1.4 m on, known to a metre, seemed near; then two showed nothing, and half a second before the
    truth a report was made that said it was right within 22 ms."""
    frames = approaches[14]
    early = [(at_ns, len(poses)) for at_ns, poses in frames if -750_000_000 < at_ns < -450_000_000]
    assert [count for _, count in early] == [1, 1, 1, 0, 0]
    assert abs(errors_ms([frames])[0]) < 60.0


@pytest.mark.parametrize("yaw_deg", [-35.0, 35.0])
def test_a_board_of_a_few_pixels_turns_no_car_across_the_road(approaches: Approaches, yaw_deg: float) -> None:
    """Alone in its frame, wrong by 35 degrees and known to nobody better than 90: the road is still ahead."""
    near = STOCK_BOARDS[0]
    one = MarkerPose(near, 1.46, 0.78, math.radians(yaw_deg), 0.16)
    seen = line_distances_m([one])[near]
    assert seen.value == pytest.approx(1.46 - near.after_line_m, abs=0.05)
    assert seen.sigma < 0.5
