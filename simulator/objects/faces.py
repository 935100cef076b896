"""How boxes and cars look: the flat faces of a block on the floor, each in one plain colour.

Colours are the field's (deepracer-simapp `models/box_obstacle`, `models/bot_car`: brown #7b614f, and 0x28 grey), as
its light shows them: a white line has 165 of 255 in its frames. Faces differ in the light, so that edges are seen.
"""

import numpy as np
from numpy.typing import NDArray

from simulator.objects.outlines import BOT_OUTLINE, BOX_OUTLINE, CAR_OUTLINE, Outline
from simulator.world.surroundings import Colour, Surface, grey_level

FACES = 5  # front, left, rear, right, top
BOX_COLOUR: Colour = (79, 97, 123)  # BGR
CAR_COLOUR: Colour = (40, 40, 40)
_LIT = (0.62, 0.50, 0.62, 0.50, 0.72)  # the share of its colour that each face shows

Corners = NDArray[np.float64]


# The corners of each face, (5, 4): at the front end or the rear one (0), on the left (1) or right (-1), high or low.
# A side begins at the top left as it is seen from outside and goes round clockwise; so does the top, seen from above.
_AHEAD = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0]], bool)
_LEFT = np.array([[-1, 1, 1, -1], [1, 1, 1, 1], [1, -1, -1, 1], [-1, -1, -1, -1], [1, -1, -1, 1]])
_HIGH = np.array([[1, 1, 0, 0]] * 4 + [[1, 1, 1, 1]])


def face_corners(places: Corners, sizes: Corners) -> Corners:
    """The corners (..., 5, 4, 3) in metres of the faces of blocks on the floor.

    `places` (..., 3): x, y, yaw; `sizes` (..., 4): front, rear, half width, height, as in Outline.
    """
    x, y, yaw = (places[..., n, None, None] for n in range(3))
    front, rear, half, height = (sizes[..., n, None, None] for n in range(4))
    along, across = np.where(_AHEAD, front, rear), _LEFT * half
    c, s = np.cos(yaw), np.sin(yaw)
    return np.stack([x + along * c - across * s, y + along * s + across * c, height * _HIGH], axis=-1)


def face_colours(colour: Colour) -> NDArray[np.float64]:
    """The colours (5, 3) BGR of the faces of a block."""
    return np.array([[level * lit for level in colour] for lit in _LIT])


def box_surfaces(x: float, y: float, yaw: float) -> list[Surface]:
    """A box as the reference renderer draws it."""
    return _surfaces(x, y, yaw, BOX_OUTLINE, BOX_COLOUR)


def bot_surfaces(x: float, y: float, yaw: float) -> list[Surface]:
    """A bot as the reference renderer draws it."""
    return _surfaces(x, y, yaw, BOT_OUTLINE, CAR_COLOUR)


def car_surfaces(x: float, y: float, yaw: float) -> list[Surface]:
    """Another racer's car as the reference renderer draws it."""
    return _surfaces(x, y, yaw, CAR_OUTLINE, CAR_COLOUR)


def _surfaces(x: float, y: float, yaw: float, outline: Outline, colour: Colour) -> list[Surface]:
    shown = []
    faces = face_corners(np.array([x, y, yaw]), np.array([*outline.size, outline.height_m]))
    for corners, lit in zip(faces, face_colours(colour), strict=True):
        blue, green, red = (round(level) for level in lit.tolist())
        homogeneous = np.vstack([corners.T, np.ones(4)])
        shown.append(Surface(homogeneous, (blue, green, red), grey_level((blue, green, red))))
    return shown
