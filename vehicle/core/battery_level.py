"""From what the stock car's battery gauge answers to per cent, and from single readings to a steady one. Pure.

Source: aws-deepracer-i2c-pkg `battery_node.cpp`, whose levels are the board maker's: a byte of at least 0xe0 is level
10, which the console calls full. Called by the battery drivers and by comms.
"""

from collections import deque
from statistics import median_low

from shared.protocol.messages import LOW_BATTERY_PERCENT

LEVELS = (
    *((0xEC, 11), (0xE0, 10), (0xD9, 9), (0xD3, 8), (0xCF, 7), (0xCB, 6)),
    *((0xC8, 5), (0xC5, 4), (0xC3, 3), (0xC0, 2), (0xB4, 1), (0x8C, 0)),
)
READINGS = 7  # an odd number, over about half a minute: full throttle lowers the voltage for a second or two


def level_of(reading: int) -> int | None:
    """The level 0 to 11 of a byte of the gauge; None below the table, which is a gauge without a battery."""
    return next((level for minimum, level in LEVELS if reading >= minimum), None)


def percent_of(reading: int) -> int | None:
    """The charge in per cent of a byte of the gauge; a level is ten per cent, and 11 is full as well."""
    level = level_of(reading)
    return None if level is None else min(100, 10 * level)


class BatteryCharge:
    """The middle one of the last readings."""

    def __init__(self) -> None:
        self._readings: deque[int | None] = deque(maxlen=READINGS)

    def add(self, percent: int | None) -> None:
        """Take in a reading; None for one that failed or said nothing."""
        self._readings.append(percent)

    @property
    def percent(self) -> int | None:
        """None if most of the last readings said nothing."""
        known = [percent for percent in self._readings if percent is not None]
        return median_low(known) if 2 * len(known) > len(self._readings) else None

    @property
    def is_low(self) -> bool:
        """Whether the car should be charged before it drives on."""
        percent = self.percent
        return percent is not None and percent < LOW_BATTERY_PERCENT
