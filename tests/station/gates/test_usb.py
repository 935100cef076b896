"""A serial device under another number is found by its links, else by its USB device, and the advice names both."""

import os
import pathlib
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.errors import HardwareMissing
from station.commands.gate import list_all, probe
from station.gates import usb
from station.gates.decoders import catalog
from station.gates.decoders.decoder import Counts
from station.gates.decoders.gate import DecoderGate
from station.gates.usb import PortFinder, UsbDevice, plugged_in, stable_name, usb_device
from tests.station.gates.decoders.port_peer import Box, gate, until

FTDI = UsbDevice("0403", "6001", "A50285BI", "00")


class Machine:
    """A machine's /dev and /sys in a folder, as far as serial ports are concerned."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dev, self.by_id, self.ttys = folder / "dev", folder / "dev/serial/by-id", folder / "sys/class/tty"
        self.by_id.mkdir(parents=True)
        self.ttys.mkdir(parents=True)
        monkeypatch.setattr(usb, "DEV", self.dev)
        self._made = 0

    def plug(self, name: str, device: UsbDevice | None = FTDI, link: str = "") -> str:
        """Adds a port of this name, with `link` in by-id."""
        self._made += 1
        (self.dev / name).write_text("")
        if device is not None:
            port = self.ttys.parent.parent / f"devices/usb1/1-{self._made}/1-{self._made}:1.{device.interface}/{name}"
            port.mkdir(parents=True)
            for folder, file, text in (
                (port.parent, "bInterfaceNumber", device.interface),
                (port.parent.parent, "idVendor", device.vendor),
                (port.parent.parent, "idProduct", device.product),
                (port.parent.parent, "serial", device.serial),
            ):
                if text:
                    (folder / file).write_text(f"{text}\n")
            (self.ttys / name).mkdir(exist_ok=True)
            (self.ttys / name / "device").symlink_to(port)
        if link:
            (self.by_id / link).symlink_to(self.dev / name)
        return str(self.dev / name)

    def pull(self, name: str, link: str = "") -> None:
        (self.dev / name).unlink()
        if (self.ttys / name / "device").is_symlink():
            (self.ttys / name / "device").unlink()
        if link:
            (self.by_id / link).unlink()

    def finder(self, name: str) -> PortFinder:
        return PortFinder(name, "url", self.by_id, self.ttys)


@pytest.fixture
def machine(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_what_the_kernel_tells_of_a_port(machine: Machine) -> None:
    path = machine.plug("ttyUSB0", link="usb-FTDI_A50285BI-if00-port0")
    assert usb_device(path, machine.ttys) == FTDI
    assert usb_device(str(machine.by_id / "usb-FTDI_A50285BI-if00-port0"), machine.ttys) == FTDI
    assert usb_device("/dev/there-is-none", machine.ttys) is None
    assert stable_name(path, machine.by_id) == str(machine.by_id / "usb-FTDI_A50285BI-if00-port0")
    assert plugged_in(machine.by_id) == (str(machine.by_id / "usb-FTDI_A50285BI-if00-port0"),)
    assert plugged_in(machine.dev / "none") == ()


@pytest.mark.parametrize("link", ["usb-FTDI_A50285BI-if00-port0", ""])
@pytest.mark.parametrize("device", [FTDI, UsbDevice("0403", "6001", "", "00")])
def test_it_comes_back_under_another_number(machine: Machine, link: str, device: UsbDevice) -> None:
    finder = machine.finder(machine.plug("ttyUSB0", device, link))
    machine.plug("ttyUSB5", UsbDevice("1a86", "7523", "", "00"), "usb-other" if link else "")
    wanted = finder.path()
    finder.opened(wanted)
    assert ("The number may change" in finder.advice) == bool(link)
    machine.pull("ttyUSB0", link)
    assert finder.path() == wanted  # nothing is there: the configured name is tried
    there = machine.plug("ttyUSB1", device, link)
    path_now = finder.path()
    assert os.path.realpath(path_now) == there
    finder.opened(path_now)
    name = str(machine.by_id / link) if link else there
    assert finder.advice == f'The device of {wanted} is at {there} now: set url = "{name}".'


def test_another_device_that_took_the_number_is_not_taken_for_it(machine: Machine) -> None:
    finder = machine.finder(machine.plug("ttyUSB0"))
    finder.opened(finder.path())
    machine.pull("ttyUSB0")
    machine.plug("ttyUSB0", UsbDevice("1a86", "7523", "", "00"))
    with pytest.raises(HardwareMissing, match=r"another device has this name now \(1a86:7523"):
        finder.path()
    there = machine.plug("ttyUSB1")
    assert finder.path() == there


def test_two_that_swapped_their_numbers(machine: Machine) -> None:
    finder = machine.finder(machine.plug("ttyUSB0", link="usb-A"))
    machine.plug("ttyUSB1", UsbDevice("0403", "6001", "B", "00"), "usb-B")
    finder.opened(finder.path())
    machine.pull("ttyUSB0", "usb-A")
    machine.pull("ttyUSB1", "usb-B")
    machine.plug("ttyUSB0", UsbDevice("0403", "6001", "B", "00"), "usb-B")
    there = machine.plug("ttyUSB1", link="usb-A")
    assert os.path.realpath(finder.path()) == there


def test_two_alike_without_a_number_of_their_own_are_not_guessed(machine: Machine) -> None:
    bare = UsbDevice("1a86", "7523", "", "00")
    finder = machine.finder(machine.plug("ttyUSB0", bare))
    finder.opened(finder.path())
    machine.pull("ttyUSB0")
    machine.plug("ttyUSB1", bare)
    machine.plug("ttyUSB2", bare)
    assert finder.path() == str(machine.dev / "ttyUSB0")


def test_a_stable_name_and_a_url_need_no_advice(machine: Machine) -> None:
    machine.plug("ttyUSB0", link="usb-A")
    for name in (str(machine.by_id / "usb-A"), "socket://127.0.0.1:1", "/dev/pts/5"):
        finder = machine.finder(name)
        finder.opened(finder.path())
        assert (finder.path(), finder.advice) == (name, "")


def test_of_a_port_that_is_not_there_the_others_are_named(machine: Machine) -> None:
    machine.plug("ttyUSB1", link="usb-A")
    assert machine.finder("/dev/ttyUSB0").others() == f" Plugged in: {machine.by_id / 'usb-A'}."
    assert machine.finder("socket://127.0.0.1:1").others() == ""


@contextmanager
def plugged(folder: pathlib.Path, *names: str) -> Iterator[int]:
    """A device on a pseudo terminal, under these links."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    for name in names:
        (folder / name).symlink_to(os.ttyname(theirs))
    try:
        yield ours
    finally:
        for name in names:
            (folder / name).unlink()
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("wanted", ["by-id-decoder", "ttyUSB0"])
def test_a_decoder_goes_away_and_comes_back_under_another_number(tmp_path: pathlib.Path, wanted: str) -> None:
    box = Box()
    with gate(protocol="cano", url=str(tmp_path / wanted)) as driver:
        with plugged(tmp_path, "ttyUSB0", "by-id-decoder") as line:
            driver.start({}, box.put)
            os.write(line, b"00BC6100001000\r\n")
            box.take(1)
        until(lambda: not driver.health().alive)
        with plugged(tmp_path, "ttyUSB1", "by-id-decoder") as line:
            _pass_until_received(driver, line)
            sentence = driver.health().sentence
    assert (f'set url = "{tmp_path / "by-id-decoder"}"' in sentence) == (wanted == "ttyUSB0")


