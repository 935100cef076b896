"""Hardware profiles: what is known of a kind of car, as the defaults of its config. `profile = "NAME"` in vehicle.toml.

What the file itself says wins, key by key. A section that names another driver takes nothing from the profile, since
another driver has other options. Pure, of the standard library alone: `raceday install` reads it before the packages of
a car are there. Called by `vehicle/config.py`.

Sources: aws-deepracer-servo-pkg (channels 0 and 1, enable line, tail light on 2 to 4 up to 10 ms), -i2c-pkg (battery),
-camera-pkg; deepracer-custom-car `build_scripts/files/dr/pwm.sh` and `led_gpio.sh` (the numbers of 24.04),
`docs/raspberry_pi.md` (the Pi car: channels of the servo hat, no battery gauge), `install_scripts/rpi-24.04` (overlay).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from shared.errors import ConfigError

# Wi-Fi, camera and power light, each red, green, blue: 448, 447, 437, ... of 20.04, and 78 more on 24.04.
SIDE_LIGHTS_2404 = [526, 525, 515, 524, 523, 521, 528, 535, 536]
CALIBRATION_FILE = "/var/lib/raceday-vehicle/calibration.json"  # where the service may write
_CALIBRATIONS = ("file", "stock", "steering", "motor")  # `[calibration]` takes one of them


@dataclass(frozen=True, slots=True)
class HardwareProfile:
    """A kind of car. `defaults` is a table as in vehicle.toml."""

    name: str
    what: str
    defaults: Mapping[str, Any]


PROFILES: Mapping[str, HardwareProfile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            HardwareProfile(
                "deepracer-2404",
                "a stock DeepRacer with the community's software for Ubuntu 24.04, which is stopped while we drive",
                {
                    "camera": {"driver": "v4l2", "options": {"device": "auto", "width_px": 640, "height_px": 480}},
                    "motors": {
                        "driver": "sysfs",
                        "options": {"chip": "i2c-0", "motor_channel": 0, "steering_channel": 1, "enable_gpio": 514},
                    },
                    "calibration": {"file": CALIBRATION_FILE, "maker_file": "/opt/aws/deepracer/calibration.json"},
                    "battery": {"driver": "deepracer", "options": {"bus": "0000:00:17.3"}},
                    "lights": {
                        "driver": "pwm",
                        "maker_file": "/opt/aws/deepracer/led_values.json",
                        "options": {"chip": "i2c-0", "channels": [2, 3, 4], "side_gpios": SIDE_LIGHTS_2404},
                    },
                    "lapwatch": {"fov_rad": 2.09},  # the lens is sold as one of 120 degrees
                    "stock_software": {"service": "deepracer-core"},
                },
            ),
            HardwareProfile(
                "pi-pca9685",
                "the community's Raspberry Pi car: a PCA9685 servo hat, driven by the kernel, and the ribbon camera",
                {
                    "camera": {"driver": "rpicam", "options": {"width_px": 320, "height_px": 240}},
                    "motors": {
                        "driver": "sysfs",
                        "options": {"chip": "i2c-1", "motor_channel": 0, "steering_channel": 1},
                    },
                    "calibration": {"file": CALIBRATION_FILE},
                    "battery": {"driver": "none"},
                    "lights": {"driver": "pwm", "options": {"chip": "i2c-1", "channels": [2, 3, 4]}},
                    "stock_software": {"service": "deepracer-core"},
                },
            ),
        )
    }
)


def with_profile(table: Mapping[str, Any]) -> dict[str, Any]:
    """A vehicle.toml with the defaults of its `profile` written out. Raises ConfigError for an unknown one."""
    name = table.get("profile", "")
    if name == "":
        return dict(table)
    if not isinstance(name, str) or name not in PROFILES:
        raise ConfigError(f"there is no hardware profile {name!r}; there are {', '.join(PROFILES)}.")
    return _merged(table, copy.deepcopy(dict(PROFILES[name].defaults)))


def _merged(table: Mapping[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """`table` over `defaults`."""
    merged = dict(table)
    for key, default in defaults.items():
        own = table.get(key)
        if own is None:
            merged[key] = default
        elif isinstance(own, Mapping) and isinstance(default, dict) and _is_of_the_same_kind(key, own, default):
            merged[key] = _merged(own, default)
    return merged


def _is_of_the_same_kind(key: str, own: Mapping[str, Any], default: Mapping[str, Any]) -> bool:
    """Whether the profile's defaults belong to what the file names: the same driver, no calibration of its own."""
    if key == "calibration":
        return not any(name in own for name in _CALIBRATIONS if name != "file")
    return bool(own.get("driver", default.get("driver")) == default.get("driver"))
