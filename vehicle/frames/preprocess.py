"""Turns a camera's picture into the policy's 160 x 120 grey pixels, in one of two ways that the config names.

`grey-area` (the default) converts to grey and shrinks by area: closest to what the simulator trained on, which shrinks
with anti-aliasing. `deepracer-car` is what the stock car does (aws-deepracer-camera-pkg and -inference-pkg): bilinear
without anti-aliasing on the colour picture, then grey. A camera that gives only grey (a Y plane, a grey decode, the
mock world) has no colour to shrink first; there the profile shrinks the grey bilinearly. That differs from the car's
order by rounding alone, at most two grey levels, since both steps are linear: the test holds it to that.
"""

from collections.abc import Callable

import cv2
import numpy as np

from vehicle.frames.profile_names import ProfileName
from vehicle.hardware.frame import Pixels

WIDTH, HEIGHT = 160, 120
_COLOURS = 3

Preprocessor = Callable[[Pixels, Pixels], None]


def preprocessor(name: ProfileName) -> Preprocessor:
    """A function (pixels, small) that fills `small`, uint8 (120, 160), from a grey (H, W) or BGR (H, W, 3) picture.

    Each has its own buffers, allocated at the first picture and when its size changes; not thread-safe.
    """
    return PROFILES[name]()


class GreyArea:
    """Grey first (a third of the work), then an average weighted by area.

    A quarter of the side is reached by halving twice: a seventh of the time, since OpenCV vectorises only a halving.
    The second rounding changes a pixel by a quarter of a grey level on average and by one at most.
    """

    def __init__(self) -> None:
        self._grey: Pixels = np.zeros((0, 0), np.uint8)
        self._half: Pixels = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)

    def __call__(self, pixels: Pixels, small: Pixels) -> None:
        """Fill `small`, uint8 (120, 160), from a grey (H, W) or BGR (H, W, 3) picture."""
        if pixels.ndim == _COLOURS:
            if self._grey.shape != pixels.shape[:2]:
                self._grey = np.zeros(pixels.shape[:2], np.uint8)
            cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY, dst=self._grey)
            pixels = self._grey
        if pixels.shape == (4 * HEIGHT, 4 * WIDTH):
            cv2.resize(pixels, (2 * WIDTH, 2 * HEIGHT), dst=self._half, interpolation=cv2.INTER_AREA)
            pixels = self._half
        _resize(pixels, small, cv2.INTER_AREA)


class DeepracerCar:
    """Shrinks the colour picture by `cv::resize` with its default, bilinear interpolation; then converts it to grey."""

    def __init__(self) -> None:
        self._colours: Pixels = np.zeros((HEIGHT, WIDTH, _COLOURS), np.uint8)

    def __call__(self, pixels: Pixels, small: Pixels) -> None:
        """Fill `small`, uint8 (120, 160), from a grey (H, W) or BGR (H, W, 3) picture."""
        if pixels.ndim != _COLOURS:
            _resize(pixels, small, cv2.INTER_LINEAR)
            return
        if pixels.shape[:2] != small.shape:
            cv2.resize(pixels, (WIDTH, HEIGHT), dst=self._colours, interpolation=cv2.INTER_LINEAR)
            pixels = self._colours
        cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY, dst=small)


PROFILES: dict[ProfileName, Callable[[], Preprocessor]] = {"grey-area": GreyArea, "deepracer-car": DeepracerCar}


def _resize(grey: Pixels, small: Pixels, interpolation: int) -> None:
    if grey.shape == small.shape:
        np.copyto(small, grey)
    else:
        cv2.resize(grey, (WIDTH, HEIGHT), dst=small, interpolation=interpolation)
