"""A machine with USB sockets and udev, in a folder: /dev, /dev/serial and /sys/class/tty as Linux lays them out."""

import os
import pathlib
import re
import shutil
from dataclasses import dataclass, replace

import pytest

from station.gates import usb
from station.gates.usb import PortFinder

# udev's name of a controller -> where the kernel has it.
PC = ("pci-0000:00:14.0", "pci0000:00/0000:00:14.0/usb1")
PI4 = ("platform-fd500000.pcie-pci-0000:01:00.0", "platform/scb/fd500000.pcie/pci0000:00/0000:01:00.0/usb1")
PI3 = ("platform-3f980000.usb", "platform/soc/3f980000.usb/usb1")


@dataclass(frozen=True)
class Adapter:
    """An adapter by its descriptor. `ports`: how many are behind one interface; `acm`: no usb-serial driver."""

    vendor: str = "1a86"
    product: str = "7523"
    serial: str = ""
    maker: str = ""
    model: str = "USB Serial"
    interface: str = "00"
    ports: int = 1
    acm: bool = False

    @property
    def by_id(self) -> str:
        words = [self.maker or self.vendor, self.model or self.product, *([self.serial] if self.serial else [])]
        return re.sub(r"[^\w.-]", "_", f"usb-{'_'.join(words)}-if{self.interface}")


CH340 = Adapter()
CP2102 = Adapter("10c4", "ea60", "0001", "Silicon Labs", "CP2102 USB to UART Bridge Controller")
PL2303 = Adapter("067b", "2303", "", "Prolific Technology Inc.", "USB-Serial Controller")
PICO = Adapter("2e8a", "0005", "e660583883", "MicroPython", "Board in FS mode", acm=True)
BARE_ACM = Adapter("2341", "0043", "", "Arduino", "Uno", acm=True)
FTDI_A = Adapter("0403", "6001", "A50285BI", "FTDI", "FT232R USB UART")
MOSCHIP = Adapter("9710", "7840", "", "", "", ports=4)


class Computer:
    """A machine with sockets. `taken`: which of two like adapters gets the shared link, the "first" or the "last"."""

    def __init__(
        self,
        folder: pathlib.Path,
        monkeypatch: pytest.MonkeyPatch,
        controller: tuple[str, str] = PC,
        taken: str = "last",
        udev: bool = True,
    ) -> None:
        self.dev, self.ttys, self.devices = folder / "dev", folder / "sys/class/tty", folder / "sys/devices"
        self.by_id, self.by_path = self.dev / "serial/by-id", self.dev / "serial/by-path"
        for each in (self.by_id, self.by_path, self.ttys) if udev else (self.dev, self.ttys):
            each.mkdir(parents=True)
        monkeypatch.setattr(usb, "DEV", self.dev)
        self._controller, self._taken, self._udev = controller, taken, udev
        self._plugged: list[tuple[str, str, Adapter, int]] = []  # name, socket, adapter, port

    def plug(self, socket: str, adapter: Adapter = CH340, busy_names: tuple[str, ...] = ()) -> list[str]:
        """Plugs an adapter in; gives the paths of its ports. `busy_names`: names that a program still holds open."""
        names = []
        for port in range(adapter.ports):
            kind = "ttyACM" if adapter.acm else "ttyUSB"
            busy = {each[0] for each in self._plugged} | set(busy_names)
            name = next(f"{kind}{number}" for number in range(99) if f"{kind}{number}" not in busy)
            self._plugged.append((name, socket, adapter, port))
            self._kernel(name, socket, adapter, port)
            names.append(name)
        self._links()
        return [str(self.dev / name) for name in names]

    def pull(self, socket: str) -> None:
        for name, *_ in (each for each in self._plugged if each[1] == socket):
            (self.dev / name).unlink()
            shutil.rmtree(self.ttys / name)
        shutil.rmtree(self._device(socket))
        self._plugged = [each for each in self._plugged if each[1] != socket]
        self._links()

    def name_at(self, socket: str) -> str:
        """The path of the only port in this socket; "" if there is none."""
        return next((str(self.dev / each[0]) for each in self._plugged if each[1] == socket), "")

    def path_link(self, socket: str) -> str:
        return next(str(link) for link in sorted(self.by_path.iterdir()) if f"-usb-0:{socket}:" in link.name)

    def finder(self, wanted: str) -> PortFinder:
        return PortFinder(wanted, "url", self.by_id, self.ttys)

    def _device(self, socket: str) -> pathlib.Path:
        return self.devices / self._controller[1] / f"1-{socket}"

    def _kernel(self, name: str, socket: str, adapter: Adapter, port: int) -> None:
        device = self._device(socket)
        interface = device / f"1-{socket}:1.{int(adapter.interface)}"
        place = interface if adapter.acm else interface / name
        place.mkdir(parents=True, exist_ok=True)
        descriptor = {"idVendor": adapter.vendor, "idProduct": adapter.product, "serial": adapter.serial}
        descriptor |= {"manufacturer": adapter.maker, "product": adapter.model}
        for file, text in descriptor.items():
            if text:
                (device / file).write_text(f"{text}\n")
        (interface / "bInterfaceNumber").write_text(f"{adapter.interface}\n")
        if not adapter.acm:
            (place / "port_number").write_text(f"{port}\n")
        (self.ttys / name).mkdir()
        (self.ttys / name / "device").symlink_to(os.path.relpath(place, self.ttys / name))
        (self.dev / name).write_text("")

    def _links(self) -> None:
        if not self._udev:
            return
        for link in (*self.by_id.iterdir(), *self.by_path.iterdir()):
            link.unlink()
        for name, socket, adapter, port in self._plugged if self._taken == "first" else reversed(self._plugged):
            last = "" if adapter.acm else f"-port{port}"
            self._link(self.by_id / f"{adapter.by_id}{last}", name)
            for usb_name in ("usb", "usbv2"):
                path = f"{self._controller[0]}-{usb_name}-0:{socket}:1.{int(adapter.interface)}{last}"
                self._link(self.by_path / path, name)

    def _link(self, link: pathlib.Path, name: str) -> None:
        if not link.is_symlink():
            link.symlink_to(f"../../{name}")


def like_named(adapter: Adapter) -> Adapter:
    """Another product of the same maker, with the same texts in its descriptor."""
    return replace(adapter, product="5523")
