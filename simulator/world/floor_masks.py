"""Where the road's paint lies: one coverage picture each of road, white lines, dashes and start line, 1 cm a pixel.

`draw_masks` knows only geometry; colours are laid over it by `floor_texture.paint`, or by a renderer of many worlds.
The measures are those of the public simulator's meshes (deepracer-simapp, bundle/meshes): 3 in lines whose outer edge
is the track's edge, 2 in dashes every 4 in, 1 in wide and square. reinvent_base has no start line; tracks of the
league's generator have one 2.6 in wide between the lines, in the middle of their first 25 cm.
"""

from collections.abc import Iterator
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
_AT_ONCE_PX = 1 << 13


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
    start_line_at_m: float = 0.0  # where its middle lies, along the road from the track's first row


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
    next_left, next_right = np.roll(left, -1, axis=0), np.roll(right, -1, axis=0)
    halves = (left, next_left, right), (right, next_left, next_right)
    for triangle in np.concatenate([np.stack(corners, axis=1) for corners in halves]):
        cv2.fillConvexPoly(masks.road, triangle, _FULL, cv2.LINE_8, _SHIFT)


def _fixed(pixels: Points) -> NDArray[np.int32]:
    return np.round(pixels * (1 << _SHIFT)).astype(np.int32)


def _draw_lines(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    inside_m = geometry.line_inside * geometry.line_width_m
    for edge, other in ((track.left, track.right), (track.right, track.left)):
        inner = masks.to_pixels(_inwards(edge, other, inside_m))
        outer = masks.to_pixels(_inwards(edge, other, inside_m - geometry.line_width_m))
        quads = [outer, np.roll(outer, -1, axis=0), np.roll(inner, -1, axis=0), inner]
        _cover(masks.lines, np.stack(quads, axis=1))


def _draw_dashes(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    """Straight rectangles, each across the road's direction at its own middle, as the meshes have them."""
    last = geometry.dash_from_m + track.length_m - geometry.dash_m
    starts = np.arange(geometry.dash_from_m, last, geometry.dash_m + geometry.gap_m).tolist()
    if starts:
        ends = [(*track.pose_at(s)[:2], *track.pose_at(s + geometry.dash_m)[:2]) for s in starts]
        spots = masks.to_pixels(np.array(ends).reshape(-1, 2)).reshape(-1, 2, 2)
        _cover(masks.dashes, _strips(spots, geometry.dash_width_m))


def _draw_start_line(masks: FloorMasks, track: Track, geometry: FloorGeometry) -> None:
    """Across the road, between the inner edges of the lines."""
    ends = np.array(track.line_at(geometry.start_line_at_m))
    inside_m = geometry.line_inside * geometry.line_width_m
    ends = _inwards(ends, ends[::-1], inside_m)
    _cover(masks.start_line, _strips(masks.to_pixels(ends)[None], geometry.start_line_m))


def _strips(ends: Points, width_m: float) -> Points:
    """The corners (N, 4, 2) of straight strips between two ends each (N, 2, 2), in pixels."""
    first, last = ends[:, 0], ends[:, 1]
    along = last - first
    lengths = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) / lengths * (width_m * PIXELS_PER_M / 2)
    return np.stack([first - side, first + side, last + side, last - side], axis=1)


def _cover(mask: Image, quads: Points) -> None:
    """Add the coverage of convex quads (N, 4, 2), in pixels.

    OpenCV's own anti-aliased polygons are about half a pixel too large all round, a third of a dash's width.
    Neighbours that share a side add up to full coverage.
    """
    sides = np.roll(quads, -1, axis=1) - quads
    lengths = np.hypot(sides[..., 0], sides[..., 1])
    after = np.roll(quads, -1, axis=1)
    areas = np.sum(quads[..., 0] * after[..., 1] - quads[..., 1] * after[..., 0], axis=1)
    flat = (lengths.min(axis=1) < 1e-6) | (np.abs(areas) < 1e-6)
    inwards = np.stack([-sides[..., 1], sides[..., 0]], axis=-1)
    inwards /= np.copysign(np.maximum(lengths, 1e-6), areas[:, None])[..., None]
    offsets = 0.5 - np.sum(inwards * quads, axis=-1)  # a side's distance, in pixels, is inwards . spot + offset - 0.5
    lows = np.maximum(np.floor(quads.min(axis=1)).astype(int), 0)
    highs = np.minimum(np.ceil(quads.max(axis=1)).astype(int) + 1, mask.shape[::-1])
    shown = np.flatnonzero(~flat & (lows < highs).all(axis=1))
    for some in _alike(shown, highs - lows):
        width, height = (highs[some] - lows[some]).max(axis=0)
        x = (lows[some, 0, None] + np.arange(width))[:, None, None, :]
        y = (lows[some, 1, None] + np.arange(height))[:, None, :, None]
        across, down = inwards[some, :, 0, None, None], inwards[some, :, 1, None, None]
        inside = across * x + (down * y + offsets[some, :, None, None])
        np.clip(inside, 0.0, 1.0, out=inside)
        both = np.maximum(inside[:, :2] + inside[:, 2:] - 1.0, 0.0)
        shares = (both[:, 0] * both[:, 1] * _FULL + 0.5).astype(np.uint8)
        for share, (left, top), (right, bottom) in zip(shares, lows[some].tolist(), highs[some].tolist(), strict=True):
            region = mask[top:bottom, left:right]
            cv2.add(region, share[: bottom - top, : right - left], dst=region)


def _alike(places: NDArray[np.int64], sizes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The places of some quads in groups of like sizes, so that all of a group are worked out at once."""
    doublings = np.ceil(np.log2(sizes[places].max(axis=1))).astype(int)
    for doubling in np.unique(doublings):
        group = places[doublings == doubling]
        yield from np.array_split(group, -(-len(group) // max(1, _AT_ONCE_PX >> (2 * int(doubling)))))
