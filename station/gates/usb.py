"""Finds a serial device again: a USB device that was unplugged may come back under another number.

A port is recognised by the links that udev gave it (/dev/serial/by-id, and those beside the configured path), else by
what the kernel reports about its USB device: vendor, product, serial number and interface. Adapters without a serial
number of their own share all of that, and even one by-id link: two that are alike are told apart only by the socket
that each is plugged into.

Used by the drivers with a port (decoders/gate.py, pico/gate.py) and by `raceday gate list`.
"""

import os
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import HardwareMissing
from shared.text import text

BY_ID = pathlib.Path("/dev/serial/by-id")
DEV = pathlib.Path("/dev")
TTYS = pathlib.Path("/sys/class/tty")
NUMBERED = re.compile(r"(tty[A-Z]\w*?|cuaU|pts)\d+")
_NO_USB = re.compile(r"ttyS\d+")  # there are dozens, and none is on USB
_NO_SERIAL = re.compile(r"0*1?|0?1234\w*")  # what makers put in the place of a serial number


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """What distinguishes one USB port from another; `serial` is "" for devices that have none."""

    vendor: str
    product: str
    serial: str
    interface: str
    port: str = ""  # of an adapter that has several behind one interface


@dataclass(frozen=True, slots=True)
class UsbPort:
    """A serial port on USB."""

    name: str  # now, as in /dev
    device: UsbDevice
    socket: str  # where it is plugged in: the path of its USB device in sysfs
    label: str  # what udev makes its by-id link of

    def shares(self, other: "UsbPort") -> bool:
        """Whether both get the same by-id link: it is made of the makers' texts, which different devices may share."""
        return self.name != other.name and (self.device == other.device or self.label == other.label)


def usb_port(path: str, ttys: pathlib.Path = TTYS) -> UsbPort | None:
    """The USB port that this path (or link) leads to; None if it is not on USB, or is missing."""
    name = pathlib.Path(os.path.realpath(path)).name
    folder = ttys / name / "device"
    if not folder.exists():
        return None
    place, interface = folder.resolve(), ""
    port = _read(place / "port_number")
    for each in (place, *place.parents):
        interface = interface or _read(each / "bInterfaceNumber")
        if vendor := _read(each / "idVendor"):
            device = UsbDevice(vendor, _read(each / "idProduct"), _read(each / "serial"), interface, port)
            words = (_read(each / "manufacturer") or vendor, _read(each / "product") or device.product, device.serial)
            label = "/".join(re.sub(r"\W+", "_", word) for word in (*words, interface, port))
            return UsbPort(name, device, str(each), label)
    return None


def usb_device(path: str, ttys: pathlib.Path = TTYS) -> UsbDevice | None:
    """The USB device behind a port; None if there is none, or the port is missing."""
    port = usb_port(path, ttys)
    return None if port is None else port.device


def stable_name(path: str, by_id: pathlib.Path = BY_ID, ttys: pathlib.Path = TTYS) -> str:
    """The link under which this port can always be found; "" if there is none.

    It names the device or, if another device is alike, the socket.
    """
    port = usb_port(path, ttys)
    alike = port is not None and any(port.shares(other) for other in _ports(ttys))
    return next(_links(_by_path(by_id) if alike else by_id, path), "")


def plugged_in(by_id: pathlib.Path = BY_ID, ttys: pathlib.Path = TTYS) -> tuple[str, ...]:
    """The stable names of all serial devices of this machine."""
    links = (*_sorted(by_id), *_sorted(_by_path(by_id)))
    names = (stable_name(path, by_id, ttys) for path in dict.fromkeys(os.path.realpath(link) for link in links))
    return tuple(name for name in names if name)


