"""`raceday model ...`: import, inspect and select models, drive them in the mock world, train one, draw a track.

Only the module of the requested command is loaded, so that an import does not wait for the mock world.
"""

import argparse
import importlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """The commands of one module: their names, and the function there that adds them to argparse's subparsers."""

    words: tuple[str, ...]
    module: str
    mount: str


FAMILIES: tuple[Family, ...] = (
    Family(
        ("check", "import", "inspect", "list", "quantise", "select", "remove"), "vehicle.commands.model", "add_commands"
    ),
    Family(("replay",), "vehicle.commands.run", "add_replay_command"),
    Family(("evaluate", "train", "render"), "simulator.cli", "add_model_commands"),
    Family(("choose", "race"), "simulator.virtual_races.cli", "add_commands"),
    Family(("video",), "simulator.virtual_races.video.cli", "add_commands"),
)


def main(arguments: list[str]) -> int:
    """Runs one model command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="raceday model", description="Bring, check, choose, evaluate and train models."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    families = [family for family in FAMILIES if arguments and arguments[0] in family.words]
    for family in families or FAMILIES:
        getattr(importlib.import_module(family.module), family.mount)(commands)
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code
