"""The surroundings: walls where they should be, hiding and hidden in the right order, and open ground."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.camera import CameraParameters, UprightBoard, projection, render
from simulator.world.floor_texture import Appearance, draw_texture
from simulator.world.geometry import Pose
from simulator.world.looks import REINVENT_BASE
from simulator.world.surroundings import Surroundings, SurroundingsStyle, grey_level, surroundings_of, wall_surfaces
from simulator.world.tracks import load_track
from tests.simulator.world.sample_tracks import box

CAMERA = CameraParameters()
FLOOR = Appearance(grain=0.0, field_grain=0.0)
TEXTURE = draw_texture(box(), FLOOR)
WALLS = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0))
SKY, GROUND = (250, 250, 250), (90, 10, 90)
WALLED = Surroundings(-1.0, -1.0, 9.0, 9.0, 1.0, WALLS, GROUND, SKY)
OPEN = replace(WALLED, wall_height_m=0.0)


def seen(
    surroundings: Surroundings, pose: Pose, spot: tuple[float, float, float], uprights: tuple[UprightBoard, ...] = ()
) -> list[int]:
    """The colour of the pixel at which a spot of the world appears."""
    frame = render(TEXTURE, CAMERA, pose, surroundings.sky, uprights, surroundings)
    column, row, depth = projection(CAMERA, pose) @ (*spot, 1.0)
    return [int(part) for part in frame[round(row / depth), round(column / depth)]]


@pytest.mark.parametrize("number", range(4))
def test_each_wall_has_its_colour_from_the_floor_to_its_height(number: int) -> None:
    yaw, x, y = ((math.pi, -1, 4), (0.0, 9, 4), (-math.pi / 2, 4, -1), (math.pi / 2, 4, 9))[number]
    pose = Pose(4.0, 4.0, yaw)
    assert seen(WALLED, pose, (x, y, 0.05)) == list(WALLS[number])
    assert seen(WALLED, pose, (x, y, 0.95)) == list(WALLS[number])
    assert seen(WALLED, pose, (x, y, 1.1)) == list(SKY)


def test_the_field_reaches_to_the_walls() -> None:
    assert seen(WALLED, Pose(7.5, 0.0, 0.0), (8.8, 0.0, 0.0)) == list(FLOOR.field)


def test_without_walls_there_is_ground_beyond_the_field() -> None:
    assert seen(OPEN, Pose(7.5, 0.0, 0.0), (9.3, 0.0, 0.0)) == list(GROUND)
    assert seen(OPEN, Pose(7.5, 0.0, 0.0), (8.8, 0.0, 0.0)) == list(FLOOR.field)
    assert seen(OPEN, Pose(6.0, 0.0, math.pi / 4), (12.0, 12.0, 0.0)) == list(GROUND)


def board_at(x: float) -> UprightBoard:
    corners = np.array([[x, 0.15, 0.3], [x, -0.15, 0.3], [x, -0.15, 0.0], [x, 0.15, 0.0]])
    return UprightBoard(corners, np.full((32, 32), 77, np.uint8))


def test_a_board_hides_the_wall_behind_it_and_a_wall_the_board_behind_it() -> None:
    board = board_at(8.0)
    assert seen(WALLED, Pose(6.0, 0.0, 0.0), (8.0, 0.0, 0.15), (board,)) == [77, 77, 77]
    from_outside = Pose(-3.0, 0.0, 0.0)
    assert seen(WALLED, from_outside, (8.0, 0.0, 0.15), (board,)) == list(WALLS[0])


def test_from_inside_all_walls_are_behind_and_from_outside_the_near_ones_before() -> None:
    behind, before = wall_surfaces(WALLED, 4.0, 4.0)
    assert ([surface.colour for surface in behind], before) == (list(WALLS), [])
    behind, before = wall_surfaces(WALLED, 12.0, 12.0)
    assert [surface.colour for surface in before] == [WALLS[1], WALLS[3]]


@given(st.floats(-12.0, 20.0), st.floats(-12.0, 20.0), st.floats(-7.0, 7.0), st.booleans())
def test_from_anywhere_grey_is_the_grey_of_colour(x: float, y: float, yaw: float, open_ground: bool) -> None:
    surroundings, pose = OPEN if open_ground else WALLED, Pose(x, y, yaw)
    colour = render(TEXTURE, CAMERA, pose, surroundings.sky, (), surroundings)
    grey = render(TEXTURE.grey(), CAMERA, pose, grey_level(surroundings.sky), (), surroundings)
    weighted = colour.astype(float) @ (0.114, 0.587, 0.299)
    assert float(np.abs(weighted - grey).max()) <= 4.0  # OpenCV rounds each channel of a smooth edge by itself


def test_the_hall_of_reinvent_base_is_that_of_the_public_mesh() -> None:
    """Its walls stand at x -0.587 and 8.575, y -0.613 and 5.795, one metre high."""
    surroundings = surroundings_of(load_track("reinvent_base"), REINVENT_BASE.surroundings)
    assert (surroundings.x0, surroundings.x1, surroundings.y0, surroundings.y1) == pytest.approx(
        (-0.587, 8.575, -0.613, 5.795), abs=0.015
    )
    assert surroundings.wall_height_m == 1.0
    assert surroundings_of(load_track("reinvent_base"), SurroundingsStyle(margin_m=2.0)).x0 == pytest.approx(
        -1.674, abs=0.001
    )
