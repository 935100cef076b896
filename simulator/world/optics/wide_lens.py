"""A fisheye lens on the mock world's camera: its picture is put together from flat pictures of the same eye.

Three flat pictures look ahead, to the left and to the right; each pixel of the fisheye's picture takes what its own
ray meets in one of them. The lens follows the general polynomial of Kannala and Brandt (IEEE TPAMI 28(8), 2006), whose
inverse is looked up in a table: no code is shared with the lap watcher that is tested by these pictures.
Called by `approaches.py`, and by the world itself where `[lens]` sets one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.camera import CameraParameters, UprightBoard, eye_of, render
from simulator.world.floor_masks import Image
from simulator.world.floor_texture import FloorTexture
from simulator.world.geometry import Pose
from simulator.world.surroundings import Colour, Surface, Surroundings

_FINER = 2  # the picture is drawn so many times larger and averaged down
_FACE_FOV_RAD = math.radians(110.0)
_FACE_PITCH_RAD = 0.25
_FACE_TURNS_RAD = (0.0, math.radians(80.0), math.radians(-80.0))  # ahead, to the left, to the right
_AHEAD_RAD = math.radians(40.0)  # up to here a ray is looked up in the picture ahead
_FACE_SHARPNESS = 1.5  # pixels of a flat picture for each of the fisheye's, in its middle
_TABLE_RAD = np.linspace(0.0, math.pi, 4001)


@dataclass(frozen=True, slots=True)
class WideLens:
    """A fisheye: the angle across the whole width of the picture, and the four coefficients of its polynomial."""

    fov_rad: float
    k: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def focal_px(self, width_px: int) -> float:
        """Focal length in pixels of a picture so wide."""
        return width_px / 2 / float(_growing(np.array([self.fov_rad / 2]), self.k)[0])


@dataclass(frozen=True, slots=True, eq=False)
class _FaceMap:
    """For one flat picture: where each pixel of the fisheye looks in it (x and y), and which pixels it serves."""

    turn_rad: float
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    serves: NDArray[np.bool_]


def render_wide(
    texture: FloorTexture,
    parameters: CameraParameters,
    lens: WideLens,
    pose: Pose,
    sky: int | Colour,
    uprights: Sequence[UprightBoard | Surface] = (),
    surroundings: Surroundings | None = None,
) -> Image:
    """The frame seen from `pose` through the lens, shaped as `camera.render` gives it; `fov_rad` is the lens's."""
    face, maps = _maps(parameters, lens)
    eye = eye_of(parameters, pose)
    large = np.zeros((parameters.height_px * _FINER, parameters.width_px * _FINER, *texture.image.shape[2:]), np.uint8)
    for one in maps:
        turned = Pose(float(eye[0]), float(eye[1]), pose.yaw + one.turn_rad)
        flat = render(texture, face, turned, sky, uprights, surroundings)
        looked_up = cv2.remap(flat, one.x, one.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        large[one.serves] = looked_up[one.serves]
    size = (parameters.width_px, parameters.height_px)
    return cast(Image, cv2.resize(large, size, interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=8)
def _maps(parameters: CameraParameters, lens: WideLens) -> tuple[CameraParameters, tuple[_FaceMap, ...]]:
    """The camera of the flat pictures, and the map of each."""
    width, height = parameters.width_px * _FINER, parameters.height_px * _FINER
    focal = lens.focal_px(width)
    side = 2 * math.ceil(_FACE_SHARPNESS / _FINER * focal * math.tan(_FACE_FOV_RAD / 2))
    face = CameraParameters(side, side, _FACE_FOV_RAD, 0.0, parameters.up_m, _FACE_PITCH_RAD)
    ahead, left, down = _level_rays(width, height, focal, lens, parameters.pitch_rad)
    azimuth = np.arctan2(left, ahead)
    serves = (np.abs(azimuth) <= _AHEAD_RAD, azimuth > _AHEAD_RAD, azimuth < -_AHEAD_RAD)
    return face, tuple(
        _face_map(face, turn_rad, mine, (ahead, left, down))
        for turn_rad, mine in zip(_FACE_TURNS_RAD, serves, strict=True)
    )


def _level_rays(
    width: int, height: int, focal: float, lens: WideLens, pitch_rad: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Each pixel's ray, level with the floor: ahead, to the left, down."""
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    radius = np.hypot(x, y)
    angle = np.interp(radius / focal, _growing(_TABLE_RAD, lens.k), _TABLE_RAD)
    sideways = np.sin(angle) / np.maximum(radius, 1e-9)
    right, below, along = x * sideways, y * sideways, np.cos(angle)
    cos, sin = math.cos(pitch_rad), math.sin(pitch_rad)
    return along * cos - below * sin, -right, along * sin + below * cos


def _face_map(
    face: CameraParameters,
    turn_rad: float,
    serves: NDArray[np.bool_],
    rays: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> _FaceMap:
    ahead, left, down = rays
    along = ahead * math.cos(turn_rad) + left * math.sin(turn_rad)
    beside = left * math.cos(turn_rad) - ahead * math.sin(turn_rad)
    cos, sin = math.cos(face.pitch_rad), math.sin(face.pitch_rad)
    depth = np.maximum(along * cos + down * sin, 1e-6)
    middle = (face.width_px - 1) / 2
    x = middle - face.focal_px * beside / depth
    y = middle + face.focal_px * (down * cos - along * sin) / depth
    return _FaceMap(turn_rad, x.astype(np.float32), y.astype(np.float32), serves)


def radius_of(angle: NDArray[np.float64], k: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """How far from the middle rays at these angles from the axis fall, for a focal length of 1."""
    return np.asarray(angle + sum(angle ** (2 * n + 3) * one for n, one in enumerate(k)), np.float64)


def _growing(angle: NDArray[np.float64], k: tuple[float, float, float, float]) -> NDArray[np.float64]:
    return np.maximum.accumulate(radius_of(angle, k))
