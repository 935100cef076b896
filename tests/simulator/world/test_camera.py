"""The camera: where things appear, the horizon, colour and grey alike."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.camera import CameraParameters, UprightBoard, projection, render
from simulator.world.floor_texture import Appearance, draw_texture
from simulator.world.geometry import Pose
from tests.simulator.world.sample_tracks import box

STANDARD = CameraParameters()
PLAIN = Appearance(grain=0.0, field_grain=0.0)
TEXTURE = draw_texture(box(), PLAIN)
ON_STRAIGHT = Pose(2.0, 0.0, 0.0)


def test_horizon_is_where_the_public_simulator_has_it() -> None:
    """Row 117 of its 480, where the lines of a straight meet in its frames."""
    assert STANDARD.horizon_row / STANDARD.height_px * 480 == pytest.approx(117, abs=0.5)


@given(st.floats(0.3, 8.0), st.floats(-1.0, 1.0), st.floats(-3.0, 3.0))
def test_a_floor_point_projects_as_a_pinhole_does(ahead_m: float, left_m: float, yaw: float) -> None:
    eye_m = STANDARD.forward_m
    x = (eye_m + ahead_m) * math.cos(yaw) - left_m * math.sin(yaw)
    y = (eye_m + ahead_m) * math.sin(yaw) + left_m * math.cos(yaw)
    column, row, depth = projection(STANDARD, Pose(0.0, 0.0, yaw)) @ (x, y, 0.0, 1.0)
    down = math.atan2(STANDARD.up_m, ahead_m) - STANDARD.pitch_rad
    assert row / depth == pytest.approx(119.5 + STANDARD.focal_px * math.tan(down), abs=1e-6)
    along = math.hypot(ahead_m, STANDARD.up_m) * math.cos(down)
    assert column / depth == pytest.approx(159.5 - STANDARD.focal_px * left_m / along, abs=1e-6)


def test_above_the_horizon_is_sky_and_below_is_floor() -> None:
    frame = render(TEXTURE.grey(), STANDARD, ON_STRAIGHT, 200)
    edge = math.ceil(STANDARD.horizon_row)
    assert (frame[:edge] == 200).all()
    assert float((frame[edge + 2 :] == 200).mean()) < 0.02


def test_on_a_straight_the_picture_is_symmetrical_and_the_borders_are_where_they_should() -> None:
    frame = render(TEXTURE.grey(), STANDARD, ON_STRAIGHT, 200).astype(int)
    near = frame[120:235]
    assert float(np.abs(near - near[:, ::-1]).mean()) < 6.0
    ahead_m = 1.2
    x = ON_STRAIGHT.x + STANDARD.forward_m + ahead_m
    for y in (0.362, -0.362):  # the lines' middles
        column, row, depth = projection(STANDARD, ON_STRAIGHT) @ (x, y, 0.0, 1.0)
        assert frame[round(row / depth), round(column / depth)] > 180


@pytest.mark.parametrize("yaw", [0.0, 0.5, 1.6, 3.0])
def test_grey_is_the_grey_of_the_colour_picture(yaw: float) -> None:
    pose = Pose(2.0, 0.1, yaw)
    colour = render(TEXTURE, STANDARD, pose, (200, 200, 200))
    grey = render(TEXTURE.grey(), STANDARD, pose, 200)
    assert float(np.abs(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY).astype(int) - grey).max()) <= 2


@given(st.floats(-60.0, 60.0), st.floats(-60.0, 60.0), st.floats(-7.0, 7.0))
def test_from_anywhere_there_is_a_picture(x: float, y: float, yaw: float) -> None:
    frame = render(TEXTURE.grey(), STANDARD, Pose(x, y, yaw), 200)
    assert frame.shape == (240, 320)
    assert frame.dtype == np.uint8


def board_at(ahead_m: float, level: int) -> UprightBoard:
    """A plain board of 0.3 m across the view."""
    x = ON_STRAIGHT.x + ahead_m
    corners = np.array([[x, 0.15, 0.3], [x, -0.15, 0.3], [x, -0.15, 0.0], [x, 0.15, 0.0]])
    return UprightBoard(corners, np.full((32, 32), level, np.uint8))


@pytest.mark.parametrize("ahead_m", [(1.0, 2.0), (2.0, 1.0)])
def test_what_is_near_hides_what_is_far_in_whatever_order(ahead_m: tuple[float, float]) -> None:
    boards = [board_at(distance, round(100 * distance)) for distance in ahead_m]
    frame = render(TEXTURE.grey(), STANDARD, ON_STRAIGHT, 250, boards)
    column, row, depth = projection(STANDARD, ON_STRAIGHT) @ (ON_STRAIGHT.x + 1.0, 0.0, 0.15, 1.0)
    assert abs(int(frame[round(row / depth), round(column / depth)]) - 100) <= 1


def test_a_board_is_plain_from_behind_and_unseen_behind_the_camera() -> None:
    there = board_at(1.5, 10)
    turned = UprightBoard(there.corners[[1, 0, 3, 2]], there.image)
    behind = board_at(-1.5, 10)
    frame = render(TEXTURE.grey(), STANDARD, ON_STRAIGHT, 250, [turned, behind])
    column, row, depth = projection(STANDARD, ON_STRAIGHT) @ (ON_STRAIGHT.x + 1.5, 0.0, 0.15, 1.0)
    assert abs(int(frame[round(row / depth), round(column / depth)]) - 150) <= 1
    assert int(frame.min()) > 10
