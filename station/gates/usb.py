"""Where a serial device is now: a USB port that was pulled may come back under another number.

A port is known again by the links that udev gave it (/dev/serial/by-id, and those beside the path that is set), else by
what the kernel tells of its USB device: vendor, product, serial number and interface. Other links than those name the
socket or count up, and do not say which device it is.
"""

import os
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import HardwareMissing

BY_ID = pathlib.Path("/dev/serial/by-id")
DEV = pathlib.Path("/dev")
TTYS = pathlib.Path("/sys/class/tty")
NUMBERED = re.compile(r"(tty[A-Z]+|cuaU|pts)\d+")


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """What tells one USB port from another; `serial` is "" for devices that have none."""

    vendor: str
    product: str
    serial: str
    interface: str


def usb_device(path: str, ttys: pathlib.Path = TTYS) -> UsbDevice | None:
    """The USB device behind a port; None if it hangs on none, or is not there."""
    folder = ttys / pathlib.Path(os.path.realpath(path)).name / "device"
    if not folder.exists():
        return None
    place, interface = folder.resolve(), ""
    for each in (place, *place.parents):
        interface = interface or _read(each / "bInterfaceNumber")
        if vendor := _read(each / "idVendor"):
            return UsbDevice(vendor, _read(each / "idProduct"), _read(each / "serial"), interface)
    return None


def stable_name(path: str, by_id: pathlib.Path = BY_ID) -> str:
    """The name under which this port is always found; "" if it has none (or is one already)."""
    return next((name for name in _links(by_id, path)), "")


def plugged_in(by_id: pathlib.Path = BY_ID) -> tuple[str, ...]:
    """The stable names of all serial devices of this machine."""
    return tuple(str(link) for link in _sorted(by_id))


class Finder:
    """One port of the config, found again. `setting` is how its key is called there."""

    def __init__(self, wanted: str, setting: str, by_id: pathlib.Path = BY_ID, ttys: pathlib.Path = TTYS) -> None:
        self._wanted, self._setting, self._by_id, self._ttys = wanted, setting, by_id, ttys
        self._links: tuple[str, ...] = ()
        self._device: UsbDevice | None = None
        self._now = wanted

    @property
    def local(self) -> bool:
        """A path, and no URL."""
        return "://" not in self._wanted

    def path(self) -> str:
        """What to open now. Raises HardwareMissing where another device has taken its name."""
        if not self.local:
            return self._wanted
        found = next((link for link in self._links if pathlib.Path(link).exists()), "") or self._same_device()
        if found:
            return self._wanted if os.path.realpath(found) == os.path.realpath(self._wanted) else found
        if self._device is not None and (other := usb_device(self._wanted, self._ttys)) not in (None, self._device):
            assert other is not None
            raise HardwareMissing(
                f"{self._wanted}: another device has this name now ({other.vendor}:{other.product} {other.serial}); "
                f"plug the right one in, or set `{self._setting}` to the name that `raceday gate list` shows."
            )
        return self._wanted

    def opened(self, path: str) -> None:
        """It is there: what it is known by from now on."""
        self._now = path
        if not self.local:
            return
        links = (*_links(self._by_id, path), *_links(pathlib.Path(self._wanted).parent, path))
        self._links = tuple(link for link in links if link != self._wanted)
        self._device = usb_device(path, self._ttys)

    @property
    def advice(self) -> str:
        """What to set instead of a number, as a sentence; "" where the name is a good one."""
        if not self.local or not NUMBERED.fullmatch(pathlib.Path(self._wanted).name):
            return ""
        stable = next(iter(self._links), "")
        if self._now != self._wanted:
            return (
                f"The device of {self._wanted} is at {os.path.realpath(self._now)} now: "
                f'set {self._setting} = "{stable or os.path.realpath(self._now)}".'
            )
        return f'A number may change: set {self._setting} = "{stable}".' if stable else ""

    def others(self) -> str:
        """Of a port that is not there: what is plugged in instead, as a sentence."""
        names = plugged_in(self._by_id) if self.local and not pathlib.Path(self._wanted).exists() else ()
        return f" Plugged in: {', '.join(names[:4])}." if names else ""

    def _same_device(self) -> str:
        """The one port whose USB device is the one that was there; a number that another one took is passed over."""
        if self._device is None:
            return ""
        found = [name for name in _ttys(self._ttys) if usb_device(name, self._ttys) == self._device]
        return str(DEV / found[0]) if len(found) == 1 else ""


def _links(folder: pathlib.Path, path: str) -> Iterator[str]:
    """The links in this folder that lead to this port and do not count up."""
    target = os.path.realpath(path)
    for link in _sorted(folder):
        if link.is_symlink() and os.path.realpath(link) == target and not NUMBERED.fullmatch(link.name):
            yield str(link)


def _sorted(folder: pathlib.Path) -> list[pathlib.Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _ttys(ttys: pathlib.Path) -> list[str]:
    return [each.name for each in _sorted(ttys) if (each / "device").exists()]


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
