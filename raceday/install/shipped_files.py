"""The files that travel with the program: units, config files to start from, pins and bill of materials of each role.

Called by the plan of an installation. In a wheel all of them lie beside this module; in a checkout `config/` lies at
the project's top, where people use it (pyproject.toml says what the wheel takes from there).
"""

import pathlib
from typing import Literal, get_args

from shared.errors import OperatorError

Role = Literal["station", "car", "leaderboard"]
ROLES: tuple[Role, ...] = get_args(Role)
CONFIG_NAMES: dict[Role, str] = {"station": "station.toml", "car": "vehicle.toml", "leaderboard": "leaderboard.toml"}

_HERE = pathlib.Path(__file__).resolve().parent


def config_text(name: str) -> str:
    """A file of `config/` (such as "station.toml") as it is shipped."""
    inside, checkout = _HERE / "config" / name, _HERE.parents[1] / "config" / name
    return _text(inside if inside.exists() else checkout)


def unit_text(name: str) -> str:
    """A unit of systemd, such as "raceday-station.service"."""
    return _text(_HERE / "units" / name)


def lock_file(role: Role) -> pathlib.Path:
    """The pins of a role with their hashes, for every Python and processor that is supported (`./dev lock`)."""
    return _HERE / "locks" / f"{role}.lock"


def sbom_file(role: Role) -> pathlib.Path:
    """The bill of materials of a role (CycloneDX), which `tools/sbom.py` writes from its pins."""
    return _HERE / "sbom" / f"{role}.cdx.json"


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise OperatorError(
            f"{path} of this program cannot be read ({error.strerror}): install Raceday anew, its files are not whole."
        ) from None
