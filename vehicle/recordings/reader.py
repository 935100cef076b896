"""Reads recordings; one that was cut off is read up to its last complete chunk. Called by `raceday run`."""

import pathlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Message, Metadata
from mcap.stream_reader import StreamReader
from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.protocol.messages import CarState
from vehicle.core.messages import ControlTrace, LoopTelemetry
from vehicle.recordings.frame_feed import RecordedFrame
from vehicle.recordings.mcap_file import (
    CONTROL,
    FRAME,
    FRAME_DROPS,
    INFO_NAME,
    POLICY_INPUT,
    STATE,
    TELEMETRY,
    FrameDrops,
)

_MAX_RECORD_BYTES = 8 << 20
# What a damaged file makes the MCAP library raise; LZ4 says RuntimeError of a damaged chunk.
_DAMAGED = (
    McapError,
    EOFError,
    ValueError,
    MemoryError,
    OverflowError,
    RuntimeError,
    struct.error,
    zstandard.ZstdError,
)
_KINDS: dict[str, TypeAdapter[Any]] = {
    CONTROL: TypeAdapter(ControlTrace),
    STATE: TypeAdapter(CarState),
    TELEMETRY: TypeAdapter(LoopTelemetry),
    FRAME_DROPS: TypeAdapter(FrameDrops),
}


@dataclass(slots=True)
class Recording:
    """The content of one or more files of a drive, in order. `is_complete` is False if a file was cut off.

    `drops` is the last count of frames that could not be recorded; each frame holds the count at its time.
    """

    about: dict[str, str] = field(default_factory=dict)
    frames: list[RecordedFrame] = field(default_factory=list)
    traces: list[ControlTrace] = field(default_factory=list)
    states: list[tuple[int, CarState]] = field(default_factory=list)
    telemetry: list[tuple[int, LoopTelemetry]] = field(default_factory=list)
    is_complete: bool = True
    drops: int = 0

    @property
    def frames_missing(self) -> int:
        """How many frames between the first and the last could not be recorded; a busy car leaves some out."""
        return self.frames[-1].dropped - self.frames[0].dropped if self.frames else 0


def read_recording(paths: list[pathlib.Path]) -> Recording:
    """Reads the files as one recording. Raises BadInput if one is not a recording of a car."""
    run = Recording()
    for path in paths:
        _read_into(run, path)
    return run


def _read_into(run: Recording, path: pathlib.Path) -> None:
    channels: dict[int, str] = {}
    is_recording = False
    for record in _records(run, path):
        if isinstance(record, Metadata) and record.name == INFO_NAME:
            is_recording = True
            run.about = run.about or record.metadata
        elif isinstance(record, Channel):
            channels[record.id] = record.topic
        elif isinstance(record, Message):
            _add_message(run, channels.get(record.channel_id, ""), record, path)
    if not is_recording:
        raise BadInput(f"{path} is not a recording of a car.")


def _add_message(run: Recording, topic: str, message: Message, path: pathlib.Path) -> None:
    if topic == FRAME:
        run.frames.append(RecordedFrame(message.data, message.log_time, message.sequence, run.drops))
        return
    if topic == POLICY_INPUT:
        # It follows its frame; if the file ends between the two, the frame has no policy input.
        if run.frames and run.frames[-1].seq == message.sequence:
            run.frames[-1] = replace(run.frames[-1], policy_input=message.data)
        return
    if topic not in _KINDS:
        return  # a channel of a later version
    try:
        parsed = _KINDS[topic].validate_json(message.data)
    except ValidationError:
        raise BadInput(f"{path}: a record of {topic} is damaged or of another version.") from None
    if topic == CONTROL:
        run.traces.append(parsed)
    elif topic == STATE:
        run.states.append((message.log_time, parsed))
    elif topic == FRAME_DROPS:
        run.drops = parsed.dropped
    else:
        run.telemetry.append((message.log_time, parsed))


def _records(run: Recording, path: pathlib.Path) -> Iterator[Any]:
    """The records of the file, up to a truncated end as a kill or a power cut leaves it. Raises BadInput."""
    if not path.is_file():
        raise BadInput(f"{path}: there is no such recording.")
    with path.open("rb") as opened:
        has_begun = False
        try:
            reader = StreamReader(opened, validate_crcs=True, record_size_limit=_MAX_RECORD_BYTES)
            for record in reader.records:
                has_begun = True
                yield record
        except _DAMAGED as error:
            if not has_begun:
                raise BadInput(f"{path} is not an MCAP recording ({type(error).__name__}).") from None
            run.is_complete = False
