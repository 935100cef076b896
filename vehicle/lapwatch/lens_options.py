"""The settings `[lapwatch.lens]`: a lens that was measured, or one that is known by its name.

Written by `raceday vehicle lens`, read by lens.py. The known lenses are nominal: makers state an angle, seldom how the
lens projects it.
"""

import math
from dataclasses import dataclass
from typing import Literal

from shared.config import setting
from shared.errors import ConfigError

_CENTRE_SHARE = 0.25  # a lens that far beside the middle of its picture, as a share of the width, is a slip of the pen


@dataclass(frozen=True, slots=True)
class KnownLens:
    """A lens as its maker states it, over the sensor's full field; `is_horizontal` False: the angle is the diagonal."""

    what: str
    fov_rad: float
    is_fisheye: bool
    source: str
    is_horizontal: bool = True


_PI_TABLE = "Raspberry Pi documentation, camera hardware: horizontal field of view"

KNOWN_LENSES: dict[str, KnownLens] = {
    "simulator": KnownLens(
        "the field's simulator and our mock world", 1.13, False, "deepracer-simapp, camera of the car's model"
    ),
    "deepracer": KnownLens(
        "the stock car's camera, a wide angle lens",
        math.radians(120.0),
        True,
        "AWS DeepRacer console, vehicle's camera: 120 degrees, 60 to each side; the projection is not stated",
    ),
    "pi-v1": KnownLens("Raspberry Pi camera module 1 (OV5647)", math.radians(53.5), False, _PI_TABLE),
    "pi-v2": KnownLens("Raspberry Pi camera module 2 (IMX219)", math.radians(62.2), False, _PI_TABLE),
    "pi-v3": KnownLens("Raspberry Pi camera module 3 (IMX708)", math.radians(66.0), False, _PI_TABLE),
    "pi-v3-wide": KnownLens("Raspberry Pi camera module 3 wide (IMX708)", math.radians(102.0), False, _PI_TABLE),
    "fisheye-160": KnownLens(
        "fisheye modules for the Pi that are sold as 160 degrees (OV5647)",
        math.radians(160.0),
        True,
        "sellers' pages; the angle is the diagonal of a 4:3 picture, the projection is taken as equidistant",
        is_horizontal=False,
    ),
}


@dataclass(frozen=True, slots=True)
class LensOptions:
    """`[lapwatch.lens]`: the camera's lens, as `raceday vehicle lens` measured it; without it, `fov_rad` holds."""

    known: str = setting("", choices=("", *KNOWN_LENSES), what="a lens by its name, until it is measured")
    model: Literal["pinhole", "fisheye"] = setting("fisheye", what="pinhole, or fisheye with k1 to k4")
    width_px: int = setting(0, min=0, max=20_000, what="the size of the pictures that it was measured in")
    height_px: int = setting(0, min=0, max=20_000, what="and their height; pictures of another size are scaled")
    focal_px: float = setting(0.0, min=0.0, max=100_000.0, what="focal length in pixels of that size; 0: not measured")
    centre_x_px: float = setting(0.0, min=0.0, max=20_000.0, what="where the axis meets the picture")
    centre_y_px: float = setting(0.0, min=0.0, max=20_000.0, what="and from its top")
    k1: float = setting(0.0, min=-2.0, max=2.0, what="of the fisheye model, as OpenCV's cv2.fisheye has it")
    k2: float = setting(0.0, min=-2.0, max=2.0)
    k3: float = setting(0.0, min=-2.0, max=2.0)
    k4: float = setting(0.0, min=-2.0, max=2.0)

    def __post_init__(self) -> None:
        if self.known and self.focal_px:
            raise ConfigError("`lapwatch.lens` has both `known` and a measured lens: remove `known`.")
        if not self.focal_px:
            if self.width_px or self.height_px or any(self.k):
                raise ConfigError("`lapwatch.lens.focal_px` is missing: copy all that `raceday vehicle lens` printed.")
            return
        if not self.width_px or not self.height_px:
            raise ConfigError("`lapwatch.lens` needs `width_px` and `height_px`, the size that it was measured at.")
        beside = max(abs(self.centre_x_px - self.width_px / 2), abs(self.centre_y_px - self.height_px / 2))
        if beside > _CENTRE_SHARE * self.width_px:
            raise ConfigError("`lapwatch.lens.centre_x_px` and `centre_y_px` are far from the middle of the picture.")
        if self.model == "pinhole" and any(self.k):
            raise ConfigError('`lapwatch.lens`: k1 to k4 belong to `model = "fisheye"`; a pinhole has none.')

    @property
    def is_measured(self) -> bool:
        """Whether it holds a lens that was measured."""
        return self.focal_px > 0

    @property
    def k(self) -> tuple[float, float, float, float]:
        """k1 to k4."""
        return (self.k1, self.k2, self.k3, self.k4)


NO_LENS = LensOptions()
