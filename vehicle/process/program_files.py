"""The files that the interpreter and its libraries read after the start, for Landlock: no data of anybody's.

Called by the pilot and by the children that handle a stranger's model, before they restrict themselves.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from vehicle.process.landlock import FileGrant

# Of /etc each by its name: keys may lie beside them.
_SYSTEM: Final = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/ssl/openssl.cnf", "/etc/libcamera"),
    *("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems"),
    *("/proc/sys/kernel/random/boot_id", "/proc/sys/vm/overcommit_memory", "/proc/device-tree"),
    *("/sys/devices/system", "/sys/fs/cgroup", "/sys/firmware/devicetree", "/dev/urandom", "/dev/random"),
)
_CODE: Final = frozenset({".py", ".pyc", ".so", ".pth", ".zip"})
_ABOUT: Final = (".dist-info", ".egg-info", ".data", ".libs")


def program_grants(search_path: Iterable[str] | None = None) -> list[FileGrant]:
    """What Python reads by `search_path` (without it `sys.path`), and the system's libraries and settings."""
    installed = {Path(sys.prefix), Path(sys.base_prefix)}
    grants = [FileGrant(path) for path in sorted(installed)]
    for entry in sys.path if search_path is None else search_path:
        if entry and not any(Path(entry).resolve().is_relative_to(place) for place in installed):
            grants += _packages(Path(entry))
    grants += [FileGrant(Path(path)) for path in _SYSTEM]
    return [*grants, FileGrant(Path("/dev"), "list"), FileGrant(Path("/dev/null"), "device")]


def _packages(folder: Path) -> Iterator[FileGrant]:
    """The code in a folder of the search path, and nothing else of it: in a checkout, data may lie beside the code.

    The names in it are read by every import.
    """
    yield FileGrant(folder, "list")
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix in _CODE or path.name.endswith(_ABOUT) or (path / "__init__.py").is_file():
            yield FileGrant(path)
