"""From a camera's picture to the policy's 160 x 120 grey pixels: two ways, chosen by name in the config.

`grey-area` (the default) takes grey and shrinks it by area: nearest to what the simulator trained on, which shrinks
with anti-aliasing. `deepracer-car` is what the stock car does (aws-deepracer-camera-pkg and -inference-pkg): bilinear
without anti-aliasing on the colour picture, then grey. A camera that only gives grey (a Y plane, a grey decode, the
mock world) has no colour to shrink first; there the profile shrinks the grey bilinearly. That differs from the car's
order by rounding alone, at most two grey levels, since both steps are linear: the test holds it to that.
"""

from collections.abc import Callable
from typing import Literal, cast

import cv2
import numpy as np

from vehicle.hardware.devices import Pixels

ProfileName = Literal["grey-area", "deepracer-car"]
WIDTH, HEIGHT = 160, 120
_COLOURS = 3

Shrink = Callable[[Pixels, Pixels], None]


def profile(name: ProfileName) -> Shrink:
    """The function that fills the policy's picture (120, 160) from a camera's, grey (H, W) or BGR (H, W, 3)."""
    return PROFILES[name]


def grey_area(pixels: Pixels, small: Pixels) -> None:
    """Grey first (a third of the work), then every pixel counts with its area."""
    grey = _grey(pixels) if pixels.ndim == _COLOURS else pixels
    _resize(grey, small, cv2.INTER_AREA)


def deepracer_car(pixels: Pixels, small: Pixels) -> None:
    """`cv::resize` as it is by default, on the colours; then `COLOR_BGR2GRAY`."""
    if pixels.ndim == _COLOURS:
        colours: Pixels = pixels
        if pixels.shape[:2] != small.shape:
            colours = cast(Pixels, cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))
        cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY, dst=small)
    else:
        _resize(pixels, small, cv2.INTER_LINEAR)


PROFILES: dict[ProfileName, Shrink] = {"grey-area": grey_area, "deepracer-car": deepracer_car}


def _grey(pixels: Pixels) -> Pixels:
    return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))


def _resize(grey: Pixels, small: Pixels, how: int) -> None:
    if grey.shape == small.shape:
        np.copyto(small, grey)
    else:
        cv2.resize(grey, (WIDTH, HEIGHT), dst=small, interpolation=how)
