"""Where a serial device is now: a USB port that was pulled may come back under another number.

A port is recognised by the links that udev gave it (/dev/serial/by-id, and those beside the configured path), else by
what the kernel reports of its USB device: vendor, product, serial number and interface. Adapters without a serial
number of their own share all of that, and one by-id link too: of two alike each is recognised by its socket alone.

Used by the drivers with a port (decoders/gate.py, pico/gate.py) and by `raceday gate list`.
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
NUMBERED = re.compile(r"(tty[A-Z]\w*?|cuaU|pts)\d+")
_NO_USB = re.compile(r"ttyS\d+")  # there are dozens, and none is on USB
_NO_SERIAL = re.compile(r"0*1?|0?1234\w*")  # what makers put in the place of one


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
    """A serial port on USB: its name now, what it is, where it is plugged in, and what udev makes its by-id link of."""

    name: str
    device: UsbDevice
    socket: str
    label: str

    def shares(self, other: "UsbPort") -> bool:
        """Do both get the same by-id link? It is made of the makers' texts, which even different devices may share."""
        return self.name != other.name and (self.device == other.device or self.label == other.label)


def usb_port(path: str, ttys: pathlib.Path = TTYS) -> UsbPort | None:
    """The port of this path; None if it is not on USB, or is missing."""
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
    found = usb_port(path, ttys)
    return None if found is None else found.device


def stable_name(path: str, by_id: pathlib.Path = BY_ID, ttys: pathlib.Path = TTYS) -> str:
    """The name under which this port is always found; "" if it has none (or `path` is one already).

    The name of its device; where another device is alike, the name of its socket.
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
    """One port of the config, found again. `setting` is how its key is called there."""

    def __init__(self, wanted: str, setting: str, by_id: pathlib.Path = BY_ID, ttys: pathlib.Path = TTYS) -> None:
        self._wanted, self._setting, self._by_id, self._ttys = wanted, setting, by_id, ttys
        self._links: tuple[str, ...] = ()
        self._port: UsbPort | None = None
        self._now, self._opened = wanted, False
        self._gone = False  # since it was open, one search found none like it
        self._twins = False  # another one is or was there that looks the same to the kernel
        self._shared = False  # or the same to udev at least
        self._moved = False  # what is open now has no serial number, and came in another socket than what was
        self._listed: tuple[pathlib.Path, ...] = ()

    @property
    def local(self) -> bool:
        """Is the configured port a path, not a URL?"""
        return "://" not in self._wanted

    def path(self) -> str:
        """What to open now. Raises HardwareMissing where another device has its name, or several share it."""
        if not self.local:
            return self._wanted
        if not self._opened:
            self._refuse_shared_link()
            return self._wanted
        if found := self._found():
            return self._wanted if os.path.realpath(found) == os.path.realpath(self._wanted) else found
        self._refuse_anothers_name()
        return self._wanted

    def opened(self, path: str) -> None:
        """`path` was opened: remember how to recognise the device from now on."""
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
        """The setting to use instead of a numbered name, as a sentence; "" where the configured name is a good one."""
        if not self.local:
            return ""
        self._refresh_twins()
        numbered = NUMBERED.fullmatch(pathlib.Path(self._wanted).name) is not None
        if not numbered and not (self._shared and pathlib.Path(self._wanted).parent == self._by_id):
            return ""
        stable = next(_links(_by_path(self._by_id), self._now), "") if self._shared else next(iter(self._links), "")
        if self._now != os.path.realpath(self._wanted):
            return f'The device of {self._wanted} is at {self._now} now: set {self._setting} = "{stable or self._now}".'
        if self._shared and self._port is not None:
            setting = f'set {self._setting} = "{stable}" and ' if stable else ""
            kind = f"{self._port.device.vendor}:{self._port.device.product}"
            return f"Another {kind} cannot be distinguished from this one: {setting}leave each in its socket."
        moved = "It came back in another socket, and nothing tells it from others: see that it is the right one. "
        number = f'A number may change: set {self._setting} = "{stable}".' if stable else ""
        return f"{moved if self._moved else ''}{number}".rstrip()

    def others(self) -> str:
        """For a missing port: what is plugged in instead, as a sentence; "" if it is there."""
        absent = self.local and not pathlib.Path(self._wanted).exists()
        names = [self._unshared(name) for name in plugged_in(self._by_id, self._ttys)] if absent else []
        return f" Plugged in: {', '.join(names[:4])}." if names else ""

    def _unshared(self, name: str) -> str:
        """The link that was ours may lead to one that is like ours: that one's socket is named then."""
        port = usb_port(name, self._ttys) if self._shared else None
        mine = self._port
        alike = port is not None and mine is not None and (port.device == mine.device or port.label == mine.label)
        return next(_links(_by_path(self._by_id), name), name) if alike else name

    def _found(self) -> str:
        """Where it is now; "" if it is nowhere, or might be another one that is alike."""
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
        """Is there another one like it? The answer is remembered: the other one may come back."""
        if (mine := self._port) is None:
            return
        alike = [port for port in ports if port.device == mine.device]
        here = any(port.socket == mine.socket for port in alike)
        # One in another socket at the first search after ours was unplugged was there before: no hand is that fast.
        at_once = bool(alike) and not here and not self._gone and _NO_SERIAL.fullmatch(mine.device.serial) is not None
        self._twins = self._twins or len(alike) > 1 or at_once
        like_named = any(mine.shares(port) and port.device != mine.device for port in ports)
        self._shared = self._shared or self._twins or like_named

    def _refresh_twins(self) -> None:
        """Cheap enough for each call of `health`: reads udev's lists, and the machine itself only when they changed."""
        listed = (*_sorted(self._by_id), *_sorted(_by_path(self._by_id)))
        if listed != self._listed:
            self._listed = listed
            self._compare_with(_ports(self._ttys))

    def _name(self, port: UsbPort) -> str:
        path = str(DEV / port.name)
        return next(_links(_by_path(self._by_id), path), path) if self._twins else path

    def _refuse_shared_link(self) -> None:
        """At the first opening only the name is known; one that several devices share is refused."""
        port = usb_port(self._wanted, self._ttys) if pathlib.Path(self._wanted).parent == self._by_id else None
        alike = [] if port is None else [other for other in _ports(self._ttys) if port.shares(other)]
        if port is not None and alike:
            paths = [str(DEV / each.name) for each in (port, *alike)]
            names = [next(_links(_by_path(self._by_id), path), path) for path in paths]
            raise HardwareMissing(
                f"{self._wanted}: {len(paths)} devices have this one name; set `{self._setting}` to the socket of "
                f"the right one: {', '.join(names[:4])}."
            )

    def _refuse_anothers_name(self) -> None:
        """The device is missing, and its name leads to another: refused, unless the name means the socket (by-path)."""
        other = usb_device(self._wanted, self._ttys)
        if self._port is None or other is None or pathlib.Path(self._wanted).parent == _by_path(self._by_id):
            return
        other_name = f"{other.vendor}:{other.product} {other.serial}".rstrip()
        remedy = f"set `{self._setting}` to the name that `raceday gate list` shows."
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


def _ports(ttys: pathlib.Path) -> list[UsbPort]:
    """All serial ports on USB."""
    names = [each.name for each in _sorted(ttys) if not _NO_USB.fullmatch(each.name)]
    return [port for name in names if (port := usb_port(name, ttys)) is not None]


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
