"""A battery that the kernel knows: the first in /sys/class/power_supply. The default; a car without one says nothing.

Source: the kernel's Documentation/ABI/testing/sysfs-class-power (`capacity`, 0 to 100).
"""

import pathlib
from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table, setting

SUPPLIES = pathlib.Path("/sys/class/power_supply")


@dataclass(frozen=True, slots=True)
class KernelBatteryOptions:
    """`[battery.options]` of kernel."""

    folder: pathlib.Path = setting(SUPPLIES, what="the kernel's folder of power supplies")


class KernelBattery:
    """The `capacity` of the first supply that has one."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        del clock
        self._folder = from_table(options, KernelBatteryOptions, "[battery.options]").folder

    def percent(self) -> int | None:
        for capacity in sorted(self._folder.glob("*/capacity")):
            try:
                text = capacity.read_text(encoding="utf-8", errors="replace").strip()
            except OSError:
                continue  # it was taken out
            if text.isascii() and text.isdigit() and int(text) <= 100:
                return int(text)
        return None

    def close(self) -> None:
        """Nothing is open."""
