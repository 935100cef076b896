"""Which extras are installed whole, and a sentence for a package that is missing. Called by `raceday` and its doctor.

An extra is what one kind of machine needs (`raceday[vehicle]`); the installed distribution's own metadata say of which
packages it consists (Core Metadata, Requires-Dist), so that there is no second list.
"""

import importlib.metadata
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType

OURS = frozenset({"shared", "vehicle", "station", "leaderboard", "simulator", "raceday"})
BASE = ""  # the packages that every machine has
ROLES: Mapping[str, str] = {"station": "station", "vehicle": "car", "leaderboard": "leaderboard"}
EXTRAS_OF: Mapping[str, tuple[str, ...]] = {
    "station": ("station",),
    "vehicle": ("vehicle",),
    "leaderboard": ("leaderboard",),
    "simulator": ("simulator", "virtual"),
}
NOT_FOR_MACHINES = frozenset({"dev", "parity"})
INSTALLED = "/opt/raceday/"

# Modules whose name is not their distribution's.
DISTRIBUTION_OF: Mapping[str, str] = {
    "PIL": "pillow",
    "argon2": "argon2-cffi",
    "cv2": "opencv-python-headless",
    "markdown_it": "markdown-it-py",
    "multipart": "python-multipart",
    "paho": "paho-mqtt",
    "serial": "pyserial",
    "zmq": "pyzmq",
}

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]")
_BELOW = re.compile(r"python_version\s*<\s*['\"](?P<major>\d+)\.(?P<minor>\d+)['\"]")


@dataclass(frozen=True, slots=True)
class ExtraState:
    """An extra with what is missing of it."""

    name: str
    missing: tuple[str, ...]


def distributions_of(requires: Iterable[str], python: tuple[int, int]) -> dict[str, tuple[str, ...]]:
    """Requires-Dist lines as extra → distributions in normal form, without what this Python does not need."""
    found: dict[str, list[str]] = {BASE: []}
    for line in requires:
        written, _, marker = line.partition(";")
        match, below, extra = _REQUIREMENT.match(written.strip()), _BELOW.search(marker), _EXTRA.search(marker)
        if match is None or (below and python >= (int(below["major"]), int(below["minor"]))):
            continue
        found.setdefault(extra["extra"] if extra else BASE, []).append(normal(match["name"]))
    return {extra: tuple(names) for extra, names in found.items()}


def installed_distributions() -> dict[str, tuple[str, ...]]:
    """`distributions_of` this program; {} where it runs without being installed."""
    try:
        return distributions_of(importlib.metadata.requires("raceday") or (), sys.version_info[:2])
    except importlib.metadata.PackageNotFoundError:
        return {}


def is_installed(distribution: str) -> bool:
    """Are the metadata of the distribution there?"""
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def states(is_there: Callable[[str], bool] = is_installed) -> list[ExtraState]:
    """All extras that machines have, with what is missing of each."""
    return [
        ExtraState(extra, tuple(name for name in names if not is_there(name)))
        for extra, names in sorted(installed_distributions().items())
        if extra != BASE and extra not in NOT_FOR_MACHINES
    ]


def missing_sentence(module: str, extras: tuple[str, ...], error: ImportError) -> str | None:
    """Why the command in `module` cannot run, and what to install; None if the error is a fault of ours.

    `extras`: all that the command needs; () for those of its machine that have the package. A module that a package of
    an extra does not find is missing there too; one that our own code names and no extra has is a fault.
    """
    top = (error.name or "").partition(".")[0]
    if not top or top in OURS or top in sys.stdlib_module_names:
        return None
    wanted, distribution = installed_distributions(), normal(DISTRIBUTION_OF.get(top, top))
    having = tuple(extra for extra, names in wanted.items() if distribution in names)
    if not wanted or (not having and _importer(error.__traceback__) in OURS):
        return None
    needed = _needed(extras, EXTRAS_OF.get(module.partition(".")[0], ()), having)
    if not isinstance(error, ModuleNotFoundError):
        return f"the Python package {top!r} is here and cannot be loaded ({error}). {_cure(needed)}."
    lacking = [state for state in states() if state.missing and state.name in needed]
    if BASE in having or not lacking:
        return f"the Python package {top!r} is missing: this installation is not whole. {_cure(needed)}."
    names = ", ".join(f"`{state.name}`" for state in lacking)
    packages = ", ".join(dict.fromkeys(name for state in lacking for name in state.missing))
    plural = "s" if len(lacking) > 1 else ""
    return f"needs the extra{plural} {names}; missing here: {packages}. {_cure(tuple(s.name for s in lacking))}."


def _needed(extras: tuple[str, ...], machine: tuple[str, ...], having: tuple[str, ...]) -> tuple[str, ...]:
    """All extras of the command, if one has the package; else those of its machine that have it, or any that has it."""
    if extras and (not having or set(extras) & set(having)):
        return extras
    return tuple(extra for extra in machine if extra in having) or having or machine


def normal(name: str) -> str:
    """A distribution's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _cure(extras: tuple[str, ...]) -> str:
    roles = [ROLES[extra] for extra in extras if extra in ROLES]
    if sys.prefix.startswith(INSTALLED) and roles:
        return " and ".join(f"Run `sudo raceday install {role}`" for role in roles)
    chosen = f"[{','.join(extras)}]" if extras else ""
    return f"Run `{sys.executable} -m pip install 'raceday{chosen}{_origin()}'`"


def _origin() -> str:
    """Where pip took this program from, as it must be told to take more of it (PEP 610); "" for an index."""
    try:
        written = importlib.metadata.distribution("raceday").read_text("direct_url.json")
        url = json.loads(written or "{}").get("url", "")
    except (importlib.metadata.PackageNotFoundError, ValueError, AttributeError):
        return ""
    return f" @ {url}" if isinstance(url, str) and url.startswith(("file://", "https://")) and "'" not in url else ""


def _importer(traceback: TracebackType | None) -> str:
    """The top-level package of the code that imported, past Python's own import code."""
    name = ""
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", ""))
        if not module.startswith(("importlib", "_frozen_importlib")):
            name = module.partition(".")[0]
        traceback = traceback.tb_next
    return "raceday" if name == "__main__" else name
