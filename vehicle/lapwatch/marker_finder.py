"""Finds the ArUco boards in a grey frame, and where each is relative to the car, in metres.

A board stands upright, so each of its vertical edges alone gives a distance: its height divided by the difference of
the two slopes at which its ends are seen. Two edges give the board's yaw, without a solver and without ambiguity.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vehicle.hardware.frame import Pixels
from vehicle.lapwatch.lens import Lens, lens_of
from vehicle.lapwatch.markers import BoardKind, LapwatchOptions

_CORNER_PX = 0.3  # how well a corner of a large board is found, one standard deviation
_COARSE_PX = 30.0  # a board so high has cells of five pixels: its corners are found half as well, smaller ones worse


@dataclass(frozen=True, slots=True)
class BoardCorners:
    """One board in a frame: its corners (4, 2) in pixels, clockwise from the top left of the board as printed."""

    kind: BoardKind
    points: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarkerPose:
    """One board: metres ahead of and left of the lens, and how far to the left the road turns from our heading.

    `sigma_m`: how well `ahead_m` is known by the pixels that show the board, one standard deviation.
    """

    kind: BoardKind
    ahead_m: float
    left_m: float
    yaw_rad: float
    sigma_m: float

    @property
    def yaw_sigma_rad(self) -> float:
        """How well `yaw_rad` is known by the pixels: it is the difference of two edges, `ahead_m` is their mean."""
        return 2 * self.sigma_m / self.kind.size_m

    def to_line_m(self, turn_rad: float) -> float:
        """Distance from the lens to the gate's line, square to it, if the road is turned by `turn_rad`."""
        to_board_m = self.ahead_m * math.cos(turn_rad) + self.left_m * math.sin(turn_rad)
        return to_board_m - self.kind.after_line_m


class MarkerFinder:
    """Finds the gate's boards; not thread-safe."""

    def __init__(self, options: LapwatchOptions) -> None:
        self._kinds = {kind.id: kind for kind in options.boards}
        self._options = options
        self._shape: tuple[int, ...] = ()
        self._lens = Lens(1.0, (0.0, 0.0))
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
        if pixels.shape != self._shape:
            self._shape = pixels.shape
            self._lens = lens_of(self._options.lens, self._options.fov_rad, pixels.shape)
        poses = [self._pose(corners) for corners in self.corners(pixels)]
        return [pose for pose in poses if pose is not None]

    def corners(self, pixels: Pixels) -> list[BoardCorners]:
        """Where the gate's boards are in a grey frame (H, W), in its pixels."""
        corners, ids, _ = self._detector.detectMarkers(pixels)
        if ids is None:
            return []
        detections = zip(np.ravel(ids).tolist(), corners, strict=True)
        return [
            BoardCorners(self._kinds[n], quad.reshape(4, 2).astype(np.float64))
            for n, quad in detections
            if n in self._kinds
        ]

    def _pose(self, seen: BoardCorners) -> MarkerPose | None:
        top_left, top_right, bottom_right, bottom_left = self._slopes(seen.points)
        left = _edge(top_left, bottom_left, seen.kind.size_m)
        right = _edge(top_right, bottom_right, seen.kind.size_m)
        if left is None or right is None:
            return None
        turn_rad = math.atan2(right[0] - left[0], left[1] - right[1])
        ahead_m = (left[0] + right[0]) / 2
        sigma_m = ahead_m * _height_share(seen.points)
        return MarkerPose(seen.kind, ahead_m, (left[1] + right[1]) / 2, turn_rad, sigma_m)

    def _slopes(self, points: NDArray[np.float64]) -> list[tuple[float, float]]:
        """The rays through points, level with the floor: metres to the left and up for each metre ahead.

        NaN for what is not ahead, or outside of what the lens can see.
        """
        slopes = []
        for right, down, ahead in self._lens.rays(points).tolist():
            level = ahead * self._cos - down * self._sin
            visible = level > 1e-3
            slopes.append(
                (-right / level, (-ahead * self._sin - down * self._cos) / level) if visible else (math.nan, math.nan)
            )
        return slopes


def _height_share(points: NDArray[np.float64]) -> float:
    """How well the mean height of a board's two upright edges is known, as a share of it; one standard deviation."""
    top_left, top_right, bottom_right, bottom_left = points
    height_px = float(np.linalg.norm(bottom_left - top_left) + np.linalg.norm(bottom_right - top_right)) / 2
    return _CORNER_PX * (1.0 + (_COARSE_PX / height_px) ** 2) / height_px


def _edge(top: tuple[float, float], bottom: tuple[float, float], size_m: float) -> tuple[float, float] | None:
    """Where a vertical edge stands: metres ahead and to the left. None if it does not look like one."""
    rise = top[1] - bottom[1]
    if not rise >= 1e-3:  # or not a number
        return None
    ahead_m = size_m / rise
    return ahead_m, ahead_m * (top[0] + bottom[0]) / 2
