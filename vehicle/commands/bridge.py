"""`raceday bridge`: be the car of a stock DeepRacer, list its models, make its leash, or play its console."""

import argparse
import pathlib
import sys

from shared.chosen_config import INSTALLED, chosen_config
from shared.clock import SystemClock
from shared.config import load
from shared.errors import ConfigError, RetryLater
from shared.files import write_ready_file
from shared.link.mqtt import MqttLink
from shared.text import text
from vehicle.bridge.build import build_bridge, build_session
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.core.console_calls import ConsoleCall
from vehicle.bridge.leash_kit import write_kit
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer

SHIPPED = "bridge.toml"
WORDS = ("run", "models", "leash", "mock-console")


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code. Errors are raised as RacedayError, one sentence each."""
    parsed = _parser().parse_args(arguments)
    if parsed.what == "leash":
        return _leash(parsed.to)
    if parsed.what == "mock-console":
        return _mock_console(parsed)
    config = load(_config_file(parsed.config), BridgeConfig)
    return _models(config) if parsed.what == "models" else _run(config, parsed.ready_file)


def _config_file(given: pathlib.Path | None) -> pathlib.Path:
    """The config that was named, else the only installed one, else the shipped one. Raises ConfigError for several."""
    if given is not None:
        return given
    installed = sorted(path.name for path in INSTALLED.glob("bridge-*.toml"))
    if len(installed) > 1:
        raise ConfigError(f"{INSTALLED} holds several bridges ({', '.join(installed)}): name one by --config FILE.")
    return chosen_config(None, SHIPPED, installed_as=installed[0] if installed else "bridge-NAME.toml")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="raceday bridge", description=__doc__)
    parser.add_argument(
        "what",
        nargs="?",
        choices=WORDS,
        default="run",
        help="run: the bridge (default); models: the models on the car; leash: the files that cut the car's motor when "
        "its bridge is silent, with a new key; mock-console: a stock console without a car, to try the bridge with",
    )
    parser.add_argument(
        "--config",
        type=pathlib.Path,
        metavar="FILE",
        help="run, models: the bridge's TOML file; default: the only one in /etc/raceday, else config/bridge.toml",
    )
    parser.add_argument("--ready-file", type=pathlib.Path, help="run, mock-console: is written once it serves")
    parser.add_argument(
        "--to", type=pathlib.Path, default=pathlib.Path("leash"), help="leash: the folder for the files"
    )
    parser.add_argument(
        "--version", choices=("stock", "community"), default="stock", help="mock-console: whose software it plays"
    )
    parser.add_argument("--port", type=int, default=8443, help="mock-console: of the page, https; 0: any free one")
    parser.add_argument("--direct-port", type=int, default=5001, help="mock-console: the one without a password")
    parser.add_argument(
        "--root", type=pathlib.Path, help="mock-console: a folder for the car's PWM and GPIO files, for a leash"
    )
    return parser


def _run(config: BridgeConfig, ready_file: pathlib.Path | None) -> int:
    clock = SystemClock()
    bridge = build_bridge(config, MqttLink(config.mqtt, config.device, clock.boot_id, "car"), clock)
    try:
        bridge.start()
        if ready_file is not None:
            write_ready_file(ready_file, config.device)
        bridge.run()
    finally:
        bridge.close()
    return 0


def _models(config: BridgeConfig) -> int:
    answer = build_session(config).call(ConsoleCall("models"))
    if answer.outcome != "done":
        raise RetryLater(
            text("The console at {host} does not answer: {why}.", host=config.console.host, why=answer.why)
        )
    for name in answer.names:
        print(("* " if name == config.console.model else "  ") + name)
    if config.console.model not in answer.names:
        print(f"The config's `console.model`, {config.console.model}, is not among them.", file=sys.stderr)
        return 1
    return 0


def _leash(folder: pathlib.Path) -> int:
    for file in write_kit(folder):
        print(file)
    print("Carry them to the car as docs/stock-car.md says; the bridge's config names the key (`leash.key_file`).")
    return 0


def _mock_console(parsed: argparse.Namespace) -> int:
    """Serve the mock until a signal; its password is `deepracer`."""
    console = MockConsole(MockCar(CarOutputs(parsed.root)), parsed.version)
    server = MockConsoleServer(console, parsed.port, parsed.direct_port)
    server.start()
    try:
        line = f"https://127.0.0.1:{server.port}/ direct {server.direct_port}"
        print(f"A {parsed.version} console listens: {line}; its password is {console.password}.", flush=True)
        if parsed.ready_file is not None:
            write_ready_file(parsed.ready_file, line)
        server.watch(lambda moves: print(f"The car {'moves' if moves else 'stands'}.", flush=True))
    finally:
        server.close()
    return 0
