"""Every vector of every protocol: decoded whole, split anywhere, in noise, cut short, sent twice, with flipped bits."""

import dataclasses

import pytest

from station.gates.decoders.catalog import PROTOCOLS as SHIPPED
from station.gates.decoders.catalog import decoder
from station.gates.decoders.decoder import DeviceMessage, Passing
from station.gates.decoders.line_protocols.carrera import ASK
from tests.station.gates.decoders.vectors import PROTOCOLS, VECTORS, Vector, crossings, of

NOISE = bytes([0x00, 0x07, 0x41, 0x80, 0xFF])
# Noise between frames that is part of none of them; for protocols of plain lines it has its own line end.
BETWEEN = {
    "fsr": b"\x00\xfe\r\n",
    "drem": b"\x00{\n",
    "openstint": b"\x00\xffxyz\x81\n",  # each message comes whole
    "alge": b"CHK1\r\xffx",
    "carrera": b'"?$"T2$~',
    "cano": b"\x00\xffxyz\x81\n",
}
ECHO = DeviceMessage("echo", "our own request came back")
# A line that was cut may be a valid shorter one; and without its line end, a frame may end with the next one's bytes.
ENDS_OTHERWISE = {"alge", "tag", "thcom", "openstint", "ipico", "fsr", "carrera", "robitronic"}

each_vector = pytest.mark.parametrize(
    "vector", VECTORS, ids=[f"{vector.protocol}-{number}" for number, vector in enumerate(VECTORS)]
)
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
# Any whole line is a crossing here: there is no number by which to recognise a repeat, or to notice a loss.
each_but_fsr = pytest.mark.parametrize("protocol", [protocol for protocol in PROTOCOLS if protocol != "fsr"])


def test_every_protocol_that_ships_has_vectors() -> None:
    assert set(PROTOCOLS) == {info.name for info in SHIPPED}


@each_vector
def test_a_frame_says_what_it_says(vector: Vector) -> None:
    device = decoder(vector.protocol)
    assert device.feed(vector.sent) == [vector.fact]
    assert (device.counts.frames, device.counts.resynced_bytes, device.counts.gaps) == (1, 0, 0)
    assert device.poll(0) in (b"", ASK)


@each_vector
def test_a_frame_may_be_split_anywhere(vector: Vector) -> None:
    for at in range(len(vector.sent) + 1):
        device = decoder(vector.protocol)
        facts = device.feed(vector.sent[:at])
        assert facts + device.feed(vector.sent[at:]) == [vector.fact]
        assert device.counts.frames == 1


@each_protocol
def test_a_stream_may_be_split_anywhere(protocol: str) -> None:
    stream = b"".join(of(protocol))
    at_once = decoder(protocol)
    expected = at_once.feed(stream)
    for at in range(1, len(stream)):
        device = decoder(protocol)
        assert device.feed(stream[:at]) + device.feed(stream[at:]) == expected
        assert device.counts == at_once.counts
    bytewise = decoder(protocol)
    assert [fact for byte in stream for fact in bytewise.feed(bytes((byte,)))] == expected
    assert bytewise.counts == at_once.counts


@each_vector
def test_noise_before_a_frame_costs_only_the_noise(vector: Vector) -> None:
    device = decoder(vector.protocol)
    line_end = b"\r\n" if vector.sent.endswith((b"\r", b"\n")) else b""
    assert device.feed(NOISE + line_end + vector.sent) == [vector.fact]
    assert (device.counts.frames, device.counts.resynced_bytes) == (1, len(NOISE))


@each_protocol
def test_noise_between_frames_costs_no_crossing(protocol: str) -> None:
    noise = BETWEEN.get(protocol, b"\x00\xffxyz\x81")
    device, clean = decoder(protocol), decoder(protocol)
    facts = device.feed(b"".join(noise + frame for frame in of(protocol)))
    assert crossings(facts) == crossings(clean.feed(b"".join(of(protocol))))
    assert device.counts.resynced_bytes >= len(of(protocol)) * 2


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector.protocol not in ENDS_OTHERWISE])
def test_a_frame_cut_short_costs_only_itself(vector: Vector) -> None:
    for cut in range(1, len(vector.sent.rstrip(b"\r\n"))):
        device = decoder(vector.protocol)
        facts = device.feed(vector.sent[:cut] + b"\r\n" + vector.sent)
        # The first two bytes of an I-Lap answer are our own request, echoed.
        assert [fact for fact in facts if fact != ECHO] == [vector.fact]
        assert ECHO in facts or device.counts.resynced_bytes in (cut, cut + 2)


@each_vector
def test_a_frame_cut_short_by_a_lost_line_costs_only_itself(vector: Vector) -> None:
    for cut in range(1, len(vector.sent.rstrip(b"\r\n"))):
        device = decoder(vector.protocol)
        device.feed(vector.sent[:cut])
        device.hello()  # a new connection
        assert device.feed(vector.sent) == [vector.fact]


@each_but_fsr
def test_a_reconnect_forgets_half_a_frame(protocol: str) -> None:
    device = decoder(protocol)
    sent = of(protocol)[0]
    assert device.feed(sent[:2]) == []
    device.hello()
    assert device.counts.resynced_bytes == 2
    assert len(device.feed(sent)) == 1


@each_vector
def test_a_frame_that_is_sent_twice_is_no_second_crossing(vector: Vector) -> None:
    device = decoder(vector.protocol)
    facts = device.feed(vector.sent * 2)
    assert device.counts.frames == 2
    if isinstance(vector.fact, Passing):
        assert facts == [vector.fact, dataclasses.replace(vector.fact, repeat=True)]
        assert device.counts.passings == 2
    elif vector.protocol != "fsr":
        assert crossings(facts) == crossings([vector.fact])


@each_protocol
def test_every_flipped_bit_is_survived(protocol: str) -> None:
    for frame in of(protocol):
        for at in range(len(frame)):
            for bit in range(8):
                device = decoder(protocol)
                device.feed(frame[:at] + bytes((frame[at] ^ (1 << bit),)) + frame[at + 1 :])
                device.feed(b"\n" + frame)
                assert device.counts.frames >= 1
