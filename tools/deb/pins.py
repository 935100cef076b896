"""Which pinned wheels a machine needs: the role locks, read for one Python and one processor. Called by the wheelhouse.

pip judges the markers of a requirement (`; python_full_version < "3.12"`) by the interpreter that runs it, also where
`pip download` is told of another Python or platform; so they are judged here, for the machine that the wheels are for.
"""

import pathlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from shared.errors import BadInput

GLIBC_MINOR = 36  # Debian 12 and Raspberry Pi OS Bookworm have glibc 2.36; nothing older has a Python that we run on
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_LEGACY = {"x86_64": ("manylinux1", "manylinux2010", "manylinux2014"), "aarch64": ("manylinux2014",)}
MICROS = (0, 99)  # markers may split a minor version, as `python_full_version < "3.11.3"` does: Debian 12 has 3.11.2
_OLDEST_GLIBC_MINOR = {"x86_64": 5, "aarch64": 17}  # of PEP 600: older names do not exist for the processor


@dataclass(frozen=True, slots=True)
class Target:
    """A machine that wheels are for: Debian's name of its processor, the kernel's, and its Python as (3, minor)."""

    arch: str
    machine: str
    python: tuple[int, int]

    def environment(self, micro: int) -> dict[str, str]:
        """What markers are judged by (PEP 508), for one release of this Python."""
        version = f"{self.python[0]}.{self.python[1]}"
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.{micro}",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{version}.{micro}",
            "python_version": version,
            "sys_platform": "linux",
            "extra": "",
        }

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that run there, newest glibc first (PEP 600), then the older names of some."""
        minors = range(GLIBC_MINOR, _OLDEST_GLIBC_MINOR[self.machine] - 1, -1)
        legacy = tuple(f"{name}_{self.machine}" for name in reversed(_LEGACY[self.machine]))
        return (*(f"manylinux_2_{minor}_{self.machine}" for minor in minors), *legacy, f"linux_{self.machine}")


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock: a release, the machines it is for, and the SHA-256 of each file that it may be."""

    requirement: Requirement
    hashes: frozenset[str]

    @property
    def release(self) -> str:
        """`name==version`, without the marker."""
        return f"{self.requirement.name}{self.requirement.specifier}"

    def holds_for(self, environment: dict[str, str]) -> bool:
        """Does the marker choose this machine?"""
        marker = self.requirement.marker
        return marker is None or marker.evaluate(environment)


def read_lock(path: pathlib.Path) -> tuple[Pin, ...]:
    """The pins of a lock as `./dev lock` writes it. Raises BadInput for a line that pins no release by its hashes."""
    try:
        written = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: the lock cannot be read ({error.strerror}): run ./dev lock.") from None
    text = written.replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return tuple(_pin(line, path) for line in lines if line and not line.startswith("#"))


def _pin(line: str, path: pathlib.Path) -> Pin:
    words, hashes = line.split(" --hash", 1)[0], frozenset(_HASH.findall(line))
    try:
        requirement = Requirement(words)
    except InvalidRequirement:
        raise BadInput(f"{path}: {words!r} is no pinned release: run ./dev lock.") from None
    if not hashes or not re.fullmatch(r"==[^*,]+", str(requirement.specifier)):
        raise BadInput(f"{path}: {words!r} names no single release with its hashes: run ./dev lock.")
    return Pin(requirement, hashes)


def pins_for(target: Target, locks: Iterable[tuple[Pin, ...]]) -> tuple[Pin, ...]:
    """All pins that hold for the first or the last release of the target's Python, each once, by name.

    Raises BadInput if two locks pin different releases: a wheelhouse with both would give a role the wrong one.
    """
    pins = [pin for lock in locks for pin in lock]
    releases: dict[str, Pin] = {}
    for environment in map(target.environment, MICROS):
        chosen: dict[str, Pin] = {}
        for pin in (each for each in pins if each.holds_for(environment)):
            known = chosen.setdefault(pin.requirement.name, pin)
            if known.release != pin.release:
                raise BadInput(f"The role locks disagree: {known.release} and {pin.release}. Run ./dev lock.")
        releases |= {pin.release: pin for pin in chosen.values()}
    return tuple(releases[release] for release in sorted(releases))
