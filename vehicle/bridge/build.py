"""Puts a bridge together from its config. Called by commands/bridge.py and by tests."""

import pathlib

from shared.clock import Clock
from shared.errors import ConfigError
from shared.link.interface import Link
from shared.text import text
from vehicle.bridge.bridge import Bridge
from vehicle.bridge.certificate_pin import CertificatePin
from vehicle.bridge.config import BridgeConfig
from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.stock_car import StockCar, StockCarOptions
from vehicle.bridge.leash.raceday_leash import KEY_BYTES
from vehicle.bridge.leash_link import LeashLink
from vehicle.bridge.secret_files import read_secret


def build_session(config: BridgeConfig) -> ConsoleSession:
    """The login at the car's console. Raises ConfigError if the password cannot be read."""
    console = config.console
    read_secret(console.password_file, text("the console's password"))  # wrong now is better than wrong at the start
    return ConsoleSession(console.host, console.port, console.password_file, CertificatePin(console.certificate_file))


def build_bridge(config: BridgeConfig, link: Link, clock: Clock) -> Bridge:
    """The bridge, not started. Raises ConfigError."""
    console, leash = config.console, config.leash
    options = StockCarOptions(console.model, console.throttle_percent, bool(leash.key_file), config.colour)
    car = StockCar(clock.boot_id, options, clock.now_ns())
    leash_link = None
    if car.leash is not None:
        leash_link = LeashLink(car.leash, leash_key(leash.key_file), leash.host or console.host, leash.port)
    return Bridge(config.device, car, link, build_session(config), clock, leash_link)


def leash_key(file: str) -> bytes:
    """The key from its file. Raises ConfigError."""
    try:
        key = bytes.fromhex(read_secret(pathlib.Path(file), text("the leash's key")))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(text("{file}: this is no key of a leash: make one with `raceday bridge leash`.", file=file))
    return key
