"""What is known of a machine before anything is done: gathered once, and given to the plan."""

import pathlib
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from raceday.install.machine import Machine
from raceday.install.machine_files.config_files import TLS
from raceday.install.shipped_files import CONFIG_NAMES, ROLES, Role
from raceday.install.steps import UNITS, EnableService
from shared.errors import OperatorError

SYSTEM_PYTHON = "/usr/bin/python3"
UNIT_OF: dict[Role, str] = {
    "station": "raceday-station.service",
    "car": "raceday-vehicle.service",
    "leaderboard": "raceday-leaderboard.service",
}
BRIDGE_UNIT = "raceday-bridge@.service"  # a template: one instance for each stock car
LOCAL_COMMAND = "/usr/local/bin/raceday"
STOCK_CORE = "deepracer-core.service"
_DEV = re.compile(r"/dev/[\x21-\x7e]{1,200}?(?=[\"'\s?]|$)", re.ASCII | re.MULTILINE)
_BRIDGE_CONFIG = re.compile(r"bridge-([a-z0-9][a-z0-9_-]{0,63})\.toml", re.ASCII)
_PROGRAM = "import platform, struct, sys; print(*sys.version_info[:2], 8 * struct.calcsize('P'), platform.machine())"


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """A machine as the plan sees it. `python` is what the environment is made with."""

    system: str = "Debian GNU/Linux 12 (bookworm)"
    python: str = SYSTEM_PYTHON
    python_version: tuple[int, int] = (3, 11)
    bits: int = 64
    processor: str = "aarch64"
    groups: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    configs: Mapping[Role, str] = field(default_factory=dict)
    bridges: Mapping[str, str] = field(default_factory=dict)  # the config of each stock car's bridge, by the car's name
    links: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[Role, ...] = ()
    certificates: frozenset[str] = frozenset()  # names of files below /etc/raceday/tls
    has_broker: bool = True
    has_network_manager: bool = True
    has_stock_core: bool = False
    has_debian_command: bool = False  # /usr/bin/raceday of the package
    has_foreign_command: bool = False  # a /usr/local/bin/raceday that is not ours


def refusal(facts: MachineFacts) -> str:
    """Why Raceday cannot run on this machine, in one sentence; "" if it can."""
    if facts.processor not in {"x86_64", "aarch64", "arm64"} or facts.bits != 64:
        what = facts.processor if facts.bits == 64 else f"a 32-bit system on {facts.processor}"
        return (
            f"Raceday needs a 64-bit system on an ARM or Intel processor, and this is {what}: on a Raspberry Pi 3 or "
            "newer install the 64-bit Raspberry Pi OS. (A 32-bit Pi can stay a DREM timer that a station reads.)"
        )
    if not (3, 11) <= facts.python_version <= (3, 13):
        have = ".".join(map(str, facts.python_version))
        return (
            f"Raceday needs Python 3.11, 3.12 or 3.13, and this machine has {have}: use Debian 12 or 13, "
            "Raspberry Pi OS Bookworm or Trixie, or Ubuntu 24.04."
        )
    return ""


def gathered(machine: Machine) -> MachineFacts:
    """Reads the machine. Raises OperatorError if it has no Python."""
    python, version, bits, processor = _python(machine)
    configs = {role: text for role in ROLES if (text := _text(machine, f"/etc/raceday/{CONFIG_NAMES[role]}"))}
    release = _text(machine, "/etc/os-release") or _text(machine, "/usr/lib/os-release")
    name = re.search(r'^PRETTY_NAME="?([^"\n]*)', release, re.MULTILINE)
    tls = machine.path(TLS)
    return MachineFacts(
        system=name[1] if name else "an unnamed system",
        python=python,
        python_version=version,
        bits=bits,
        processor=processor,
        groups=machine.names("/etc/group"),
        modules=_modules(machine),
        configs=configs,
        bridges={name: _text(machine, bridge_config_path(name)) for name in configured_bridges(machine)},
        links=_links(machine, "\n".join(configs.values())),
        roles=tuple(role for role in ROLES if machine.path(f"{UNITS}/{UNIT_OF[role]}").exists()),
        certificates=frozenset(each.name for each in tls.iterdir()) if tls.is_dir() else frozenset(),
        has_broker=machine.path("/etc/mosquitto").is_dir(),
        has_network_manager=machine.path("/etc/NetworkManager").is_dir(),
        has_stock_core=any(
            machine.path(f"{folder}/{STOCK_CORE}").exists() for folder in (UNITS, "/lib/systemd/system")
        ),
        has_debian_command=machine.path("/usr/bin/raceday").exists(),
        has_foreign_command=_is_foreign(machine.path(LOCAL_COMMAND)),
    )


