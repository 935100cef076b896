"""How boxes and cars look: the flat faces of a block on the floor, each in one plain colour.

Colours are the field's (deepracer-simapp `models/box_obstacle`, `models/bot_car`: brown #7b614f, and 0x28 grey), as
its light shows them: a white line has 165 of 255 in its frames. Faces differ in the light, so that edges are seen.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.objects.outlines import BOX_OUTLINE, CAR_OUTLINE, Outline, corners_of
from simulator.world.surroundings import Colour, Surface, grey_level

FACES = 5  # front, left, rear, right, top
BOX_COLOUR: Colour = (79, 97, 123)  # BGR
CAR_COLOUR: Colour = (40, 40, 40)
_LIT = (0.62, 0.50, 0.62, 0.50, 0.72)  # the share of its colour that each face shows

Corners = NDArray[np.float64]


def face_corners(x: float, y: float, yaw: float, outline: Outline) -> Corners:
    """The corners (5, 4, 3) in metres of the faces of a block at x, y: each top left, top right, bottom right, bottom
    left as it is seen from outside; of the top, what is ahead is above."""
    front_left, front_right, rear_right, rear_left = corners_of(x, y, yaw, outline)
    high = outline.height_m
    sides = (
        (front_right, front_left),
        (front_left, rear_left),
        (rear_left, rear_right),
        (rear_right, front_right),
    )
    faces = [[(*a, high), (*b, high), (*b, 0.0), (*a, 0.0)] for a, b in sides]
    top = [(*front_left, high), (*front_right, high), (*rear_right, high), (*rear_left, high)]
    return np.array([*faces, top])


def face_colours(colour: Colour) -> NDArray[np.float64]:
    """The colours (5, 3) BGR of the faces of a block."""
    return np.array([[level * lit for level in colour] for lit in _LIT])


def box_surfaces(x: float, y: float, yaw: float) -> list[Surface]:
    """A box as the reference renderer draws it."""
    return _surfaces(x, y, yaw, BOX_OUTLINE, BOX_COLOUR)


def car_surfaces(x: float, y: float, yaw: float) -> list[Surface]:
    """A bot or another racer's car as the reference renderer draws it."""
    return _surfaces(x, y, yaw, CAR_OUTLINE, CAR_COLOUR)


def _surfaces(x: float, y: float, yaw: float, outline: Outline, colour: Colour) -> list[Surface]:
    shown = []
    for corners, lit in zip(face_corners(x, y, yaw, outline), face_colours(colour), strict=True):
        blue, green, red = (round(level) for level in lit.tolist())
        homogeneous = np.vstack([corners.T, np.ones(4)])
        shown.append(Surface(homogeneous, (blue, green, red), grey_level((blue, green, red))))
    return shown


def towards(corners: Corners, eye: Corners) -> NDArray[np.bool_]:
    """Which faces (..., 4, 3) turn their outside to the eye (..., 3); of a block only these are seen."""
    top_left = corners[..., 0, :]
    outward = np.cross(corners[..., 3, :] - top_left, corners[..., 1, :] - top_left)
    return np.asarray(((eye - top_left) * outward).sum(axis=-1) > 0.0)
