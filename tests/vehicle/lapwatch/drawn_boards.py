"""Frames with the gate's boards, drawn by OpenCV's homography: no code is shared with the mock world or the finder."""

import math

import cv2
import numpy as np

from vehicle.hardware.frame import Pixels
from vehicle.lapwatch.markers import BoardKind, LapwatchOptions

OPTIONS = LapwatchOptions()
UP_M = 0.1303


def view(
    boards: list[tuple[BoardKind, float, float]], turn_rad: float = 0.0, options: LapwatchOptions = OPTIONS
) -> Pixels:
    """A grey frame with boards whose foot stands (metres along the road, metres left), seen when turned right."""
    picture = np.full((960, 1280), 120, np.uint8)
    focal = 160 / math.tan(options.fov_rad / 2)
    c, s = math.cos(options.pitch_rad), math.sin(options.pitch_rad)
    for kind, along_m, left_m in sorted(boards, key=lambda board: -board[1]):
        marker = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), kind.id, 96)
        printed = cv2.copyMakeBorder(marker, 16, 16, 16, 16, cv2.BORDER_CONSTANT, value=255)
        half, rim = kind.size_m / 2, kind.size_m / 6
        spots = []
        for side, up in ((1, 2 * half + rim), (-1, 2 * half + rim), (-1, -rim), (1, -rim)):
            y, z = left_m + side * (half + rim), up + 0.04 - UP_M
            ahead = along_m * math.cos(turn_rad) - y * math.sin(turn_rad)
            left = along_m * math.sin(turn_rad) + y * math.cos(turn_rad)
            depth, down = ahead * c - z * s, -ahead * s - z * c
            spots.append((4 * (159.5 - focal * left / depth) + 1.5, 4 * (119.5 + focal * down / depth) + 1.5))
        warp = cv2.getPerspectiveTransform(
            np.array([[0, 0], [128, 0], [128, 128], [0, 128]], np.float32) - 0.5, np.array(spots, np.float32)
        )
        shown = cv2.warpPerspective(printed, warp, (1280, 960))
        mask = cv2.warpPerspective(np.full_like(printed, 255), warp, (1280, 960))
        picture[mask > 127] = shown[mask > 127]
    return np.asarray(cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
