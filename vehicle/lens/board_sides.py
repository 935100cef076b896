"""Tells the boards of one kind apart, pure: which of the two beside the road is the left one, frame by frame.

Where both are seen, the left one is left. A single one is the one that was nearest to it in the frames before, else in
those after. Called by gate_drive.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.units import NS_PER_MS
from vehicle.lapwatch.marker_finder import BoardCorners
from vehicle.lapwatch.markers import BoardKind

_FOLLOWED_NS = 250 * NS_PER_MS  # a board that was seen longer ago may have moved anywhere in the picture
_MOVED_SIDES = 1.5  # how far it may have moved, in sides of the board as it is seen


@dataclass(frozen=True, slots=True)
class GateFrame:
    """The gate's boards in one frame of a drive, captured at `at_ns`."""

    at_ns: int
    boards: tuple[BoardCorners, ...]


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """A board beside the road: its kind, and whether it stands on the left."""

    kind: BoardKind
    is_left: bool


PlacedBoards = dict[BoardPlace, NDArray[np.float64]]


def placed_boards(frames: Sequence[GateFrame]) -> list[PlacedBoards]:
    """For each frame the corners (4, 2) of the boards whose side is known."""
    placed = [_pairs(frame) for frame in frames]
    _follow(frames, placed, range(len(frames)))
    _follow(frames, placed, reversed(range(len(frames))))
    return placed


def _pairs(frame: GateFrame) -> PlacedBoards:
    """The boards of kinds of which two are seen."""
    placed: PlacedBoards = {}
    for kind in {one.kind for one in frame.boards}:
        mine = sorted((one.points for one in frame.boards if one.kind == kind), key=_middle_x)
        if len(mine) == 2:
            placed[BoardPlace(kind, is_left=True)], placed[BoardPlace(kind, is_left=False)] = mine
    return placed


def _follow(frames: Sequence[GateFrame], placed: list[PlacedBoards], order: Iterable[int]) -> None:
    """Give single boards, in this order of the frames, the side of the one that they follow."""
    last: dict[BoardPlace, tuple[int, NDArray[np.float64]]] = {}
    for n in order:
        frame, mine = frames[n], placed[n]
        for kind in {one.kind for one in frame.boards} - {place.kind for place in mine}:
            seen = [one.points for one in frame.boards if one.kind == kind]
            place = _nearest(kind, seen[0], frame.at_ns, last) if len(seen) == 1 else None
            if place is not None:
                mine[place] = seen[0]
        last.update({place: (frame.at_ns, points) for place, points in mine.items()})


def _nearest(
    kind: BoardKind,
    points: NDArray[np.float64],
    at_ns: int,
    last: dict[BoardPlace, tuple[int, NDArray[np.float64]]],
) -> BoardPlace | None:
    """The place whose board was last seen nearest to these corners; None if none was near enough, or both were."""
    side_px = float(np.linalg.norm(points[0] - points[3]))
    near: list[BoardPlace] = []
    for is_left in (True, False):
        seen_ns, corners = last.get(place := BoardPlace(kind, is_left), (None, points))
        if seen_ns is None or abs(at_ns - seen_ns) > _FOLLOWED_NS:
            continue
        if float(np.linalg.norm(corners.mean(axis=0) - points.mean(axis=0))) < _MOVED_SIDES * side_px:
            near.append(place)
    return near[0] if len(near) == 1 else None


def _middle_x(points: NDArray[np.float64]) -> float:
    return float(points[:, 0].mean())
