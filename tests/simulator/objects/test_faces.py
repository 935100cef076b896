"""Boxes and cars in the picture: where they should be, as large as they should be, and the nearest hides the others."""

import math

import numpy as np
import pytest

from simulator.objects.faces import (
    BOX_COLOUR,
    FACES,
    box_surfaces,
    car_surfaces,
    face_colours,
    face_corners,
)
from simulator.objects.outlines import BOX_OUTLINE
from simulator.world.camera import CameraParameters, render
from simulator.world.floor_masks import PIXELS_PER_M
from simulator.world.floor_texture import FloorTexture
from simulator.world.geometry import Pose

CAMERA = CameraParameters(640, 480)
HERE = Pose(0.0, 0.0, 0.0)
SKY, FLOOR = 250, 200
BARE = FloorTexture(np.full((12 * PIXELS_PER_M, 12 * PIXELS_PER_M), FLOOR, np.uint8), -6.0, -6.0)
FRONT, SIDE = (
    round(float(0.114 * b + 0.587 * g + 0.299 * r)) for b, g, r in (face_colours(BOX_COLOUR)[n] for n in (0, 1))
)


def test_the_faces_of_a_block_are_its_five_sides() -> None:
    faces = face_corners(np.array([2.0, 1.0, math.pi / 2]), np.array([*BOX_OUTLINE.size, BOX_OUTLINE.height_m]))
    assert faces.shape == (FACES, 4, 3)
    front, left, rear, right, top = faces
    assert front[:, 1] == pytest.approx([1.2] * 4)
    assert left[:, 0] == pytest.approx([1.85] * 4)
    assert rear[:, 1] == pytest.approx([0.8] * 4)
    assert right[:, 0] == pytest.approx([2.15] * 4)
    assert top[:, 2] == pytest.approx([0.25] * 4)
    for side in faces[:4]:
        assert side[:, 2] == pytest.approx([0.25, 0.25, 0.0, 0.0])
    outward = np.cross(faces[:, 3] - faces[:, 0], faces[:, 1] - faces[:, 0])
    away = faces.mean(axis=1) - faces.mean(axis=(0, 1))
    assert ((outward * away).sum(axis=1) > 0.0).all()  # each runs clockwise as it is seen from outside


def test_a_box_is_where_the_camera_must_see_it() -> None:
    picture = render(BARE, CAMERA, HERE, SKY, box_surfaces(1.5, 0.2, 0.0))
    far_m = 1.5 - 0.20 - CAMERA.forward_m  # to its rear face, along the floor
    cos, sin = math.cos(CAMERA.pitch_rad), math.sin(CAMERA.pitch_rad)

    def row_of(height_m: float) -> float:
        down_m = CAMERA.up_m - height_m
        return 239.5 + CAMERA.focal_px * (down_m * cos - far_m * sin) / (far_m * cos + down_m * sin)

    def column_of(left_m: float, height_m: float) -> float:
        return 319.5 - CAMERA.focal_px * left_m / (far_m * cos + (CAMERA.up_m - height_m) * sin)

    shown = np.abs(picture.astype(int) - FRONT) <= 1
    rows, columns = np.nonzero(shown)
    assert (rows.min(), rows.max()) == (pytest.approx(row_of(0.25), abs=1.5), pytest.approx(row_of(0.0), abs=1.5))
    middle = (rows.min() + rows.max()) // 2
    across = columns[rows == middle]
    assert across.min() == pytest.approx(column_of(0.35, 0.125), abs=2.0)
    assert across.max() == pytest.approx(column_of(0.05, 0.125), abs=2.0)
    assert shown[middle, across.min() : across.max() + 1].all()


def test_its_side_is_darker_and_the_nearest_hides_what_is_behind() -> None:
    aside = render(BARE, CAMERA, HERE, SKY, box_surfaces(0.9, 0.4, 0.0))
    assert (np.abs(aside.astype(int) - SIDE) <= 1).sum() > 2000
    box, car = box_surfaces(2.0, 0.0, 0.0), car_surfaces(1.0, 0.0, 0.0)
    for order in (box + car, car + box):
        picture = render(BARE, CAMERA, HERE, SKY, order)
        nearest = picture[200, 320]
        assert nearest < 40  # the car, which is nearly black
        assert abs(int(picture[100, 320]) - FRONT) <= 1  # the box looks out above it


def test_a_block_beside_or_behind_the_camera_draws_nothing_wrong() -> None:
    empty = render(BARE, CAMERA, HERE, SKY)
    assert (render(BARE, CAMERA, HERE, SKY, box_surfaces(-1.0, 0.0, 0.0)) == empty).all()
    beside = render(BARE, CAMERA, HERE, SKY, box_surfaces(0.25, 0.30, 0.0))  # it reaches past the lens
    changed = np.nonzero((beside != empty).any(axis=0))[0]
    assert changed.min() == 0
    assert changed.max() < 320
