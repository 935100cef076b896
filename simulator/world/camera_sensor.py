"""The differences between cameras: mounting, exposure, sharpness, noise."""

import random
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.world.camera import CameraParameters
from simulator.world.floor_masks import Image

_MOUNTING_ALONE_RAD = 0.2618 - 0.2388  # how much lower a camera looks on a car whose chassis stands level
POLICY_SIZE = (160, 120)  # width, height of the policy's input


@dataclass(frozen=True, slots=True)
class CameraSensor:
    """One camera: its mounting, and the effects of its lens and sensor on a picture."""

    camera: CameraParameters = field(default_factory=CameraParameters)
    gain: float = 1.0
    offset: float = 0.0  # grey levels
    gamma: float = 1.0
    blur_px: float = 0.0  # standard deviation in pixels of the 320 x 240 frame
    noise: float = 3.0  # standard deviation in grey levels


def draw_lens(seed: int, spread: float = 1.0) -> CameraSensor:
    """Draw camera number `seed`; `spread` 1 is the usual difference between cars, more is harsher."""
    rng = random.Random(f"lens-{seed}")

    def about(middle: float, by: float) -> float:
        return middle + rng.uniform(-by, by) * spread

    standard = CameraParameters()
    camera = CameraParameters(
        fov_rad=about(standard.fov_rad, 0.03),
        forward_m=about(standard.forward_m, 0.006),
        up_m=about(standard.up_m, 0.006),
        pitch_rad=about(standard.pitch_rad, 0.022) + rng.random() * _MOUNTING_ALONE_RAD * min(1.0, spread),
    )
    return CameraSensor(
        camera,
        gain=about(1.0, 0.15),
        offset=about(0.0, 12.0),
        gamma=about(1.0, 0.15),
        blur_px=max(0.0, about(0.5, 0.5)),
        noise=max(0.0, about(3.0, 2.5)),
    )


def expose(picture: Image, lens: CameraSensor, noise: np.random.Generator) -> Image:
    """Apply blur, exposure curve and noise to a grey picture."""
    if lens.blur_px > 0.15:
        picture = cast(Image, cv2.GaussianBlur(picture, (0, 0), lens.blur_px))
    exposed = cast(Image, cv2.LUT(picture, _curve(lens)))
    if lens.noise <= 0.0:
        return exposed
    grain = np.empty(picture.shape, np.int16)
    cv2.setRNGSeed(int(noise.integers(1 << 31)))
    cv2.randn(grain, 0, lens.noise)
    return cast(Image, cv2.add(exposed, grain, dtype=cv2.CV_8U))


def _curve(lens: CameraSensor) -> NDArray[np.uint8]:
    levels = np.linspace(0.0, 1.0, 256) ** lens.gamma * 255.0 * lens.gain + lens.offset
    return np.clip(levels, 0, 255).astype(np.uint8)


def for_policy(frame: Image) -> Image:
    """The frame as the policy sees it: (120, 160) grey, shrunk by area."""
    return cast(Image, cv2.resize(frame, POLICY_SIZE, interpolation=cv2.INTER_AREA))
