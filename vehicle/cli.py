"""`raceday vehicle`: run the car, stop it from its own shell, or set its motors to neutral from outside."""

import argparse
import pathlib

from shared.config import load
from vehicle.build import build_clock, build_guard, build_motors
from vehicle.config import VehicleConfig
from vehicle.core.pulses import neutral
from vehicle.localstop import ask_to_stop


def main(arguments: list[str]) -> int:
    """Runs the command; returns the exit code. Errors are raised as RacedayError, one sentence each."""
    asked = _parser().parse_args(arguments)
    config = load(asked.config, VehicleConfig)
    if asked.what == "stop":
        print(ask_to_stop(config.local.socket))
        return 0
    if asked.what == "neutral":
        return _neutral(config)
    return build_guard(config, str(asked.config)).run(asked.ready_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday vehicle", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("run", "stop", "neutral"),
        default="run",
        help="run: the agent (default); stop: emergency stop of the agent that runs here, no network needed; "
        "neutral: motors to neutral when no agent runs (for the service's stop hook)",
    )
    parser.add_argument("--config", type=pathlib.Path, required=True, help="the car's TOML file")
    parser.add_argument("--ready-file", type=pathlib.Path, help="is written once the guard decides")
    return parser


def _neutral(config: VehicleConfig) -> int:
    """Hardware keeps its last pulse when its writer is killed; this ends it."""
    motors = build_motors(config, build_clock(config))
    try:
        motors.apply(neutral(config.calibration, motors.resolution_ns))
    finally:
        motors.close()
    return 0
