"""Which devices a config names: a table from its drivers to kinds of devices. Pure; called by the plan and the doctor.

It reads the TOML table as it stands, since it must also run before the packages of a role are there. What is wrong in
it, the machine's own config check says.
"""

import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raceday.install.machine_files import device_kinds as kinds
from raceday.install.machine_files.device_kinds import DeviceKind

# A pin library of gpiozero to what it opens; pigpio is a daemon that is spoken to over the network.
PIN_LIBRARIES: dict[str, tuple[DeviceKind, ...]] = {
    "lgpio": (kinds.GPIO_CHIP,),
    "native": (kinds.GPIO_CHIP, kinds.GPIO_MEMORY),
    "rpigpio": (kinds.GPIO_CHIP, kinds.GPIO_MEMORY),
    "pigpio": (),
    "mock": (),
}
WITHOUT_DEVICE = frozenset({"mock", "simulator", "drem", "files", "video", "kernel", "none"})
_TTY = re.compile(r"(tty[A-Za-z]+)\d+", re.ASCII)
_SERIAL: dict[str, DeviceKind] = {
    "ttyACM": kinds.USB_MODEM,
    "ttyUSB": kinds.USB_SERIAL,
    "ttyAMA": kinds.PI_UART,
    "ttyS": kinds.UART,
}


@dataclass(frozen=True, slots=True)
class NamedDevices:
    """The kinds that a config needs, each once, and the drivers of other packages, of which nothing is known here."""

    kinds: tuple[DeviceKind, ...]
    strange: tuple[str, ...] = ()


def station_devices(config: Mapping[str, Any], links: Mapping[str, str]) -> NamedDevices:
    """What a station.toml needs. `links`: paths of ports on this machine -> the device that they lead to."""
    found: list[DeviceKind] = []
    strange: list[str] = []
    for part in [*_tables(config, "gate"), *_tables(config, "stop_button"), *_tables(config, "start_lights")]:
        driver, options = _driver(part)
        if driver == "gpio":
            found += PIN_LIBRARIES.get(str(options.get("factory", "lgpio")), ())
        elif driver in {"pico", "decoder"}:
            found += serial_kinds(str(options.get("port" if driver == "pico" else "url", "")), links)
        elif driver not in WITHOUT_DEVICE:
            strange.append(driver)
    return _once(found, strange)


def car_devices(config: Mapping[str, Any]) -> NamedDevices:
    """What a vehicle.toml needs, with its profile's drivers written out."""
    found: list[DeviceKind] = []
    strange: list[str] = []
    for table in ("camera", "motors", "battery", "lights"):
        for driver, options in map(_driver, _tables(config, table)):
            found += _CAR_DRIVERS.get(driver, ())
            if driver == "gpio":
                found += PIN_LIBRARIES.get(str(options.get("library", "pigpio")), ())
            elif driver not in WITHOUT_DEVICE | _CAR_DRIVERS.keys():
                strange.append(driver)
            if any(options.get(key) for key in ("enable_gpio", "enable_file", "side_gpios")):
                found.append(kinds.GPIO_LINE)
    for button in _tables(config, "button"):
        if "pin" in button:
            found += PIN_LIBRARIES.get(str(button.get("library", "lgpio")), ())
    return _once(found, strange)


_CAR_DRIVERS: dict[str, tuple[DeviceKind, ...]] = {
    "v4l2": (kinds.VIDEO,),
    "picamera": (kinds.PI_CAMERA,),
    "rpicam": (kinds.PI_CAMERA,),
    "sysfs": (kinds.KERNEL_PWM,),
    "pwm": (kinds.KERNEL_PWM,),
    "pca9685": (kinds.I2C,),
    "deepracer": (kinds.I2C,),
}


_BY_SCHEME = {"cp2110": kinds.HID, "zmq": kinds.ZMQ}


def serial_kinds(port: str, links: Mapping[str, str]) -> tuple[DeviceKind, ...]:
    """What a port of pyserial may be: a path under /dev, or a URL. A name that may be several is all of them."""
    scheme, is_url, rest = port.partition("://")
    if is_url and scheme in _BY_SCHEME:
        return (_BY_SCHEME[scheme],)
    if is_url and not rest.startswith("/dev/"):
        return ()  # a socket
    path = (rest if is_url else port).partition("?")[0]
    if path.startswith("/dev/serial/by-"):
        return (kinds.USB_MODEM, kinds.USB_SERIAL)  # whichever is plugged in now, or will be
    path = links.get(path, path)
    if not path.startswith("/dev/"):
        return ()
    match = _TTY.fullmatch(pathlib.PurePosixPath(path).name)
    if match is not None:
        return (_SERIAL.get(match[1]) or kinds.other_serial(match[1]),)
    if path.startswith(("/dev/serial/", "/dev/tty-usb", "usb:")):
        return (kinds.USB_MODEM, kinds.USB_SERIAL)
    if path.startswith("/dev/serial"):
        return (kinds.PI_UART, kinds.UART)  # the Pi's serial0 and serial1
    return (kinds.USB_MODEM, kinds.USB_SERIAL, kinds.PI_UART, kinds.UART)


def _tables(config: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = config.get(key)
    each = value if isinstance(value, list) else [value]
    return [table for table in each if isinstance(table, Mapping)]


def _driver(table: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    options = table.get("options")
    return str(table.get("driver", "mock")), options if isinstance(options, Mapping) else {}


def _once(found: list[DeviceKind], strange: list[str]) -> NamedDevices:
    return NamedDevices(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(strange)))
