"""The settings `[lapwatch]`: the gate's ArUco boards or its stripe, and how the camera is mounted."""

from dataclasses import dataclass

from shared.config import setting
from shared.errors import ConfigError
from vehicle.lapwatch.lens_options import NO_LENS, LensOptions


@dataclass(frozen=True, slots=True)
class BoardKind:
    """`[[lapwatch.boards]]`: one kind of board; any number of a kind may stand beside or over the road."""

    id: int = setting(min=0, max=49, what="its number in ArUco's dictionary 4x4_50")
    size_m: float = setting(min=0.02, max=2.0, what="side of the black square")
    after_line_m: float = setting(0.0, min=-5.0, max=5.0, what="how far it stands behind the gate's line")


STOCK_BOARDS = (BoardKind(0, 0.20, 0.3), BoardKind(1, 0.28, 1.0))


@dataclass(frozen=True, slots=True)
class StripeOptions:
    """`[lapwatch.stripe]`: a stripe across the road instead of boards."""

    enabled: bool = setting(False, what="true: laps are detected by the stripe instead of the boards")
    is_light: bool = setting(True, what="false: a dark stripe on a light road")
    width_m: float = setting(0.08, min=0.02, max=0.5, what="its width, measured along the road")
    after_line_m: float = setting(0.0, min=-1.0, max=1.0, what="how far its middle lies behind the gate's line")
    camera_up_m: float = setting(0.1303, min=0.03, max=1.0, what="height of the lens above the floor")


NO_STRIPE = StripeOptions()


@dataclass(frozen=True, slots=True)
class LapwatchOptions:
    """`[lapwatch]`: the gate's boards and this car's camera."""

    enabled: bool = setting(True, what="false: the car reports no laps")
    camera_ahead_m: float = setting(0.005, min=-0.5, max=0.5, what="how far the lens is ahead of the car's nose")
    fov_rad: float = setting(1.13, min=0.3, max=2.8, what="the camera's horizontal field of view; see `lens`")
    pitch_rad: float = setting(0.2388, min=-0.8, max=0.8, what="how far down the camera points")
    min_lap_s: float = setting(2.0, min=0.1, max=600.0, what="the shortest possible lap")
    lens: LensOptions = NO_LENS
    stripe: StripeOptions = NO_STRIPE
    boards: tuple[BoardKind, ...] = STOCK_BOARDS

    def __post_init__(self) -> None:
        if not self.boards or len({board.id for board in self.boards}) != len(self.boards):
            raise ConfigError("`lapwatch.boards` must name at least one board, and each id once.")
