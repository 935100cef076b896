"""Turns an action into two pulse widths, rounded to the driver's steps, as the DeepRacer servo node does.

Source: aws-deepracer/aws-deepracer-servo-pkg. Period 20 ms; a value v in [-1, 1] times the channel's polarity is
mid + v (max - mid) above zero and mid + v (mid - min) below. We round here, as the device would: what is recorded is
what is on the wire.
"""

import math
from dataclasses import dataclass

from shared.errors import ConfigError, HardwareMissing
from shared.text import text
from vehicle.core.actions import NEUTRAL, Action

PERIOD_NS = 20_000_000
_MIN_NS, _MAX_NS = 500_000, 2_500_000
MIN_STEPS = 20  # a side of a channel that has fewer positions cannot be driven with


@dataclass(frozen=True, slots=True)
class PulseResolution:
    """The widths that a device can make: whole steps of `step_ns`. A width between two goes to the nearer or up."""

    step_ns: float
    rounds_up: bool = False

    def steps(self, width_ns: float) -> int:
        """The number of steps that the device makes of a width."""
        steps = width_ns / self.step_ns
        return math.ceil(steps) if self.rounds_up else round(steps)

    def width_ns(self, steps: int) -> int:
        """The width of a number of steps. The device makes exactly these steps of it again."""
        return math.floor(steps * self.step_ns)


MICROSECONDS = PulseResolution(1_000)


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
    """What the pins output: pulse widths in nanoseconds, 0 for no pulse."""

    steering_ns: int
    throttle_ns: int


NO_PULSES = Pulses(0, 0)  # what comes out of outputs that are cut


def to_pulses(action: Action, calibration: Calibration, resolution: PulseResolution = MICROSECONDS) -> Pulses:
    """The pulses of an action in [-1, 1], in whole steps of the driver and never beyond the ends."""
    return Pulses(
        _width_ns(action.steering, calibration.steering, resolution),
        _width_ns(action.throttle, calibration.motor, resolution),
    )


def neutral_pulses(calibration: Calibration, resolution: PulseResolution = MICROSECONDS) -> Pulses:
    """Wheels straight, motor off."""
    return to_pulses(NEUTRAL, calibration, resolution)


def forward_positions(calibration: Calibration, resolution: PulseResolution) -> int:
    """How many throttles the driver can tell apart, from standstill to full forward with both ends."""
    rest, full = (_steps(value, calibration.motor, resolution) for value in (0.0, 1.0))
    return abs(full - rest) + 1


def describe_positions(calibration: Calibration, resolution: PulseResolution) -> str:
    """The driver's steps and what they mean for the throttle, as a sentence for logs, wizards and pages."""
    return text(
        "The motors move in steps of {step_us:.2f} us: {count} positions from standstill to full forward.",
        step_us=resolution.step_ns / 1000,
        count=forward_positions(calibration, resolution),
    )


def require_fine_enough(calibration: Calibration, resolution: PulseResolution) -> None:
    """Raises HardwareMissing if the driver's steps are too coarse to drive this calibration with."""
    step_ns = resolution.step_ns
    for name, channel in (("steering", calibration.steering), ("motor", calibration.motor)):
        side_ns = min(channel.max_ns - channel.mid_ns, channel.mid_ns - channel.min_ns)
        if side_ns < MIN_STEPS * step_ns:
            raise HardwareMissing(
                f"the motor driver moves in steps of {step_ns:.0f} ns, which gives the {name} only "
                f"{side_ns // step_ns:.0f} positions a side; it needs {MIN_STEPS}: use a finer driver."
            )


def _width_ns(value: float, channel: ChannelCalibration, resolution: PulseResolution) -> int:
    return resolution.width_ns(_steps(value, channel, resolution))


def _steps(value: float, channel: ChannelCalibration, resolution: PulseResolution) -> int:
    assert -1.0 <= value <= 1.0, "only what the limiter has passed may become a pulse"
    turned = value * channel.polarity
    side_ns = channel.max_ns - channel.mid_ns if turned > 0 else channel.mid_ns - channel.min_ns
    lowest = math.ceil(channel.min_ns / resolution.step_ns)
    highest = math.floor(channel.max_ns / resolution.step_ns)
    return min(highest, max(lowest, resolution.steps(channel.mid_ns + turned * side_ns)))
