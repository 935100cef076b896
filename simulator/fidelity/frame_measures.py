"""What a camera frame of a road says about the camera and the paint: horizon, width of the road, dashes.

Everything is measured in the picture: straight lines are fitted to the inner edges of the white lines, and they meet
on the horizon; dashes are measured on the floor that this horizon implies. The expected middle of the road only tells
where to begin to look. What cannot be measured (a bend, no dashes) is None.
"""

import math
from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.camera import CameraParameters, projection
from simulator.world.floor_masks import Image
from simulator.world.geometry import Pose, Track

Array = NDArray[np.float64]

WIDTH_ROWS = 80 / 480  # how far under the horizon the road's width is measured, as a share of the picture's height
_FIRST_ROWS = 12 / 480  # nearer to the horizon nothing is measured
_FARTHEST_OFF = 0.04  # of the height: lines that meet farther from where the horizon should be are those of a bend
_AHEAD_M = 3.0
_NEAR_LINE_PX = 1.0  # an edge that is farther from the fitted line belongs to a bend or to something else
_MIN_EDGES = 15
_PAIRS_OF = 50
_MIN_CONTRAST = 40.0  # grey levels
_STEP_M = 0.001
_ACROSS_M = np.arange(-0.018, 0.0181, 0.003)
_FINEST_M = 0.012  # dashes are measured as far away as a row of the picture is no deeper on the floor


@dataclass(frozen=True, slots=True)
class FrameMeasures:
    """What was measured in one frame; pixels of the frame, metres on the floor."""

    horizon_row: float | None
    road_width_px: float | None
    dash_period_m: float | None
    dash_m: float | None


@dataclass(frozen=True, slots=True)
class _StraightLine:
    """A straight line of the picture: column = at + slope * row."""

    at: float
    slope: float

    def column(self, row: float) -> float:
        return self.at + self.slope * row


def measure_frame(frame: Image, camera: CameraParameters, track: Track, pose: Pose) -> FrameMeasures:
    """Measure a BGR frame (height, width, 3) that was taken near `pose`."""
    middle = _road_middle(camera, track, pose)
    left, right = _inner_edges(frame, camera, middle)
    if left is None or right is None or abs(left.slope - right.slope) < 1e-6:
        return FrameMeasures(None, None, *_dashes(frame, camera))
    horizon = (right.at - left.at) / (left.slope - right.slope)
    if abs(horizon - camera.horizon_row) > _FARTHEST_OFF * camera.height_px:
        return FrameMeasures(None, None, *_dashes(frame, camera))
    row = horizon + WIDTH_ROWS * camera.height_px
    period_m, dash_m = _dashes(frame, replace(camera, pitch_rad=camera_pitch_rad(camera, horizon)))
    return FrameMeasures(horizon, right.column(row) - left.column(row), period_m, dash_m)


def camera_pitch_rad(camera: CameraParameters, horizon_row: float) -> float:
    """How far down a camera looks that shows the horizon in this row."""
    return math.atan2((camera.height_px - 1) / 2 - horizon_row, camera.focal_px)


def _road_middle(camera: CameraParameters, track: Track, pose: Pose) -> Array:
    """The expected column of the road's middle in each row, NaN where there is none."""
    s_m = track.locate(pose.x, pose.y).s_m + camera.forward_m
    spots = [track.pose_at(s_m + ahead) for ahead in np.arange(0.05, _AHEAD_M, 0.02)]
    points = np.array([(spot.x, spot.y, 0.0, 1.0) for spot in spots])
    columns, rows, depths = projection(camera, pose) @ points.T
    ahead = depths > 0.05
    rows, columns = rows[ahead] / depths[ahead], columns[ahead] / depths[ahead]
    order = np.argsort(rows)
    every = np.arange(camera.height_px, dtype=np.float64)
    if not len(order):
        return np.full(camera.height_px, np.nan)
    return np.asarray(np.interp(every, rows[order], columns[order], left=math.nan))


def _inner_edges(
    frame: Image, camera: CameraParameters, middle: Array
) -> tuple[_StraightLine | None, _StraightLine | None]:
    """The lines along the inner edges of the left and the right white line."""
    white = frame.min(axis=2).astype(np.float64)  # white paint is bright in all three colours
    top = math.ceil(camera.horizon_row + _FIRST_ROWS * camera.height_px)
    first = max(0, top)
    starts = {
        row: round(middle[row])
        for row in range(first, camera.height_px)
        if 0 <= middle[row] <= camera.width_px - 1  # false for NaN as well
    }
    if not starts:
        return None, None
    road = float(np.percentile([white[row, start] for row, start in starts.items()], 25))
    paint = float(np.percentile(white[first:], 98.5))
    if paint - road < _MIN_CONTRAST:
        return None, None
    level = (road + paint) / 2
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    for row, start in starts.items():
        bright = np.flatnonzero(white[row] >= level)
        before, after = bright[bright < start], bright[bright > start]
        if white[row, start] >= level:
            continue  # a line across the road
        if len(before):
            left.append((row, _crossing(white[row], int(before[-1]), 1, level)))
        if len(after):
            right.append((row, _crossing(white[row], int(after[0]), -1, level)))
    return _straight(left), _straight(right)


def _crossing(profile: Array, bright: int, towards: int, level: float) -> float:
    """Where the profile falls through the level between a bright pixel and its darker neighbour."""
    one, other = float(profile[bright]), float(profile[bright + towards])
    return bright + towards * (one - level) / (one - other)


