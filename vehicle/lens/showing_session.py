"""`raceday vehicle lens` at the car: asks for a board at three distances and then all over the picture, and watches.

Called by `vehicle/commands/lens.py`. Camera and questions are arguments; frames bring their own time.
"""

import math
from collections.abc import Callable

import numpy as np

from shared.errors import BadInput, HardwareMissing, Refused
from shared.units import NS_PER_S
from vehicle.hardware.interfaces import Camera
from vehicle.lapwatch.marker_finder import BoardCorners, MarkerFinder
from vehicle.lens.shown_boards import ShownBoard

_DISTANCES = ("about 0.5", "about 1", "about 2")
_LOOKS = 5  # frames of a board that stands
_LOOK_NS = 5 * NS_PER_S
_SWEEP_NS = 30 * NS_PER_S
_SWEEP_VIEWS = 40
_MOVED_SHARE = 0.04  # of the picture's width: a board that moved less is no new view
_READ_S = 0.5
_MAX_READS = 20
_MIN_M, _MAX_M = 0.05, 20.0
_MAX_TRIES = 20

Ask = Callable[[str], str]
Say = Callable[[str], object]


class ShowingSession:
    """Collects views of boards; all pictures must be of one size."""

    def __init__(self, camera: Camera, finder: MarkerFinder, ask: Ask, say: Say) -> None:
        self._camera, self._finder, self._ask, self._say = camera, finder, ask, say
        self._boards: list[ShownBoard] = []
        self._shape: tuple[int, ...] = ()

    def run(self) -> tuple[list[ShownBoard], int, int]:
        """The boards that were shown, and the width and height of the pictures. Raises Refused if it is called off."""
        self._say("Stand one board upright on the floor, straight before the camera, and measure with a tape from the")
        self._say("lens to the middle of the board. Three distances are best: 0.5, 1 and 2 m.")
        for wanted in _DISTANCES:
            self._at_distance(wanted)
        self._ask(
            "Now move the board slowly over the whole picture for 30 s, near and far, to the rims, also tilted. "
            "Press Enter to begin: "
        )
        before = len(self._boards)
        self._sweep()
        self._say(f"{len(self._boards) - before} views of it were taken.")
        height_px, width_px = self._shape
        return self._boards, width_px, height_px

    def _at_distance(self, wanted: str) -> None:
        for _ in range(_MAX_TRIES):
            distance_m = _metres(self._ask(f"Distance of the board in metres, {wanted} (Enter: leave this one out): "))
            if distance_m is None:
                return
            if math.isnan(distance_m):
                self._say(f"That is no distance from {_MIN_M:g} to {_MAX_M:g} m; type one like 0.52.")
                continue
            looks = self._looks()
            if looks:
                self._boards += [ShownBoard(one, distance_m, is_upright=True) for one in looks]
                self._say(f"Board {looks[0].kind.id} was seen {len(looks)} times.")
                return
            self._say(
                "No board, or more than one, was seen: is it lit, whole in the picture, and in [lapwatch.boards]?"
            )
        raise Refused("the measurement was called off: no board was seen.")

    def _looks(self) -> list[BoardCorners]:
        """A single standing board in a few frames; empty if none is seen within some seconds."""
        looks: list[BoardCorners] = []
        begun_ns: int | None = None
        while len(looks) < _LOOKS:
            at_ns, seen = self._next()
            begun_ns = at_ns if begun_ns is None else begun_ns
            if at_ns - begun_ns > _LOOK_NS:
                return []
            if len(seen) == 1:
                looks += seen
        return looks

    def _sweep(self) -> None:
        """Views of a board that moves, for a time or until there are enough."""
        begun_ns: int | None = None
        last: BoardCorners | None = None
        views = 0
        while views < _SWEEP_VIEWS:
            at_ns, seen = self._next()
            begun_ns = at_ns if begun_ns is None else begun_ns
            if at_ns - begun_ns > _SWEEP_NS:
                return
            for one in seen:
                if last is None or self._has_moved(last, one):
                    self._boards.append(ShownBoard(one))
                    last = one
                    views += 1

    def _has_moved(self, before: BoardCorners, now: BoardCorners) -> bool:
        moved_px = float(np.linalg.norm(now.points - before.points, axis=1).max())
        return before.kind != now.kind or moved_px > _MOVED_SHARE * self._shape[1]

    def _next(self) -> tuple[int, list[BoardCorners]]:
        """The time of the next frame and the boards in it."""
        frame = next((frame for _ in range(_MAX_READS) if (frame := self._camera.read(_READ_S)) is not None), None)
        if frame is None:
            raise HardwareMissing("the camera gives no pictures: look at its cable and at [camera] in the car's file.")
        if self._shape and frame.pixels.shape != self._shape:
            raise BadInput("the pictures are of different sizes: measure with the camera's settings of the race.")
        self._shape = frame.pixels.shape
        return frame.at_ns, self._finder.corners(frame.pixels)


def _metres(answer: str) -> float | None:
    """The distance that was typed; None for an empty answer, NaN for one that is no distance."""
    text = answer.strip().removesuffix("m").strip().replace(",", ".")
    if not text:
        return None
    try:
        metres = float(text)
    except ValueError:
        return math.nan
    return metres if _MIN_M <= metres <= _MAX_M else math.nan
