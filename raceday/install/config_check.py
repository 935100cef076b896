"""Is a config on this machine one that its service starts with? Called by the command before services start."""

import importlib
import pathlib
from dataclasses import dataclass

from raceday.install.facts import bridge_config_path
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
BRIDGE_CLASS = ("vehicle.bridge.config", "BridgeConfig")


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """The config of a service: where it is, and the module and class that read it."""

    path: pathlib.Path
    module: str
    kind: str


def config_of_role(role: Role) -> ServiceConfig:
    """The config of a station, a car or a leaderboard."""
    return ServiceConfig(ETC / CONFIG_NAMES[role], *CONFIG_CLASSES[role])


def config_of_bridge(name: str) -> ServiceConfig:
    """The config of a stock car's bridge."""
    return ServiceConfig(pathlib.Path(bridge_config_path(name)), *BRIDGE_CLASS)


def config_fault(config: ServiceConfig, machine: Machine) -> str:
    """What is wrong with the config, as a sentence; "" if nothing is, or it is not there yet.

    Below a root folder it is not checked: the files that it names are elsewhere.
    """
    if not machine.is_here or not config.path.exists():
        return ""
    try:
        load(config.path, getattr(importlib.import_module(config.module), config.kind))
    except ConfigError as error:
        return str(error)
    return ""
