"""Reads a recording of the black box back, also one that was never ended: up to its last whole chunk."""

import pathlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mcap.exceptions import McapError
from mcap.records import Channel, Message, Metadata
from mcap.stream_reader import StreamReader
from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput
from shared.protocol.messages import CarState
from vehicle.core.messages import ControlTrace, LoopTelemetry
from vehicle.recordings.frame_feed import Picture
from vehicle.recordings.mcap_file import ABOUT, BESIDE, DRIVE, FRAME, SEEN, STATE

_MOST_RECORD_BYTES = 8 << 20
_KINDS: dict[str, TypeAdapter[Any]] = {
    DRIVE: TypeAdapter(ControlTrace),
    STATE: TypeAdapter(CarState),
    BESIDE: TypeAdapter(LoopTelemetry),
}


@dataclass(slots=True)
class Run:
    """One or more recordings of a drive, in order. `whole` is False when a file was never ended."""

    about: dict[str, str] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    traces: list[ControlTrace] = field(default_factory=list)
    states: list[tuple[int, CarState]] = field(default_factory=list)
    figures: list[tuple[int, LoopTelemetry]] = field(default_factory=list)
    whole: bool = True


def read_run(paths: list[pathlib.Path]) -> Run:
    """The recordings as one. Raises BadInput for what is none of ours."""
    run = Run()
    for path in paths:
        _read_into(run, path)
    return run


def _read_into(run: Run, path: pathlib.Path) -> None:
    channels: dict[int, str] = {}
    known = False
    for record in _records(run, path):
        if isinstance(record, Metadata) and record.name == ABOUT:
            known = True
            run.about = run.about or record.metadata
        elif isinstance(record, Channel):
            channels[record.id] = record.topic
        elif isinstance(record, Message):
            _keep(run, channels.get(record.channel_id, ""), record, path)
    if not known:
        raise BadInput(f"{path}: is not a recording of this car's black box.")


def _keep(run: Run, topic: str, message: Message, path: pathlib.Path) -> None:
    if topic == FRAME:
        run.pictures.append(Picture(message.data, message.log_time, message.sequence))
        return
    if topic == SEEN:
        # It follows its frame; a cut between the two leaves the frame alone.
        if run.pictures and run.pictures[-1].seq == message.sequence:
            run.pictures[-1] = replace(run.pictures[-1], seen=message.data)
        return
    if topic not in _KINDS:
        return  # a channel of a later version
    try:
        word = _KINDS[topic].validate_json(message.data)
    except ValidationError:
        raise BadInput(f"{path}: a record of {topic} is damaged or of another version.") from None
    if topic == DRIVE:
        run.traces.append(word)
    elif topic == STATE:
        run.states.append((message.log_time, word))
    else:
        run.figures.append((message.log_time, word))


def _records(run: Run, path: pathlib.Path) -> Iterator[Any]:
    """The file's records. A cut end, as a kill or a pulled battery leaves it, ends the reading."""
    if not path.is_file():
        raise BadInput(f"{path}: there is no such recording.")
    with path.open("rb") as opened:
        begun = False
        try:
            reader = StreamReader(opened, validate_crcs=True, record_size_limit=_MOST_RECORD_BYTES)
            for record in reader.records:
                begun = True
                yield record
        except (McapError, EOFError, ValueError, MemoryError, OverflowError, struct.error) as error:
            if not begun:
                raise BadInput(f"{path}: is not an MCAP recording ({type(error).__name__}).") from None
            run.whole = False
