"""What somebody asked of `raceday install bridge`, checked: its arguments, the console's password, the leash's key.

Called by the command; the plan (bridge_plan.py) reads the request.
"""

import argparse
import getpass
import pathlib
import re
import secrets
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from raceday.certs.machine_names import checked_machine_name
from raceday.install.bridges.bridge_files import leash_key_path, password_path
from raceday.install.certificates import carried_name
from raceday.install.facts import bridge_config_path
from raceday.install.machine import Machine
from raceday.install.request import HOST
from shared.errors import BadInput, OperatorError, Refused
from vehicle.bridge.leash.raceday_leash import KEY_BYTES

MAX_PASSWORD = 200  # characters
MODEL = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
CONSOLE_PORT = 443  # of a real car; the mock console has another


@dataclass(frozen=True, slots=True)
class BridgeRequest:
    """A stock car's bridge. What is "" stays as the config on the machine has it, or is the usual."""

    name: str
    console: str = ""
    port: int | None = None
    model: str = ""
    is_leashed: bool = False
    password: str = ""
    leash_key: str = ""  # a new one, in hexadecimal digits
    certs_file: pathlib.Path | None = None


def add_bridge_arguments(parser: argparse.ArgumentParser) -> None:
    """What `raceday install bridge` takes beside what all installations take."""
    parser.add_argument("name", metavar="NAME", help="the car's name at the station, such as car-1")
    parser.add_argument("--console", metavar="HOST", help="the car's name or address; with a port: HOST:PORT")
    parser.add_argument("--model", metavar="NAME", help="the model that drives, as the car's console lists it")
    parser.add_argument("--leash", action="store_true", help="also make the files that cut the car's motor on silence")
    parser.add_argument(
        "--password-file",
        type=pathlib.Path,
        metavar="FILE",
        help="its first line is the console's password; else asked",
    )
    parser.add_argument("--certs", type=pathlib.Path, metavar="FILE", help="the file that `raceday certs car` made")


def bridge_name(name: str) -> str:
    """The stock car's name, checked. Raises OperatorError."""
    try:
        return checked_machine_name(name)
    except Refused as refusal:
        raise OperatorError(str(refusal)) from None


def bridge_request(chosen: argparse.Namespace, machine: Machine) -> BridgeRequest:
    """The arguments as a request; asks for the password if none is there yet. Raises OperatorError."""
    name = bridge_name(chosen.name)
    console, port = parsed_console(chosen.console) if chosen.console else ("", None)
    if chosen.model and MODEL.fullmatch(chosen.model) is None:
        raise OperatorError(
            f"--model {chosen.model[:60]!r}: write the name of the model's folder, as the car lists it."
        )
    if chosen.certs is not None and (carried := carried_name(chosen.certs)) != name:
        raise OperatorError(f"--certs: the certificates are those of {carried}, and this is the bridge of {name}.")
    return BridgeRequest(
        name,
        console=console,
        port=port,
        model=chosen.model or "",
        is_leashed=chosen.leash,
        password=_password(chosen, machine, name),
        leash_key="" if machine.read(leash_key_path(name)) else secrets.token_hex(KEY_BYTES),
        certs_file=chosen.certs,
    )


def parsed_console(text: str) -> tuple[str, int | None]:
    """Host of `HOST`, host and port of `HOST:PORT`. Raises OperatorError."""
    host, colon, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535
    if HOST.fullmatch(host) is None or (colon and not is_port):
        raise OperatorError(f"--console {text[:60]!r}: write the car's name or address, such as 192.168.1.41.")
    return host, int(port) if colon else None


def read_password(file: pathlib.Path) -> str:
    """The first line of a file. Raises BadInput."""
    try:
        with file.open(encoding="utf-8") as lines:
            line = lines.readline(4 * MAX_PASSWORD).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--password-file {file}: cannot be read ({error}).") from None
    return checked_password(line, f"--password-file {file}")


def checked_password(line: str, source: str) -> str:
    """Raises BadInput for what no console can have as its password, without repeating it."""
    if not line or len(line) > MAX_PASSWORD or not line.isprintable():
        raise BadInput(f"{source}: holds no password: one line of 1 to {MAX_PASSWORD} characters is expected.")
    return line


def _password(chosen: argparse.Namespace, machine: Machine, name: str) -> str:
    """From the file, else from the terminal if the machine has none yet; never an argument, which every user sees.

    A config that names another file for it has its password there, and the bridge says what is wrong with that.
    """
    if chosen.password_file is not None:
        return read_password(chosen.password_file)
    if chosen.dry_run or machine.read(password_path(name)) is not None or not _is_ours_to_ask(machine, name):
        return ""
    if not sys.stdin.isatty():
        raise OperatorError("the console's password is needed: write it into a file, and name that by --password-file.")
    return checked_password(getpass.getpass(f"Password of {name}'s console: "), "what was typed")


def _is_ours_to_ask(machine: Machine, name: str) -> bool:
    """Is there no config of this bridge yet, or one whose password file is the one that this program writes?"""
    config = machine.read(bridge_config_path(name))
    if config is None:
        return True
    try:
        console = tomllib.loads(config.decode()).get("console")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False  # the check of the config says what is wrong with it
    return isinstance(console, Mapping) and console.get("password_file") == password_path(name)
