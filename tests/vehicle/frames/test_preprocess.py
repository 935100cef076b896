"""The two ways to shrink a picture: what each means for colour and for grey, and how far they lie apart."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vehicle.frames.preprocess import HEIGHT, PROFILES, WIDTH, preprocessor
from vehicle.frames.profile_names import ProfileName

NAMES = tuple(PROFILES)


def colours(seed: int, height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def shrunk(name: ProfileName, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = np.zeros((HEIGHT, WIDTH), np.uint8)
    preprocessor(name)(pixels, small)
    return small


@settings(deadline=None)
@given(st.integers(0, 999))
def test_deepracer_car_is_the_stock_cars_two_calls(seed: int) -> None:
    picture = colours(seed)
    stock = cv2.cvtColor(cv2.resize(picture, (160, 120)), cv2.COLOR_BGR2GRAY)
    assert np.array_equal(shrunk("deepracer-car", picture), stock)


@settings(deadline=None)
@given(st.integers(0, 999))
def test_on_a_grey_source_deepracer_car_differs_by_rounding_only(seed: int) -> None:
    picture = colours(seed)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    apart = np.abs(shrunk("deepracer-car", picture).astype(int) - shrunk("deepracer-car", grey))
    assert apart.max() <= 2


def test_grey_area_averages_and_deepracer_car_does_not() -> None:
    stripes = np.zeros((480, 640), np.uint8)
    stripes[:, ::4] = 255  # finer than a pixel of the policy
    assert set(np.unique(shrunk("grey-area", stripes))) == {64}
    assert set(np.unique(shrunk("deepracer-car", stripes))) == {0}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(120, 160), (120, 160, 3), (240, 320), (480, 640, 3)])
def test_every_shape_is_taken_and_the_given_buffer_is_filled(name: ProfileName, shape: tuple[int, ...]) -> None:
    assert set(np.unique(shrunk(name, np.full(shape, 77, np.uint8)))) == {77}


@pytest.mark.parametrize("name", NAMES)
def test_buffers_are_used_again_and_follow_another_size(name: ProfileName) -> None:
    shrink, small = preprocessor(name), np.zeros((HEIGHT, WIDTH), np.uint8)
    for height, width in ((480, 640), (240, 320), (480, 640)):
        for value in (10, 200):
            shrink(np.full((height, width, 3), value, np.uint8), small)
            assert set(np.unique(small)) == {value}


@settings(deadline=None)
@given(st.integers(0, 999), st.sampled_from([1, 2, 3, 4]))
def test_grey_area_is_the_mean_of_what_a_pixel_covers(seed: int, times: int) -> None:
    shape = (HEIGHT * times, WIDTH * times)
    picture = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    means = picture.reshape(HEIGHT, times, WIDTH, times).mean(axis=(1, 3))
    apart = shrunk("grey-area", picture) - means
    assert np.abs(apart).max() <= 1.0
    assert abs(apart.mean()) < 0.3