def _pass_until_received(driver: DecoderGate, line: int) -> None:
    """Sends passes again and again, until the driver has received one."""
    edges_before = driver.health().edges
    passings = iter(range(0x9000, 0xFFFFFF, 2000))

    def has_new_edge() -> bool:
        os.write(line, b"00BC61%08X\r\n" % next(passings))
        return driver.health().edges > edges_before

    try:
        until(has_new_edge)
    except AssertionError:
        raise AssertionError(driver.health()) from None


def test_list_and_probe_offer_the_name_that_stays(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    path = machine.plug("ttyUSB0", link="usb-A")
    stable = str(machine.by_id / "usb-A")
    for module in (list_all, probe):
        monkeypatch.setattr(module, "stable_name", lambda device: stable_name(device, machine.by_id))
    assert list_all._port(path, "FT232R") == f"  {stable}\n    now {path}  FT232R"
    assert list_all._port("/dev/ttyS0", "") == "  /dev/ttyS0"
    has_new_edge = [probe.ProtocolMatch(catalog.protocol_info("p3"), 115200, 10, Counts())]
    assert f'url = "{stable}", baud = 115200' in probe.verdict(path, 10, has_new_edge)
    assert 'url = "socket://h:1", baud' in probe.verdict("socket://h:1", 10, has_new_edge)
