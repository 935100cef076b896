"""The mock world's fisheye, held against OpenCV's projection of the boards that stand in it."""

import math

import cv2
import numpy as np
import pytest

from simulator.world.camera import CameraParameters
from simulator.world.gate_boards import GATE_BOARDS, GateBoard, board_image
from simulator.world.optics.approaches import Approach, ApproachView
from simulator.world.optics.wide_lens import WideLens
from simulator.world.tracks import load_track
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lapwatch.markers import LapwatchOptions

BEFORE_M = 1.2


@pytest.mark.parametrize(("fov_deg", "k"), [(120, (0.0, 0.0, 0.0, 0.0)), (160, (-0.02, 0.004, 0.0, 0.0))])
def test_boards_are_where_opencv_projects_them(fov_deg: float, k: tuple[float, float, float, float]) -> None:
    camera, lens = CameraParameters(640, 480), WideLens(math.radians(fov_deg), k)
    view = ApproachView(load_track("reInvent2019_wide"), camera, lens, camera_ahead_m=0.0)
    approach = Approach(1.0, 0.1, 0.05, from_m=4.0)
    at_ns = approach.line_ns - round(BEFORE_M * 1e9)
    found = MarkerFinder(LapwatchOptions()).corners(view.frame(approach, at_ns))
    assert len(found) >= 2  # near boards hide far ones
    x, y, yaw = view._track.pose_at(-BEFORE_M, approach.lateral_m)
    c, s = math.cos(yaw + approach.turn_rad), math.sin(yaw + approach.turn_rad)
    cp, sp = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    to_camera = np.array([[s, -c, 0.0], [-sp * c, -sp * s, -cp], [cp * c, cp * s, -sp]])
    focal = 320 / (
        math.radians(fov_deg / 2) * (1 + k[0] * math.radians(fov_deg / 2) ** 2 + k[1] * math.radians(fov_deg / 2) ** 4)
    )
    matrix = np.array([[focal, 0, 319.5], [0, focal, 239.5], [0, 0, 1.0]])
    expected = []
    for board, upright in zip((GATE_BOARDS[0],) * 2 + (GATE_BOARDS[1],) * 2, view._boards, strict=True):
        top_left, top_right, _, bottom_left = upright.corners
        q = board.quiet_m / board.side_m
        inner = [
            top_left + (top_right - top_left) * a + (bottom_left - top_left) * b
            for a, b in ((q, q), (1 - q, q), (1 - q, 1 - q), (q, 1 - q))
        ]
        turned = (np.array(inner) - (x, y, camera.up_m)) @ to_camera.T
        expected.append(
            cv2.fisheye.projectPoints(turned.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), matrix, np.array(k))[
                0
            ].reshape(4, 2)
        )
    for one in found:
        nearest = min(expected, key=lambda corners: float(np.abs(corners - one.points).sum()))
        assert np.abs(nearest - one.points).max() < 1.2  # corners are found a little inside of where they are


@pytest.mark.parametrize("board", GATE_BOARDS)
def test_a_boards_picture_has_the_shares_of_the_board(board: GateBoard) -> None:
    picture = board_image(board)
    marker_px = np.flatnonzero((picture == 0).any(axis=0))
    width = marker_px[-1] - marker_px[0] + 1
    assert width / picture.shape[1] == pytest.approx(board.marker_m / board.side_m, rel=1e-3)


def test_the_faces_meet_without_a_seam() -> None:
    """A floor and sky of one level each: no pixel of another level at the borders of the three flat pictures."""
    view = ApproachView(load_track("reInvent2019_wide"), CameraParameters(), WideLens(math.radians(160.0)))
    view._boards = []
    frame = view.frame(Approach(1.0), 10_000_000_000).astype(int)
    steps = np.abs(np.diff(frame, axis=1))
    border = [160 - round(114.6 * math.radians(40)), 160 + round(114.6 * math.radians(40))]
    middle_rows = slice(100, 130)
    usual = np.percentile(steps[middle_rows], 99)
    for column in border:
        assert np.median(steps[middle_rows, column - 2 : column + 2]) <= usual
