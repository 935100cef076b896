"""Like adapters without serial numbers of their own: each is recognised by its socket, and never mistaken."""

import contextlib
import os
import pathlib
import tty
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import SystemClock
from shared.errors import HardwareMissing
from station.commands.gate import list_all, probe
from station.gates import usb
from station.gates.decoders import catalog
from station.gates.decoders.decoder import Counts
from station.gates.driver import GateOutput
from station.gates.pico.gate import PicoGate
from station.gates.usb import PortFinder, plugged_in, stable_name
from tests.station.gates.decoders.port_peer import Box, gate, until
from tests.station.gates.usb_machine import (
    BARE_ACM,
    CH340,
    CP2102,
    FTDI_A,
    MOSCHIP,
    PC,
    PI3,
    PI4,
    PICO,
    PL2303,
    Adapter,
    Computer,
    like_named,
)

ALIKE = [CH340, CP2102, PL2303, BARE_ACM]
LAYOUTS = [(PC, "2", "4"), (PI4, "1.3", "1.4"), (PI3, "1.2", "1.1.3")]
Make = Callable[..., Computer]


@pytest.fixture
def make(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def made(**how: object) -> Computer:
        return Computer(tmp_path, monkeypatch, **how)  # type: ignore[arg-type]

    return made


def opened(finder: PortFinder) -> str:
    """Opens the port that the finder finds; gives its path."""
    path = finder.path()
    assert pathlib.Path(path).exists(), path
    finder.opened(path)
    return os.path.realpath(path)


def test_udev_names_them_as_on_real_machines(make: Make) -> None:
    computer = make(controller=PI4)
    computer.plug("1.3")
    computer.plug("1.4", PICO)
    assert [each.name for each in sorted(computer.by_id.iterdir())] == [
        "usb-1a86_USB_Serial-if00-port0",
        "usb-MicroPython_Board_in_FS_mode_e660583883-if00",
    ]
    assert [each.name for each in sorted(computer.by_path.iterdir()) if "usbv2" not in each.name] == [
        "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-port0",
        "platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.4:1.0",
    ]


@pytest.mark.parametrize("taken", ["first", "last"])
@pytest.mark.parametrize("adapter", ALIKE)
@pytest.mark.parametrize(("controller", "a", "b"), LAYOUTS)
def test_each_comes_back_to_its_own_gate(
    make: Make, adapter: Adapter, taken: str, controller: tuple[str, str], a: str, b: str
) -> None:
    computer = make(controller=controller, taken=taken)
    (first,), (second,) = computer.plug(a, adapter), computer.plug(b, adapter)
    ours, theirs = computer.finder(first), computer.finder(second)
    assert (opened(ours), opened(theirs)) == (first, second)
    for finder, socket in ((ours, a), (theirs, b)):
        path = computer.path_link(socket)
        assert finder.advice == (
            f"Another {adapter.vendor}:{adapter.product} cannot be distinguished from this one: "
            f'set url = "{path}" and leave each in its socket.'
        )
    computer.pull(a)
    assert opened(theirs) == second  # its connection broke too: the hub was unplugged
    assert ours.path() == first  # it is not there, and the link that both share leads to the other one
    (back,) = computer.plug(a, adapter, busy_names=(pathlib.Path(first).name,))
    assert back not in (first, second)
    assert (opened(ours), opened(theirs)) == (back, second)
    assert ours.advice == f'The device of {first} is at {back} now: set url = "{computer.path_link(a)}".'


@pytest.mark.parametrize("adapter", ALIKE)
def test_two_that_swapped_their_numbers(make: Make, adapter: Adapter) -> None:
    computer = make()
    (first,), (second,) = computer.plug("2", adapter), computer.plug("4", adapter)
    ours, theirs = computer.finder(first), computer.finder(second)
    opened(ours), opened(theirs)
    computer.pull("2")
    computer.pull("4")
    computer.plug("4", adapter)
    assert computer.name_at("4") == first
    with pytest.raises(HardwareMissing, match=r"another device of the same kind has this name now .* in another soc"):
        ours.path()
    computer.plug("2", adapter)
    assert (opened(ours), opened(theirs)) == (second, first)


@pytest.mark.parametrize("adapter", ALIKE)
@pytest.mark.parametrize("looked", [True, False])
def test_a_twin_that_came_after_the_start(make: Make, adapter: Adapter, looked: bool) -> None:
    """A twin is noticed while both are there, or at the first search after ours was unplugged."""
    computer = make()
    (first,) = computer.plug("2", adapter)
    ours = computer.finder(first)
    opened(ours)
    assert ours.advice == f'The number may change: set url = "{next(computer.by_id.iterdir())}".'
    computer.plug("4", adapter)
    if looked:
        assert f'set url = "{computer.path_link("2")}" and leave each in its socket.' in ours.advice
    computer.pull("2")
    for _ in range(3):
        assert ours.path() == first
        assert not pathlib.Path(first).exists()
    assert computer.path_link("4") in ours.others()
    (back,) = computer.plug("2", adapter)
    assert opened(ours) == back
    assert computer.path_link("2") in ours.advice


@pytest.mark.parametrize("wanted", ["number", "by-id", "by-path"])
def test_one_that_is_unplugged_for_good(make: Make, wanted: str) -> None:
    computer = make(taken="first")
    (first,) = computer.plug("2")
    name = {"number": first, "by-id": str(computer.by_id / f"{CH340.by_id}-port0"), "by-path": computer.path_link("2")}
    ours = computer.finder(name[wanted])
    opened(ours)
    computer.plug("4")
    assert (computer.path_link("2") in ours.advice) == (wanted != "by-path")
    computer.pull("2")
    if wanted == "by-id":  # the name leads to the other one now
        with pytest.raises(
            HardwareMissing, match="in another socket; plug the right one in where it was, or set `url`"
        ):
            ours.path()
    else:
        assert not pathlib.Path(ours.path()).exists()
        assert ours.others() == f" Plugged in: {computer.path_link('4')}."
    computer.pull("4")
    computer.plug("4")  # and takes the number
    if wanted == "number":
        with pytest.raises(HardwareMissing, match="in another socket"):
            ours.path()


def test_a_spare_in_the_same_socket_is_taken(make: Make) -> None:
    """A name in by-path means whatever is there; any other name only means a device that looks the same."""
    computer = make()
    computer.plug("2")
    computer.plug("4")
    by_path, by_number = computer.finder(computer.path_link("2")), computer.finder(computer.name_at("2"))
    opened(by_path), opened(by_number)
    computer.pull("2")
    computer.plug("2")
    assert opened(by_path) == opened(by_number) == computer.name_at("2")
    computer.pull("2")
    computer.plug("2", FTDI_A)
    assert opened(by_path) == computer.name_at("2")
    with pytest.raises(HardwareMissing, match="another device has this name now \\(0403:6001 A50285BI\\)"):
        by_number.path()


def test_both_in_other_sockets_are_not_guessed(make: Make) -> None:
    computer = make()
    (first,), (second,) = computer.plug("2"), computer.plug("4")
    finders = [computer.finder(first), computer.finder(second)]
    assert [opened(each) for each in finders] == [first, second]
    computer.pull("2")
    computer.pull("4")
    for finder in finders:
        assert finder.path() in (first, second)
    computer.plug("1.1", busy_names=("ttyUSB0", "ttyUSB1"))
    computer.plug("1.2", busy_names=("ttyUSB0", "ttyUSB1"))
    assert [finder.path() for finder in finders] == [first, second]
    assert all(computer.path_link(socket) in finders[0].others() for socket in ("1.1", "1.2"))


def test_one_alone_in_another_socket_is_taken_and_said(make: Make) -> None:
    computer = make()
    (first,) = computer.plug("2")
    ours = computer.finder(first)
    opened(ours)
    computer.pull("2")
    assert ours.path() == first
    computer.plug("4")
    assert opened(ours) == first
    assert ours.advice.startswith("It came back in another socket, and cannot be told from others: check")


@pytest.mark.parametrize("adapter", ALIKE)
def test_a_name_that_two_share_is_refused_at_the_start(make: Make, adapter: Adapter) -> None:
    computer = make()
    computer.plug("2", adapter)
    computer.plug("4", adapter)
    (shared,) = computer.by_id.iterdir()
    finder = computer.finder(str(shared))
    with pytest.raises(HardwareMissing) as refused:
        finder.path()
    assert str(refused.value).startswith(f"{shared}: 2 devices share this name; set `url` to the socket of the right")
    assert computer.path_link("2") in str(refused.value)
    assert computer.path_link("4") in str(refused.value)
    computer.pull("4")
    assert opened(finder) == computer.name_at("2")


def test_unequal_products_with_the_same_words_share_a_link_too(make: Make) -> None:
    computer = make(taken="last")
    (first,), (second,) = computer.plug("2"), computer.plug("4", like_named(CH340))
    assert len(list(computer.by_id.iterdir())) == 1
    ours = computer.finder(first)
    opened(ours)
    assert computer.path_link("2") in ours.advice
    assert stable_name(first, computer.by_id, computer.ttys) == computer.path_link("2")
    computer.pull("2")
    assert ours.path() == first
    (moved,) = computer.plug("1.1", busy_names=("ttyUSB0",))
    assert opened(ours) == moved  # the kernel can tell it from the other one, wherever it is
    assert second == computer.name_at("4")


def test_those_with_a_number_of_their_own_may_change_sockets(make: Make) -> None:
    computer = make()
    (first,), (second,) = computer.plug("2", FTDI_A), computer.plug("4", Adapter("0403", "6001", "B", "FTDI", "FT232R"))
    ours = computer.finder(first)
    opened(ours)
    assert str(computer.by_id) in ours.advice
    computer.pull("2")
    (moved,) = computer.plug("1.1", FTDI_A, busy_names=("ttyUSB0",))
    assert opened(ours) == moved
    assert second not in (first, moved)


def test_the_ports_of_one_adapter_are_no_twins(make: Make) -> None:
    computer = make()
    ports = computer.plug("2", MOSCHIP)
    finders = [computer.finder(port) for port in ports]
    assert [opened(each) for each in finders] == ports
    for number, finder in enumerate(finders):
        assert (
            finder.advice == f'The number may change: set url = "{computer.by_id / f"{MOSCHIP.by_id}-port{number}"}".'
        )
    computer.pull("2")
    again = computer.plug("2", MOSCHIP, busy_names=("ttyUSB0", "ttyUSB1"))
    assert [opened(each) for each in finders] == again
    computer.plug("4", MOSCHIP)
    assert f'now: set url = "{computer.path_link("2")[:-1]}3".' in finders[3].advice


@pytest.mark.parametrize("adapter", ALIKE)
def test_without_udev_the_socket_is_known_and_no_name_is_made_up(make: Make, adapter: Adapter) -> None:
    computer = make(udev=False)
    (first,), (second,) = computer.plug("2", adapter), computer.plug("4", adapter)
    ours, theirs = computer.finder(first), computer.finder(second)
    opened(ours), opened(theirs)
    assert ours.advice.endswith("cannot be distinguished from this one: leave each in its socket.")
    computer.pull("2")
    assert ours.path() == first
    (back,) = computer.plug("2", adapter, busy_names=(pathlib.Path(first).name,))
    assert (opened(ours), opened(theirs)) == (back, second)


def test_what_list_and_probe_offer(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    computer = make(controller=PI4)
    for module in (list_all, probe):
        monkeypatch.setattr(module, "stable_name", lambda path: stable_name(path, computer.by_id, computer.ttys))
    (first,) = computer.plug("1.3")
    computer.plug("1.2", FTDI_A)
    alone = str(computer.by_id / "usb-1a86_USB_Serial-if00-port0")
    assert list_all._port(first, "USB Serial") == f"  {alone}\n    now {first}  USB Serial"
    (second,) = computer.plug("1.4")
    paths = [computer.path_link("1.3"), computer.path_link("1.4")]
    for port, path in zip((first, second), paths, strict=True):
        assert list_all._port(port, "USB Serial") == (
            f"  {path}\n    now {port}  USB Serial\n"
            "    the name is that of its USB socket, since another device looks the same: leave each where it is"
        )
        matches = [probe.ProtocolMatch(catalog.protocol_info("p3"), 115200, 10, Counts())]
        assert f'url = "{path}", baud = 115200' in probe.verdict(port, 10, matches)
    assert sorted(plugged_in(computer.by_id, computer.ttys)) == sorted(
        [str(computer.by_id / f"{FTDI_A.by_id}-port0"), *paths]
    )


MOVES = st.lists(st.tuples(st.sampled_from(["pull", "plug", "break", "advice"]), st.sampled_from("ab")), max_size=25)


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(ALIKE), st.sampled_from(["first", "last"]), st.booleans(), st.booleans(), st.booleans(), MOVES)
def test_no_hand_mixes_them_up(
    tmp_path_factory: pytest.TempPathFactory,
    adapter: Adapter,
    taken: str,
    udev: bool,
    late: bool,
    held: bool,
    moves: list[tuple[str, str]],
) -> None:
    """However they are unplugged and plugged into their own sockets again: each opens its own adapter or none."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        computer = Computer(tmp_path_factory.mktemp("usb"), monkeypatch, taken=taken, udev=udev)
        sockets = {"a": "2", "b": "1.4"}
        gates = {"a": computer.finder(computer.plug(sockets["a"], adapter)[0])}
        if late:
            opened(gates["a"])
        gates["b"] = computer.finder(computer.plug(sockets["b"], adapter)[0])
        for finder in gates.values():
            opened(finder)
        numbers = tuple(pathlib.Path(computer.name_at(socket)).name for socket in sockets.values()) if held else ()
        for move, who in moves:
            there = bool(computer.name_at(sockets[who]))
            if move == "pull" and there:
                computer.pull(sockets[who])
            elif move == "plug" and not there:
                computer.plug(sockets[who], adapter, busy_names=numbers)
            elif move == "advice":
                assert "leave each" in gates[who].advice or "is at" in gates[who].advice
            for each, finder in gates.items():
                try_open(computer, finder, sockets[each])
        for each, socket in sockets.items():
            if not computer.name_at(socket):
                computer.plug(socket, adapter, busy_names=numbers)
            assert opened(gates[each]) == computer.name_at(socket)


def try_open(computer: Computer, finder: PortFinder, socket: str) -> None:
    path = ""
    with contextlib.suppress(HardwareMissing):
        path = finder.path()
    if not path:
        assert not computer.name_at(socket)
        return
    if pathlib.Path(path).exists():
        assert os.path.realpath(path) == computer.name_at(socket)
        finder.opened(path)
    else:
        assert not computer.name_at(socket)


class Lines:
    """Two like adapters on pseudo terminals; udev's link leads to the last one plugged in."""

    def __init__(self, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by_id, self.ttys, self._folder = folder / "by-id", folder / "ttys", folder
        self.by_id.mkdir()
        self.ttys.mkdir()
        self.link = self.by_id / "usb-1a86_USB_Serial-if00-port0"
        monkeypatch.setattr(usb, "DEV", pathlib.Path("/dev/pts"))
        self._held: dict[str, tuple[int, int, str]] = {}

    def plug(self, socket: str, name: str) -> int:
        """The device's end of the line."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        port = os.ttyname(theirs)
        device = self._folder / f"usb1/1-{socket}"
        (device / "1-0:1.0").mkdir(parents=True, exist_ok=True)
        (device / "idVendor").write_text("1a86\n")
        (device / "idProduct").write_text("7523\n")
        (self.ttys / pathlib.Path(port).name).mkdir()
        (self.ttys / pathlib.Path(port).name / "device").symlink_to(device / "1-0:1.0")
        (self._folder / name).symlink_to(port)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(port)
        self._held[socket] = (ours, theirs, name)
        return ours

    def pull(self, socket: str) -> None:
        ours, theirs, name = self._held.pop(socket)
        port_folder = self.ttys / pathlib.Path(os.ttyname(theirs)).name
        (port_folder / "device").unlink()
        port_folder.rmdir()
        (self._folder / name).unlink()
        os.close(ours)
        os.close(theirs)

    def finder(self, name: str, setting: str) -> PortFinder:
        return PortFinder(str(self._folder / name), setting, self.by_id, self.ttys)


def test_a_decoder_is_not_exchanged_for_its_twin(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, box = Lines(tmp_path, monkeypatch), Box()
    with gate(protocol="cano", url=str(tmp_path / "ttyUSB0")) as driver:
        driver._finder = finder = lines.finder("ttyUSB0", "url")
        line = lines.plug("1", "ttyUSB0")
        driver.start({}, box.put)
        os.write(line, b"00BC6100001000\r\n")
        box.take(1)
        twin = lines.plug("2", "ttyUSB1")
        os.write(twin, b"00BC6200002000\r\n" * 3)
        lines.pull("1")
        until(lambda: driver.health().absent)
        assert finder.path() == str(tmp_path / "ttyUSB0")
        line = lines.plug("1", "ttyUSB2")
        until(lambda: driver.health().alive)
        os.write(line, b"00BC6100005000\r\n")
        (matches,) = box.take(1)
        assert box.empty
        assert f"The device of {tmp_path / 'ttyUSB0'} is at" in driver.health().sentence
        assert matches.sensor == "loop"
        lines.pull("1")
        lines.pull("2")


def test_a_pico_is_not_opened_by_a_name_that_two_share(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines(tmp_path, monkeypatch)
    pico = PicoGate("start", ("beam",), {"port": str(lines.link)}, SystemClock())
    pico._finder = PortFinder(str(lines.link), "port", lines.by_id, lines.ttys)
    lines.plug("1", "ttyACM0")
    lines.plug("2", "ttyACM1")
    outputs: list[GateOutput] = []
    pico.start({}, outputs.append)
    try:
        until(lambda: pico.health().absent)
        assert "2 devices share this name; set `port` to the socket of the right one" in pico.health().sentence
        lines.pull("1")
        until(lambda: not pico.health().absent)
    finally:
        pico.close()
        lines.pull("2")
