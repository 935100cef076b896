"""What a stock car's bridge leaves when it is uninstalled: the instance is gone, and with --purge all of its files.

Called by uninstall.py, for one bridge and for all bridges of a station.
"""

from collections.abc import Iterable

from raceday.install.bridges.bridge_files import data_folder, leash_folder, password_path
from raceday.install.facts import BRIDGE_UNIT, bridge_config_path, bridge_unit
from raceday.install.machine import Machine
from raceday.install.machine_files.config_files import BRIDGE_DATA, TLS
from raceday.install.steps import UNITS, EnableService, MakeFolder, Step, WriteFile


def bridge_leftovers(names: Iterable[str], *, is_last: bool) -> list[Step]:
    """The instances of these cars; the template too, if no other bridge is left."""
    steps: list[Step] = [EnableService(bridge_unit(name)) for name in names]
    return [*steps, WriteFile(f"{UNITS}/{BRIDGE_UNIT}", "")] if is_last else steps


def purge_bridge(machine: Machine, name: str) -> None:
    """Removes config, password, leash kit, certificate and data of one car."""
    secrets = (password_path(name), leash_folder(name), f"{TLS}/{name}.pem", f"{TLS}/{name}.key")
    machine.remove(*secrets, data_folder(name))
    MakeFolder(BRIDGE_DATA, 0o700).undo(machine)
    machine.remove(bridge_config_path(name))  # last: by it the bridge is known, should this be cut off
