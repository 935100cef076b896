"""The car's camera: the floor picture through a pinhole model, with what surrounds it and the boards that stand on it.

The floor is a plane, so one homography maps it into the frame. Parameters are those of the public simulator
(deepracer-simapp `bundle/urdf/deepracer`): 15 Hz, 1.13 rad wide, 0.1303 m up, 0.1453 m ahead. Its mounting looks
0.2618 rad down and its chassis stands 0.0230 rad up in front: frames of that simulator show 0.2388.
Far away one pixel covers many centimetres of floor along the view but few across it, so the rows near the horizon
are drawn taller and shrunk by area: lines stay sharp sideways and do not flicker.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.floor_masks import PIXELS_PER_M, Image
from simulator.world.floor_texture import FloorTexture
from simulator.world.geometry import Pose
from simulator.world.surroundings import Colour, Surface, Surroundings, surfaces_around

FAR_M = 14.0  # beyond this the floor has a uniform colour
NEAR_M = 0.05  # a board nearer than this is not drawn
CUT_M = 0.02  # walls and the sides of boxes are cut off this near the lens, as in the field's simulator
_BANDS = ((14, 12), (34, 4), (110, 2))  # (rows of a 240-row frame below the horizon, vertical oversampling)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CameraParameters:
    """The camera's place on the car and its optics; metres, radians, pixels."""

    width_px: int = 320
    height_px: int = 240
    fov_rad: float = 1.13
    forward_m: float = 0.1453
    up_m: float = 0.1303
    pitch_rad: float = 0.2388

    @property
    def focal_px(self) -> float:
        """Focal length in pixels of the frame."""
        return self.width_px / 2 / math.tan(self.fov_rad / 2)

    @property
    def horizon_row(self) -> float:
        """The row of the frame where the floor ends."""
        return self.height_px / 2 - self.focal_px * math.tan(self.pitch_rad)


@dataclass(frozen=True, eq=False)
class UprightBoard:
    """A flat upright picture: corners (4, 3) in metres, in the order top left, top right, bottom
    right, bottom left as its front is seen; from behind it is plain."""

    corners: Matrix
    image: Image


def eye_of(parameters: CameraParameters, pose: Pose) -> Matrix:
    """The lens's place in the world, (3,) metres."""
    p = parameters
    return np.array([pose.x + p.forward_m * math.cos(pose.yaw), pose.y + p.forward_m * math.sin(pose.yaw), p.up_m])


def projection(parameters: CameraParameters, pose: Pose) -> Matrix:
    """The 3 x 4 matrix from world metres to pixels of the frame."""
    p = parameters
    eye = eye_of(p, pose)
    ch, sh, cp, sp = math.cos(pose.yaw), math.sin(pose.yaw), math.cos(p.pitch_rad), math.sin(p.pitch_rad)
    turn = np.array([[sh, -ch, 0.0], [-sp * ch, -sp * sh, -cp], [cp * ch, cp * sh, -sp]])
    f = p.focal_px
    lens = np.array([[f, 0.0, (p.width_px - 1) / 2], [0.0, f, (p.height_px - 1) / 2], [0.0, 0.0, 1.0]])
    return np.asarray(lens @ np.hstack([turn, -(turn @ eye)[:, None]]))


