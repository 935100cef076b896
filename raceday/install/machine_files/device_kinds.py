"""The kinds of devices that drivers use: what systemd must open for each, which group owns it, and what udev must set.

Used by the drop-ins of the units (drop_ins.py), the udev rules and the modules to load (udev_rules.py). Sources:
systemd.resource-control(5) for DeviceAllow=, whose classes are the names in /proc/devices; the kernel's
Documentation/driver-api/pwm.rst and ABI/obsolete/sysfs-gpio; libcamera's device enumerator, which listens to udev.
"""

from dataclasses import dataclass
from typing import Final

# Files below /sys belong to root whatever their group was before; a channel or line that is exported later is announced
# by udev again.
_GROUP_FILES: Final = (
    "RUN+=\"/bin/sh -c 'cd %S%p && for f in @FILES@; do "
    "if [ -e $$f ]; then chgrp @GROUP@ $$f; chmod g+rw $$f; fi; done'\""
)


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """One kind of device. `groups`: who owns it by custom; where none of them exists, our own group does."""

    name: str
    classes: tuple[str, ...] = ()  # of DeviceAllow=
    groups: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()  # that must be loaded before the service starts, or systemd does not know the class
    writable: tuple[str, ...] = ()  # below /sys
    families: tuple[str, ...] = ()  # of sockets
    unneeded_calls: tuple[str, ...] = ()  # of the kernel: answered with success, and not carried out
    rules: tuple[str, ...] = ()  # of udev; @GROUP@ is the group that owns such devices on this machine


def _sysfs(match: str, files: str) -> str:
    return f"{match}, {_GROUP_FILES.replace('@FILES@', files)}"


GPIO_CHIP = DeviceKind(
    "gpio",
    classes=("char-gpiochip",),
    groups=("gpio",),
    rules=('SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="@GROUP@", MODE="0660"',),
)
GPIO_MEMORY = DeviceKind(
    "gpio memory",
    classes=("char-gpiomem", "char-bcm2835-gpiomem", "char-rp1-gpiomem"),
    groups=("gpio",),
    rules=('KERNEL=="gpiomem*", GROUP="@GROUP@", MODE="0660"',),
)
GPIO_LINE = DeviceKind(
    "gpio line of sysfs",
    groups=("gpio",),
    writable=("/sys/class/gpio", "/sys/devices"),
    rules=(
        _sysfs('SUBSYSTEM=="gpio", KERNEL=="gpiochip*"', "/sys/class/gpio/export /sys/class/gpio/unexport"),
        _sysfs('SUBSYSTEM=="gpio", KERNEL=="gpio[0-9]*"', "direction value active_low edge"),
    ),
)
KERNEL_PWM = DeviceKind(
    "kernel PWM",
    groups=("gpio",),
    writable=("/sys/devices",),
    rules=(
        _sysfs(
            'SUBSYSTEM=="pwm", KERNEL=="pwmchip*"',
            "export unexport pwm*/period pwm*/duty_cycle pwm*/enable pwm*/polarity",
        ),
    ),
)
I2C = DeviceKind(
    "I2C",
    classes=("char-i2c",),
    groups=("i2c",),
    modules=("i2c-dev",),
    rules=('SUBSYSTEM=="i2c-dev", GROUP="@GROUP@", MODE="0660"',),
)
VIDEO = DeviceKind("camera", classes=("char-video4linux",), groups=("video",), modules=("videodev",))
PI_CAMERA = DeviceKind(
    "Pi camera",
    classes=("char-video4linux", "char-media", "char-dma_heap"),
    groups=("video", "render"),
    modules=("videodev", "mc"),
    families=("AF_NETLINK",),  # libcamera registers no camera without udev's socket
    rules=('SUBSYSTEM=="dma_heap", GROUP="@GROUP@", MODE="0660"', 'SUBSYSTEM=="media", GROUP="@GROUP@", MODE="0660"'),
)
# libzmq sets its thread's scheduling to what it is already, and ends the process if it may not (src/thread.cpp).
ZMQ = DeviceKind("ZeroMQ", unneeded_calls=("sched_setscheduler",))
USB_MODEM = DeviceKind("USB modem (ttyACM)", ("char-ttyACM",), ("dialout",), ("cdc_acm",))
USB_SERIAL = DeviceKind("USB serial port (ttyUSB)", ("char-ttyUSB",), ("dialout",), ("usbserial",))
PI_UART = DeviceKind("serial port (ttyAMA)", ("char-ttyAMA",), ("dialout",))
UART = DeviceKind("serial port (ttyS)", ("char-ttyS",), ("dialout",))
HID = DeviceKind(
    "HID bridge",
    ("char-hidraw",),
    ("dialout",),
    ("hid",),
    # CP2110 and CP2114, AN434 of Silicon Labs. A mouse is a HID device too, so the number of a bridge's /dev/hidraw is
    # that of another device after a restart: a name by its serial number stays, as those of serial ports in by-id.
    rules=(
        'SUBSYSTEM=="hidraw", ATTRS{idVendor}=="10c4", ATTRS{idProduct}=="ea80|86b9", GROUP="@GROUP@", MODE="0660", '
        'SYMLINK+="cp2110-$attr{serial}"',
    ),
)


def other_serial(letters: str) -> DeviceKind:
    """A serial port of another driver, by the letters of its name: "ttyXRUSB" of /dev/ttyXRUSB0."""
    return DeviceKind(f"serial port ({letters})", (f"char-{letters}",), ("dialout",))


def group_of(kind: DeviceKind, groups: frozenset[str]) -> str:
    """Who owns such devices here: the first of its groups that this machine has, or our own."""
    return next((group for group in kind.groups if group in groups), "raceday")
