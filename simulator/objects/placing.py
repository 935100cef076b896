"""Where objects are put along the track: clear of the start and of each other, drawn from a seed or as given.

Rules as in deepracer-simapp (`agent_ctrl/obstacles_agent_ctrl.py`): a place is a share of the track and a lane.
Whatever cannot be placed is refused with one sentence before a car moves.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text
from simulator.objects.lanes import INNER, OUTER, Lanes
from simulator.objects.outlines import Outline, outlines_overlap
from simulator.world.geometry import Pose
from simulator.world.world import START_BEFORE_LINE_M

MAX_OBJECTS = 6
MIN_GAP_M = 2.0  # between objects that are drawn, and after the start line
START_CLEAR_M = 0.6  # kept free behind the waiting car and after the start line
FROM_START_M, TO_START_M = 2.0, START_BEFORE_LINE_M + START_CLEAR_M


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """A place by lane (1 inner, -1 outer) and share of the track after the start line, 0 to 1."""

    lane: int
    share: float


@dataclass(frozen=True, slots=True)
class PlacedObject:
    """An object's place in metres after the start line, its lane and its pose."""

    s_m: float
    lane: int
    pose: Pose


def check_count(count: int) -> None:
    """Raise BadInput unless so many objects may be on a track."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_OBJECTS:
        raise BadInput(
            text("There are {count} objects: a race has 1 to {limit}.", count=str(count)[:20], limit=MAX_OBJECTS)
        )


def place_given(lanes: Lanes, places: Sequence[ObjectPlace], outline: Outline) -> tuple[PlacedObject, ...]:
    """The objects at the given places, in their order. Raises BadInput."""
    check_count(len(places))
    placed: list[PlacedObject] = []
    for number, place in enumerate(places, 1):
        _check_place(number, place)
        s_m = place.share * lanes.length_m
        _check_start(number, s_m, lanes.length_m)
        one = PlacedObject(s_m, place.lane, lanes.pose(s_m, place.lane))
        for other_number, other in enumerate(placed, 1):
            if _overlap(one.pose, other.pose, outline):
                raise BadInput(
                    text("Objects {other} and {number} overlap: move one of them.", other=other_number, number=number)
                )
        placed.append(one)
    return tuple(placed)


def most_drawn(lanes: Lanes) -> int:
    """How many objects `place_drawn` finds room for on a track."""
    return max(0, 1 + int((lanes.length_m - FROM_START_M - TO_START_M) // MIN_GAP_M))


def place_drawn(lanes: Lanes, count: int, seed: str) -> tuple[PlacedObject, ...]:
    """`count` objects in random lanes, at least MIN_GAP_M apart, in order along the track. Raises BadInput.

    Every arrangement that keeps the gaps is equally likely: the free length is shared out, then the gaps are added.
    """
    check_count(count)
    free_m = lanes.length_m - FROM_START_M - TO_START_M - (count - 1) * MIN_GAP_M
    if free_m < 0.0:
        raise BadInput(
            text(
                "{count} objects do not fit on a track of {length} m with {gap} m between them: choose fewer.",
                count=count,
                length=f"{lanes.length_m:.1f}",
                gap=f"{MIN_GAP_M:g}",
            )
        )
    rng = random.Random(seed)
    spots_m = sorted(rng.uniform(0.0, free_m) for _ in range(count))
    placed = []
    for number, spot_m in enumerate(spots_m):
        s_m, lane = FROM_START_M + spot_m + number * MIN_GAP_M, rng.choice((INNER, OUTER))
        placed.append(PlacedObject(s_m, lane, lanes.pose(s_m, lane)))
    return tuple(placed)


def _check_place(number: int, place: ObjectPlace) -> None:
    if place.lane not in (INNER, OUTER):
        raise BadInput(
            text(
                "Object {number} is in lane {lane}: the lanes are 1 (inner) and -1 (outer).",
                number=number,
                lane=str(place.lane)[:20],
            )
        )
    if not 0.0 <= place.share <= 1.0:  # false for a value that is no number, too
        raise BadInput(
            text(
                "Object {number} is at {share} of the track: its share must be 0 to 1.",
                number=number,
                share=str(place.share)[:20],
            )
        )


def _check_start(number: int, s_m: float, length_m: float) -> None:
    if s_m < START_CLEAR_M or s_m > length_m - TO_START_M:
        raise BadInput(
            text(
                "Object {number} overlaps the start: its share must be {low} to {high} on this track.",
                number=number,
                low=f"{START_CLEAR_M / length_m + 0.0005:.3f}",
                high=f"{1.0 - TO_START_M / length_m - 0.0005:.3f}",
            )
        )


def _overlap(one: Pose, other: Pose, outline: Outline) -> bool:
    return outlines_overlap(one, outline.size, other, outline.size)
