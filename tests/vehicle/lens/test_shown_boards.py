"""The lens from boards that are shown, with corners and pictures that OpenCV's own camera models made."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from tests.vehicle.lens.opencv_camera import OpencvCamera, shown, standing, swept
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lens.measured_lens import MeasuredLens
from vehicle.lens.shown_boards import ShownBoard, measure_by_shown_boards

CAMERAS = {
    "65 degrees, flat": OpencvCamera(251.0, k=None),
    "120 degrees, fisheye": OpencvCamera(153.0),
    "120 degrees, fisheye, beside the middle": OpencvCamera(153.0, (164.5, 116.0), (0.02, -0.01, 0.0, 0.0)),
    "160 degrees, fisheye": OpencvCamera(118.0, (159.5, 119.5), (-0.03, 0.01, -0.004, 0.001)),
    "160 degrees, 640 x 480": OpencvCamera(236.0, (322.0, 237.0), (-0.03, 0.01, 0.0, 0.0), 640, 480),
}


def worst_px(measured: MeasuredLens, camera: OpencvCamera, reach: float) -> float:
    """How far from OpenCV's the measured lens puts rays, up to a share of half the width, in pixels of the picture."""
    angles = np.linspace(0.0, reach * camera.half_rad, 9)
    rays = np.array(
        [[math.sin(a) * math.cos(t), math.sin(a) * math.sin(t), math.cos(a)] for a in angles for t in (0, 3.14)]
    )
    still = np.zeros(3)
    return float(np.linalg.norm(measured.lens.pixels(rays) - camera.pixels(rays, still, still), axis=1).max())


@pytest.mark.parametrize("name", CAMERAS)
def test_a_lens_is_found_from_corners_all_over_the_picture(name: str) -> None:
    camera = CAMERAS[name]
    lens = measure_by_shown_boards(shown(camera, 20), camera.width_px, camera.height_px)
    assert lens.lens.focal_px == pytest.approx(camera.focal_px, rel=0.015)
    assert worst_px(lens, camera, 0.9) < 0.015 * camera.width_px
    assert (lens.lens.k is None) == (camera.k is None)
    assert lens.pitch_rad == pytest.approx(0.24, abs=0.02)
    assert lens.reach_share > 0.7


def test_what_the_pictures_do_not_show_is_not_fitted() -> None:
    camera = CAMERAS["160 degrees, fisheye"]
    lens = measure_by_shown_boards(shown(camera, 0), camera.width_px, camera.height_px)
    assert lens.lens.focal_px == pytest.approx(camera.focal_px, rel=0.02)
    assert not {"k1", "k2", "k3", "k4"} & set(lens.sigmas)
    assert lens.reach_share < 0.5


def test_the_stated_uncertainty_holds_what_is_off() -> None:
    camera = CAMERAS["120 degrees, fisheye"]
    off = []
    for seed in range(3):
        lens = measure_by_shown_boards(shown(camera, 8, seed=seed), camera.width_px, camera.height_px)
        off.append((lens.lens.focal_px - camera.focal_px) / lens.sigmas["focal_px"])
    assert max(abs(one) for one in off) < 3.5


def test_pictures_that_opencv_casts_ray_by_ray() -> None:
    camera = CAMERAS["160 degrees, fisheye"]
    finder = MarkerFinder(LapwatchOptions())
    boards = []
    for distance_m in (0.5, 1.0, 1.6):
        (one,) = finder.corners(camera.picture(*standing(distance_m)))
        boards.append(ShownBoard(one, distance_m, is_upright=True))
    for pose in swept(camera, 20, 3):
        boards += [ShownBoard(one) for one in finder.corners(camera.picture(*pose))]
    assert len(boards) > 12
    lens = measure_by_shown_boards(boards, camera.width_px, camera.height_px)
    assert lens.lens.focal_px == pytest.approx(camera.focal_px, rel=0.015)
    assert worst_px(lens, camera, 0.8) < 3.0
    assert lens.pitch_rad == pytest.approx(0.24, abs=0.03)


def test_one_gross_mistake_does_not_spoil_it() -> None:
    camera = CAMERAS["120 degrees, fisheye"]
    boards = shown(camera, 16)
    boards[12].corners.points[1] += (9.0, -7.0)  # a corner that was found on something else
    lens = measure_by_shown_boards(boards, camera.width_px, camera.height_px)
    assert lens.lens.focal_px == pytest.approx(camera.focal_px, rel=0.02)


@pytest.mark.parametrize("distances", [(), (0.5,), (1.0, 1.0)])
def test_too_few_distances_are_refused(distances: tuple[float, ...]) -> None:
    boards = [ShownBoard(shown(CAMERAS["65 degrees, flat"], 0)[0].corners, distance_m) for distance_m in distances]
    with pytest.raises(BadInput, match="at least 2 are needed"):
        measure_by_shown_boards(boards, 320, 240)


@settings(max_examples=3, deadline=None)
@example(15)  # of one view its own unknowns cannot be told apart: the block of the normal equations is singular
@given(st.integers(0, 10_000))
def test_corners_of_nothing_are_a_lens_or_a_sentence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boards = shown(CAMERAS["65 degrees, flat"], 2)
    for one in boards:
        one.corners.points[:] = rng.uniform(0, 240, (4, 2))
    try:
        lens = measure_by_shown_boards(boards, 320, 240)
    except BadInput:
        return
    assert math.isfinite(lens.lens.focal_px + lens.scatter_px)
