"""The default channels of motor and steering on a PWM chip, for a config that names none.

The stock DeepRacer, the community's Pi car and donkeycar have the motor on channel 0 and the steering on 1
(aws-deepracer-servo-pkg `servo_mgr.cpp`; deepracer-custom-car `docs/raspberry_pi.md`). The wrong way round, a right
turn of the stock car would be 1.2 ms at the motor's controller: forward, and beyond its full scale.
"""

from typing import Any

from shared.errors import ConfigError
from vehicle.process.log import log

MOTOR_CHANNEL, STEERING_CHANNEL = 0, 1


def check_channels(steering: int, motor: int) -> None:
    """Raises ConfigError if both are the same channel, even if only by default."""
    if steering == motor:
        raise ConfigError(
            f"`steering_channel` and `motor_channel` are both {motor}; each needs a channel of its own: name both."
        )


def log_if_unnamed(options: dict[str, Any]) -> None:
    """Log the default channels if `options` names neither: a car that is wired the other way round needs others."""
    if "steering_channel" not in options and "motor_channel" not in options:
        log(
            f"[motors.options] names no channels: the motor is assumed to be on {MOTOR_CHANNEL} and the steering on "
            f"{STEERING_CHANNEL}, as on the stock car. Name both; `raceday vehicle calibrate` asks which wheel moved."
        )
