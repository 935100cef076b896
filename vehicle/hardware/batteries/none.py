"""No battery gauge: the charge is unknown, and nothing is asked. The community's Pi car has none."""

from dataclasses import dataclass
from typing import Any

from shared.clock import Clock
from shared.config import from_table


@dataclass(frozen=True, slots=True)
class NoBatteryOptions:
    """`[battery.options]` of none: there are none."""


class NoBattery:
    """Says nothing."""

    def __init__(self, options: dict[str, Any], clock: Clock) -> None:
        del clock
        from_table(options, NoBatteryOptions, "[battery.options]")

    def percent(self) -> int | None:
        return None

    def close(self) -> None:
        """Nothing is open."""