def bridge_unit(name: str) -> str:
    """The unit of a stock car's bridge."""
    return BRIDGE_UNIT.replace("@", f"@{name}")


def bridge_of_unit(unit: str) -> str:
    """The stock car whose bridge this unit is; "" if it is another's."""
    prefix, suffix = BRIDGE_UNIT.split("@")
    return unit.removeprefix(f"{prefix}@").removesuffix(suffix) if unit.startswith(f"{prefix}@") else ""


def bridge_config_path(name: str) -> str:
    """The config of a stock car's bridge, as its unit names it."""
    return f"/etc/raceday/bridge-{name}.toml"


def bridge_name_of(file: str) -> str:
    """The stock car whose bridge has a config of this file name; "" if it is none."""
    match = _BRIDGE_CONFIG.fullmatch(file)
    return match[1] if match is not None else ""


def configured_bridges(machine: Machine) -> tuple[str, ...]:
    """The stock cars that have a config of a bridge here, in the order of their names."""
    files = machine.path("/etc/raceday").glob("bridge-*.toml")
    return tuple(sorted(name for path in files if (name := bridge_name_of(path.name))))


def enabled_bridges(machine: Machine) -> tuple[str, ...]:
    """Those whose bridge starts with the machine."""
    return tuple(name for name in configured_bridges(machine) if EnableService(bridge_unit(name)).is_done(machine))


def car_units(machine: Machine) -> tuple[str, ...]:
    """What drives cars from this machine: its own agent, if it is a car, and the bridges that start with it."""
    own = (UNIT_OF["car"],) if machine.path(f"{UNITS}/{UNIT_OF['car']}").exists() else ()
    return (*own, *map(bridge_unit, enabled_bridges(machine)))


def _is_foreign(command: pathlib.Path) -> bool:
    """Does something stand there that is no link into our own folder?"""
    if command.is_symlink():
        return not str(command.readlink()).startswith("/opt/raceday/")
    return command.exists()


def _python(machine: Machine) -> tuple[str, tuple[int, int], int, str]:
    """The interpreter for the environment: on this machine the one that runs us, below a root folder its own."""
    if machine.is_here:
        minor = sys.version_info[1]
        own = pathlib.Path(sys.base_prefix) / "bin" / f"python3.{minor}"
        import platform  # noqa: PLC0415  # slow, and only needed here

        return str(own), (sys.version_info[0], minor), 8 * struct.calcsize("P"), platform.machine()
    if not machine.path(SYSTEM_PYTHON).exists():
        raise OperatorError(f"{machine.root}: has no {SYSTEM_PYTHON}: install python3 and python3-venv there first.")
    words = machine.run([SYSTEM_PYTHON, "-c", _PROGRAM], "asking for the version of Python").split()
    return SYSTEM_PYTHON, (int(words[0]), int(words[1])), int(words[2]), words[3]


def _text(machine: Machine, name: str) -> str:
    return (machine.read(name) or b"").decode("utf-8", "replace")


def _modules(machine: Machine) -> frozenset[str]:
    """The kernel's modules that can be loaded, with underscores in their names."""
    found: set[str] = set()
    for listing in machine.path("/lib/modules").glob("*/modules.dep"):
        names = (
            line.partition(":")[0].rpartition("/")[2] for line in listing.read_text("utf-8", "replace").splitlines()
        )
        found |= {name.partition(".")[0].replace("-", "_") for name in names}
    return frozenset(found)


def _links(machine: Machine, text: str) -> dict[str, str]:
    """Where the ports that a config names lead on this machine, as far as they are there now."""
    if not machine.is_here:
        return {}
    paths = {pathlib.Path(name) for name in _DEV.findall(text)}
    return {str(path): str(path.resolve()) for path in paths if path.is_symlink() and path.exists()}
