"""The surroundings: walls where they should be, hiding and hidden in the right order, and open ground."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulator.world.camera import CameraParameters, UprightBoard, projection, render
from simulator.world.floor_texture import Appearance, draw_texture
from simulator.world.geometry import Pose
from simulator.world.looks import REINVENT_BASE
from simulator.world.surroundings import Surroundings, SurroundingsStyle, grey_level, surfaces_around, surroundings_of
from simulator.world.tracks import load_track
from tests.simulator.world.sample_tracks import box

Array = NDArray[np.float64]

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
    behind, before = surfaces_around(WALLED, 4.0, 4.0)
    assert ([surface.colour for surface in behind], before) == (list(WALLS), [])
    behind, before = surfaces_around(WALLED, 12.0, 12.0)
    assert [surface.colour for surface in before] == [WALLS[1], WALLS[3]]
    assert [surface.colour for surface in behind] == [GROUND] * 4 + [WALLS[0], WALLS[2]]


def looked_at(around: Surroundings, eye: Array, ray: Array) -> tuple[int, int, int] | None:
    """What a ray meets first: wall, ground, field (None: with the road on it) or sky, by plain geometry."""
    nearest = math.inf
    colour: tuple[int, int, int] | None = around.sky
    if ray[2] < 0:
        nearest = -eye[2] / ray[2]
        x, y = eye[:2] + nearest * ray[:2]
        inside = around.x0 < x < around.x1 and around.y0 < y < around.y1
        colour = None if inside else around.ground
    planes = ((0, around.x0), (0, around.x1), (1, around.y0), (1, around.y1))
    for (axis, at), wall in zip(planes, around.walls, strict=True):
        if around.wall_height_m <= 0 or ray[axis] == 0 or not 0 < (far := (at - eye[axis]) / ray[axis]) < nearest:
            continue
        spot = eye + far * ray
        other = 1 - axis
        low, high = ((around.x0, around.x1), (around.y0, around.y1))[other]
        if low < spot[other] < high and 0 < spot[2] < around.wall_height_m:
            nearest, colour = far, wall
    return colour


@pytest.mark.parametrize("around", [WALLED, OPEN], ids=["walls", "open ground"])
def test_every_pixel_shows_what_its_ray_meets(around: Surroundings) -> None:
    rng = np.random.default_rng(1)
    right, total = 0, 0
    for _ in range(25):
        x, y, yaw = rng.uniform((-4.0, -4.0, -3.2), (12.0, 12.0, 3.2))
        pose = Pose(float(x), float(y), float(yaw))
        frame = render(TEXTURE, CAMERA, pose, around.sky, surroundings=around)
        matrix = projection(CAMERA, pose)
        eye = -np.linalg.solve(matrix[:, :3], matrix[:, 3]).astype(np.float64)
        for column, row in rng.integers((0, 0), (320, 240), (60, 2)):
            ray = np.linalg.solve(matrix[:, :3], (column, row, 1.0)).astype(np.float64)
            expected = looked_at(around, eye, ray)
            if expected is not None:
                total += 1
                right += np.abs(frame[row, column].astype(int) - expected).max() <= 1
    assert total > 500
    assert right >= 0.985 * total  # the others lie on an edge


@settings(max_examples=40, deadline=None)
@given(st.floats(-12.0, 20.0), st.floats(-12.0, 20.0), st.floats(-7.0, 7.0), st.booleans())
def test_from_anywhere_grey_is_the_grey_of_colour(x: float, y: float, yaw: float, open_ground: bool) -> None:
    surroundings, pose = OPEN if open_ground else WALLED, Pose(x, y, yaw)
    colour = render(TEXTURE, CAMERA, pose, surroundings.sky, (), surroundings)
    grey = render(TEXTURE.grey(), CAMERA, pose, grey_level(surroundings.sky), (), surroundings)
    weighted = colour.astype(float) @ (0.114, 0.587, 0.299)
    # OpenCV rounds each channel of a smooth edge by itself, and once for each surface that meets there.
    assert float(np.abs(weighted - grey).max()) <= 12.0
    assert float((np.abs(weighted - grey) > 2.0).mean()) < 0.005


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
