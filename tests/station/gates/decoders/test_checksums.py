"""Damaged data is rejected: altered lines and frames, wrong lengths; and the capture of a real decoder."""

import pathlib

import pytest

from station.gates.decoders.catalog import decoder
from station.gates.decoders.decoder import Gap, Passing
from station.gates.decoders.framing import crc_amb
from station.gates.decoders.line_protocols.rc4 import RC4, line
from station.gates.decoders.packet_protocols.p3 import P3, escape, unescape
from tests.station.gates.decoders.vectors import P3 as P3_FRAMES
from tests.station.gates.decoders.vectors import RC4_LINES, RC4_SENT

CAPTURE = pathlib.Path(__file__).parent / "captures" / "p3_short.hex"


def test_the_nine_lines_check() -> None:
    device = RC4()
    facts = device.feed(b"".join(RC4_SENT))
    assert (device.counts.frames, device.counts.bad_crc, device.counts.passings, device.counts.status) == (9, 0, 5, 4)
    # The page quotes nine lines of a longer log: the numbers in between are missing, and reported.
    assert [fact.missing for fact in facts if isinstance(fact, Gap)] == [2, 2, 11, 4]


@pytest.mark.parametrize("sent", RC4_SENT)
def test_no_altered_line_checks(sent: bytes) -> None:
    for at in range(1, len(sent) - 2):
        for flip in (0x01, 0x02, 0x10, 0x40):
            device = RC4()
            device.feed(sent[:at] + bytes([sent[at] ^ flip]) + sent[at + 1 :])
            same_digit = sent[at : at + 1].isalpha() and flip == 0x20
            assert device.counts.passings + device.counts.status == 0 or same_digit


@pytest.mark.parametrize("text", RC4_LINES)
def test_a_line_that_we_make_is_the_recorded_one(text: str) -> None:
    body, _, _ = text.replace("␉", "\t").rpartition("\t")
    assert line(body) == b"\x01" + text.replace("␉", "\t").encode() + b"\r\n"


def test_an_altered_line_counts_as_a_bad_check() -> None:
    device = RC4()
    assert device.feed(RC4_SENT[2].replace(b"596.126", b"595.126")) == []
    assert device.feed(RC4_SENT[2].replace(b"x14F5", b"xABCD")) == []
    assert device.feed(RC4_SENT[2].replace(b"x14F5", b"x14F")) == []
    assert (device.counts.bad_crc, device.counts.bad_length, device.counts.frames) == (2, 1, 0)


def test_flipped_bits_of_a_p3_frame_are_found() -> None:
    sent = P3_FRAMES[0].sent
    for at in range(len(sent)):
        for bit in (0, 3, 7):
            device = P3()
            device.feed(sent[:at] + bytes([sent[at] ^ (1 << bit)]) + sent[at + 1 :])
            assert device.counts.frames == 0


def test_escapes_go_there_and_back() -> None:
    sent = P3_FRAMES[1].sent
    assert len(unescape(sent)) == 0x33
    assert escape(unescape(sent)) == sent


@pytest.mark.parametrize(("text", "why"), [
    ("8e02330000", "bad_length"),
    ("8e021f00f38a0000020001022800070216000c01760601008104131804008f", "bad_crc"),
    ("8e022000f3890000020001022800070216000c01760601008104131804008f", "bad_length"),
])  # fmt: skip
def test_a_bad_frame_is_counted_by_its_kind(text: str, why: str) -> None:
    device = P3()
    device.feed(bytes.fromhex(text) + P3_FRAMES[2].sent)
    assert getattr(device.counts, why) == 1
    assert device.counts.resynced_bytes == len(text) // 2
    assert device.counts.frames == 1


def test_a_whole_frame_with_a_field_over_its_end_is_bad_fields() -> None:
    frame = bytearray(bytes.fromhex("8e020e0000000000020001038f"))
    frame[2] = len(frame)
    frame[4:6] = crc_amb(bytes(frame)).to_bytes(2, "little")
    device = P3()
    assert device.feed(bytes(frame)) == []
    assert device.counts.bad_fields == 1


def _capture() -> bytes:
    return bytes.fromhex("".join(CAPTURE.read_text().splitlines()[1:]))


def test_the_carried_capture_is_the_recorded_one(shared_data: pathlib.Path) -> None:
    assert bytes.fromhex((shared_data / "decoder" / "p3_short_capture.hex").read_text()) == _capture()


def test_a_real_capture() -> None:
    device = decoder("p3")
    facts = device.feed(_capture())
    counts = device.counts
    assert (counts.frames, counts.passings, counts.status, counts.resynced_bytes) == (371, 83, 288, 0)
    assert [fact.sentence for fact in facts if isinstance(fact, Gap)] == [
        "The passing 157829 is missing (after 157828 came 157830)."
    ]
    passings = [fact for fact in facts if isinstance(fact, Passing)]
    assert (passings[0].number, passings[-1].number) == (157777, 157860)
    assert all(passing.device_time_ns % 1_000_000 == 0 for passing in passings)


def test_a_capture_with_frames_left_out_names_each_gap() -> None:
    device = decoder("p3")
    frames = [bytes.fromhex(line) for line in CAPTURE.read_text().splitlines()[1:]]
    remaining = [frame for number, frame in enumerate(frames) if number % 10]
    facts = device.feed(b"".join(remaining))
    missing = sum(fact.missing for fact in facts if isinstance(fact, Gap))
    assert missing == 157860 - 157777 + 1 - device.counts.passings
    assert {fact.kind for fact in facts if isinstance(fact, Gap)} == {"missed_numbers"}
