"""Robitronic, EasyLAP behind its USB bridge, and LapZ: their published or recorded frames, noise, and any split."""

import os
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError, HardwareMissing
from station.gates.decoders.decoder import Decoded, DeviceMessage, Gap, Passing, StatusReport
from station.gates.decoders.hid_port import CONFIGURE, ENABLE, RAW_INFO, SET_FEATURE, HidPort
from station.gates.decoders.packet_protocols.lapz import LapZ
from station.gates.decoders.packet_protocols.robitronic import BEGIN, Robitronic
from station.gates.decoders.port import check_url, open_port
from tests.station.gates.decoders.vectors import CLUB_CAR as CAR
from tests.station.gates.decoders.vectors import CLUB_CLOCK as CLOCK

MS = 1_000_000


def clock(ms: int) -> bytes:
    return bytes((0x0B, 0, 0x83)) + ms.to_bytes(4, "little") + b"\x14\xd0\x01\x02"


def car(transponder: int, ms: int, hits: int = 9, strength: int = 99) -> bytes:
    body = transponder.to_bytes(4, "little") + ms.to_bytes(4, "little") + bytes((hits, strength))
    return bytes((0x0D, 0, 0x84)) + body


def test_robitronic_as_published() -> None:
    device = Robitronic()
    assert device.hello() == BEGIN
    assert device.feed(b"\0" + CLOCK + CAR) == [
        DeviceMessage("answer"),
        StatusReport(device_time_ns=15_003 * MS),
        Passing("2078", 14_055 * MS, strength=249, hits=85),
    ]
    assert device.counts.resynced_bytes == 0
    assert device.feed(CAR)[0].repeat  # type: ignore[union-attr]


def test_robitronic_transponders_have_up_to_32_bits() -> None:
    device = Robitronic()
    for transponder in (1, 0xABCDEF, 2**32 - 1):
        assert device.feed(car(transponder, 1000)) == [Passing(str(transponder), 1000 * MS, strength=99, hits=9)]


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFF))
def test_two_public_readers_take_the_same_from_a_packet(transponder: int, ms: int) -> None:
    """Places of rginda/pycp2110 (`examples`) and florin-rosca-us/easylap-server, read in 2026.

    Both take 16 bits of the transponder, and shift the highest byte of the time too far: below 2^24 ms they are right.
    """
    packet, tick = car(transponder, ms), clock(ms)
    assert (packet[0], packet[2], tick[0], tick[2]) == (0x0D, 0x84, 0x0B, 0x83)
    passing, status = Robitronic().feed(packet), Robitronic().feed(tick)
    assert isinstance(passing[0], Passing)
    assert int(passing[0].transponder) == packet[3] | packet[4] << 8
    assert passing[0].device_time_ns == (packet[7] | packet[8] << 8 | packet[9] << 16) * MS
    assert status == [StatusReport(device_time_ns=(tick[3] | tick[4] << 8 | tick[5] << 16) * MS)]


def test_a_packet_in_noise_is_told_by_its_time() -> None:
    device = Robitronic()
    device.feed(clock(60_000))
    assert device.feed(car(5, 3_000_000_000)) == []
    assert device.counts.bad_fields == 1
    assert device.feed(b"\x0d\x0b\xff" + car(5, 61_000)) == [Passing("5", 61_000 * MS, strength=99, hits=9)]
    gap, status = device.feed(clock(500))  # the counter was switched off and on
    assert isinstance(gap, Gap)
    assert gap.kind == "restart"
    assert status == StatusReport(device_time_ns=500 * MS)
    assert device.feed(car(5, 900)) == [Passing("5", 900 * MS, strength=99, hits=9)]


def test_its_clock_wraps() -> None:
    device = Robitronic()
    device.feed(clock(2**32 - 1000))
    gap, _ = device.feed(clock(4000))
    assert isinstance(gap, Gap)
    assert gap.kind == "wrap"


