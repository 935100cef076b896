"""No bytes harm a decoder (random, mutated, noisy, echoed, cut, repeated): it never raises and never grows."""

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.gates.decoders.catalog import decoder, protocols
from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage, Gap, Passing, StatusReport
from tests.station.gates.decoders.vectors import PROTOCOLS, of

KINDS = (Passing, DeviceEdge, StatusReport, DeviceMessage, Gap)
ECHOES = (b"%C&", b"\x01%\r\n", b"VERSION\r\n", b"LR\r\n", b"*\r\n", b"\x01", b"\x8e", b"\x8f", b"\x8d\x8d\x8e", b"%%&",
          b"\r\n", b"CHK1\r", b'"?$')  # fmt: skip
PIECE = 1_000
LONGEST = 4096 + 64
BLOCK = 100_000
# Their frames begin with a byte of their own, so that no noise before one becomes part of it.
BEGUN = ("p3", "rc4", "tranx2", "cano", "ilap", "zround")
# Any line is a frame of these, or a checked packet: what noise leaves open ends with the frame after it.
READ_ON = ("alge", "tag", "thcom", "openstint", "laprf", "carrera", "fsr", "drem", "ipico")
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
# Robitronic's packets have a length of their own and are searched byte by byte: tracing each takes a minute.
each_traced = pytest.mark.parametrize("protocol", [protocol for protocol in PROTOCOLS if protocol != "robitronic"])


def stream(protocol: str, length: int, chance: random.Random) -> bytes:
    """A stream as from a bad connection: frames, most of them damaged, in noise and echoes."""
    frames = of(protocol)
    parts: list[bytes] = []
    size = 0
    while size < length:
        part = _part(chance.choice(frames), chance)
        parts.append(part)
        size += len(part)
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


@each_protocol
def test_bad_streams_are_survived(protocol: str) -> None:
    chance = random.Random(f"bad {protocol}")
    device, data = decoder(protocol), stream(protocol, 2 * BLOCK, chance)
    passings = at = 0
    while at < len(data):
        piece = data[at : at + chance.randrange(1, PIECE)]
        facts = device.feed(piece)
        device.poll(at * 1_000_000)
        at += len(piece)
        assert all(isinstance(fact, KINDS) for fact in facts)
        assert len(facts) <= len(piece) + 1  # a frame has at least one byte; one may have waited for its end
        passings += sum(isinstance(fact, Passing) for fact in facts)
    counts = device.counts
    assert counts.passings == passings
    assert counts.frames > 100
    assert 10_000 < counts.resynced_bytes <= len(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(protocols()), st.lists(st.binary(max_size=60), max_size=30))
def test_any_bytes_in_any_pieces(protocol: str, parts: list[bytes]) -> None:
    _same_in_pieces(protocol, parts)


@st.composite
def streams(draw: st.DrawFn, protocol: str) -> list[bytes]:
    """Frames, whole, cut, altered and repeated, with noise and echoes in between, in portions of any size."""
    frames = st.sampled_from(of(protocol))
    cut = st.builds(lambda frame, at: frame[:at], frames, st.integers(0, 40))
    altered = st.builds(lambda frame, at, to: frame[: at % len(frame)] + bytes((to,)) + frame[at % len(frame) + 1 :],
                        frames, st.integers(0, 99), st.integers(0, 255))  # fmt: skip
    noise = st.binary(max_size=80) | st.sampled_from(ECHOES)
    stream = b"".join(draw(st.lists(frames | cut | altered | noise, max_size=12)))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@pytest.mark.slow
@each_protocol
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_portions_of_anything_say_the_same(protocol: str, data: st.DataObject) -> None:
    _same_in_pieces(protocol, data.draw(streams(protocol)))


def _same_in_pieces(protocol: str, parts: list[bytes]) -> None:
    pieces, at_once = decoder(protocol), decoder(protocol)
    facts: list[Decoded] = [fact for part in parts for fact in pieces.feed(part)]
    assert facts == at_once.feed(b"".join(parts))
    assert pieces.counts == at_once.counts


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(BEGUN), st.data())
def test_the_good_frames_among_noise_are_found(protocol: str, data: st.DataObject) -> None:
    sent = of(protocol)
    noise = data.draw(st.lists(st.binary(max_size=20), min_size=len(sent), max_size=len(sent)))
    device = decoder(protocol)
    clean = decoder(protocol)
    expected = [fact for fact in clean.feed(b"".join(sent)) if not isinstance(fact, Gap)]
    # A line end before each frame ends what noise began; no noise leaves a start byte open.
    facts_of_all = device.feed(
        b"".join(_harmless(dirt) + b"\r\n" + frame for dirt, frame in zip(noise, sent, strict=True))
    )
    assert [fact for fact in facts_of_all if not isinstance(fact, Gap)] == expected


def _harmless(dirt: bytes) -> bytes:
    return bytes(byte for byte in dirt if byte not in b"\x01%&$#@0123456789abcdefABCDEF\x8e\x8f")


@pytest.mark.parametrize("protocol", READ_ON)
@settings(deadline=None, max_examples=60)
@given(noise=st.binary(max_size=300))
def test_after_any_noise_the_second_frame_is_read(protocol: str, noise: bytes) -> None:
    device = decoder(protocol)
    device.feed(noise)
    first, second = of(protocol)[0], of(protocol)[1 % len(of(protocol))]
    before = device.counts.frames
    device.feed(first * 2 + second)
    assert device.counts.frames > before


@pytest.mark.slow
@pytest.mark.parametrize(
    "data", [b"\x8e", b"%", b"\x01", b"$", b"0", b"\r", b"\n\r", b"\x8e\x8f", b"%&", b"A\n", b"\0"]
)
@pytest.mark.parametrize("protocol", protocols())
def test_a_flood_of_one_byte_takes_no_time_and_no_room(protocol: str, data: bytes) -> None:
    device = decoder(protocol)
    device.feed(data * 4)  # what is imported and compiled at first is not part of the flood
    tracemalloc.start()
    began_s = time.process_time()
    for _ in range(3):
        device.feed(data * (20_000 // len(data)))
    took_s = time.process_time() - began_s
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took_s < 10.0
    assert held_bytes < 600_000


@each_traced
def test_a_frame_that_never_ends_is_not_kept(protocol: str) -> None:
    device = decoder(protocol)
    tracemalloc.start()
    try:
        device.feed(of(protocol)[0][:3])
        for _ in range(100):
            device.feed(b"0" * 10_000)
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 50_000 + LONGEST
    device.feed(b"\r\n" if protocol != "laprf" else b"")
    device.feed(of(protocol)[0])
    assert device.counts.frames >= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
@each_traced
def test_a_megabyte_in_flat_memory(protocol: str) -> None:
    chance = random.Random(f"long {protocol}")
    # `bench decoders` feeds ten megabytes. What is made before is not traced: that alone would take most of the time.
    blocks = [stream(protocol, BLOCK, chance) if number % 2 else chance.randbytes(BLOCK) for number in range(10)]
    device = decoder(protocol)
    early = 0
    tracemalloc.start()
    try:
        for number, block in enumerate(blocks):
            for at in range(0, BLOCK, PIECE):
                device.feed(block[at : at + PIECE])
                device.poll((number * BLOCK + at) * 1_000_000)
            if number == 2:
                early, _ = tracemalloc.get_traced_memory()
                tracemalloc.reset_peak()
        late, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert device.counts.frames > 1_000
    assert late - early < 100_000
    assert peak - early < 1_000_000
