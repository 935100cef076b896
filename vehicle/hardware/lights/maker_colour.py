"""The colour that a racer chose for the tail light in the stock car's console. Called by `vehicle/config.py`.

Source: aws-deepracer-servo-pkg `led_mgr.cpp`: {"Led Values": {"red_pwm", "green_pwm", "blue_pwm"}}, each a pulse width
of 0 to 10,000,000 ns.
"""

import json
import pathlib

from vehicle.core.light_patterns import LightColour

FULL_NS = 10_000_000
_MAX_BYTES = 65_536
_KEYS = ("red_pwm", "green_pwm", "blue_pwm")


def read_maker_colour(path: pathlib.Path) -> LightColour | None:
    """The colour of the file; None if it is absent, dark, or not what the stock car writes: it is only a light."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MAX_BYTES))
        widths_ns = [document["Led Values"][key] for key in _KEYS]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None
    if any(type(width_ns) is not int or not 0 <= width_ns <= FULL_NS for width_ns in widths_ns) or not any(widths_ns):
        return None
    return LightColour(*(width_ns * 255 // FULL_NS for width_ns in widths_ns))
