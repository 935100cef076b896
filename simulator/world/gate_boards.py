"""The start/finish gate's ArUco boards, by which a lap watcher on the car detects the line.

Boards stand upright just outside the road, a pair of small ones 0.3 m behind the line and a pair of large ones 1 m
behind it, facing the approaching car: far away only the large ones can be read, and the camera looks down, so that
only what stands behind the line is still in the picture when the car reaches it. Measured on 24 tracks with cars
0.3 m off the centre line at 3 m/s and 15 frames a second: read on at least 3 frames in a row before the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from simulator.world.camera import UprightBoard
from simulator.world.floor_masks import Image
from simulator.world.geometry import Points, Track

_PIXELS_PER_CELL = range(16, 33)


@dataclass(frozen=True, slots=True)
class GateBoard:
    """One kind of board and where it stands relative to the gate's line; metres."""

    dictionary: int = cv2.aruco.DICT_4X4_50
    marker_id: int = 0
    marker_m: float = 0.20  # side of the black square
    quiet_m: float = 0.03  # width of the white rim around it
    bottom_m: float = 0.01  # height of the lower edge above the floor
    beside_road_m: float = 0.06  # distance from the edge of the road to the board
    after_line_m: float = 0.0  # distance behind the line, seen by the arriving car

    @property
    def side_m(self) -> float:
        """Length of the board's side."""
        return self.marker_m + 2 * self.quiet_m


GATE_BOARDS = (
    GateBoard(marker_m=0.20, after_line_m=0.3),
    GateBoard(
        marker_id=1, marker_m=0.28, after_line_m=1.0
    ),  # its own id, so that the lap watcher knows which kind it detects
)


def board_image(board: GateBoard) -> Image:
    """The board's grey picture, rim included, in whole pixels that keep the share of its rim."""
    share = 6 * board.quiet_m / board.marker_m
    pixels_per_cell = min(_PIXELS_PER_CELL, key=lambda pixels: abs(round(pixels * share) / (pixels * share) - 1.0))
    marker = cv2.aruco.generateImageMarker(
        cv2.aruco.getPredefinedDictionary(board.dictionary), board.marker_id, 6 * pixels_per_cell
    )
    rim = round(pixels_per_cell * share)
    return cast(Image, cv2.copyMakeBorder(marker, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=255))


def gate_boards(track: Track, boards: Sequence[GateBoard], s_m: float = 0.0) -> list[UprightBoard]:
    """The boards of the gate at `s_m`, a pair of each kind, facing the car that drives towards the line."""
    left, right = (np.array(end) for end in track.line_at(s_m))
    across = (right - left) / float(np.linalg.norm(right - left))
    uprights = []
    for board in boards:
        picture = board_image(board)
        left, right = (np.array(end) for end in track.line_at(s_m + board.after_line_m))
        uprights.append(_upright(board, left - across * (board.beside_road_m + board.side_m), across, picture))
        uprights.append(_upright(board, right + across * board.beside_road_m, across, picture))
    return uprights


def _upright(board: GateBoard, foot: Points, across: Points, picture: Image) -> UprightBoard:
    """A board whose left foot stands at `foot`, seen by a car that looks across the line."""
    far = foot + across * board.side_m
    low, high = board.bottom_m, board.bottom_m + board.side_m
    corners = np.array([[*foot, high], [*far, high], [*far, low], [*foot, low]])
    return UprightBoard(corners, picture)
