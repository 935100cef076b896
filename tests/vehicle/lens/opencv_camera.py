"""A camera of OpenCV's own: it projects corners and casts rays by cv2.fisheye and cv2.projectPoints."""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vehicle.hardware.frame import Pixels
from vehicle.lapwatch.marker_finder import BoardCorners
from vehicle.lapwatch.markers import BoardKind
from vehicle.lens.shown_boards import ShownBoard

BOARD = BoardKind(0, 0.20, 0.3)
Floats = NDArray[np.float64]
_FINE = 3
UPRIGHT = (0.24, 0.05, 0.0)  # a board on the floor, seen by a camera that points 0.24 rad down


@dataclass(frozen=True)
class OpencvCamera:
    """`k` None: a pinhole."""

    focal_px: float
    centre_px: tuple[float, float] = (159.5, 119.5)
    k: tuple[float, float, float, float] | None = (0.0, 0.0, 0.0, 0.0)
    width_px: int = 320
    height_px: int = 240

    @property
    def matrix(self) -> Floats:
        x, y = self.centre_px
        return np.array([[self.focal_px, 0.0, x], [0.0, self.focal_px, y], [0.0, 0.0, 1.0]])

    @property
    def half_rad(self) -> float:
        """From the axis to the left rim, roughly."""
        slope = self.width_px / 2 / self.focal_px
        return math.atan(slope) if self.k is None else slope

    def pixels(self, spots: Floats, turn: Floats, place: Floats) -> Floats:
        if self.k is None:
            return cv2.projectPoints(spots, turn, place, self.matrix, np.zeros(4))[0].reshape(-1, 2)
        return cv2.fisheye.projectPoints(spots.reshape(-1, 1, 3), turn, place, self.matrix, np.array(self.k))[
            0
        ].reshape(-1, 2)

    def corners(self, turn: Floats, place: Floats) -> Floats:
        half = BOARD.size_m / 2
        square = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
        return self.pixels(square, turn, place)

    def picture(self, turn: Floats, place: Floats) -> Pixels:
        """The board with its rim on grey, cast ray by ray, three by three for each pixel."""
        rays, shape = _rays(self)
        rotation = cv2.Rodrigues(turn)[0]
        normal = rotation[:, 2]
        spots = (rays * ((normal @ place) / (rays @ normal))[:, None] - place) @ rotation
        marker = cv2.aruco.generateImageMarker(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50), BOARD.id, 240)
        printed = cv2.copyMakeBorder(marker, 36, 36, 36, 36, cv2.BORDER_CONSTANT, value=255)
        u, v = ((spots[:, n] / BOARD.size_m * 240 + 156 - 0.5).reshape(shape).astype(np.float32) for n in range(2))
        seen = cv2.remap(printed, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=110)
        return np.asarray(cv2.resize(seen, (self.width_px, self.height_px), interpolation=cv2.INTER_AREA), np.uint8)

    def holds(self, corners: Floats) -> bool:
        """Whether the board with its rim is whole in the picture."""
        inner = (corners > 6).all() and (corners < np.array([self.width_px, self.height_px]) - 7).all()
        return bool(np.isfinite(corners).all() and inner)


@cache
def _rays(camera: OpencvCamera) -> tuple[Floats, tuple[int, ...]]:
    """The rays of a picture three times as fine, and its shape."""
    x, y = np.meshgrid(*((np.arange(n * _FINE) + 0.5) / _FINE - 0.5 for n in (camera.width_px, camera.height_px)))
    points = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
    if camera.k is None:
        flat = cv2.undistortPoints(points, camera.matrix, np.zeros(4))
    else:
        flat = cv2.fisheye.undistortPoints(points, camera.matrix, np.array(camera.k))
    return np.concatenate([flat.reshape(-1, 2), np.ones((len(points), 1))], axis=1), x.shape


def standing(distance_m: float) -> tuple[Floats, Floats]:
    """Turn and place of an upright board straight ahead."""
    return np.array(UPRIGHT), np.array([0.0, 0.0, distance_m])


def swept(camera: OpencvCamera, count: int, seed: int) -> list[tuple[Floats, Floats]]:
    """Turns and places of a board that is moved over the whole picture."""
    rng = np.random.default_rng(seed)
    poses: list[tuple[Floats, Floats]] = []
    while len(poses) < count:
        across, down = rng.uniform(-1, 1) * camera.half_rad, rng.uniform(-0.75, 0.75) * camera.half_rad
        ray = np.array([math.sin(across) * math.cos(down), math.sin(down), math.cos(across) * math.cos(down)])
        turn, place = rng.uniform(-0.6, 0.6, 3), ray * rng.uniform(0.3, 0.8)
        if ray[2] > 0.15 and camera.holds(camera.corners(turn, place)):
            poses.append((turn, place))
    return poses


def shown(camera: OpencvCamera, views: int, noise_px: float = 0.15, seed: int = 1) -> list[ShownBoard]:
    """Boards at 0.5, 1 and 2 m, three looks each, then `views` all over the picture; corners with noise."""
    rng = np.random.default_rng(seed + 100)

    def seen(turn: Floats, place: Floats) -> BoardCorners:
        corners = camera.corners(turn, place)
        return BoardCorners(BOARD, corners + rng.normal(0.0, noise_px, corners.shape))

    boards = [
        ShownBoard(seen(*standing(distance_m)), distance_m, is_upright=True)
        for distance_m in (0.5, 1.0, 2.0)
        for _ in range(3)
    ]
    return boards + [ShownBoard(seen(*pose)) for pose in swept(camera, views, seed)]
