"""JPEGs of which a part is missing, as cables and full buffers tear them; and complete ones that are even in parts."""

import itertools
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import HardwareMissing
from tests.vehicle.frames.test_frame_check import recorded
from tests.vehicle.hardware.fake_usb_camera import UsbCamera
from vehicle.hardware.cameras.torn import is_torn
from vehicle.hardware.cameras.v4l2 import DECODES, V4l2Camera

END = b"\xff\xd9"
SAMPLINGS = [getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}") for name in ("420", "422", "444", "411", "440")]
Y = np.arange(480)[:, None]


def scene(seed: int = 1) -> Any:
    return recorded() + np.random.default_rng(seed).normal(0, 2, (480, 640, 3))


def jpeg(picture: Any, quality: int = 80, sampling: int = SAMPLINGS[1], restart: int = 0) -> bytes:
    how = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)
    done, data = cv2.imencode(
        ".jpg", np.clip(picture, 0, 255).astype(np.uint8), (*how, cv2.IMWRITE_JPEG_RST_INTERVAL, restart)
    )
    assert done
    return data.tobytes()


def coded_at(data: bytes, share: float) -> int:
    """The offset at this share of the coded pixels, which follow the header of the scan."""
    begin = data.index(b"\xff\xda") + 14
    return begin + int(share * (len(data) - begin - len(END)))


def is_given(data: bytes, decode: str = "half") -> bool:
    device = UsbCamera([np.frombuffer(data, np.uint8)])
    camera = V4l2Camera({"decode": decode}, device.clock, device, device.monotonic_ns)
    return camera.read(0.1) is not None


@pytest.mark.slow
@pytest.mark.parametrize("quality", [15, 30, 50, 80, 95])
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("restart", [0, 20])
def test_a_jpeg_whose_end_is_lost_is_no_frame(quality: int, sampling: int, restart: int) -> None:
    complete = jpeg(scene(), quality, sampling, restart)
    for decode in DECODES:
        assert is_given(complete, decode)
    for decode, share in itertools.product(DECODES, (0.05, 0.3, 0.5, 0.75, 0.9)):
        cut = complete[: coded_at(complete, share)]
        assert not is_given(cut, decode)
        assert not is_given(cut + END, decode)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.floats(0.02, 0.94), st.integers(10, 97), st.sampled_from(SAMPLINGS), st.sampled_from([0, 10, 40]))
def test_wherever_it_is_cut_it_is_no_frame(share: float, quality: int, sampling: int, restart: int) -> None:
    complete = jpeg(scene(2), quality, sampling, restart)
    assert not is_given(complete[: coded_at(complete, share)] + END)


@pytest.mark.parametrize("begin", [0.02, 0.2, 0.5, 0.7])
@pytest.mark.parametrize("lost", [0.1, 0.25])
def test_a_slice_lost_between_restart_markers_is_no_frame(begin: float, lost: float) -> None:
    complete = jpeg(scene(), restart=40)
    assert not is_given(complete[: coded_at(complete, begin)] + complete[coded_at(complete, begin + lost) :])


def test_a_slice_of_grey_above_a_whole_rest_is_no_frame() -> None:
    torn = cv2.cvtColor(scene().astype(np.uint8), cv2.COLOR_BGR2GRAY)
    torn[32:80] = 128
    assert is_torn(torn)


def test_a_tail_that_repeats_the_last_block_is_no_frame() -> None:
    """Filled with the last grey, as firmware does, or with a pattern, as zeros in place of the data do."""
    torn = cv2.cvtColor(scene().astype(np.uint8), cv2.COLOR_BGR2GRAY)
    for grey in (40, 90, 200):
        torn[300:] = grey
        assert is_torn(torn)
        assert not is_given(jpeg(torn))
    torn[300:] = np.tile(np.arange(16) * 5 + 40, 40)
    assert is_torn(torn)


def test_a_picture_of_which_a_part_is_even_and_has_the_sensors_noise_is_a_frame() -> None:
    rng = np.random.default_rng(3)
    for grey, first, quality in itertools.product((60, 128, 200), (240, 360), (50, 90)):
        picture = scene()
        picture[first:] = grey + rng.normal(0, 2, (480 - first, 640, 1))
        assert is_given(jpeg(picture, quality))
        assert is_given(jpeg(picture[::-1], quality))


@pytest.mark.slow
@pytest.mark.parametrize("quality", [15, 30, 50, 80, 95])
def test_a_floor_without_noise_under_a_real_lens_is_a_frame(quality: int) -> None:
    """The camera removed the noise; the lens gives less light at the sides."""
    across = 1 - 0.15 * (np.arange(640) - 320)[None, :, None] ** 2 / 320**2
    for grey in (60, 110, 128, 190):
        assert is_given(jpeg(np.where(Y[:, :, None] < 240, scene(), grey * across), quality))


@pytest.mark.slow
@pytest.mark.parametrize("grey", [0, 3, 16, 235, 255])
def test_what_is_black_or_burnt_out_has_no_noise_and_is_a_frame(grey: int) -> None:
    for first in (100, 240, 400):
        assert is_given(jpeg(np.where(Y[:, :, None] < first, scene(), grey)))
        assert is_given(jpeg(np.where(Y[:, :, None] < first, grey, scene())))


@pytest.mark.parametrize("grey", [0, 90, 128, 255])
def test_a_picture_that_is_even_all_over_is_a_frame_that_shows_nothing(grey: int) -> None:
    assert is_given(jpeg(np.full((480, 640, 3), grey)))


@given(st.integers(1, 1080), st.integers(1, 1920), st.sampled_from([1, 2, 4]))
@settings(max_examples=20)
def test_a_picture_of_any_size_has_an_answer(height: int, width: int, side_px: int) -> None:
    rng = np.random.default_rng(height)
    assert not is_torn(rng.integers(0, 256, (height, width)).astype(np.uint8), side_px) or width < 80


def test_a_camera_that_gives_only_torn_pictures_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vehicle.hardware.cameras.v4l2._SILENCE_TIMEOUT_S", 0.0)
    complete = jpeg(scene())
    torn = np.frombuffer(complete[: len(complete) // 2] + END, np.uint8)
    device = UsbCamera([torn, torn])
    camera = V4l2Camera({}, device.clock, device, device.monotonic_ns)
    assert camera.read(0.01) is None
    with pytest.raises(HardwareMissing, match="only torn pictures"):
        camera.read(0.01)
