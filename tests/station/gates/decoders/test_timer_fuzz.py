"""Timers and smaller decoders under rubbish: nothing raises, any split says the same, nothing is kept."""

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.gates.decoders.decoder import Decoded, Decoder
from tests.station.gates.decoders.timer_frames import DECODERS, of

LONGEST = 4096 + 64


@st.composite
def streams(draw: st.DrawFn, protocol: str) -> list[bytes]:
    """Frames whole, cut, altered and repeated, with noise and echoes between, in any portions."""
    frames = st.sampled_from(of(protocol))
    cut = st.builds(lambda frame, at: frame[:at], frames, st.integers(0, 40))
    altered = st.builds(lambda frame, at, to: frame[: at % len(frame)] + bytes((to,)) + frame[at % len(frame) + 1 :],
                        frames, st.integers(0, 99), st.integers(0, 255))  # fmt: skip
    noise = st.binary(max_size=80) | st.sampled_from([b"\r\n", b"CHK1\r", b'"?$', b"%C&"])
    stream = b"".join(draw(st.lists(frames | cut | altered | noise, max_size=12)))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("protocol", DECODERS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_portions_of_anything_say_the_same(protocol: str, data: st.DataObject) -> None:
    portions = data.draw(streams(protocol))
    device, whole = DECODERS[protocol](), DECODERS[protocol]()
    facts = [fact for portion in portions for fact in device.feed(portion)]
    assert facts == whole.feed(b"".join(portions))
    assert device.counts == whole.counts


@pytest.mark.parametrize("protocol", DECODERS)
@settings(deadline=None, max_examples=60)
@given(noise=st.binary(max_size=300))
def test_after_any_noise_the_second_frame_is_read(protocol: str, noise: bytes) -> None:
    device = DECODERS[protocol]()
    device.feed(noise)
    first, second = of(protocol)[0], of(protocol)[1 % len(of(protocol))]
    before = device.counts.frames
    device.feed(first * 2 + second)
    assert device.counts.frames > before


def campaign(protocol: str, size: int, seed: int) -> tuple[Decoder, float]:
    """So many random and mutated bytes in random portions; the decoder and how long a byte took, in ns."""
    rng, device = random.Random(seed), DECODERS[protocol]()
    frames, fed, taken_ns = of(protocol), 0, 0
    while fed < size:
        portion = bytearray(b"".join(rng.choices(frames, k=20)) if rng.random() < 0.6 else rng.randbytes(2000))
        for _ in range(rng.randrange(12)):
            portion[rng.randrange(len(portion))] = rng.randrange(256)
        portion = portion[rng.randrange(20) : len(portion) - rng.randrange(20)]
        began_ns = time.perf_counter_ns()
        facts: list[Decoded] = device.feed(bytes(portion))
        device.poll(fed * 1_000_000)
        taken_ns += time.perf_counter_ns() - began_ns
        fed += len(portion)
        assert len(facts) <= len(portion)
    return device, taken_ns / fed


@pytest.mark.parametrize("protocol", DECODERS)
def test_two_hundred_kilobytes(protocol: str) -> None:
    device, _ = campaign(protocol, 200_000, seed=1)
    assert device.counts.frames > 100
    assert device.counts.resynced_bytes > 10_000


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("protocol", DECODERS)
def test_two_megabytes_in_flat_memory(protocol: str) -> None:
    tracemalloc.start()
    try:
        campaign(protocol, 400_000, seed=2)
        base, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        device, _ = campaign(protocol, 1_600_000, seed=3)  # `bench decoders` feeds ten megabytes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert device.counts.frames > 1_000
    assert peak - base < 2_000_000


@pytest.mark.parametrize("protocol", DECODERS)
def test_a_frame_that_never_ends_is_not_kept(protocol: str) -> None:
    device = DECODERS[protocol]()
    start = of(protocol)[0][:3]
    tracemalloc.start()
    try:
        device.feed(start)
        for _ in range(100):
            device.feed(b"0" * 10_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 50_000 + LONGEST
    device.feed(b"\r\n" if protocol != "laprf" else b"")
    device.feed(of(protocol)[0])
    assert device.counts.frames >= 1
