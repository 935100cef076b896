"""`raceday model ...`: bring, look at and choose models, drive them in the mock world, train one, draw a track.

A table of families: only the one that is families for is loaded, so that an import need not wait for the mock world.
"""

import argparse
import importlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Commands that live together: their words, and the function that mounts them on argparse's subparsers."""

    words: tuple[str, ...]
    module: str
    mount: str


FAMILIES: tuple[Family, ...] = (
    Family(("check", "import", "inspect", "list", "select", "remove"), "vehicle.commands.model", "add_commands"),
    Family(("replay",), "vehicle.commands.run", "add_replay_command"),
    Family(("evaluate", "train", "render"), "simulator.cli", "add_model_commands"),
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
