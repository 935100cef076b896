"""A trace as bytes: columns of differences in a fixed order, behind a mark and a version, compressed with Zstandard.

The SHA-256 of the bytes before compression is the trace's hash: two runs are the same if theirs are equal, whichever
release of the compressor wrote them. The reader takes files from strangers: sizes are checked before anything is
unpacked, and only what the writer would have written is accepted.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import fields

import zstandard

from shared.errors import BadInput
from shared.text import Sentence, text
from shared.traces.columns import LARGEST, NotCanonical, pack, unpack
from shared.traces.trace import (
    DIRECTIONS,
    EVENT_KINDS,
    NO_CHOICE,
    STATUSES,
    Column,
    DriveTrace,
    OtherCar,
    TraceBox,
    TraceEvent,
    TraceFrames,
)

MARK = b"RDTRACE"
VERSION = 1
MAX_PACKED_BYTES = 4 << 20
MAX_BODY_BYTES = 16 << 20
MAX_FRAMES = 15 * 7200  # two hours
MAX_EVENTS = 20_000
MAX_BOXES = 64
MAX_OTHERS = 8
MAX_NAME_BYTES = 200
_LEVEL = 9

_RANGES: dict[str, tuple[int, int]] = {
    "yaw_mdeg": (-180_000, 180_000),
    "action": (NO_CHOICE, 1023),
    "steer_mdeg": (-90_000, 90_000),
    "speed_mm_s": (0, 100_000),
    "waypoint": (0, 20_000),
    "along_mm": (0, 10_000_000),
    "lateral_mm": (-10_000_000, 10_000_000),
    "wheels": (0, 4),
    "status": (0, len(STATUSES) - 1),
}


def encode(trace: DriveTrace) -> bytes:
    """The file of the trace. Raises ValueError for figures that no trace has."""
    return MARK + bytes([VERSION]) + zstandard.ZstdCompressor(level=_LEVEL).compress(_body(trace))


def trace_sha256(trace: DriveTrace) -> str:
    """The trace's hash, in hexadecimal."""
    return hashlib.sha256(_body(trace)).hexdigest()


def decode(data: bytes) -> DriveTrace:
    """The trace in a file. Raises BadInput, one sentence."""
    body = _unpacked(data)
    try:
        return _read(body)
    except (NotCanonical, UnicodeDecodeError, IndexError):
        raise BadInput(_damaged()) from None


def _damaged() -> Sentence:
    return text("The trace is damaged: download it again, or drive the run again.")


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(MARK) or len(data) <= len(MARK) + 1:
        raise BadInput(text("The file is no trace of a run."))
    if data[len(MARK)] != VERSION:
        raise BadInput(
            text(
                "The trace has version {version}, this release reads {known}: update Raceday.",
                version=data[len(MARK)],
                known=VERSION,
            )
        )
    packed = data[len(MARK) + 1 :]
    try:
        frame = zstandard.get_frame_parameters(packed)
        if frame.content_size == zstandard.CONTENTSIZE_UNKNOWN:
            raise BadInput(_damaged())
        if len(packed) > MAX_PACKED_BYTES or frame.content_size > MAX_BODY_BYTES:
            raise BadInput(text("The trace is larger than a run of two hours can be."))
        return zstandard.ZstdDecompressor(max_window_size=MAX_BODY_BYTES).decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError:
        raise BadInput(_damaged()) from None


def _body(trace: DriveTrace) -> bytes:
    name = trace.track.encode()
    if not 0 < len(name) <= MAX_NAME_BYTES:
        raise ValueError("the track's name is empty or too long")
    head = (DIRECTIONS.index(trace.direction), trace.length_mm, *([1] if trace.penalties_served else []))
    rows: list[Sequence[int]] = [head, *(values for _, values in trace.frames.columns())]
    rows += [
        [event.at_ns for event in trace.events],
        [EVENT_KINDS.index(event.kind) for event in trace.events],
        [event.value_ns for event in trace.events],
    ]
    rows += [[getattr(box, field.name) for box in trace.boxes] for field in fields(TraceBox)]
    for other in trace.others:
        rows += [other.x_tenths_mm, other.y_tenths_mm, other.yaw_mdeg]
    _check(trace)
    packed = [name, *(pack(tuple(row)) for row in rows)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in packed)