def render(
    texture: FloorTexture,
    parameters: CameraParameters,
    pose: Pose,
    sky: int | Colour,
    uprights: Sequence[UprightBoard | Surface] = (),
    surroundings: Surroundings | None = None,
) -> Image:
    """The frame seen from `pose`: (height, width) uint8 for a grey texture, (height, width, 3) for a BGR one.

    `uprights` are boards, and the sides of boxes and cars. Without surroundings the field has no end.
    """
    p = parameters
    shape = (p.height_px, p.width_px, *texture.image.shape[2:])
    frame = np.full(shape, sky, np.uint8)
    matrix = projection(p, pose)
    floor = _floor_to_frame(matrix, texture)
    haze = texture.beyond()
    top = max(0, math.ceil(p.horizon_row + p.focal_px * p.up_m / FAR_M))
    row = max(0, math.ceil(p.horizon_row))
    frame[row:top] = haze
    row = top
    for rows, oversample in _BANDS:
        bottom = min(p.height_px, top + rows * p.height_px // 240)
        _draw_band(frame, texture, floor, row, bottom, oversample, haze)
        row = bottom
    _draw_band(frame, texture, floor, row, p.height_px, 1, haze)
    eye = eye_of(p, pose)
    behind, before = surfaces_around(surroundings, float(eye[0]), float(eye[1])) if surroundings else ([], [])
    for surface in behind:
        _draw_surface(frame, matrix, surface)
    for upright in sorted(uprights, key=lambda one: -_depth_m(matrix, one)):  # near boards hide far ones
        if isinstance(upright, Surface):
            if not _is_turned(matrix, upright):  # the far sides of a box are not seen
                _draw_surface(frame, matrix, upright)
        else:
            _draw_upright(frame, matrix, upright)
    for surface in before:
        _draw_surface(frame, matrix, surface)
    return cast(Image, frame)


def _is_turned(matrix: Matrix, surface: Surface) -> bool:
    """True if the surface is seen from behind: its corners run clockwise as its front is seen."""
    a, b, c = (matrix @ surface.corners)[:, (0, 1, 2)].T
    return float(np.cross(a, b) @ c) <= 0.0


def _draw_surface(frame: Image, matrix: Matrix, surface: Surface) -> None:
    """Fill the convex polygon with its colour, as far as it lies in front of the camera."""
    spots: list[list[float]] = (matrix @ surface.corners).T.tolist()
    corners: list[tuple[float, float]] = []
    for n, (x, y, depth) in enumerate(spots):
        next_x, next_y, next_depth = spots[(n + 1) % len(spots)]
        if depth >= CUT_M:
            corners.append((x / depth, y / depth))
        if (depth >= CUT_M) != (next_depth >= CUT_M):
            share = (CUT_M - depth) / (next_depth - depth)
            corners.append(((x + (next_x - x) * share) / CUT_M, (y + (next_y - y) * share) / CUT_M))
    if len(corners) < 3:
        return
    colour = surface.level if frame.ndim == 2 else surface.colour
    cv2.fillConvexPoly(frame, np.round(np.array(corners) * 16).astype(np.int32), colour, cv2.LINE_AA, 4)


def _floor_to_frame(matrix: Matrix, texture: FloorTexture) -> Matrix:
    """The homography from texture pixels to frame pixels."""
    scale = 1.0 / PIXELS_PER_M
    to_metres = np.array(
        [[scale, 0.0, texture.origin_x_m], [0.0, scale, texture.origin_y_m], [0.0, 0.0, 1.0]], dtype=np.float64
    )
    return np.asarray(matrix[:, (0, 1, 3)] @ to_metres)


def _draw_band(
    frame: Image, texture: FloorTexture, floor: Matrix, top: int, bottom: int, oversample: int, haze: Sequence[float]
) -> None:
    """Warp the floor into rows [top, bottom), drawn `oversample` times taller and averaged down."""
    if bottom <= top:
        return
    width = frame.shape[1]
    stretch = np.array([[1.0, 0.0, 0.0], [0.0, oversample, (oversample - 1) / 2 - oversample * top], [0.0, 0.0, 1.0]])
    size = (width, (bottom - top) * oversample)
    band = cv2.warpPerspective(
        texture.image, stretch @ floor, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=haze
    )
    if oversample > 1:
        band = cv2.resize(band, (width, bottom - top), interpolation=cv2.INTER_AREA)
    frame[top:bottom] = band


def _depth_m(matrix: Matrix, upright: UprightBoard | Surface) -> float:
    """The distance (m) of the upright's middle ahead of the camera."""
    if isinstance(upright, Surface):
        return float((matrix[2] @ upright.corners).mean())
    return float(matrix[2, :3] @ upright.corners.mean(axis=0) + matrix[2, 3])


def _draw_upright(frame: Image, matrix: Matrix, upright: UprightBoard) -> None:
    """Draw the picture where its corners project; left out when a corner is not in front of the camera."""
    spots = matrix @ np.hstack([upright.corners, np.ones((4, 1))]).T
    if float(spots[2].min()) < NEAR_M:
        return
    corners = (spots[:2] / spots[2]).T
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int) + 1
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(frame.shape[1], int(high[0])), min(frame.shape[0], int(high[1]))
    if right - left < 2 or bottom - top < 2:
        return
    target = frame[top:bottom, left:right]
    mask = np.zeros(target.shape[:2], np.uint8)
    local = corners - (left, top)
    cv2.fillConvexPoly(mask, np.round(local * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    picture = _picture_in(upright.image, local, (right - left, bottom - top), frame.ndim)
    alpha = mask.astype(np.float32) / 255 if frame.ndim == 2 else mask[:, :, None].astype(np.float32) / 255
    target[:] = (picture * alpha + target * (1 - alpha) + 0.5).astype(np.uint8)


def _picture_in(image: Image, corners: Matrix, size: tuple[int, int], channels: int) -> Image:
    """The upright's picture warped to its corners (twice as large, then averaged); from behind, bare board."""
    turned = cv2.contourArea(corners.astype(np.float32), oriented=True) < 0
    height, width = image.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    warp = cv2.getPerspectiveTransform(source, (corners * 2 + 0.5).astype(np.float32))
    shown = np.full_like(image, 150) if turned else image
    large = cv2.warpPerspective(
        shown, warp, (size[0] * 2, size[1] * 2), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    small = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    return cast(Image, small if channels == 2 else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR))
