"""Where the road's paint lies: one coverage picture each of road, white lines, dashes and start line, 1 cm a pixel.

`draw_masks` knows only geometry; colours are laid over it by `floor_texture.paint`, or by a renderer of many worlds.
The measures are those of the public simulator's meshes (deepracer-simapp, bundle/meshes): 3 in lines whose outer edge
is the track's edge, 2 in dashes every 4 in, 1 in wide and square. reinvent_base has no start line; tracks of the
league's generator have one 2.6 in wide between the lines.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.geometry import Points, Track

Image = NDArray[np.uint8]

PIXELS_PER_M = 100
MARGIN_M = 2.0
INCH_M = 0.0254
_SHIFT = 4  # OpenCV draws with 1/16 pixel
_FULL = 255


@dataclass(frozen=True, slots=True)
class FloorGeometry:
    """The measures of the paint; metres."""

    line_width_m: float = 3 * INCH_M
    line_inside: float = 1.0  # share of the line's width that lies inside the track's edge: 1 all of it, 0.5 centred
    dash_m: float = 2 * INCH_M
    gap_m: float = 2 * INCH_M
    dash_width_m: float = INCH_M
    dash_from_m: float = 0.0  # where the first dash begins, along the road from the track's first row
    start_line_m: float = 0.066  # along the road; 0: there is none


@dataclass(frozen=True, eq=False, slots=True)
class FloorMasks:
    """Coverage (height, width) uint8 of each kind of paint, 255 = all of the pixel; row 0 is the smallest y.

    The middle of pixel (0, 0) lies at the origin. They are laid over the field in the order of the fields here.
    """

    road: Image
    lines: Image
    dashes: Image
    start_line: Image
    origin_x_m: float
    origin_y_m: float

    def to_pixels(self, points: Points) -> Points:
        """Metres (N, 2) to pixel coordinates (N, 2)."""
        return np.asarray((points - np.array([self.origin_x_m, self.origin_y_m])) * PIXELS_PER_M)


def draw_masks(track: Track, geometry: FloorGeometry) -> FloorMasks:
    """Draw the coverage of the track's road and paint, with MARGIN_M of field around it."""
    points = np.vstack([track.left, track.right])
    low, high = points.min(axis=0) - MARGIN_M, points.max(axis=0) + MARGIN_M
    width, height = (int(v) for v in np.ceil((high - low) * PIXELS_PER_M))
    road, lines, dashes, start = (np.zeros((height, width), np.uint8) for _ in range(4))
    masks = FloorMasks(road, lines, dashes, start, float(low[0]), float(low[1]))
    _draw_road(masks, track, geometry)
    _draw_lines(masks, track, geometry)
    _draw_dashes(masks, track, geometry)
    if geometry.start_line_m > 0.0:
        _draw_start_line(masks, track, geometry)
    return masks


def _inwards(edge: Points, other: Points, by_m: float) -> Points:
    """The edge moved towards the other one, along the track's rows, by at most a third of the way."""
    across = other - edge
    widths = np.linalg.norm(across, axis=1, keepdims=True)
    return np.asarray(edge + across / widths * np.clip(by_m, -widths / 3, widths / 3))


def _draw_road(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    """Up to the middle of the lines, which cover its rim: a pixel at their outer edge is line and field, not road."""
    middle_m = (geometry.line_inside - 0.5) * geometry.line_width_m
    left = _fixed(masks.to_pixels(_inwards(track.left, track.right, middle_m)))
    right = _fixed(masks.to_pixels(_inwards(track.right, track.left, middle_m)))
    for i in range(len(left)):
        j = (i + 1) % len(left)
        for corners in ([left[i], left[j], right[i]], [right[i], left[j], right[j]]):
            cv2.fillConvexPoly(masks.road, np.array(corners), _FULL, cv2.LINE_8, _SHIFT)


def _fixed(pixels: Points) -> NDArray[np.int32]:
    return np.round(pixels * (1 << _SHIFT)).astype(np.int32)


def _draw_lines(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    inside_m = geometry.line_inside * geometry.line_width_m
    for edge, other in ((track.left, track.right), (track.right, track.left)):
        inner = masks.to_pixels(_inwards(edge, other, inside_m))
        outer = masks.to_pixels(_inwards(edge, other, inside_m - geometry.line_width_m))
        for i in range(len(edge)):
            j = (i + 1) % len(edge)
            _cover(masks.lines, np.array([outer[i], outer[j], inner[j], inner[i]]))


def _draw_dashes(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    """Straight rectangles, each across the road's direction at its own middle, as the meshes have them."""
    last = geometry.dash_from_m + track.length_m - geometry.dash_m
    for start in np.arange(geometry.dash_from_m, last, geometry.dash_m + geometry.gap_m):
        begin, end = track.pose_at(float(start)), track.pose_at(float(start) + geometry.dash_m)
        strip = np.array([(begin.x, begin.y), (end.x, end.y)])
        _cover(masks.dashes, _strip(masks.to_pixels(strip), geometry.dash_width_m))


def _draw_start_line(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    """Across the first row, between the inner edges of the lines."""
    inside_m = geometry.line_inside * geometry.line_width_m
    left, right = _inwards(track.left, track.right, inside_m), _inwards(track.right, track.left, inside_m)
    _cover(masks.start_line, _strip(masks.to_pixels(np.array([left[0], right[0]])), geometry.start_line_m))


def _strip(ends: Points, width_m: float) -> Points:
    """The four corners of a straight strip between two ends, in pixels."""
    along = ends[1] - ends[0]
    side = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) * (width_m * PIXELS_PER_M / 2)
    return np.array([ends[0] - side, ends[1] - side, ends[1] + side, ends[0] + side])


def _cover(mask: Image, corners: Points) -> None:
    """Add the coverage of a convex quad (4, 2), in pixels.

    OpenCV's own anti-aliased polygons are about half a pixel too large all round, a third of a dash's width.
    Neighbours that share a side add up to full coverage.
    """
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, mask.shape[::-1])
    sides = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    turn = float(np.sum(corners[:, 0] * np.roll(corners[:, 1], -1) - corners[:, 1] * np.roll(corners[:, 0], -1)))
    if right <= left or bottom <= top or lengths.min() < 1e-6 or abs(turn) < 1e-6:
        return
    x, y = np.arange(left, right, dtype=np.float64)[None, :], np.arange(top, bottom, dtype=np.float64)[:, None]
    inside = []
    for (cx, cy), (sx, sy), length in zip(corners, sides, np.copysign(lengths, turn), strict=True):
        inside.append(np.clip(0.5 + (sx * (y - cy) - sy * (x - cx)) / length, 0.0, 1.0))
    share = np.maximum(inside[0] + inside[2] - 1.0, 0.0) * np.maximum(inside[1] + inside[3] - 1.0, 0.0)
    region = mask[top:bottom, left:right]
    cv2.add(region, (share * _FULL + 0.5).astype(np.uint8), dst=region)
