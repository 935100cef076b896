"""Which config file a command takes when none is named: the installed machine's, else that of the working folder.

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
    usual = f"default: {INSTALLED / name}, else {HERE / name}"
    parser.add_argument("--config", type=pathlib.Path, metavar="FILE", help=f"{what}; {usual}" if what else usual)


def chosen_config(
    given: pathlib.Path | None, name: str, *, installed_as: str = "", may_be_root: bool = False
) -> pathlib.Path:
    """The config that was named, else the installed one, which is said, else the one of this name here.

    The working folder never goes first: its file may be a mock's, or laid there for root by somebody else.
    Root on a machine where something is installed takes no file of the working folder by itself, also not of a role
    that is not. `installed_as`: its name in /etc/raceday, if that is another. Raises OperatorError for that, and if
    root would leave files behind that the installed service, another user, cannot use; `may_be_root`: the command
    writes none, or needs root.
    """
    if given is not None:
        return given
    here, installed = HERE / name, INSTALLED / (installed_as or name)
    if not _is_there(installed):
        if os.geteuid() == 0 and _is_there(INSTALLED):
            raise OperatorError(
                f"there is no {installed} on this machine (sudo raceday install makes it), and root takes no config of "
                f"the folder that it stands in: --config {here} names one, if you mean it."
            )
        return here
    if os.geteuid() == 0 and not may_be_root:
        command = f"sudo -u {SERVICE_USER} raceday {' '.join(sys.argv[1:])}"
        raise OperatorError(f"{installed} is of an installed service, whose files must stay its own: {command}")
    instead = f", and not {here} of this folder, which --config names" if _is_there(here) else ""
    sys.stderr.write(f"({installed} is taken{instead}.)\n")
    return installed


def _is_there(path: pathlib.Path) -> bool:
    """Can this user see it? The working folder may be gone, or another's home (`sudo -u raceday` in one's own)."""
    return os.path.exists(path)  # noqa: PTH110  # Path.exists raises PermissionError in Python 3.11 to 3.13
