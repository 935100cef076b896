"""Where a car is put back: before its place, in a lane that no object blocks.

As deepracer-simapp does it (`_get_car_reset_model_state`): one metre before the object in the lane beside it; after
MERCY_AFTER resets at the same object one metre beyond it, so that no car is stuck for ever.
"""

from collections.abc import Sequence

from simulator.objects.lanes import INNER, OUTER, Lanes
from simulator.objects.placing import PlacedObject
from simulator.world.geometry import Pose

PUT_BACK_M = 1.0
NEAR_M = 1.0  # an object this near along the track decides the lane
MERCY_AFTER = 3


def put_back_place(
    lanes: Lanes, s_m: float, lane: int, objects: Sequence[PlacedObject], resets_here: int = 0
) -> tuple[float, int]:
    """(metres after the start line, lane) for a car that got to `s_m` and is nearer to `lane`.

    `objects` stand still; `resets_here` counts the resets at the same object before this one.
    """
    back_m = s_m - PUT_BACK_M
    near = nearest_object(lanes, s_m, objects)
    if near is None:
        near = nearest_object(lanes, back_m, objects)
    if near is None:
        return back_m % lanes.length_m, lane
    beside = OUTER if near.lane == INNER else INNER
    if resets_here >= MERCY_AFTER:
        return (near.s_m + PUT_BACK_M) % lanes.length_m, beside
    return (near.s_m - PUT_BACK_M) % lanes.length_m, beside


def nearest_lane(lanes: Lanes, s_m: float, x: float, y: float) -> int:
    """The lane whose line beside the centre line's place `s_m` is nearer to the point."""
    inner, outer = lanes.pose(s_m, INNER), lanes.pose(s_m, OUTER)
    to_inner = (inner.x - x) ** 2 + (inner.y - y) ** 2
    return INNER if to_inner < (outer.x - x) ** 2 + (outer.y - y) ** 2 else OUTER


def put_back_pose(
    lanes: Lanes, s_m: float, x: float, y: float, objects: Sequence[PlacedObject], resets_here: int = 0
) -> Pose:
    """The pose of `put_back_place` for a car that was last on the road at `s_m`, at the point x, y."""
    return lanes.pose(*put_back_place(lanes, s_m, nearest_lane(lanes, s_m, x, y), objects, resets_here))


def nearest_object(lanes: Lanes, s_m: float, objects: Sequence[PlacedObject]) -> PlacedObject | None:
    """The nearest object along the track within NEAR_M of a place; None if there is none."""

    def gap_m(one: PlacedObject) -> float:
        apart = abs(one.s_m - s_m) % lanes.length_m
        return min(apart, lanes.length_m - apart)

    near = min(objects, key=gap_m, default=None)
    return near if near is not None and gap_m(near) <= NEAR_M else None
