"""Whether the light has channels of its own on the chip that it shares with the motors. Called by `vehicle/config.py`.

A light on the motor's channel would write pulses of 0 to 10 ms there: full throttle, or none at all. Which device a
chip is, only the machine knows; so two names are of two chips only if they are of one kind, as "i2c-0" and "i2c-1" are.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from shared.errors import ConfigError
from vehicle.hardware.motors.channels import MOTOR_CHANNEL, STEERING_CHANNEL

LIGHT_CHANNELS = (2, 3, 4)
_BUS = re.compile(r"i2c-\d+", re.ASCII)


def require_free_channels(motors: Mapping[str, Any], lights: Mapping[str, Any]) -> None:
    """Raises ConfigError if a light of driver pwm has a channel of motors of driver sysfs. Both are `options` tables.

    What is no channel or no chip is left to the drivers, which say so.
    """
    if not _may_be_one_chip(motors.get("chip", ""), lights.get("chip", "")):
        return
    taken = {"motor": MOTOR_CHANNEL, "steering": STEERING_CHANNEL}
    channels = lights.get("channels", LIGHT_CHANNELS)
    for name, default in taken.items():
        channel = motors.get(f"{name}_channel", default)
        if isinstance(channels, (list, tuple)) and channel in channels:
            raise ConfigError(
                f"`lights.options.channels` has {channel}, which is the {name}'s channel of the same PWM chip: "
                'give the light three others, or say `lights.driver = "none"`.'
            )


def _may_be_one_chip(motors: object, lights: object) -> bool:
    if not isinstance(motors, str) or not isinstance(lights, str) or motors == lights:
        return True
    return _kind(motors) != _kind(lights) or "" in (motors, lights)


def _kind(chip: str) -> Literal["folder", "bus", "device"]:
    """How a chip is named: by its folder in /sys/class/pwm, by its I2C bus, or by another part of its path."""
    if chip.startswith("/"):
        return "folder"
    return "bus" if _BUS.fullmatch(chip) else "device"
