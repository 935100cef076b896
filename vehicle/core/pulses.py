"""Turns an action into two pulse widths, rounded to the driver's steps, as the DeepRacer servo node does.

Source: aws-deepracer/aws-deepracer-servo-pkg. Period 20 ms; a value v in [-1, 1] times the channel's polarity is
mid + v (max - mid) above zero and mid + v (mid - min) below. We round here, before the driver would truncate.
"""

from dataclasses import dataclass

from shared.errors import ConfigError, HardwareMissing
from vehicle.core.actions import NEUTRAL, Action

PERIOD_NS = 20_000_000
_MIN_NS, _MAX_NS = 500_000, 2_500_000
MIN_STEPS = 20  # a side of a channel that has fewer positions cannot be driven with


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """Pulse widths of one channel at its ends and its middle, in nanoseconds; polarity -1 turns it round."""

    min_ns: int  # pulse width at full left, or full reverse
    mid_ns: int  # pulse width straight ahead, or at rest
    max_ns: int  # pulse width at full right, or full forward
    polarity: int = 1  # -1 swaps the two ends

    def __post_init__(self) -> None:
        if not _MIN_NS <= self.min_ns < self.mid_ns < self.max_ns <= _MAX_NS:
            raise ConfigError(
                f"a calibration must rise from min_ns over mid_ns to max_ns within {_MIN_NS} to {_MAX_NS}, "
                f"not {self.min_ns}, {self.mid_ns}, {self.max_ns}."
            )
        if self.polarity not in (-1, 1):
            raise ConfigError(f"the polarity of a calibration is {self.polarity}; it must be 1 or -1.")


@dataclass(frozen=True, slots=True)
class Calibration:
    """The pulse widths of both channels of one car."""

    steering: ChannelCalibration
    motor: ChannelCalibration


STOCK_CALIBRATION = Calibration(
    steering=ChannelCalibration(1_200_000, 1_450_000, 1_700_000, 1),
    motor=ChannelCalibration(1_311_000, 1_446_000, 1_603_500, -1),
)


@dataclass(frozen=True, slots=True)
class Pulses:
    """What the pins output: pulse widths in nanoseconds."""

    steering_ns: int
    throttle_ns: int


def to_pulses(action: Action, calibration: Calibration, resolution_ns: int = 1_000) -> Pulses:
    """The pulses of an action in [-1, 1], as multiples of the driver's resolution and never beyond the ends."""
    return Pulses(
        _width_ns(action.steering, calibration.steering, resolution_ns),
        _width_ns(action.throttle, calibration.motor, resolution_ns),
    )


def neutral_pulses(calibration: Calibration, resolution_ns: int = 1_000) -> Pulses:
    """Wheels straight, motor off."""
    return to_pulses(NEUTRAL, calibration, resolution_ns)


def require_fine_enough(calibration: Calibration, resolution_ns: int) -> None:
    """Raises HardwareMissing if the driver's steps are too coarse to drive this calibration with."""
    for name, channel in (("steering", calibration.steering), ("motor", calibration.motor)):
        side_ns = min(channel.max_ns - channel.mid_ns, channel.mid_ns - channel.min_ns)
        if side_ns < MIN_STEPS * resolution_ns:
            raise HardwareMissing(
                f"the motor driver moves in steps of {resolution_ns} ns, which gives the {name} only "
                f"{side_ns // resolution_ns} positions a side; it needs {MIN_STEPS}: use a finer driver."
            )


def _width_ns(value: float, channel: ChannelCalibration, resolution_ns: int) -> int:
    assert -1.0 <= value <= 1.0, "only what the limiter has passed may become a pulse"
    turned = value * channel.polarity
    side_ns = channel.max_ns - channel.mid_ns if turned > 0 else channel.mid_ns - channel.min_ns
    steps = round((channel.mid_ns + turned * side_ns) / resolution_ns)
    lowest, highest = -(-channel.min_ns // resolution_ns), channel.max_ns // resolution_ns
    return min(highest, max(lowest, steps)) * resolution_ns
