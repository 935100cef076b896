"""The lens models, held against OpenCV's own projections: cv2.fisheye and cv2.projectPoints."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.config import from_table
from shared.errors import ConfigError
from vehicle.lapwatch.lens import Lens, lens_of
from vehicle.lapwatch.lens_options import KNOWN_LENSES, NO_LENS, LensOptions
from vehicle.lapwatch.markers import LapwatchOptions

STILL = np.zeros(3)
PI_FISHEYE = (-0.0137, 0.0201, -0.0172, 0.0049)  # of a public calibration's order of magnitude
LENSES = {
    "pinhole": Lens(250.0, (159.5, 119.5)),
    "equidistant": Lens(114.6, (159.5, 119.5), (0.0, 0.0, 0.0, 0.0)),
    "fisheye": Lens(118.0, (163.0, 116.0), PI_FISHEYE),
}


def directions(reach_rad: float) -> np.ndarray:
    angles = np.linspace(0.0, reach_rad, 12)
    turns = np.linspace(0.0, 2 * math.pi, 9)
    spots = [(math.sin(a) * math.cos(t), math.sin(a) * math.sin(t), math.cos(a)) for a in angles for t in turns]
    return np.array(spots)


def opencv_pixels(lens: Lens, rays: np.ndarray) -> np.ndarray:
    camera = np.array([[lens.focal_px, 0, lens.centre_px[0]], [0, lens.focal_px, lens.centre_px[1]], [0, 0, 1.0]])
    if lens.k is None:
        return cv2.projectPoints(rays, STILL, STILL, camera, np.zeros(4))[0].reshape(-1, 2)
    return cv2.fisheye.projectPoints(rays.reshape(-1, 1, 3), STILL, STILL, camera, np.array(lens.k))[0].reshape(-1, 2)


@pytest.mark.parametrize("name", LENSES)
def test_rays_fall_where_opencv_projects_them_and_come_back(name: str) -> None:
    lens, rays = LENSES[name], directions(math.radians(40 if name == "pinhole" else 80))
    pixels = opencv_pixels(lens, rays)
    assert lens.pixels(rays) == pytest.approx(pixels, abs=1e-6)
    assert lens.rays(pixels) == pytest.approx(rays, abs=1e-7)


@given(st.tuples(*[st.floats(-0.3, 0.3)] * 4), st.floats(50, 2000), st.floats(-math.pi, math.pi), st.floats(0.0, 1.9))
def test_any_lens_gives_back_the_ray_or_says_that_there_is_none(
    k: tuple[float, float, float, float], focal_px: float, turn_rad: float, angle_rad: float
) -> None:
    lens = Lens(focal_px, (300.0, 200.0), k)
    assume(abs(angle_rad - lens.widest_rad) > 0.02)  # where pictures fold over, no inverse is stable
    across = math.sin(angle_rad)
    ray = np.array([[across * math.cos(turn_rad), across * math.sin(turn_rad), math.cos(angle_rad)]])
    pixel = lens.pixels(ray)
    if angle_rad > lens.widest_rad:
        assert np.isnan(pixel).all()
    else:
        assert lens.rays(pixel) == pytest.approx(ray, abs=1e-4)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_any_point_is_a_unit_ray_or_none(x: float, y: float) -> None:
    for lens in LENSES.values():
        (ray,) = lens.rays(np.array([[x, y]]))
        assert np.isnan(ray).all() or np.linalg.norm(ray) == pytest.approx(1.0)


def test_without_a_lens_the_field_of_view_holds() -> None:
    lens = lens_of(NO_LENS, 1.13, (240, 320))
    assert lens == Lens(160 / math.tan(0.565), (159.5, 119.5))


@pytest.mark.parametrize(
    ("shape", "focal_px", "centre"),
    [
        ((480, 640), 230.0, (322.0, 236.0)),
        ((240, 320), 115.0, (160.75, 117.75)),  # halved: the middle of pixel 0 is a quarter pixel of it farther in
        ((360, 640), 230.0, (322.0, 176.0)),  # 16:9 of the same sensor: cut above and below
        ((960, 1280), 460.0, (644.5, 472.5)),
    ],
)
def test_a_measured_lens_is_scaled_to_the_picture(
    shape: tuple[int, int], focal_px: float, centre: tuple[float, float]
) -> None:
    options = LensOptions(width_px=640, height_px=480, focal_px=230.0, centre_x_px=322.0, centre_y_px=236.0, k1=-0.02)
    lens = lens_of(options, 1.13, shape)
    assert lens.focal_px == focal_px
    assert lens.centre_px == pytest.approx(centre)
    assert lens.k == (-0.02, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", KNOWN_LENSES)
def test_a_known_lens_sees_the_angle_that_its_maker_states(name: str) -> None:
    known = KNOWN_LENSES[name]
    lens = lens_of(LensOptions(known=name), 1.13, (480, 640))
    edge = [-0.5, 239.5] if known.is_horizontal else [-0.5, -0.5]
    (ray,) = lens.rays(np.array([edge]))
    assert 2 * math.acos(ray[2]) == pytest.approx(known.fov_rad, abs=1e-6)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"known": "gopro"}, "known"),
        ({"known": "pi-v2", "focal_px": 200.0}, "remove `known`"),
        ({"width_px": 640}, "focal_px"),
        ({"focal_px": 200.0}, "width_px"),
        ({"focal_px": 200.0, "width_px": 640, "height_px": 480}, "far from the middle"),
        (
            {
                "model": "pinhole",
                "focal_px": 200.0,
                "width_px": 640,
                "height_px": 480,
                "centre_x_px": 320.0,
                "centre_y_px": 240.0,
                "k1": 0.1,
            },
            "pinhole has none",
        ),
        ({"model": "omnidirectional"}, "model"),
        ({"focal_px": math.nan}, "focal_px"),
    ],
)
def test_a_wrong_lens_is_refused(table: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        from_table({"lens": table}, LapwatchOptions, "t")
