"""Outlines on the floor: oriented rectangles, and whether two of them overlap.

Called for each car and object in each sub-step, so the functions are plain arithmetic that numba compiles as it stands.
Sizes: deepracer-simapp `models/box_obstacle/model.sdf`, `track_geom/constants.py` (without the margin that it adds,
since there only corners inside the other outline count, here any overlap does) and `urdf/deepracer`.
"""

import math
from dataclasses import dataclass

from simulator.world.car import FRONT_M, REAR_M


@dataclass(frozen=True, slots=True)
class Outline:
    """A rectangle around a point, in metres: its ends ahead (+) and behind (-), half its width, and its height."""

    front_m: float
    rear_m: float
    half_width_m: float
    height_m: float

    @property
    def size(self) -> tuple[float, float, float]:
        """Front, rear and half width, as the arithmetic takes them."""
        return self.front_m, self.rear_m, self.half_width_m


CAR_HALF_WIDTH_M = 0.098
CAR_OUTLINE = Outline(FRONT_M, REAR_M, CAR_HALF_WIDTH_M, 0.12)
BOX_OUTLINE = Outline(0.20, -0.20, 0.15, 0.25)
BOT_OUTLINE = Outline(0.162, -0.162, 0.098, 0.12)


Place = tuple[float, float, float]
Size = tuple[float, float, float]


def outlines_overlap(a: Place, a_size: Size, b: Place, b_size: Size) -> bool:
    """True if two oriented rectangles share a point (separating axes); touching counts.

    Each is x, y, yaw in metres and radians, and front, rear and half width in metres as in Outline.
    """
    ax, ay, a_yaw = a
    bx, by, b_yaw = b
    a_front, a_rear, a_half = a_size
    b_front, b_rear, b_half = b_size
    ac, as_ = math.cos(a_yaw), math.sin(a_yaw)
    bc, bs = math.cos(b_yaw), math.sin(b_yaw)
    a_mid, a_reach = (a_front + a_rear) / 2, (a_front - a_rear) / 2
    b_mid, b_reach = (b_front + b_rear) / 2, (b_front - b_rear) / 2
    dx = bx + b_mid * bc - ax - a_mid * ac
    dy = by + b_mid * bs - ay - a_mid * as_
    along, across = abs(ac * bc + as_ * bs), abs(ac * bs - as_ * bc)
    if abs(dx * ac + dy * as_) > a_reach + b_reach * along + b_half * across:
        return False
    if abs(dy * ac - dx * as_) > a_half + b_reach * across + b_half * along:
        return False
    if abs(dx * bc + dy * bs) > b_reach + a_reach * along + a_half * across:
        return False
    return abs(dy * bc - dx * bs) <= b_half + a_reach * across + a_half * along


def corners_of(x: float, y: float, yaw: float, outline: Outline) -> list[tuple[float, float]]:
    """The four corners: front left, front right, rear right, rear left."""
    c, s = math.cos(yaw), math.sin(yaw)
    half = outline.half_width_m
    ends = ((outline.front_m, half), (outline.front_m, -half), (outline.rear_m, -half), (outline.rear_m, half))
    return [(x + along * c - across * s, y + along * s + across * c) for along, across in ends]
