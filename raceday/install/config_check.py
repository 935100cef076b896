"""Is the config on this machine one that its service starts with? Called by the command before services start."""

import importlib
import pathlib

from raceday.install.machine import Machine
from raceday.install.shipped_files import CONFIG_NAMES, Role
from shared.config import load
from shared.errors import ConfigError

ETC = pathlib.Path("/etc/raceday")
# The modules of these need nothing but the standard library, so that this runs before a role's packages are there.
CONFIG_CLASSES: dict[Role, tuple[str, str]] = {
    "station": ("station.config", "StationConfig"),
    "car": ("vehicle.config", "VehicleConfig"),
    "leaderboard": ("leaderboard.config", "LeaderboardConfig"),
}


def config_fault(role: Role, machine: Machine) -> str:
    """What is wrong with the role's config, as a sentence; "" if nothing is, or it is not there yet.

    Below a root folder it is not checked: the files that it names are elsewhere.
    """
    path = ETC / CONFIG_NAMES[role]
    if not machine.is_here or not path.exists():
        return ""
    module, kind = CONFIG_CLASSES[role]
    try:
        load(path, getattr(importlib.import_module(module), kind))
    except ConfigError as error:
        return str(error)
    return ""
