"""The stock DeepRacer's gauge of the vehicle battery (the one that drives the motor) on I2C.

Source: aws-deepracer-i2c-pkg `battery_node.cpp`: the bus below PCI 0000:00:17.3 (its number changes; 7 where none is
found), address 0x3f, register 0x03. The community's Pi car has no gauge ("Battery gauge is not connected",
deepracer-custom-car `docs/raspberry_pi.md`).
"""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing
from vehicle.core.battery_level import percent_of

BUSES = pathlib.Path("/sys/class/i2c-dev")
ADDRESS, REGISTER = 0x3F, 0x03
_FALLBACK_BUS = 7


@dataclass(frozen=True, slots=True)
class DeepracerBatteryOptions:
    """`[battery.options]` of deepracer."""

    bus: str = setting("0000:00:17.3", what="the I2C bus, by a part of its device's path, or its number in /dev/i2c-N")


class ByteBus(Protocol):
    """The part of smbus2.SMBus that is used here."""

    def read_byte_data(self, i2c_addr: int, register: int) -> int: ...
    def close(self) -> None: ...


class DeepracerBattery:
    """Opens the bus for each reading: others (the stock software's tools) may use it in between."""

    def __init__(
        self,
        options: dict[str, Any],
        clock: Clock,
        buses: pathlib.Path = BUSES,
        open_bus: Callable[[int], ByteBus] | None = None,
    ) -> None:
        del clock
        self._options = from_table(options, DeepracerBatteryOptions, "[battery.options]")
        self._buses, self._open = buses, open_bus or _open_bus

    def percent(self) -> int | None:
        number = bus_number(self._options.bus, self._buses)
        try:
            bus = self._open(number)
        except OSError as error:
            raise HardwareMissing(
                f"the battery's I2C bus /dev/i2c-{number} cannot be opened ({error.strerror or error}): is the module "
                "i2c-dev loaded, and is this user in the group that may open it?"
            ) from None
        try:
            return percent_of(bus.read_byte_data(ADDRESS, REGISTER))
        except OSError as error:
            raise HardwareMissing(
                f"the battery gauge at address {ADDRESS:#x} of /dev/i2c-{number} does not answer "
                f"({error.strerror or error}): is the vehicle battery connected?"
            ) from None
        finally:
            bus.close()

    def close(self) -> None:
        """Nothing stays open."""


def bus_number(wanted: str, buses: pathlib.Path = BUSES) -> int:
    """The number of the bus below a device, such as "0000:00:17.3"; 7, as the stock software takes it, for none."""
    if wanted.isascii() and wanted.isdecimal():
        return int(wanted)
    for link in sorted(buses.glob("i2c-*")):
        number = link.name.removeprefix("i2c-")
        if number.isdecimal() and wanted in link.resolve().parts:
            return int(number)
    return _FALLBACK_BUS


def _open_bus(number: int) -> ByteBus:
    try:
        from smbus2 import SMBus  # noqa: PLC0415 (only a car with this gauge needs the library)
    except ImportError:
        raise HardwareMissing("the battery gauge needs the Python package 'smbus2': install it.") from None
    bus: ByteBus = SMBus(number)
    return bus
