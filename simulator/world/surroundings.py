"""What surrounds a track: four upright walls, or open ground where the field ends, and the sky above.

In the public simulator (deepracer-simapp, bundle/meshes) the field is a rectangle with walls of one metre on its
sides: 3 ft from the road on reinvent_base, 30 ft on the tracks of the league's generator.
"""

from dataclasses import dataclass

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
    """A flat convex polygon of one colour: corners (N, 3) in metres."""

    corners: NDArray[np.float64]
    colour: Colour


def wall_surfaces(surroundings: Surroundings, x: float, y: float) -> tuple[list[Surface], list[Surface]]:
    """The walls as seen from (x, y): those whose inner side is seen, behind all that stands on the field; the others.

    The walls are a convex box, so this order is enough: no wall hides another one of its own kind.
    """
    if surroundings.wall_height_m <= 0.0:
        return [], []
    inner = (x > surroundings.x0, x < surroundings.x1, y > surroundings.y0, y < surroundings.y1)
    behind: list[Surface] = []
    before: list[Surface] = []
    for (ax, ay, bx, by), colour, is_inner in zip(_sides(surroundings), surroundings.walls, inner, strict=True):
        top = surroundings.wall_height_m
        corners = np.array([(ax, ay, 0.0), (bx, by, 0.0), (bx, by, top), (ax, ay, top)])
        (behind if is_inner else before).append(Surface(corners, colour))
    return behind, before


def _sides(surroundings: Surroundings) -> tuple[tuple[float, float, float, float], ...]:
    """The ends of the field's sides, in the order of the walls."""
    x0, y0, x1, y1 = surroundings.x0, surroundings.y0, surroundings.x1, surroundings.y1
    return (x0, y0, x0, y1), (x1, y0, x1, y1), (x0, y0, x1, y0), (x0, y1, x1, y1)


def ground_surfaces(surroundings: Surroundings) -> list[Surface]:
    """The ground beyond each side of the field; the four overlap at its corners."""
    outside = ((-_FAR_M, 0.0), (_FAR_M, 0.0), (0.0, -_FAR_M), (0.0, _FAR_M))
    surfaces = []
    for (ax, ay, bx, by), (dx, dy) in zip(_sides(surroundings), outside, strict=True):
        alongx, alongy = abs(dy), abs(dx)
        near = [(ax - alongx, ay - alongy, 0.0), (bx + alongx, by + alongy, 0.0)]
        far = [(cx + dx, cy + dy, 0.0) for cx, cy, _ in reversed(near)]
        surfaces.append(Surface(np.array(near + far), surroundings.ground))
    return surfaces
