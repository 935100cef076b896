"""No bytes hurt a decoder: random, mutated, noisy, echoed, cut and repeated ones; it never raises and never grows."""

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.gates.decoders.catalog import decoder, protocols
from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage, Gap, Passing, StatusReport
from tests.station.gates.decoders.frames import PROTOCOLS, of

KINDS = (Passing, DeviceEdge, StatusReport, DeviceMessage, Gap)
ECHOES = (b"%C&", b"\x01%\r\n", b"VERSION\r\n", b"LR\r\n", b"*\r\n", b"\x01", b"\x8e", b"\x8f", b"\x8d\x8d\x8e", b"%%&")
PIECE = 1_000


def stream(protocol: str, length: int, chance: random.Random) -> bytes:
    """A stream as bad lines make it: frames, most of them hurt, in noise and echoes."""
    frames = of(protocol)
    parts: list[bytes] = []
    held = 0
    while held < length:
        part = _part(chance.choice(frames), chance)
        parts.append(part)
        held += len(part)
    return b"".join(parts)[:length]


def _part(frame: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(frame) + 1)
    return chance.choice((
        lambda: frame,
        lambda: frame * 2,
        lambda: frame[:at],
        lambda: frame[at:],
        lambda: frame[:at] + chance.randbytes(1) + frame[at + 1 :],
        lambda: frame[:at] + chance.randbytes(chance.randrange(9)) + frame[at:],
        lambda: chance.choice(ECHOES),
        lambda: chance.randbytes(chance.randrange(200)),
    ))()  # fmt: skip


def run(protocol: str, data: bytes, sizes: random.Random) -> list[Decoded]:
    """All of it in pieces; the counts must stay sane."""
    device = decoder(protocol)
    facts: list[Decoded] = []
    at = 0
    while at < len(data):
        size = sizes.randrange(1, PIECE)
        facts += device.feed(data[at : at + size])
        device.poll(at * 1_000_000)
        at += size
    counts = device.counts
    assert 0 <= counts.resynced_bytes <= len(data)
    assert counts.passings == sum(isinstance(fact, Passing) for fact in facts)
    return facts


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_bad_streams_are_survived(protocol: str) -> None:
    chance = random.Random(f"bad {protocol}")
    facts = run(protocol, stream(protocol, 200_000, chance), chance)
    assert all(isinstance(fact, KINDS) for fact in facts)
    assert facts


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(protocols()), st.lists(st.binary(max_size=60), max_size=30))
def test_any_bytes_in_any_pieces(protocol: str, parts: list[bytes]) -> None:
    pieces, whole = decoder(protocol), decoder(protocol)
    found: list[Decoded] = []
    for part in parts:
        found += pieces.feed(part)
    assert found == whole.feed(b"".join(parts))
    assert pieces.counts == whole.counts


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PROTOCOLS), st.data())
def test_the_good_frames_among_noise_are_found(protocol: str, data: st.DataObject) -> None:
    sent = of(protocol)
    noise = data.draw(st.lists(st.binary(max_size=20), min_size=len(sent), max_size=len(sent)))
    device = decoder(protocol)
    clean = decoder(protocol)
    expected = [fact for fact in clean.feed(b"".join(sent)) if not isinstance(fact, Gap)]
    # A line end before each frame ends what noise began; no noise is a start byte left open behind it.
    found = device.feed(b"".join(_harmless(dirt) + b"\r\n" + frame for dirt, frame in zip(noise, sent, strict=True)))
    assert [fact for fact in found if not isinstance(fact, Gap)] == expected


def _harmless(dirt: bytes) -> bytes:
    return bytes(byte for byte in dirt if byte not in b"\x01%&$#@0123456789abcdefABCDEF\x8e\x8f")


@pytest.mark.slow
@pytest.mark.parametrize(
    "data", [b"\x8e", b"%", b"\x01", b"$", b"0", b"\r", b"\n\r", b"\x8e\x8f", b"%&", b"A\n", b"\0"]
)
@pytest.mark.parametrize("protocol", protocols())
def test_a_flood_of_one_byte_takes_no_time_and_no_room(protocol: str, data: bytes) -> None:
    device = decoder(protocol)
    device.feed(data * 4)  # what is imported and compiled at first is not the flood's
    tracemalloc.start()
    began_s = time.process_time()
    for _ in range(3):
        device.feed(data * (20_000 // len(data)))
    took_s = time.process_time() - began_s
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took_s < 10.0
    assert kept < 600_000


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_two_megabytes_through_each(protocol: str) -> None:
    chance = random.Random(f"long {protocol}")
    device = decoder(protocol)
    tracemalloc.start()
    early = 0
    for block in range(20):  # `bench decoders` feeds ten megabytes
        data = stream(protocol, 100_000, chance) if block % 2 else chance.randbytes(100_000)
        for at in range(0, len(data), PIECE):
            device.feed(data[at : at + PIECE])
        del data
        if block == 4:
            early, _ = tracemalloc.get_traced_memory()
    late, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert late - early < 200_000
