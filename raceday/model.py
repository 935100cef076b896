"""`raceday model ...`: check a model as the car would, drive it in the mock world, train it, draw a track."""

import argparse

from simulator import cli as simulator_cli
from vehicle.models import cli as vehicle_cli
from vehicle.replay import cli as replay_cli


def main(arguments: list[str]) -> int:
    """Runs one model command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="raceday model", description="Check, evaluate, train and draw.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    vehicle_cli.add_commands(commands)
    replay_cli.add_replay_command(commands)
    simulator_cli.add_model_commands(commands)
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code
