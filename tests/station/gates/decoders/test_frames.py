"""Every recorded frame of every protocol: what it says, at every split, in noise, cut short and told twice."""

import dataclasses

import pytest

from station.gates.decoders.catalog import decoder
from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing
from tests.station.gates.decoders.frames import ALL, PROTOCOLS, Recorded, of

NOISE = bytes([0x00, 0x07, 0x41, 0x80, 0xFF])
ECHO = DeviceMessage("echo", "our own question came back")
ids = [f"{recorded.protocol}-{n}" for n, recorded in enumerate(ALL)]


@pytest.mark.parametrize("recorded", ALL, ids=ids)
def test_a_recorded_frame_says_what_it_says(recorded: Recorded) -> None:
    device = decoder(recorded.protocol)
    assert device.feed(recorded.sent) == [recorded.fact]
    assert (device.counts.frames, device.counts.resynced_bytes, device.counts.gaps) == (1, 0, 0)


@pytest.mark.parametrize("recorded", ALL, ids=ids)
def test_a_frame_may_be_split_anywhere(recorded: Recorded) -> None:
    for at in range(len(recorded.sent) + 1):
        device = decoder(recorded.protocol)
        facts = device.feed(recorded.sent[:at])
        assert facts + device.feed(recorded.sent[at:]) == [recorded.fact]
        assert device.counts.frames == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_all_frames_byte_by_byte_are_as_at_once(protocol: str) -> None:
    stream = b"".join(of(protocol))
    whole, bytewise = decoder(protocol), decoder(protocol)
    expected = whole.feed(stream)
    found: list[Decoded] = []
    for at in range(len(stream)):
        found += bytewise.feed(stream[at : at + 1])
    assert found == expected
    assert bytewise.counts == whole.counts


@pytest.mark.parametrize("recorded", ALL, ids=ids)
def test_noise_before_a_frame_costs_only_the_noise(recorded: Recorded) -> None:
    device = decoder(recorded.protocol)
    lines = b"\r\n" if recorded.sent.endswith(b"\n") else b""
    assert device.feed(NOISE + lines + recorded.sent) == [recorded.fact]
    assert (device.counts.frames, device.counts.resynced_bytes) == (1, len(NOISE))


@pytest.mark.parametrize("recorded", ALL, ids=ids)
def test_a_frame_cut_short_costs_only_itself(recorded: Recorded) -> None:
    for cut in range(1, len(recorded.sent.rstrip(b"\r\n"))):
        device = decoder(recorded.protocol)
        facts = device.feed(recorded.sent[:cut] + b"\r\n" + recorded.sent)
        # The first two bytes of an I-Lap answer are our own question, echoed.
        assert [fact for fact in facts if fact != ECHO] == [recorded.fact]
        assert ECHO in facts or device.counts.resynced_bytes in (cut, cut + 2)


@pytest.mark.parametrize("recorded", [r for r in ALL if isinstance(r.fact, Passing)])
def test_a_passing_told_twice_is_known(recorded: Recorded) -> None:
    device = decoder(recorded.protocol)
    assert isinstance(recorded.fact, Passing)
    assert device.feed(recorded.sent * 2) == [recorded.fact, dataclasses.replace(recorded.fact, repeat=True)]
    assert device.counts.passings == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reconnect_forgets_half_a_frame(protocol: str) -> None:
    device = decoder(protocol)
    sent = of(protocol)[0]
    assert device.feed(sent[:2]) == []
    device.hello()
    assert device.counts.resynced_bytes == 2
    assert len(device.feed(sent)) == 1
