"""Kernel PWM through /sys/class/pwm: two channels of one chip, with the finest steps and pulses made by hardware.

The kernel's rules (Documentation/driver-api/pwm.rst): a channel exists once its number is written to `export`; a duty
cycle above the period is EINVAL, whichever of the two is written; a channel with no period cannot be enabled. The
pulse continues when its writer dies.
"""

import errno
import pathlib
import time
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from vehicle.core.pulses import PERIOD_NS, Pulses
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.channels import MOTOR_CHANNEL, STEERING_CHANNEL, check_channels, log_if_unnamed

_EXPORT_TIMEOUT_S = 2.0  # udev hands the new files to our group a moment after the export
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class SysfsMotorsOptions:
    """`[motors.options]` of sysfs."""

    chip: pathlib.Path = setting(pathlib.Path("/sys/class/pwm/pwmchip0"), what="the folder of the PWM chip")
    steering_channel: int = setting(STEERING_CHANNEL, min=0, max=63, what="the chip's channel of the steering servo")
    motor_channel: int = setting(MOTOR_CHANNEL, min=0, max=63, what="the chip's channel of the motor's controller")
    resolution_ns: int = setting(1_000, min=1, max=1_000_000, what="the step that the chip's clock allows")
    enable_file: pathlib.Path | None = setting(
        None, what="a file to which `enable_value` is written before the first pulse"
    )
    enable_value: str = setting("0", what="the stock DeepRacer: gpio436 is on when it is 0")

    def __post_init__(self) -> None:
        check_channels(self.steering_channel, self.motor_channel)


class SysfsMotors:
    """Exports its channels when built; the first pulse is the first `apply`."""

    def __init__(self, options: dict[str, Any], clock: Clock, attributes: AttributeFiles | None = None) -> None:
        del clock  # the chip times the pulses
        self._options = from_table(options, SysfsMotorsOptions, "[motors.options]")
        self._files = attributes or AttributeFiles()
        self._started = False
        self._steering = self._export(self._options.steering_channel)
        self._motor = self._export(self._options.motor_channel)
        log_if_unnamed(options)  # only now: absent ones are retried, and would log each time

    @property
    def resolution_ns(self) -> int:
        return self._options.resolution_ns

    def apply(self, pulses: Pulses) -> None:
        for width_ns in (pulses.steering_ns, pulses.throttle_ns):
            if not 0 < width_ns < PERIOD_NS:
                raise HardwareMissing(f"kernel PWM refuses a pulse of {width_ns} ns: the period is {PERIOD_NS} ns.")
        if not self._started:
            self._start(pulses)
        # The motor first: if the second write fails, the car is no faster than it should be.
        self._write(self._motor / "duty_cycle", pulses.throttle_ns)
        self._write(self._steering / "duty_cycle", pulses.steering_ns)

    def neutral(self) -> None:
        """No pulse at all, the motor first: for when calibrated pulses were refused, or there is no calibration."""
        try:
            self._write(self._motor / "enable", 0)
        finally:
            self._write(self._steering / "enable", 0)
            self._started = False

    def close(self) -> None:
        """Nothing to close: the channels stay exported and pulsing, so that another process can set them to neutral."""

    def _start(self, pulses: Pulses) -> None:
        for channel, width_ns in ((self._motor, pulses.throttle_ns), (self._steering, pulses.steering_ns)):
            # Whatever was there before (a longer duty, another period), zero fits it; the new period fits zero.
            if self._read(channel / "period") != PERIOD_NS:
                self._write(channel / "duty_cycle", 0)
                self._write(channel / "period", PERIOD_NS)
            self._write(channel / "duty_cycle", width_ns)
            self._write(channel / "enable", 1)
        if self._options.enable_file is not None:
            self._write(self._options.enable_file, self._options.enable_value)
        self._started = True

    def _export(self, number: int) -> pathlib.Path:
        chip = self._options.chip
        if (channels := self._read(chip / "npwm")) <= number:
            raise HardwareMissing(f"{chip} has {channels} channels, numbered from 0; there is no channel {number}.")
        channel = chip / f"pwm{number}"
        if not self._files.exists(channel):
            self._write(chip / "export", number)
        deadline_s = time.monotonic() + _EXPORT_TIMEOUT_S
        while not self._files.writable(channel / "duty_cycle"):
            if time.monotonic() > deadline_s:
                raise HardwareMissing(f"{channel}/duty_cycle may not be written: add this user to the group gpio.")
            time.sleep(_POLL_S)
        return channel

    def _read(self, path: pathlib.Path) -> int:
        try:
            return int(self._files.read(path))
        except (OSError, ValueError) as error:
            raise HardwareMissing(
                f"{path} cannot be read ({error}): is kernel PWM switched on, and the chip right?"
            ) from None

    def _write(self, path: pathlib.Path, value: int | str) -> None:
        try:
            self._files.write(path, str(value))
        except OSError as error:
            raise HardwareMissing(f"{path} refused {value} ({_why(error)}).") from None


def _why(error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return "the channel is in use by another program"
    return error.strerror or str(error)
