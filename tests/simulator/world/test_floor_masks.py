"""The paint's geometry: measured in the masks, against the measures that it was drawn from."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from simulator.world.floor_masks import PIXELS_PER_M, FloorGeometry, FloorMasks, draw_masks
from simulator.world.floor_texture import Appearance, paint
from simulator.world.tracks import load_track
from tests.simulator.world.sample_tracks import box, ring

PIXEL_M = 1.0 / PIXELS_PER_M
GEOMETRY = FloorGeometry()
BOX = box()  # 0.8 m wide; the road along y = 0 from x = 1 to 7 is straight
MASKS = draw_masks(BOX, GEOMETRY)


def column(mask: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]", masks: FloorMasks, x: float) -> list[float]:
    """The spots (y, metres) where coverage along x passes one half, found between the pixels, from y = -0.6 to 0.6."""
    (at, low), (_, high) = masks.to_pixels(np.array([(x, -0.6), (x, 0.6)])).round().astype(int)
    shares = mask[low:high, at].astype(float) / 255
    spots = []
    for n, (one, other) in enumerate(itertools.pairwise(shares)):
        if (one - 0.5) * (other - 0.5) < 0:
            spots.append(masks.origin_y_m + (low + n + (0.5 - one) / (other - one)) * PIXEL_M)
    return spots


def test_lines_are_three_inches_wide_with_their_outer_edge_on_the_tracks_edge() -> None:
    spots = column(MASKS.lines, MASKS, 3.0)
    assert spots == pytest.approx([-0.4, -0.4 + 0.0762, 0.4 - 0.0762, 0.4], abs=0.002)


def test_lines_can_be_centred_on_the_edge() -> None:
    masks = draw_masks(BOX, replace(GEOMETRY, line_width_m=0.05, line_inside=0.5))
    assert column(masks.lines, masks, 3.0) == pytest.approx([-0.425, -0.375, 0.375, 0.425], abs=0.002)


@pytest.mark.parametrize("name", ["reinvent_base", "2022_summit_speedway"])
def test_the_paint_covers_as_much_as_it_should(name: str) -> None:
    track = load_track(name)
    masks = draw_masks(track, GEOMETRY)
    edges = [np.linalg.norm(np.roll(edge, -1, axis=0) - edge, axis=1).sum() for edge in (track.left, track.right)]
    assert masks.lines.sum() / 255 * PIXEL_M**2 == pytest.approx(sum(edges) * 0.0762, rel=0.01)
    dashes = len(np.arange(0.0, track.length_m - 0.0508, 0.1016))
    assert masks.dashes.sum() / 255 * PIXEL_M**2 == pytest.approx(dashes * 0.0508 * 0.0254, rel=0.005)


def test_dashes_are_two_inches_every_four_and_one_wide() -> None:
    assert column(MASKS.dashes, MASKS, 1.0254) == pytest.approx([-0.0127, 0.0127], abs=0.002)
    row = round((0.0 - MASKS.origin_y_m) / PIXEL_M)
    first, last = (round((x - MASKS.origin_x_m) / PIXEL_M) for x in (1.0, 6.0))
    shares = MASKS.dashes[row, first:last].astype(float) / 255
    rises = np.nonzero((shares[:-1] < 0.5) & (shares[1:] >= 0.5))[0]
    assert np.diff(rises).mean() * PIXEL_M == pytest.approx(0.1016, rel=0.01)
    assert shares.mean() == pytest.approx(0.5, abs=0.02)


def test_dashes_of_reinvent_base_lie_where_the_public_mesh_has_them() -> None:
    """The mesh's first dashes: from x 3.011554 to 3.062353 and from 3.113153 to 3.163953, at y 0.6702 to 0.6956."""
    masks = draw_masks(load_track("reinvent_base"), FloorGeometry(dash_from_m=-0.1499))
    y = round((0.6829 - masks.origin_y_m) / PIXEL_M)
    inside = [round((x - masks.origin_x_m) / PIXEL_M) for x in (3.037, 3.138)]
    between = round((3.0878 - masks.origin_x_m) / PIXEL_M)
    assert all(masks.dashes[y, x] == 255 for x in inside)
    assert masks.dashes[y, between] == 0


def test_the_start_line_lies_across_the_road_between_the_lines() -> None:
    assert column(MASKS.start_line, MASKS, 1.0) == pytest.approx([-0.4 + 0.0762, 0.4 - 0.0762], abs=0.002)
    assert MASKS.start_line.sum() / 255 * PIXEL_M**2 == pytest.approx(0.066 * (0.8 - 2 * 0.0762), rel=0.01)
    assert draw_masks(BOX, replace(GEOMETRY, start_line_m=0.0)).start_line.max() == 0
    moved = draw_masks(BOX, replace(GEOMETRY, start_line_at_m=0.5))
    assert column(moved.start_line, moved, 1.5) == pytest.approx([-0.4 + 0.0762, 0.4 - 0.0762], abs=0.002)
    assert column(moved.start_line, moved, 1.0) == []


def test_road_lies_between_the_lines_and_nowhere_outside_them() -> None:
    masks = draw_masks(ring(), GEOMETRY)
    rows, columns = np.nonzero(masks.road)
    radii = np.hypot(columns * PIXEL_M + masks.origin_x_m, rows * PIXEL_M + masks.origin_y_m)
    assert float(radii.min()) > 2.5
    assert float(radii.max()) < 3.5
    rows, columns = np.mgrid[: masks.road.shape[0], : masks.road.shape[1]]
    radii = np.hypot(columns * PIXEL_M + masks.origin_x_m, rows * PIXEL_M + masks.origin_y_m)
    assert (masks.road[(radii > 2.55) & (radii < 3.45)] == 255).all()
    assert (masks.lines[(radii > 2.515) & (radii < 2.56)] == 255).all()


def test_colours_are_laid_over_the_field_in_order() -> None:
    plain = Appearance(grain=0.0, field_grain=0.0, dash=(1, 2, 3), start_line=(9, 8, 7))
    texture = paint(MASKS, plain)

    def colour(x: float, y: float) -> tuple[int, ...]:
        column_px, row_px = texture.to_pixels(np.array([(x, y)]))[0].round().astype(int)
        return tuple(int(part) for part in texture.image[row_px, column_px])

    assert colour(3.0, 1.0) == plain.field
    assert colour(3.0, 0.2) == plain.road
    assert colour(3.0, 0.36) == plain.line
    assert colour(1.127, 0.0) == plain.dash
    assert colour(1.0, 0.0) == plain.start_line
    assert texture.surround == plain.field
