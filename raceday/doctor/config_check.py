"""Whether the program itself takes the config of a role: it is read as its command reads it."""

import importlib
import pathlib

from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import MachineReader, text
from raceday.extras import missing_sentence
from raceday.install.config_check import BRIDGE_CLASS, CONFIG_CLASSES
from shared.config import parse
from shared.errors import ConfigError
from shared.findings import Finding


def config_finding(reader: MachineReader, role: InstalledRole) -> Finding:
    """One finding about the config file."""
    module, name = BRIDGE_CLASS if role.bridge else CONFIG_CLASSES[role.role]
    cure = "Change it; docs/reference/config.md has every key."
    if role.fault:
        return Finding(role.config, False, role.fault, cure)
    try:
        kind = getattr(importlib.import_module(module), name)
        parse(text(reader, role.config) or "", kind, role.config, pathlib.Path(role.config).absolute().parent)
    except ConfigError as error:
        return Finding(role.config, False, str(error).removeprefix(f"{role.config}: "), cure)
    except ImportError as error:
        sentence = missing_sentence(module, (), error)
        if sentence is None:
            raise
        return Finding(role.config, None, f"It was not read: the program {sentence}")
    return Finding(role.config, True, "The program takes it.")
