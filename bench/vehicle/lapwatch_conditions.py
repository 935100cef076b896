"""What spoils a camera's pictures: blur by motion, a rolling shutter, vibration, JPEG, gain, noise, glare, bad focus.

Each takes a picture at an instant from the view and gives one as the sensor would; called by lapwatch_optics.py.
"""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from simulator.world.floor_masks import Image
from simulator.world.optics.approaches import Approach, ApproachView

_BLUR_STEPS = 5
_SHUTTER_STRIPS = 8


@dataclass(frozen=True, slots=True)
class Condition:
    """How a picture is taken; 0 and 1.0 change nothing. Times in milliseconds, noise and glare in grey levels."""

    blur_ms: float = 0.0
    rolling_ms: float = 0.0
    sway_rad: float = 0.0
    gain: float = 1.0
    glare: float = 0.0
    noise: float = 0.0
    defocus_px: float = 0.0
    jpeg: int = 0

    def picture(self, view: ApproachView, approach: Approach, at_ns: int, rng: np.random.Generator) -> Image:
        """The picture whose first row is exposed at `at_ns`."""
        taken = self._rolled if self.rolling_ms else self._exposed
        return self._developed(taken(view, approach, at_ns), rng)

    def _exposed(self, view: ApproachView, approach: Approach, at_ns: int) -> Image:
        if not self.blur_ms:
            return view.frame(approach, at_ns)
        times = at_ns + np.linspace(-0.5, 0.5, _BLUR_STEPS) * self.blur_ms * 1e6
        mean = np.mean([view.frame(approach, int(one)) for one in times], axis=0)
        return cast(Image, mean.astype(np.uint8))

    def _rolled(self, view: ApproachView, approach: Approach, at_ns: int) -> Image:
        strips = [
            self._exposed(view, approach, at_ns + int(n / _SHUTTER_STRIPS * self.rolling_ms * 1e6))
            for n in range(_SHUTTER_STRIPS)
        ]
        rows = np.linspace(0, len(strips[0]), _SHUTTER_STRIPS + 1).astype(int)
        return np.vstack([strip[a:b] for strip, a, b in zip(strips, rows[:-1], rows[1:], strict=True)])

    def _developed(self, seen: Image, rng: np.random.Generator) -> Image:
        if self.defocus_px:
            seen = cast(Image, cv2.GaussianBlur(seen, (0, 0), self.defocus_px))
        if self.gain != 1.0 or self.glare or self.noise:
            levels = seen * self.gain + self.glare + rng.normal(0.0, max(self.noise, 1e-9), seen.shape)
            seen = cast(Image, np.clip(levels, 0, 255).astype(np.uint8))
        if self.jpeg:
            packed = cv2.imencode(".jpg", seen, (cv2.IMWRITE_JPEG_QUALITY, self.jpeg))[1]
            seen = cast(Image, cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
        return seen


CLEAN = Condition()
INDOOR = Condition(blur_ms=20.0, rolling_ms=27.0, gain=0.4, noise=6.0, jpeg=60)
