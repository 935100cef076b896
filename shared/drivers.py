"""Drivers are found by name through packaging entry points, so that other packages can add their own.

Groups: raceday.clocks, raceday.cameras, raceday.motors, raceday.gates, raceday.decoders,
raceday.stop_buttons, raceday.start_lights, raceday.leaderboards, raceday.batteries, raceday.car_lights.
Used by each machine's build code, and by the commands that list decoders.
"""

from importlib.metadata import entry_points
from typing import Any

from shared.errors import ConfigError, HardwareMissing


def names(group: str) -> list[str]:
    """The drivers that are installed for `group` ('raceday.cameras')."""
    return sorted({point.name for point in entry_points(group=group)})


def find(group: str, name: str) -> Any:
    """The driver's class. Raises ConfigError for an unknown name, HardwareMissing if its library is absent."""
    points = [point for point in entry_points(group=group) if point.name == name]
    if not points:
        raise ConfigError(
            f"there is no driver {name!r} in {group}; installed are: {', '.join(names(group)) or 'none'}."
        )
    try:
        return points[0].load()
    except ImportError as error:
        raise HardwareMissing(
            f"the driver {name!r} of {group} needs the Python package {error.name!r}: "
            "install it, or choose another driver."
        ) from None
