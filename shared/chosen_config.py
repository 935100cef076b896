"""Which config file a command takes when none is named: that of the working folder, else the installed machine's.

Called by the commands of all machines. What is taken from /etc/raceday is said, since it is not where one stands.
"""

import argparse
import os
import pathlib
import sys
from typing import Final

from shared.errors import OperatorError

HERE, INSTALLED = pathlib.Path("config"), pathlib.Path("/etc/raceday")
SERVICE_USER: Final = "raceday"


def add_config_option(parser: argparse._ActionsContainer, name: str, what: str = "") -> None:
    """The option --config of a command; `what` it is, if that is more than the config."""
    usual = f"default: {HERE / name}, else {INSTALLED / name}"
    parser.add_argument("--config", type=pathlib.Path, metavar="FILE", help=f"{what}; {usual}" if what else usual)


def chosen_config(given: pathlib.Path | None, name: str, *, may_be_root: bool = False) -> pathlib.Path:
    """The config that was named, else the one of this name here, else the installed one, which is said.

    Raises OperatorError if root would leave files behind that the installed service, another user, cannot use;
    `may_be_root`: the command writes none, or needs root.
    """
    if given is not None:
        return given
    here, installed = HERE / name, INSTALLED / name
    if here.exists() or not installed.exists():
        return here
    if os.geteuid() == 0 and not may_be_root:
        command = f"sudo -u {SERVICE_USER} raceday {' '.join(sys.argv[1:])}"
        raise OperatorError(f"{installed} is of an installed service, whose files must stay its own: {command}")
    sys.stderr.write(f"({installed} is taken: there is no {here} here.)\n")
    return installed
