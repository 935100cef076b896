"""The table `[lens]` of the mock world: a fisheye on its cameras, for trying out `raceday vehicle lens` at a desk.

Read by the world process (realtime/world_process.py), which hands the lens to each car's world.
"""

import math
from dataclasses import dataclass

import numpy as np

from shared.config import setting
from shared.errors import ConfigError
from simulator.world.optics.wide_lens import WideLens, radius_of

_CORNER = math.hypot(1.0, 3 / 4)  # of a picture of 4:3, as a multiple of half its width
_WIDEST_RAD = math.radians(120.0)  # so far from the axis a corner may look; a car's camera has no wider one


@dataclass(frozen=True, slots=True)
class WorldLensTable:
    """`[lens]`: how wide the camera sees across its picture, and the four coefficients of its projection."""

    degrees: float = setting(min=20.0, max=180.0, what="across the whole width of the picture")
    k1: float = setting(0.0, min=-2.0, max=2.0, what="of the fisheye's polynomial, as OpenCV has them")
    k2: float = setting(0.0, min=-2.0, max=2.0)
    k3: float = setting(0.0, min=-2.0, max=2.0)
    k4: float = setting(0.0, min=-2.0, max=2.0)

    def __post_init__(self) -> None:
        angles = np.linspace(0.0, _WIDEST_RAD, 2001)
        radius = radius_of(angles, self.lens.k)
        falling = np.flatnonzero(np.diff(radius) <= 0)
        half_rad = math.radians(self.degrees) / 2
        edge = float(radius_of(np.array([half_rad]), self.lens.k)[0])
        turns_back = len(falling) > 0 and float(angles[falling[0]]) < half_rad  # the edge would show a nearer ray
        largest = float(radius[falling[0]]) if len(falling) else float(radius[-1])
        if turns_back or largest < edge * _CORNER:
            ends_deg = math.degrees(float(angles[falling[0]]) if len(falling) else _WIDEST_RAD)
            raise ConfigError(
                f"`lens`: with {self.degrees:g} `degrees` and k1 to k4 = {self.k1:g}, {self.k2:g}, {self.k3:g}, "
                f"{self.k4:g} no ray reaches the corners of the picture (the lens ends {ends_deg:.0f} degrees from its "
                "axis): take fewer degrees, or other coefficients."
            )

    @property
    def lens(self) -> WideLens:
        """The lens of this table."""
        return WideLens(math.radians(self.degrees), (self.k1, self.k2, self.k3, self.k4))
