"""What is installed on a machine by its files in /etc/raceday, and the names that follow from a role. Pure.

The checks read a config as the table that it is, so that a doctor can speak of a machine whose packages are not whole;
whether the program takes it, `ROLE_CHECK` asks the program itself.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raceday.doctor.machine_reader import MachineReader, text
from raceday.install.facts import UNIT_OF, bridge_config_path, bridge_name_of, bridge_unit
from raceday.install.shipped_files import CONFIG_NAMES, ROLES, Role

ETC = "/etc/raceday"
EXTRAS: Mapping[Role, str] = {"station": "station", "car": "vehicle", "leaderboard": "leaderboard"}


@dataclass(frozen=True, slots=True)
class InstalledRole:
    """A role with its config: the path, the table, and why it is no table ("" if it is one).

    `bridge`: the stock car whose bridge this is, which is a car for the broker; "" for what has a role of its own.
    """

    role: Role
    config: str
    table: Mapping[str, Any]
    fault: str = ""
    bridge: str = ""

    @property
    def unit(self) -> str:
        return bridge_unit(self.bridge) if self.bridge else UNIT_OF[self.role]

    @property
    def about(self) -> str:
        """What its part of the table is called."""
        return f"bridge of {self.bridge}" if self.bridge else self.role

    @property
    def cure(self) -> str:
        """The command that puts its files and units in place."""
        return f"Run `sudo raceday install {f'bridge {self.bridge}' if self.bridge else self.role}`."

    @property
    def posts(self) -> bool:
        """Does it send results to a leaderboard?"""
        return bool(self.part("sync").get("leaderboard_url"))

    def part(self, key: str) -> Mapping[str, Any]:
        """A table of the config; {} if it has none."""
        value = self.table.get(key)
        return value if isinstance(value, Mapping) else {}

    def parts(self, key: str) -> list[Mapping[str, Any]]:
        """A list of tables of the config, or one table as a list of one."""
        value = self.table.get(key)
        return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Mapping)]


def installed_roles(reader: MachineReader) -> list[InstalledRole]:
    """The roles whose config is in /etc/raceday."""
    paths = ((role, f"{ETC}/{CONFIG_NAMES[role]}") for role in ROLES)
    return [read_role(reader, role, path) for role, path in paths if reader.status(path) is not None]


def installed_bridges(reader: MachineReader) -> list[InstalledRole]:
    """The bridges of stock cars whose config is in /etc/raceday."""
    names = filter(None, map(bridge_name_of, reader.names(ETC)))
    return [read_role(reader, "car", bridge_config_path(name), bridge=name) for name in names]


def read_role(reader: MachineReader, role: Role, path: str, *, bridge: str = "") -> InstalledRole:
    """The role with the config at `path`."""
    written = text(reader, path)
    if written is None:
        return InstalledRole(role, path, {}, "It cannot be read.", bridge)
    try:
        return InstalledRole(role, path, tomllib.loads(written), bridge=bridge)
    except tomllib.TOMLDecodeError as error:
        return InstalledRole(role, path, {}, f"It is not TOML: {error}.", bridge)


def options_of(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The driver's own options of a part."""
    options = part.get("options")
    return options if isinstance(options, Mapping) else {}
