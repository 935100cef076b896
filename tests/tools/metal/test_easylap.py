"""The simulated EasyLAP by what is known of its bridge: its report descriptor, and packets that our decoder reads."""

import os
import pathlib
import threading

import pytest

from station.gates.decoders.decoder import Passing, StatusReport
from station.gates.decoders.hid_port import CONFIGURE, ENABLE, MAX_REPORT_BYTES
from station.gates.decoders.packet_protocols.robitronic import BEGIN, Robitronic
from tests.station.gates.decoders.vectors import CLUB_CAR, CLUB_CLOCK
from tools.metal.guest import easylap as scenario
from tools.metal.guest import simulated_easylap as easylap
from tools.metal.guest.checks import until

INPUT, OUTPUT, FEATURE = 0x80, 0x90, 0xB0
REPORT_ID, REPORT_COUNT, REPORT_SIZE = 0x84, 0x94, 0x74


def reports(descriptor: bytes) -> dict[tuple[int, int], int]:
    """(kind, report's number) -> its size in bits. Device Class Definition for HID 1.11, 6.2.2: short items."""
    found: dict[tuple[int, int], int] = {}
    number = count = size = at = 0
    while at < len(descriptor):
        item, length = descriptor[at] & 0xFC, (0, 1, 2, 4)[descriptor[at] & 3]
        value = int.from_bytes(descriptor[at + 1 : at + 1 + length], "little")
        if item == REPORT_ID:
            number = value
        elif item == REPORT_COUNT:
            count = value
        elif item == REPORT_SIZE:
            size = value
        elif item in (INPUT, OUTPUT, FEATURE):
            found[item, number] = found.get((item, number), 0) + count * size
        at += 1 + length
    return found


def test_a_data_reports_number_is_its_length_as_in_an434() -> None:
    data = {(kind, number): 8 * number for kind in (INPUT, OUTPUT) for number in range(1, MAX_REPORT_BYTES + 1)}
    assert reports(easylap.report_descriptor()) == data | {(FEATURE, ENABLE): 8, (FEATURE, CONFIGURE): 64}


def test_its_start_is_ours() -> None:
    assert easylap.BEGIN == BEGIN


@pytest.mark.parametrize(
    ("made", "published"),
    [(easylap.clock_packet(15_003), CLUB_CLOCK), (easylap.passing_packet(2078, 14_055), CLUB_CAR)],
)
def test_packets_are_those_of_the_clubs_page_but_for_what_is_not_documented(made: bytes, published: bytes) -> None:
    known = [0, 2, *range(3, 7)] if made[2] == 0x83 else [0, 2, *range(3, 13)]
    assert len(made) == len(published)
    assert [made[at] for at in known] == [published[at] for at in known]


def test_the_decoder_reads_them() -> None:
    decoder = Robitronic()
    assert decoder.hello() == BEGIN
    found = decoder.feed(b"\0" + easylap.clock_packet(1_000) + easylap.passing_packet(7, 1_500))
    assert [type(each) for each in found[1:]] == [StatusReport, Passing]
    assert found[-1] == Passing("7", 1_500_000_000, strength=249, hits=85)


def test_nobody_holds_the_counters_end_of_a_cable_that_is_pulled(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel wakes no reader of it, and makes its queues anew when the cable is plugged: f_hid.c, hidg_bind."""
    held: list[bool] = []

    class Cable(easylap.SimulatedEasylap):
        """A fifo is the counter's end."""

        def __init__(self) -> None:
            monkeypatch.setattr(easylap, "mount_configfs", lambda: None)
            monkeypatch.setattr(easylap, "load", lambda *_: None)
            super().__init__()

        def path(self) -> pathlib.Path:
            return easylap.DEVICE

    def write_text(file: pathlib.Path, text: str) -> None:
        ends = [link for link in pathlib.Path("/proc/self/fd").iterdir() if link.is_symlink()]
        is_open = any(os.path.realpath(link) == str(easylap.DEVICE) for link in ends)
        held.append(is_open or threading.active_count() > before)

    (tmp_path / "gadget").mkdir()
    os.mkfifo(tmp_path / "hidg0")
    monkeypatch.setattr(easylap, "GADGET", tmp_path / "gadget")
    monkeypatch.setattr(easylap, "DEVICE", tmp_path / "hidg0")
    monkeypatch.setattr(pathlib.Path, "write_text", write_text)
    before = threading.active_count()
    counter = Cable()
    for _ in range(2):
        counter.plug()
        started = bytes((len(BEGIN),)) + BEGIN
        os.write(counter._port, started.ljust(easylap.REPORT_BYTES, b"\0"))
        assert until(lambda: counter.has_begun or None, 60.0, 0.001)
        counter.unplug()
        assert not counter.has_begun
    assert held == [False] * 4


def test_the_kernel_has_the_counter_as_any_hid_device() -> None:
    # As hid_uevent of the kernel's drivers/hid/hid-core.c writes them, and udev adds to them.
    shown = ["DEVPATH=/devices/platform/dummy_hcd.0/usb1/1-1/1-1:1.0/0003:10C4:86B9.0001", "DRIVER=hid-generic"]
    shown += ["HID_ID=0003:000010C4:000086B9", "HID_NAME=Robitronic EasyLAP", "HID_UNIQ=00C0FFEE", "SUBSYSTEM=hid"]
    assert scenario.is_as_the_kernel_has_hid("\n".join(shown) + "\n")
    for missing in ("DRIVER=hid-generic", "HID_ID=0003:000010C4:000086B9", "HID_UNIQ=00C0FFEE"):
        assert not scenario.is_as_the_kernel_has_hid("\n".join(each for each in shown if each != missing))


def test_its_name_is_waited_for_until_it_leads_to_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, earlier, name = tmp_path / "hidraw1", tmp_path / "hidraw0", tmp_path / "cp2110"
    monkeypatch.setattr(scenario, "STABLE", name)
    assert scenario.has_its_name(device) is None
    name.symlink_to(earlier)
    assert scenario.has_its_name(device) is None
    name.unlink()
    name.symlink_to(device)
    assert scenario.has_its_name(device)
