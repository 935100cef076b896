"""Finds the ArUco boards in a grey frame, and where each is relative to the car, in metres.

A board stands upright, so each of its vertical edges alone gives a distance: its height divided by the difference of
the two slopes at which its ends are seen. Two edges give the board's yaw, without a solver and without ambiguity.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vehicle.hardware.frame import Pixels
from vehicle.lapwatch.markers import BoardKind, LapwatchOptions


@dataclass(frozen=True, slots=True)
class MarkerPose:
    """One board: metres ahead of and left of the lens, and how far to the left the road turns from our heading."""

    kind: BoardKind
    ahead_m: float
    left_m: float
    yaw_rad: float

    def to_line_m(self, turn_rad: float) -> float:
        """Distance from the lens to the gate's line, square to it, if the road is turned by `turn_rad`."""
        to_board_m = self.ahead_m * math.cos(turn_rad) + self.left_m * math.sin(turn_rad)
        return to_board_m - self.kind.after_line_m


class MarkerFinder:
    """Finds the gate's boards; not thread-safe."""

    def __init__(self, options: LapwatchOptions) -> None:
        self._kinds = {kind.id: kind for kind in options.boards}
        self._half_width = math.tan(options.fov_rad / 2)
        self._cos, self._sin = math.cos(options.pitch_rad), math.sin(options.pitch_rad)
        parameters = cv2.aruco.DetectorParameters()
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        parameters.cornerRefinementWinSize = 3
        # A board's white rim is a square too, close around the marker: at some sizes it would hide it.
        parameters.minMarkerDistanceRate = 0.03
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
        self._detector = cv2.aruco.ArucoDetector(dictionary, parameters)

    def find(self, pixels: Pixels) -> list[MarkerPose]:
        """The gate's boards in a grey frame (H, W)."""
        corners, ids, _ = self._detector.detectMarkers(pixels)
        if ids is None:
            return []
        detections = zip(np.ravel(ids).tolist(), corners, strict=True)
        poses = [
            self._pose(self._kinds[n], quad.reshape(4, 2), pixels.shape) for n, quad in detections if n in self._kinds
        ]
        return [pose for pose in poses if pose is not None]

    def _pose(self, kind: BoardKind, quad: Any, shape: tuple[int, ...]) -> MarkerPose | None:
        """Corners come clockwise from the top left of the board as it was printed."""
        top_left, top_right, bottom_right, bottom_left = quad.tolist()
        left = self._edge(top_left, bottom_left, kind.size_m, shape)
        right = self._edge(top_right, bottom_right, kind.size_m, shape)
        if left is None or right is None:
            return None
        turn_rad = math.atan2(right[0] - left[0], left[1] - right[1])
        return MarkerPose(kind, (left[0] + right[0]) / 2, (left[1] + right[1]) / 2, turn_rad)

    def _edge(
        self, top: list[float], bottom: list[float], size_m: float, shape: tuple[int, ...]
    ) -> tuple[float, float] | None:
        """Where a vertical edge stands: metres ahead and to the left. None if it does not look like one."""
        (top_left, top_up), (bottom_left, bottom_up) = self._slopes(top, shape), self._slopes(bottom, shape)
        if top_up - bottom_up < 1e-3:
            return None
        ahead_m = size_m / (top_up - bottom_up)
        return ahead_m, ahead_m * (top_left + bottom_left) / 2

    def _slopes(self, point: list[float], shape: tuple[int, ...]) -> tuple[float, float]:
        """The ray through a pixel, level with the floor: metres to the left and up for each metre ahead."""
        height, width = shape
        scale = 2 * self._half_width / width
        across, down = (point[0] - (width - 1) / 2) * scale, (point[1] - (height - 1) / 2) * scale
        ahead = self._cos - down * self._sin
        return -across / ahead, (-self._sin - down * self._cos) / ahead