def _straight(edges: list[tuple[float, float]]) -> _StraightLine | None:
    """The line on which most of the edges lie, fitted to those; None if they are few."""
    if len(edges) < _MIN_EDGES:
        return None
    rows, columns = np.array(edges).T
    chosen = np.unique(np.linspace(0, len(edges) - 1, _PAIRS_OF).astype(int))
    firsts, seconds = np.array(list(combinations(chosen, 2))).T
    slopes = (columns[seconds] - columns[firsts]) / (rows[seconds] - rows[firsts])
    starts = columns[firsts] - slopes * rows[firsts]
    near = np.abs(starts[:, None] + slopes[:, None] * rows - columns) < _NEAR_LINE_PX
    best = near[int(near.sum(axis=1).argmax())]
    if best.sum() < _MIN_EDGES:
        return None
    slope, at = np.polyfit(rows[best], columns[best], 1)
    return _StraightLine(float(at), float(slope))


def _dashes(frame: Image, camera: CameraParameters) -> tuple[float | None, float | None]:
    """Period and length (m) of the coloured dashes ahead."""
    colour = frame[:, :, 2].astype(np.float64) - frame[:, :, 0]  # orange and yellow have much more red than blue
    top = max(0, math.ceil(camera.horizon_row + _FIRST_ROWS * camera.height_px))
    road, paint = float(np.median(colour[top:])), float(np.percentile(colour[top:], 99.7))
    if paint - road < _MIN_CONTRAST:
        return None, None
    level = (road + paint) / 2
    path = _dash_path(colour > level, camera, top)
    if path is None:
        return None, None
    profile = _along(colour, camera, path)
    return _period_and_length(profile, level)


def _period_and_length(profile: Array, level: float) -> tuple[float | None, float | None]:
    """Of the stretches above the level; those cut short by something else (a line across) are left out."""
    rises = np.flatnonzero((profile[:-1] < level) & (profile[1:] >= level))
    falls = np.flatnonzero((profile[:-1] >= level) & (profile[1:] < level))
    if not len(rises):
        return None, None
    falls = falls[falls > rises[0]]
    rises = rises[: len(falls)]
    if len(rises) < 2:
        return None, None
    lengths = falls - rises
    whole = np.abs(lengths - np.median(lengths)) <= 0.25 * np.median(lengths)
    middles = ((rises + falls) / 2)[whole] * _STEP_M
    if len(middles) < 2:
        return None, None
    steps = np.round((middles - middles[0]) / np.median(np.diff(middles)))
    firsts, seconds = np.array(list(combinations(range(len(middles)), 2))).T
    periods = (middles[seconds] - middles[firsts]) / np.maximum(steps[seconds] - steps[firsts], 1.0)
    return float(np.median(periods)), float(np.median(lengths[whole]) * _STEP_M)


def _dash_path(paint: NDArray[np.bool_], camera: CameraParameters, top: int) -> Array | None:
    """The way along the dashes on the floor, (N, 2) metres ahead and to the left of the lens, one each _STEP_M."""
    picture = paint.astype(np.uint8)
    picture[:top] = 0
    count, _, stats, middles = cv2.connectedComponentsWithStats(picture)
    spots = [middles[n] for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= 8]
    if len(spots) < 2:
        return None
    floor = np.array([_on_floor(camera, column, row) for column, row in spots])
    near = floor[floor[:, 0] < 1.2 * _farthest_m(camera)]
    if len(near) < 2:
        return None
    curve = np.polyfit(near[:, 0], near[:, 1], 1 if len(near) < 5 else 2)
    first_m = _on_floor(camera, camera.width_px / 2, camera.height_px - 1)[0]
    ahead = np.arange(first_m, _farthest_m(camera), _STEP_M / 4)
    points = np.stack([ahead, np.polyval(curve, ahead)], axis=1)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    even = np.arange(0.0, along[-1], _STEP_M)
    return np.stack([np.interp(even, along, points[:, 0]), np.interp(even, along, points[:, 1])], axis=1)


def _farthest_m(camera: CameraParameters) -> float:
    return math.sqrt(_FINEST_M * camera.up_m * camera.focal_px)


def _on_floor(camera: CameraParameters, column: float, row: float) -> tuple[float, float]:
    """The spot of the floor in a pixel: metres ahead of the lens and to its left."""
    down = (row - (camera.height_px - 1) / 2) / camera.focal_px
    aside = (column - (camera.width_px - 1) / 2) / camera.focal_px
    cos, sin = math.cos(camera.pitch_rad), math.sin(camera.pitch_rad)
    scale = camera.up_m / (sin + down * cos)
    return scale * (cos - down * sin), -scale * aside


def _along(colour: Array, camera: CameraParameters, path: Array) -> Array:
    """The picture's values along a path on the floor: the brightest strip of 6 mm at or beside it."""
    matrix = projection(replace(camera, forward_m=0.0), Pose(0.0, 0.0, 0.0))
    values = []
    for across_m in _ACROSS_M:
        spots = np.stack([path[:, 0], path[:, 1] + across_m, np.zeros(len(path)), np.ones(len(path))])
        columns, rows, depths = matrix @ spots
        where = ((columns / depths).astype(np.float32)[None], (rows / depths).astype(np.float32)[None])
        values.append(cv2.remap(colour, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0])
    strips = [np.mean(values[n : n + 3], axis=0) for n in range(len(values) - 2)]
    return np.asarray(np.max(strips, axis=0))
