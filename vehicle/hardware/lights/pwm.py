"""A tail light of three PWM channels, red, green and blue, and lights of three GPIO lines each beside it.

The stock DeepRacer and the community's Pi car have the tail light on channels 2 to 4 of the chip that drives the motors
(aws-deepracer-servo-pkg `led_mgr.cpp`; deepracer-custom-car `docs/raspberry_pi.md`). That chip has one divider for all:
the light runs at the motors' period, and each channel gets it before the next is exported (`motors/pwm_channels.py`).
That no channel is the motors' is checked where both are known (`free_channels.py`).
The side lights of the stock car are on or off (aws-deepracer-status-led-pkg `constants.py`).
"""

from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import ConfigError
from vehicle.core.light_patterns import DARK, LightColour
from vehicle.core.pulses import PERIOD_NS
from vehicle.hardware.lights.free_channels import LIGHT_CHANNELS
from vehicle.hardware.lights.maker_colour import FULL_NS
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.gpio_output import GpioOutput
from vehicle.hardware.motors.pwm_channels import PwmChannels
from vehicle.hardware.motors.pwm_chip import find_chip

_ON = 128  # a side light's colour is on from half its brightness


@dataclass(frozen=True, slots=True)
class PwmLightsOptions:
    """`[lights.options]` of pwm."""

    chip: str = setting("", what="the PWM chip, as in [motors.options]; none: the only chip there is")
    channels: tuple[int, ...] = setting(LIGHT_CHANNELS, what="the chip's channels of red, green and blue")
    side_gpios: tuple[int, ...] = setting((), what="GPIO numbers of side lights: red, green and blue of each in turn")
    full_ns: int = setting(FULL_NS, min=1_000, max=PERIOD_NS, what="the pulse width of full brightness")

    def __post_init__(self) -> None:
        if len(self.channels) != 3 or len(set(self.channels)) != 3 or min(self.channels) < 0:
            raise ConfigError("`channels` must be three channels: of red, green and blue.")
        if len(self.side_gpios) % 3 or len(set(self.side_gpios)) != len(self.side_gpios):
            raise ConfigError("`side_gpios` must be three numbers for each light: of red, green and blue.")


class PwmLights:
    """Opens its channels and lines when built, and leaves the motors' channels alone."""

    def __init__(self, options: dict[str, Any], clock: Clock, attributes: AttributeFiles | None = None) -> None:
        del clock  # the chip times the pulses
        self._options = from_table(options, PwmLightsOptions, "[lights.options]")
        files = attributes or AttributeFiles()
        self._channels = PwmChannels(find_chip(self._options.chip, files), self._options.channels, PERIOD_NS, files)
        self._lines = [GpioOutput(number, files, "side_gpios") for number in self._options.side_gpios]
        self._is_on = False

    def show(self, colour: LightColour) -> None:
        """Show the colour. The widths are set first, so that a light that was off does not flash in its old colour."""
        parts = (colour.red, colour.green, colour.blue)
        for channel, part in zip(self._options.channels, parts, strict=True):
            self._channels.set_width(channel, self._options.full_ns * part // 255)
        if not self._is_on:
            for channel in self._options.channels:
                self._channels.set_enabled(channel, enabled=True)
            self._is_on = True
        for number, line in enumerate(self._lines):
            line.drive("high" if parts[number % 3] >= _ON else "low")

    def close(self) -> None:
        """Dark, but the channels stay enabled: the stock software sets widths alone."""
        self.show(DARK)