@given(st.lists(st.sampled_from([CLOCK, CAR, clock(15_100), car(7, 15_200), b"\0", b"\x0d", b"\x0b\x84"]), max_size=12))
def test_any_split_says_the_same(parts: list[bytes]) -> None:
    data, bits, at_once = b"".join(parts), Robitronic(), Robitronic()
    facts: list[Decoded] = [fact for at in range(len(data)) for fact in bits.feed(data[at : at + 1])]
    assert facts == at_once.feed(data)
    assert bits.counts == at_once.counts


def test_lapz_as_recorded() -> None:
    device = LapZ()
    sent = b"#U000BB8$\r\n#P01000FA0$\r\n#P0200157C$\r\n#P01003A98$\r\n#U003E80$\r\n"
    assert device.feed(sent) == [
        StatusReport(device_time_ns=3_000 * MS),
        Passing("1", 4_000 * MS),
        Passing("2", 5_500 * MS),
        Passing("1", 15_000 * MS),
        StatusReport(device_time_ns=16_000 * MS),
    ]
    assert device.counts.resynced_bytes == 0
    assert device.feed(b"#PFF00ffff$#Pff00ffff$") == [
        Passing("255", 65_535 * MS),
        Passing("255", 65_535 * MS, repeat=True),
    ]
    assert device.feed(b"#P1000FA0$#X000001$#U00G000$") == []
    assert device.counts.bad_fields == 3


def test_lapz_clock_wraps_after_four_hours() -> None:
    device = LapZ()
    device.feed(b"#UFFFF00$")
    gap, passing = device.feed(b"#P01000010$")
    assert isinstance(gap, Gap)
    assert gap.kind == "wrap"
    assert passing == Passing("1", ((1 << 24) + 16) * MS)


class Bridge:
    """A HID device as the kernel presents it: one report per read, and the settings made by ioctl."""

    def __init__(self, vendor: int = 0x10C4) -> None:
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._vendor = vendor
        self.set: list[bytes] = []
        self._fd = theirs.detach()

    def ioctl(self, _fd: int, number: int, data: bytearray) -> int:
        if number == RAW_INFO:
            data[:] = struct.pack("=IHH", 3, self._vendor, 0x86B9)
        else:
            assert number == SET_FEATURE | len(data) << 16
            self.set.append(bytes(data))
        return 0

    def port(self) -> HidPort:
        return HidPort("/dev/hidraw0", 38400, (8, "N", 1), 0.05, self.ioctl, lambda _path, _flags: self._fd)


def test_the_usb_bridge_is_a_port() -> None:
    bridge = Bridge()
    port = bridge.port()
    assert bridge.set == [bytes((CONFIGURE,)) + (38400).to_bytes(4, "big") + bytes((0, 0, 3, 0)), bytes((ENABLE, 1))]
    assert port.write(b"x" * 64) == 64
    assert [bridge.ours.recv(100) for _ in range(2)] == [b"\x3f" + b"x" * 63, b"\x01x"]
    bridge.ours.send(bytes((len(CLOCK),)) + CLOCK)
    bridge.ours.send(bytes((len(CAR),)) + CAR + bytes(20))  # reports are padded
    assert port.read(1) == CLOCK[:1]
    assert port.read(port.in_waiting) == CLOCK[1:]
    assert port.read(100) == CAR
    assert port.read(1) == b""
    bridge.ours.close()
    with pytest.raises(OSError, match="disconnected"):
        port.read(1)
    port.close()
    port.close()


def test_another_hid_device_is_left_alone() -> None:
    bridge = Bridge(vendor=0x046D)
    with pytest.raises(OSError, match="not a CP2110"):
        bridge.port()
    assert bridge.set == []
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(bridge._fd)
    bridge.ours.close()


def test_a_bridge_that_is_not_there_is_one_sentence() -> None:
    check_url("cp2110:///dev/hidraw0")
    with pytest.raises(HardwareMissing, match="it is not there"):
        open_port("cp2110:///dev/hidraw-none", 38400)
    with pytest.raises(ConfigError, match="cp2110:///dev/hidraw0"):
        check_url("cp2110://hidraw0")
