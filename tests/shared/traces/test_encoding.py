"""A trace's bytes: the same for the same run, small, and safe to read from strangers."""

from dataclasses import fields, replace

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.traces.columns import LARGEST, NotCanonical, pack, unpack
from shared.traces.encoding import MARK, MAX_BODY_BYTES, MAX_FRAMES, decode, encode, trace_sha256
from shared.traces.trace import DIRECTIONS, EVENT_KINDS, DriveTrace, OtherCar, TraceBox, TraceEvent, TraceFrames
from tests.shared.traces.driven import round_trip

DAMAGED = "The trace is damaged: download it again, or drive the run again."
_LIMITS = {
    "yaw_mdeg": (-180_000, 180_000), "action": (-1, 1023), "steer_mdeg": (-90_000, 90_000), "speed_mm_s": (0, 100_000),
    "waypoint": (0, 20_000), "along_mm": (0, 10_000_000), "lateral_mm": (-10_000_000, 10_000_000), "wheels": (0, 4),
    "status": (0, 7),
}  # fmt: skip
_FAR = st.integers(-LARGEST, LARGEST)


@st.composite
def _traces(draw: st.DrawFn) -> DriveTrace:
    count = draw(st.integers(0, 20))

    def column(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=count, max_size=count)))

    columns = {f.name: column(*_LIMITS.get(f.name, (-LARGEST, LARGEST))) for f in fields(TraceFrames)}
    times = sorted(draw(st.lists(st.integers(0, 10**13), max_size=6)))
    kinds, values = st.sampled_from(EVENT_KINDS), st.integers(0, 10**13)
    events = tuple(TraceEvent(at_ns, draw(kinds), draw(values)) for at_ns in times)
    boxes = draw(st.lists(st.builds(TraceBox, _FAR, _FAR, _FAR, _FAR, _FAR), max_size=3))
    others = [OtherCar(*(column(-LARGEST, LARGEST) for _ in range(3))) for _ in range(draw(st.integers(0, 2)))]
    name = draw(st.sampled_from(["reinvent_base", "Kurs für alle", "x"]))
    way = draw(st.sampled_from(DIRECTIONS))
    length_mm, served = draw(st.integers(1, 10**7)), draw(st.booleans())
    return DriveTrace(
        name, way, length_mm, TraceFrames(**columns), events, tuple(boxes), tuple(others), penalties_served=served
    )


@given(_traces())
@settings(max_examples=40)
def test_what_was_written_is_read_again_and_has_one_hash(trace: DriveTrace) -> None:
    data = encode(trace)
    assert decode(data) == trace
    assert trace_sha256(decode(data)) == trace_sha256(trace)
    body = zstandard.ZstdDecompressor().decompress(data[len(MARK) + 1 :])
    other_writer = MARK + b"\x01" + zstandard.ZstdCompressor(level=1, write_checksum=True).compress(body)
    assert trace_sha256(decode(other_writer)) == trace_sha256(trace)


@given(st.lists(_FAR, max_size=50).map(tuple))
def test_a_column_has_one_spelling(values: tuple[int, ...]) -> None:
    assert unpack(pack(values), 50) == values
    assert pack(unpack(pack(values), 50)) == pack(values)


@given(st.binary(max_size=60))
def test_bytes_that_are_read_as_a_column_are_those_that_are_written(packed: bytes) -> None:
    try:
        values = unpack(packed, 60)
    except NotCanonical:
        return
    assert pack(values) == packed


def test_one_changed_figure_is_another_hash_and_a_lap_is_small() -> None:
    trace = round_trip(laps=3)
    x = list(trace.frames.x_tenths_mm)
    x[100] += 1
    nudged = replace(trace, frames=replace(trace.frames, x_tenths_mm=tuple(x)))
    assert trace_sha256(nudged) != trace_sha256(trace)
    assert len(encode(trace)) < 3 * 60_000 / 20


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60)
def test_a_damaged_file_is_refused_or_still_a_trace(place: int, change: int) -> None:
    data = bytearray(encode(_SAMPLE))
    data[place % len(data)] ^= change
    try:
        assert isinstance(decode(bytes(data)), DriveTrace)
    except BadInput as error:
        assert str(error).endswith(".")  # noqa: PT017


_SAMPLE = round_trip(laps=1, faults=((2.0, "off_track", 2.0),))


def _wrapped(body: bytes) -> bytes:
    return MARK + b"\x01" + zstandard.ZstdCompressor().compress(body)


def _part(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


_BODY = zstandard.ZstdDecompressor().decompress(encode(_SAMPLE)[len(MARK) + 1 :])
_HEAD = _part(b"round") + _part(pack((0, 10_000)))
REFUSED = [
    (b"", "The file is no trace of a run."),
    (b"PK\x03\x04 something", "The file is no trace of a run."),
    (MARK + b"\x02anything", "The trace has version 2, this release reads 1: update Raceday."),
    (MARK + b"\x01anything", DAMAGED),
    (encode(_SAMPLE)[:-9], DAMAGED),
    (encode(_SAMPLE) + b"more", DAMAGED),
    (_wrapped(b"\x00" * (MAX_BODY_BYTES + 1)), "The trace is larger than a run of two hours can be."),
    (MARK + b"\x01" + zstandard.ZstdCompressor(write_content_size=False).compress(b"\x00" * 99), DAMAGED),
    (_wrapped(b""), DAMAGED),
    (_wrapped(_BODY + _part(b"")), DAMAGED),
    (_wrapped(_part(b"") + _BODY[9:]), DAMAGED),
    (_wrapped(_part(b"\xff\xfe") + _BODY[9:]), DAMAGED),
    (_wrapped(_part(b"a\x1b[1m") + _BODY[9:]), DAMAGED),
    (_wrapped(_HEAD + _part(b"\x00" * (MAX_FRAMES + 1)) * 11 + _part(b"") * 8), DAMAGED),
    (_wrapped(_HEAD + _part(b"\x80") * 11 + _part(b"") * 8), DAMAGED),
    (_wrapped(_HEAD + _part(b"\x80\x00") * 11 + _part(b"") * 8), DAMAGED),
    (_wrapped(_HEAD + _part(b"\x00") + _part(b"") * 18), DAMAGED),
    (_wrapped(_HEAD + b"\xff\xff\xff\xff"), DAMAGED),
]


@pytest.mark.parametrize(("data", "sentence"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_trace_gets_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(BadInput) as refusal:
        decode(data)
    assert str(refusal.value) == sentence


BROKEN = [
    {"frames": TraceFrames(x_tenths_mm=(1,))},
    {"frames": replace(_SAMPLE.frames, wheels=(5,) * len(_SAMPLE.frames))},
    {"events": (TraceEvent(2, "line"), TraceEvent(1, "line"))},
    {"events": (TraceEvent(-1, "line"),)},
    {"length_mm": 0},
    {"track": ""},
    {"boxes": (TraceBox(0, 0, 0, 300, 400),) * 65},
    {"others": (OtherCar((1,), (1,), (1,)),)},
]


@pytest.mark.parametrize("change", BROKEN)
def test_nothing_is_written_that_would_not_be_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encode(replace(_SAMPLE, **change))  # type: ignore[arg-type]