def _read(body: bytes) -> DriveTrace:
    parts = _parts(body)
    name = parts[0].decode()
    if not 0 < len(parts[0]) <= MAX_NAME_BYTES or not name.isprintable():
        raise NotCanonical
    left = iter(parts[1:])

    def column(limit: int = MAX_FRAMES) -> Column:
        packed = next(left, None)
        if packed is None:
            raise NotCanonical
        return unpack(packed, limit)

    head = column(3)
    if len(head) < 2 or not 0 <= head[0] < len(DIRECTIONS) or head[2:] not in ((), (1,)):
        raise NotCanonical
    frames = TraceFrames(*(column() for _ in fields(TraceFrames)))
    events = _events(column)
    boxes = _boxes(column)
    others: list[OtherCar] = []
    for packed in left:
        others.append(OtherCar(unpack(packed, MAX_FRAMES), column(), column()))
        if len(others) > MAX_OTHERS:
            raise NotCanonical
    trace = DriveTrace(name, DIRECTIONS[head[0]], head[1], frames, events, boxes, tuple(others), len(head) == 3)
    try:
        _check(trace)
    except ValueError:
        raise NotCanonical from None
    return trace


def _parts(body: bytes) -> list[bytes]:
    parts: list[bytes] = []
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        part = body[at + 4 : at + 4 + size]
        if at + 4 + size > len(body) or len(parts) > 64:
            raise NotCanonical
        parts.append(part)
        at += 4 + size
    if not parts:
        raise NotCanonical
    return parts


def _events(column: Callable[[int], Column]) -> tuple[TraceEvent, ...]:
    times, kinds, values = (column(MAX_EVENTS) for _ in range(3))
    if not len(times) == len(kinds) == len(values) or any(not 0 <= kind < len(EVENT_KINDS) for kind in kinds):
        raise NotCanonical
    rows = zip(times, kinds, values, strict=True)
    return tuple(TraceEvent(at_ns, EVENT_KINDS[kind], value_ns) for at_ns, kind, value_ns in rows)


def _boxes(column: Callable[[int], Column]) -> tuple[TraceBox, ...]:
    columns = [column(MAX_BOXES) for _ in fields(TraceBox)]
    if len({len(values) for values in columns}) != 1:
        raise NotCanonical
    return tuple(TraceBox(*row) for row in zip(*columns, strict=True))


def _check(trace: DriveTrace) -> None:
    """Raises ValueError for a trace that no run leaves; the reader and the writer ask the same."""
    count = len(trace.frames)
    if count > MAX_FRAMES or len(trace.events) > MAX_EVENTS:
        raise ValueError("the trace has too many frames or events")
    if len(trace.boxes) > MAX_BOXES or len(trace.others) > MAX_OTHERS:
        raise ValueError("the trace has too many objects or cars")
    if not 0 < trace.length_mm <= _RANGES["along_mm"][1]:
        raise ValueError("the length of the track is out of range")
    for name, values in trace.frames.columns():
        low, high = _RANGES.get(name, (-LARGEST, LARGEST))
        if len(values) != count or (values and not low <= min(values) <= max(values) <= high):
            raise ValueError(f"the column {name} is too short or out of range")
    for other in trace.others:
        if {len(other.x_tenths_mm), len(other.y_tenths_mm), len(other.yaw_mdeg)} != {count}:
            raise ValueError("another car has more or fewer frames than this one")
    times = [event.at_ns for event in trace.events]
    if times != sorted(times) or any(event.at_ns < 0 or event.value_ns < 0 for event in trace.events):
        raise ValueError("the events are not in order of time")
