"""The simulated EasyLAP by what is known of its bridge: its report descriptor, and packets that our decoder reads."""

import pytest

from station.gates.decoders.decoder import Passing, StatusReport
from station.gates.decoders.hid_port import CONFIGURE, ENABLE, MAX_REPORT_BYTES
from station.gates.decoders.packet_protocols.robitronic import BEGIN, Robitronic
from tests.station.gates.decoders.vectors import CLUB_CAR, CLUB_CLOCK
from tools.metal.guest import simulated_easylap as easylap

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