class PortFinder:
    """Finds a port of the config again after it was unplugged. `wanted`: its path or URL; `setting`: the config key."""

    def __init__(self, wanted: str, setting: str, by_id: pathlib.Path = BY_ID, ttys: pathlib.Path = TTYS) -> None:
        self._wanted, self._setting, self._by_id, self._ttys = wanted, setting, by_id, ttys
        self._links: tuple[str, ...] = ()
        self._port: UsbPort | None = None
        self._now, self._opened = wanted, False
        self._gone = False  # since it was last open, a search has found none like it
        self._twins = False  # there is or was another one that looks the same to the kernel
        self._shared = False  # or at least the same to udev
        self._moved = False  # what is open now has no serial number, and is in another socket than before
        self._listed: tuple[pathlib.Path, ...] = ()

    @property
    def local(self) -> bool:
        """Whether the configured port is a path, not a URL."""
        return "://" not in self._wanted

    def path(self) -> str:
        """The path or URL to open now. Raises HardwareMissing if another device has its name, or several share it."""
        if not self.local:
            return self._wanted
        if not self._opened:
            self._refuse_shared_link()
            return self._wanted
        if path := self._current_path():
            return self._wanted if os.path.realpath(path) == os.path.realpath(self._wanted) else path
        self._refuse_anothers_name()
        return self._wanted

    def opened(self, path: str) -> None:
        """`path` was opened: remembers how to recognise the device from now on."""
        self._now, self._opened, self._gone = os.path.realpath(path) if self.local else path, True, False
        if not self.local:
            return
        was, self._port = self._port, usb_port(path, self._ttys) or self._port
        self._moved = was is not None and self._port is not None and _is_moved(was, self._port)
        self._compare_with(_ports(self._ttys))
        links = (*_links(self._by_id, path), *_links(pathlib.Path(self._wanted).parent, path))
        self._links = tuple(link for link in links if link != self._wanted)

    @property
    def advice(self) -> str:
        """What to set instead of a numbered or shared name, as a sentence; "" if the configured name is a good one."""
        if not self.local:
            return ""
        self._refresh_twins()
        numbered = NUMBERED.fullmatch(pathlib.Path(self._wanted).name) is not None
        if not numbered and not (self._shared and pathlib.Path(self._wanted).parent == self._by_id):
            return ""
        stable = next(_links(_by_path(self._by_id), self._now), "") if self._shared else next(iter(self._links), "")
        if self._now != os.path.realpath(self._wanted):
            return text(
                'The device of {wanted} is at {now} now: set {setting} = "{stable}".',
                wanted=self._wanted,
                now=self._now,
                setting=self._setting,
                stable=stable or self._now,
            )
        if self._shared and self._port is not None:
            setting = text('set {setting} = "{stable}" and ', setting=self._setting, stable=stable) if stable else ""
            kind = f"{self._port.device.vendor}:{self._port.device.product}"
            return text(
                "Another {kind} cannot be distinguished from this one: {setting}leave each in its socket.",
                kind=kind,
                setting=setting,
            )
        moved = text("It came back in another socket, and cannot be told from others: check that it is the right one. ")
        number = (
            text('The number may change: set {setting} = "{stable}".', setting=self._setting, stable=stable)
            if stable
            else ""
        )
        return f"{moved if self._moved else ''}{number}".rstrip()

    def others(self) -> str:
        """For a missing port: what is plugged in instead, as a sentence with a leading blank; "" if it is there."""
        absent = self.local and not pathlib.Path(self._wanted).exists()
        names = [self._unshared(name) for name in plugged_in(self._by_id, self._ttys)] if absent else []
        return text(" Plugged in: {names}.", names=", ".join(names[:4])) if names else ""

    def _unshared(self, name: str) -> str:
        """The link `name`, unless it leads to a device that looks like ours: then the link of that device's socket."""
        port = usb_port(name, self._ttys) if self._shared else None
        ours = self._port
        alike = port is not None and ours is not None and (port.device == ours.device or port.label == ours.label)
        return next(_links(_by_path(self._by_id), name), name) if alike else name

    def _current_path(self) -> str:
        """The path of the device now; "" if it is nowhere, or might be another one that is alike."""
        if self._port is None:
            return next((link for link in self._links if pathlib.Path(link).exists()), "")
        device = self._port.device
        ports = _ports(self._ttys)
        alike = [port for port in ports if port.device == device]
        self._compare_with(ports)
        if not alike:
            self._gone = True
        if self._twins:
            alike = [port for port in alike if port.socket == self._port.socket]
            return self._name(alike[0]) if len(alike) == 1 else ""
        link = next((link for link in self._links if usb_device(link, self._ttys) == device), "")
        return link or (self._name(alike[0]) if alike else "")

    def _compare_with(self, ports: list[UsbPort]) -> None:
        """Checks whether another port looks like ours, and remembers that: the other one may come back."""
        if (ours := self._port) is None:
            return
        alike = [port for port in ports if port.device == ours.device]
        here = any(port.socket == ours.socket for port in alike)
        # One in another socket at the first search after ours was unplugged was there before: no hand is that fast.
        at_once = bool(alike) and not here and not self._gone and _NO_SERIAL.fullmatch(ours.device.serial) is not None
        self._twins = self._twins or len(alike) > 1 or at_once
        like_named = any(ours.shares(port) and port.device != ours.device for port in ports)
        self._shared = self._shared or self._twins or like_named

    def _refresh_twins(self) -> None:
        """Compares with the other ports again if udev's links have changed: cheap enough for each call of `health`."""
        listed = (*_sorted(self._by_id), *_sorted(_by_path(self._by_id)))
        if listed != self._listed:
            self._listed = listed
            self._compare_with(_ports(self._ttys))

    def _name(self, port: UsbPort) -> str:
        path = str(DEV / port.name)
        return next(_links(_by_path(self._by_id), path), path) if self._twins else path

    def _refuse_shared_link(self) -> None:
        """Raises HardwareMissing if several devices share the configured link: at first only that name is known."""
        port = usb_port(self._wanted, self._ttys) if pathlib.Path(self._wanted).parent == self._by_id else None
        alike = [] if port is None else [other for other in _ports(self._ttys) if port.shares(other)]
        if port is not None and alike:
            paths = [str(DEV / each.name) for each in (port, *alike)]
            names = [next(_links(_by_path(self._by_id), path), path) for path in paths]
            raise HardwareMissing(
                f"{self._wanted}: {len(paths)} devices share this name; set `{self._setting}` to the socket of "
                f"the right one: {', '.join(names[:4])}."
            )

    def _refuse_anothers_name(self) -> None:
        """Raises HardwareMissing if the name leads to another device now, unless it names the socket (by-path)."""
        other = usb_device(self._wanted, self._ttys)
        if self._port is None or other is None or pathlib.Path(self._wanted).parent == _by_path(self._by_id):
            return
        other_name = f"{other.vendor}:{other.product} {other.serial}".rstrip()
        remedy = text("set `{setting}` to the name that `raceday gate list` shows.", setting=self._setting)
        if other == self._port.device:
            raise HardwareMissing(
                f"{self._wanted}: another device of the same kind has this name now ({other_name}), in another socket; "
                f"plug the right one in where it was, or {remedy}"
            )
        raise HardwareMissing(
            f"{self._wanted}: another device has this name now ({other_name}); plug the right one in, or {remedy}"
        )


def _is_moved(was: UsbPort, now: UsbPort) -> bool:
    return now.socket != was.socket and _NO_SERIAL.fullmatch(now.device.serial) is not None


def _by_path(by_id: pathlib.Path) -> pathlib.Path:
    return by_id.with_name("by-path")


def _links(folder: pathlib.Path, path: str) -> Iterator[str]:
    """The links in this folder that lead to this port, without names that end in a number."""
    target = os.path.realpath(path)
    for link in _sorted(folder):
        if link.is_symlink() and os.path.realpath(link) == target and not NUMBERED.fullmatch(link.name):
            yield str(link)


def _sorted(folder: pathlib.Path) -> list[pathlib.Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _ports(ttys: pathlib.Path) -> list[UsbPort]:
    """All serial ports on USB."""
    names = [each.name for each in _sorted(ttys) if not _NO_USB.fullmatch(each.name)]
    return [port for name in names if (port := usb_port(name, ttys)) is not None]


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
