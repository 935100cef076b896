"""The lens from a drive past the gate: corners that OpenCV projected, and frames of the mock world."""

import math

import cv2
import numpy as np
import pytest

from shared.errors import BadInput
from simulator.world.camera import CameraParameters
from simulator.world.optics.approaches import ApproachView, spread_approaches
from simulator.world.optics.wide_lens import WideLens
from simulator.world.tracks import load_track
from tests.vehicle.lens.opencv_camera import OpencvCamera
from vehicle.hardware.frame import Frame
from vehicle.lapwatch.lens_options import LensOptions
from vehicle.lapwatch.marker_finder import BoardCorners, MarkerFinder
from vehicle.lapwatch.markers import STOCK_BOARDS, BoardKind, LapwatchOptions
from vehicle.lapwatch.watcher import LapWatcher
from vehicle.lens.board_sides import BoardPlace, GateFrame, placed_boards
from vehicle.lens.gate_drive import measure_by_gate_drive

FRAME_NS = 33_000_000
PITCH_RAD, UP_M = 0.26, 0.13
NEAR, FAR = STOCK_BOARDS


def seen_from(
    camera: OpencvCamera,
    before_m: float,
    left_m: float,
    heading_rad: float,
    kinds: tuple[BoardKind, ...],
    bend_m: float,
) -> tuple[BoardCorners, ...]:
    """The boards whole in the picture; the second kind stands `bend_m` farther left, as in a bend."""
    c, s, cp, sp = math.cos(heading_rad), math.sin(heading_rad), math.cos(PITCH_RAD), math.sin(PITCH_RAD)
    to_camera = np.array([[s, -c, 0.0], [-sp * c, -sp * s, -cp], [cp * c, cp * s, -sp]])
    turn = cv2.Rodrigues(to_camera)[0].ravel()
    boards = []
    for number, kind in enumerate(kinds):
        half = kind.size_m / 2
        for side in (1, -1):
            ahead, left = before_m + kind.after_line_m, side * 0.7 - left_m + number * bend_m
            rim_m = 0.03
            middle_up = half + rim_m + 0.01 - UP_M
            spots = np.array(
                [[ahead, left + a * half, middle_up + b * half] for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))]
            )
            if (spots @ to_camera[2] > 0.1).all():
                corners = camera.pixels(spots, turn, np.zeros(3))
                if camera.holds(corners):
                    boards.append(BoardCorners(kind, corners))
    return tuple(boards)


def drive(
    camera: OpencvCamera, kinds: tuple[BoardKind, ...] = STOCK_BOARDS, bend_m: float = 0.0, seed: int = 1
) -> list[GateFrame]:
    rng = np.random.default_rng(seed)
    frames = []
    for n, before_m in enumerate(np.linspace(2.2, 0.0, 30)):
        left_m, heading_rad = 0.1 * math.sin(n / 6), 0.06 * math.cos(n / 5)
        boards = seen_from(camera, float(before_m), left_m, heading_rad, kinds, bend_m)
        for one in boards:
            one.points[:] += rng.normal(0.0, 0.15, (4, 2))
        frames.append(GateFrame(n * FRAME_NS, boards))
    return frames


@pytest.mark.parametrize(
    ("camera", "bend_m"),
    [
        (OpencvCamera(153.0), 0.0),
        (OpencvCamera(118.0, k=(-0.03, 0.01, 0.0, 0.0)), 0.1),
    ],
    ids=["120 degrees", "160 degrees, in a bend"],
)
def test_a_drive_shows_the_lens(camera: OpencvCamera, bend_m: float) -> None:
    lens = measure_by_gate_drive(drive(camera, bend_m=bend_m), camera.width_px, camera.height_px, 0.24)
    angles = np.linspace(0.0, 0.8 * camera.half_rad, 7)
    rays = np.stack([np.sin(angles), np.zeros(7), np.cos(angles)], axis=1)
    still = np.zeros(3)
    # A scale that is off by 2 % puts a board a metre away 2 cm wrong: 10 ms at 2 m/s.
    assert lens.lens.focal_px == pytest.approx(camera.focal_px, rel=0.03)
    assert lens.lens.pixels(rays)[:, 0] == pytest.approx(camera.pixels(rays, still, still)[:, 0], abs=5.0)
    assert lens.pitch_rad == pytest.approx(PITCH_RAD, abs=0.03)


def test_one_kind_of_boards_gives_no_scale() -> None:
    with pytest.raises(BadInput, match="two kinds of boards"):
        measure_by_gate_drive(drive(OpencvCamera(153.0), kinds=(FAR,)), 320, 240, 0.24)


def test_no_frames_are_a_sentence() -> None:
    with pytest.raises(BadInput, match="two kinds of boards"):
        measure_by_gate_drive([], 320, 240, 0.24)


def square(x: float, side: float = 20.0) -> np.ndarray:
    return np.array([[x, 100.0], [x + side, 100.0], [x + side, 100.0 + side], [x, 100.0 + side]])


def test_a_single_board_is_the_one_that_it_follows() -> None:
    frames = [
        GateFrame(0, (BoardCorners(NEAR, square(50)),)),
        GateFrame(FRAME_NS, (BoardCorners(NEAR, square(200)), BoardCorners(NEAR, square(48)))),
        GateFrame(2 * FRAME_NS, (BoardCorners(NEAR, square(206)),)),
        GateFrame(40 * FRAME_NS, (BoardCorners(NEAR, square(206)),)),  # much later: it may be any
        GateFrame(41 * FRAME_NS, (BoardCorners(NEAR, square(128)),)),
    ]
    sides = [[place.is_left for place in placed] for placed in placed_boards(frames)]
    assert sides == [[True], [True, False], [False], [], []]
    assert placed_boards(frames)[1][BoardPlace(NEAR, is_left=False)][0, 0] == 200


@pytest.mark.slow
def test_a_fisheye_of_160_degrees_reports_well_after_a_drive() -> None:
    """The issue's measure, small: `./dev bench lapwatch-optics` has it whole."""
    view = ApproachView(
        load_track("reinvent_base"), CameraParameters(), WideLens(math.radians(160.0), (-0.02, 0.004, 0, 0))
    )
    finder = MarkerFinder(LapwatchOptions())
    (learnt,) = spread_approaches(1, 1.5, from_m=2.4, to_m=0.2)
    frames = [GateFrame(one.at_ns, tuple(finder.corners(one.pixels))) for one in view.frames(learnt)]
    found = measure_by_gate_drive(frames, 320, 240, 0.2388).lens
    assert found.k is not None
    k1, k2, k3, k4 = found.k
    lens = LensOptions("", "fisheye", 320, 240, found.focal_px, *found.centre_px, k1, k2, k3, k4)
    (approach,) = spread_approaches(1, 2.0, seed=3, from_m=2.6, to_m=0.6)
    for options, is_right in ((LapwatchOptions(lens=lens), True), (LapwatchOptions(), False)):
        watcher = LapWatcher(options, "boot")
        laps = [watcher.process_frame(Frame(one.pixels, one.at_ns, one.at_ns)) for one in view.frames(approach)]
        reports = [lap.at_ns - approach.line_ns for lap in laps if lap is not None]
        assert len(reports) == 1
        assert (abs(reports[0]) < 30_000_000) == is_right
