"""What surrounds a track: four upright walls, or open ground where the field ends, and the sky above.

In the public simulator (deepracer-simapp, bundle/meshes) the field is a rectangle with walls of one metre on its
sides: 3 ft from the road on reinvent_base, 30 ft on the tracks of the league's generator.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulator.world.geometry import Track

Colour = tuple[int, int, int]  # blue, green, red
Walls = tuple[Colour, Colour, Colour, Colour]

FOOT_M = 0.3048
_FAR_M = 300.0  # how far open ground reaches
GREY_WEIGHTS = (0.114, 0.587, 0.299)  # of blue, green and red


@dataclass(frozen=True, slots=True)
class SurroundingsStyle:
    """How the surroundings of any track look. A wall height of 0 is no wall: ground lies beyond the field.

    The walls are, in this order, those at the smallest x, the largest x, the smallest y and the largest y.
    """

    margin_m: float = 3 * FOOT_M  # from the road's bounds to the walls
    wall_height_m: float = 1.0
    walls: Walls = ((32, 35, 18), (16, 14, 7), (1, 1, 1), (20, 18, 9))
    ground: Colour = (110, 144, 100)
    sky: Colour = (178, 178, 178)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings of one track: the field from (x0, y0) to (x1, y1), metres; colours as in SurroundingsStyle."""

    x0: float
    y0: float
    x1: float
    y1: float
    wall_height_m: float
    walls: Walls
    ground: Colour
    sky: Colour


def surroundings_of(track: Track, style: SurroundingsStyle) -> Surroundings:
    """Surroundings of this style around the track."""
    points = np.vstack([track.left, track.right])
    (x0, y0), (x1, y1) = points.min(axis=0) - style.margin_m, points.max(axis=0) + style.margin_m
    return Surroundings(
        float(x0), float(y0), float(x1), float(y1), style.wall_height_m, style.walls, style.ground, style.sky
    )


def grey_level(colour: Colour) -> int:
    """The colour as a grey camera sees it."""
    return round(sum(part * weight for part, weight in zip(colour, GREY_WEIGHTS, strict=True)))


@dataclass(frozen=True, eq=False)
class Surface:
    """A flat convex polygon of one colour: corners (4, N), homogeneous, in metres."""

    corners: NDArray[np.float64]
    colour: Colour
    level: int


def _surface(corners: list[tuple[float, float, float]], colour: Colour) -> Surface:
    return Surface(np.array([(*corner, 1.0) for corner in corners]).T, colour, grey_level(colour))


def surfaces_around(surroundings: Surroundings, x: float, y: float) -> tuple[list[Surface], list[Surface]]:
    """What surrounds a camera at (x, y): the surfaces behind all that stands on the field, and those before it.

    The walls are a convex box, so two groups are enough: those whose inner side is seen, and the others.
    """
    s = surroundings
    inner = (x > s.x0, x < s.x1, y > s.y0, y < s.y1)
    walls = _walls(s)
    if walls and all(inner):
        return list(walls), []
    behind = list(_ground(s))
    before: list[Surface] = []
    for wall, is_inner in zip(walls, inner if walls else (), strict=True):
        (behind if is_inner else before).append(wall)
    return behind, before


def _sides(surroundings: Surroundings) -> tuple[tuple[float, float, float, float], ...]:
    """The ends of the field's sides, in the order of the walls."""
    x0, y0, x1, y1 = surroundings.x0, surroundings.y0, surroundings.x1, surroundings.y1
    return (x0, y0, x0, y1), (x1, y0, x1, y1), (x0, y0, x1, y0), (x0, y1, x1, y1)


@lru_cache(maxsize=256)
def _walls(surroundings: Surroundings) -> tuple[Surface, ...]:
    top = surroundings.wall_height_m
    if top <= 0.0:
        return ()
    return tuple(
        _surface([(ax, ay, 0.0), (bx, by, 0.0), (bx, by, top), (ax, ay, top)], colour)
        for (ax, ay, bx, by), colour in zip(_sides(surroundings), surroundings.walls, strict=True)
    )


@lru_cache(maxsize=256)
def _ground(surroundings: Surroundings) -> tuple[Surface, ...]:
    """The ground beyond each side of the field; the four overlap at its corners."""
    outside = ((-_FAR_M, 0.0), (_FAR_M, 0.0), (0.0, -_FAR_M), (0.0, _FAR_M))
    surfaces = []
    for (ax, ay, bx, by), (dx, dy) in zip(_sides(surroundings), outside, strict=True):
        alongx, alongy = abs(dy), abs(dx)
        near = [(ax - alongx, ay - alongy, 0.0), (bx + alongx, by + alongy, 0.0)]
        far = [(cx + dx, cy + dy, 0.0) for cx, cy, _ in reversed(near)]
        surfaces.append(_surface(near + far, surroundings.ground))
    return tuple(surfaces)
