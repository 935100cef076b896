"""What the car's computer says of itself: battery, Wi-Fi, heat, disk; None for what this computer does not know."""

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


def read_health(folder: pathlib.Path, root: pathlib.Path = _ROOT) -> SystemHealth:
    """As the kernel says it; `folder` is on the disk that is asked for."""
    return SystemHealth(
        battery_percent=battery_percent(root / "sys/class/power_supply"),
        wifi_dbm=wifi_dbm(_text(root / "proc/net/wireless")),
        temperature_c=heat_c(_text(root / "sys/class/thermal/thermal_zone0/temp")),
        disk_free_mb=_disk_free_mb(folder),
        load=round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
    )


def battery_percent(supplies: pathlib.Path) -> int | None:
    """The first battery's charge."""
    for capacity in sorted(supplies.glob("*/capacity")):
        text = _text(capacity).strip()
        if text.isascii() and text.isdigit() and int(text) <= 100:
            return int(text)
    return None


def wifi_dbm(table: str) -> int | None:
    """The level of the first interface in /proc/net/wireless, such as -54."""
    for line in table.splitlines()[2:]:
        words = line.split()
        if len(words) > 3 and words[0].endswith(":"):
            level = words[3].rstrip(".")
            if level.removeprefix("-").isdecimal() and level.isascii():
                return int(level)
    return None


def heat_c(text: str) -> float | None:
    """Of a thermal zone's millidegrees."""
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
