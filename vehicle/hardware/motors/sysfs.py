"""Kernel PWM through /sys/class/pwm: two channels of one chip, with pulses made by hardware.

Used for the stock DeepRacer, for Raspberry Pis with a PWM overlay, and for a PCA9685 that the kernel drives. The pulse
continues when its writer dies. `pwm_chip.py` finds the chip, `pwm_channels.py` opens its channels, `enable_line.py`
cuts its outputs.
"""

from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError, HardwareMissing
from vehicle.core.pulses import PERIOD_NS, PulseResolution, Pulses
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.channels import MOTOR_CHANNEL, STEERING_CHANNEL, check_channels, log_if_unnamed
from vehicle.hardware.motors.enable_line import EnableLine
from vehicle.hardware.motors.pwm_channels import PwmChannels
from vehicle.hardware.motors.pwm_chip import find_chip


@dataclass(frozen=True, slots=True)
class SysfsMotorsOptions:
    """`[motors.options]` of sysfs."""

    chip: str = setting(
        "",
        what="the PWM chip, by a part of its device's path (`i2c-0`, `0000:00:17.0`) or by its folder; "
        "none: the only chip there is",
    )
    steering_channel: int = setting(STEERING_CHANNEL, min=0, max=63, what="the chip's channel of the steering servo")
    motor_channel: int = setting(MOTOR_CHANNEL, min=0, max=63, what="the chip's channel of the motor's controller")
    resolution_ns: int | None = setting(
        None, min=1, max=1_000_000, what="the step that the chip's clock allows; a PCA9685's is known, else 1000"
    )
    enable_gpio: int | None = setting(
        None,
        min=0,
        max=65_535,
        what="the GPIO that cuts the outputs while it is high; the stock DeepRacer with 24.04: 514",
    )
    enable_file: str = setting("", what="no longer used: see `enable_gpio`")
    enable_value: str = setting("", what="no longer used: see `enable_gpio`")

    def __post_init__(self) -> None:
        check_channels(self.steering_channel, self.motor_channel)
        if self.enable_file or self.enable_value:
            raise ConfigError(
                "`enable_file` and `enable_value` are no longer used, since the file is not there before the line is "
                "exported: write `enable_gpio = N` instead, with the number in the file's path."
            )


class SysfsMotors:
    """Cuts the outputs by their line, if any, and opens the channels when built; `apply` makes the first pulse."""

    def __init__(self, options: dict[str, Any], clock: Clock, attributes: AttributeFiles | None = None) -> None:
        del clock  # the chip times the pulses
        self._options = from_table(options, SysfsMotorsOptions, "[motors.options]")
        files = attributes or AttributeFiles()
        self._line = EnableLine(self._options.enable_gpio, files)  # first: it cuts even if the chip does not answer
        chip = find_chip(self._options.chip, files)
        self._resolution = chip.resolution(self._options.resolution_ns)
        self._motor, self._steering = self._options.motor_channel, self._options.steering_channel
        self._channels = PwmChannels(chip, (self._motor, self._steering), PERIOD_NS, files)
        self._started = False
        log_if_unnamed(options)  # only now: absent ones are retried, and would log each time

    @property
    def resolution(self) -> PulseResolution:
        return self._resolution

    @property
    def is_cut(self) -> bool:
        return self._line.is_cut

    def apply(self, pulses: Pulses) -> None:
        for width_ns in (pulses.steering_ns, pulses.throttle_ns):
            if not 0 < width_ns < PERIOD_NS:
                raise HardwareMissing(f"kernel PWM refuses a pulse of {width_ns} ns: the period is {PERIOD_NS} ns.")
        # The motor first: if the second write fails, the car is no faster than it should be.
        for channel, width_ns in ((self._motor, pulses.throttle_ns), (self._steering, pulses.steering_ns)):
            self._channels.set_width(channel, width_ns)
            if not self._started:
                self._channels.set_enabled(channel, enabled=True)
        self._started = True

    def neutral(self) -> None:
        """No pulse at all, the motor first: for when calibrated pulses were refused, or there is no calibration."""
        self._started = False
        try:
            self._channels.set_enabled(self._motor, enabled=False)
        finally:
            self._channels.set_enabled(self._steering, enabled=False)

    def enable(self) -> None:
        self._line.enable()

    def cut(self) -> None:
        self._line.cut()

    def close(self) -> None:
        """Nothing to close: the channels stay exported and pulsing, so that another process can set them to neutral."""
