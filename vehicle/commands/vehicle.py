"""`raceday vehicle`: run the car, stop it from its own shell, set its motors to neutral from outside, calibrate it."""

import argparse
import importlib
import pathlib
from dataclasses import dataclass

from shared.chosen_config import add_config_option, chosen_config
from shared.clock import build_clock
from shared.config import load
from shared.errors import BadInput, ConfigError, Refused
from vehicle.build import build_guard
from vehicle.calibration.file import read_calibration, write_calibration
from vehicle.calibration.terminal_wizard import TerminalWizard
from vehicle.commands.hand_over import HandOver
from vehicle.config import VehicleConfig
from vehicle.core.pulses import STOCK_CALIBRATION, Calibration, describe_positions, require_fine_enough
from vehicle.drivers import motors_factory, require_motors_to_ourselves, require_resolution
from vehicle.guard.actuators import Actuators
from vehicle.guard.stop_socket import StopSocket, ask_to_stop
from vehicle.hardware.stock_software import TAKEN_OVER
from vehicle.process.log import log
from vehicle.web.claim_codes import ClaimCodes


@dataclass(frozen=True, slots=True)
class VehicleVerb:
    """A command of the car with arguments of its own, in a module that the agent itself never imports."""

    name: str
    module: str


# These open motors, or write what everybody may read; the others write files that the service itself must read.
OF_ROOT = ("stop", "neutral", "calibrate", "take-over", "give-back")
VERBS = (VehicleVerb("lens", "vehicle.commands.lens"),)


def main(arguments: list[str]) -> int:
    """Runs the command; returns the exit code. Errors are raised as RacedayError, one sentence each."""
    verb = next((verb for verb in VERBS if arguments[:1] == [verb.name]), None)
    if verb is not None:
        code: int = importlib.import_module(verb.module).main(arguments[1:])
        return code
    parsed = _parser().parse_args(arguments)
    parsed.config = chosen_config(parsed.config, "vehicle.toml", may_be_root=parsed.what in OF_ROOT)
    config = load(parsed.config, VehicleConfig)
    if parsed.what == "stop":
        print(ask_to_stop(config.local.socket))
        return 0
    if parsed.what == "claim":
        print(ClaimCodes(config.console.claims).new_code())
        return 0
    if parsed.what == "neutral":
        return _neutral(config)
    if parsed.what in ("take-over", "give-back"):
        return _hand_over(config, parsed.what)
    if parsed.what == "calibrate":
        return _calibrate(config, parsed.begin_with)
    return build_guard(config, str(parsed.config)).run(parsed.ready_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday vehicle", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=("run", "stop", "neutral", "calibrate", "claim", "take-over", "give-back"),
        default="run",
        help="run: the agent (default); stop: emergency stop of the agent that runs here, no network needed; "
        "neutral: motors to neutral when no agent runs (for the service's stop hook); "
        "calibrate: find this car's pulse widths, wheels off the ground; "
        "claim: a new claim code for the phone page, which ends all sessions; "
        "take-over: stop a stock car's own software, the motors at neutral, so that ours may drive (needs root); "
        "give-back: start it again, with ours stopped; "
        "lens: measure the camera's lens, see `raceday vehicle lens --help`",
    )
    add_config_option(parser, "vehicle.toml", "the car's TOML file")
    parser.add_argument("--ready-file", type=pathlib.Path, help="is written once the guard decides")
    parser.add_argument(
        "--from", dest="begin_with", type=pathlib.Path, help="calibrate: begin with this file, the stock car's for one"
    )
    return parser


def _neutral(config: VehicleConfig) -> int:
    """Set neutral and cut the outputs: hardware repeats its last pulse after its writer was killed."""
    try:
        calibration = config.calibration.load()
    except BadInput as error:  # a damaged file must not keep the motors turning: without one there is no pulse at all
        log(f"{error} The motors get no pulse instead.")
        calibration = None
    actuators = Actuators(motors_factory(config, build_clock(config.clock))(), calibration)
    try:
        actuators.set_neutral()
    finally:
        actuators.close()
    return 0


def _hand_over(config: VehicleConfig, direction: str) -> int:
    """Hand the motors over while holding the guard's socket: our agent must not run meanwhile."""
    open_motors = motors_factory(config, build_clock(config.clock))
    calibration = _saved_calibration(config, "Neutral is that of the stock figures.")
    record = config.outbox.path.absolute().parent / TAKEN_OVER
    hand_over = HandOver(config.stock_software.service, open_motors, calibration, record)
    stop_socket = StopSocket(config.local.socket)
    try:
        print(hand_over.take_over() if direction == "take-over" else hand_over.give_back())
    finally:
        stop_socket.close()
    return 0


def _calibrate(config: VehicleConfig, begin_with: pathlib.Path | None) -> int:
    """Run the wizard while holding the guard's socket, so that no guard can start meanwhile."""
    file = config.calibration.file
    if file is None:
        raise ConfigError("calibrate writes the file that `calibration.file` names: name one in the car's TOML file.")
    otherwise = "This calibration begins with the stock figures."
    start = read_calibration(begin_with) if begin_with else _saved_calibration(config, otherwise)
    require_motors_to_ourselves(config)
    stop_socket = StopSocket(config.local.socket)
    try:
        motors = require_resolution(motors_factory(config, build_clock(config.clock))(), start)
        try:
            resolution = motors.resolution
            calibration = TerminalWizard(motors, start, _ask).run()
            require_fine_enough(calibration, resolution)
        finally:
            motors.close()
    finally:
        stop_socket.close()
    write_calibration(file, calibration)
    print(f"{file}: saved. The car uses it from its next start. {describe_positions(calibration, resolution)}")
    return 0


def _saved_calibration(config: VehicleConfig, otherwise: str) -> Calibration:
    """The saved calibration, or the stock figures where there is none or it is damaged."""
    try:
        return config.calibration.load() or STOCK_CALIBRATION
    except BadInput as error:
        log(f"{error} {otherwise}")
        return STOCK_CALIBRATION


def _ask(text: str) -> str:
    try:
        return input(text)
    except EOFError:
        raise Refused("the calibration was called off: the input has ended.") from None
