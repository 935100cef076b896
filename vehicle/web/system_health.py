"""The health of the car's computer: battery, Wi-Fi, temperature, disk, load; None for what it does not report."""

import os
import pathlib
import shutil
from dataclasses import dataclass

_ROOT = pathlib.Path("/")


@dataclass(frozen=True, slots=True)
class SystemHealth:
    """Per cent, dBm, degrees Celsius, megabytes, and the load of the last minute per core."""

    battery_percent: int | None
    wifi_dbm: int | None
    temperature_c: float | None
    disk_free_mb: int | None
    load: float | None


def read_health(folder: pathlib.Path, battery_percent: int | None, root: pathlib.Path = _ROOT) -> SystemHealth:
    """Read the rest from the kernel's files under `root`; `folder` is on the disk to report."""
    return SystemHealth(
        battery_percent=battery_percent,
        wifi_dbm=wifi_dbm(_text(root / "proc/net/wireless")),
        temperature_c=celsius(_text(root / "sys/class/thermal/thermal_zone0/temp")),
        disk_free_mb=_disk_free_mb(folder),
        load=round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
    )


def wifi_dbm(table: str) -> int | None:
    """The signal level of the first interface in /proc/net/wireless, in dBm, such as -54."""
    for line in table.splitlines()[2:]:
        words = line.split()
        if len(words) > 3 and words[0].endswith(":"):
            level = words[3].rstrip(".")
            if level.removeprefix("-").isdecimal() and level.isascii():
                return int(level)
    return None


def celsius(text: str) -> float | None:
    """Degrees Celsius from a thermal zone's text, which is in millidegrees."""
    digits = text.strip()
    return round(int(digits) / 1000, 1) if digits.isascii() and digits.isdigit() and len(digits) < 7 else None


def _disk_free_mb(folder: pathlib.Path) -> int | None:
    try:
        return shutil.disk_usage(folder if folder.exists() else folder.absolute().parent).free >> 20
    except OSError:
        return None


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
