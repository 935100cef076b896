"""Writes one recording: an MCAP file in small chunks, so that little is lost if the process is killed.

Channels: /frame (JPEG, stamped at capture), /policy_input (the 160 x 120 grey pixels that the policy saw of that frame,
lossless, as PNG), /frame_drops (how many frames were left out so far, before the first frame and at each change),
/control (setpoints and pulses), /state (mode and reason), /telemetry (the camera's counts and how late the control loop
ran). Everything but the pictures is JSON with the fields of the dataclasses. Source: the MCAP specification
(mcap.dev/spec).
"""

import json
import os
import pathlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from mcap.writer import CompressionType, Writer
from pydantic import TypeAdapter

from shared.errors import StorageError
from shared.protocol.messages import CarState
from vehicle.core.messages import ControlTrace, LoopTelemetry
from vehicle.recordings.frame_feed import RecordedFrame

VERSION = "1"
INFO_NAME = "raceday"
FRAME, POLICY_INPUT, FRAME_DROPS = "/frame", "/policy_input", "/frame_drops"
CONTROL, STATE, TELEMETRY = "/control", "/state", "/telemetry"
_CHUNK_BYTES = 64 * 1024
_SYNC_NS = 5_000_000_000


@dataclass(frozen=True, slots=True)
class FrameDrops:
    """How many frames could not be recorded since the car's pilot started; the difference of two counts is a gap."""

    dropped: int


_TOPICS: tuple[tuple[str, type], ...] = (
    (CONTROL, ControlTrace),
    (STATE, CarState),
    (TELEMETRY, LoopTelemetry),
    (FRAME_DROPS, FrameDrops),
)

Recorded = RecordedFrame | ControlTrace | CarState | LoopTelemetry


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """The metadata of a recording: car, drive, model. `part` counts the files of one drive from 1."""

    device: str
    boot: str
    run: int
    part: int
    utc: str
    model: str = ""
    model_sha256: str = ""
    model_path: str = ""
    profile: str = "grey-area"


class RecordingFile:
    """A recording that is being written. Every method raises StorageError if the disk fails."""

    def __init__(self, path: pathlib.Path, about: RecordingInfo) -> None:
        self.path = path
        self.frames = 0
        self._sequence = 0
        self._drops: int | None = None
        self._synced_ns: int | None = None
        self._adapters: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for _, kind in _TOPICS}
        try:
            self._file: BinaryIO = path.open("xb")
            self._writer = Writer(self._file, chunk_size=_CHUNK_BYTES, compression=CompressionType.NONE)
            self._writer.start(profile="", library="raceday")
            texts = {name: str(getattr(about, name)) for name in RecordingInfo.__dataclass_fields__}
            self._writer.add_metadata(INFO_NAME, {"v": VERSION, **texts})
            self._channels = {topic: self._channel(topic, kind) for topic, kind in _TOPICS}
            self._frames_channel = self._writer.register_channel(FRAME, "jpeg", 0)
            self._policy_input_channel = self._writer.register_channel(POLICY_INPUT, "png", 0)
            self._file.flush()
        except OSError as error:
            raise StorageError(f"the recording {path} cannot be written ({error.strerror}).") from None

    @property
    def size_bytes(self) -> int:
        """The size of the file so far, without the chunk that is still in memory."""
        return os.fstat(self._file.fileno()).st_size

    def add(self, at_ns: int, what: Recorded) -> None:
        """Appends one message, stamped `at_ns`. A full chunk is written to the file."""
        try:
            if isinstance(what, RecordedFrame):
                self.frames += 1
                if what.dropped != self._drops:
                    self._drops = what.dropped
                    self._add_json(at_ns, FrameDrops(what.dropped))
                self._writer.add_message(self._frames_channel, what.at_ns, what.jpeg, at_ns, what.seq)
                if what.policy_input:
                    self._writer.add_message(self._policy_input_channel, what.at_ns, what.policy_input, at_ns, what.seq)
            else:
                self._add_json(at_ns, what)
            self._file.flush()
            self._sync(at_ns)
        except OSError as error:
            raise StorageError(f"the recording {self.path} cannot be written ({error.strerror}).") from None

    def close(self) -> None:
        """Writes the index, with which any MCAP reader opens the file quickly, and closes the file."""
        try:
            self._writer.finish()  # type: ignore[no-untyped-call]
            self._file.flush()
            os.fdatasync(self._file.fileno())
        except OSError as error:
            raise StorageError(f"the recording {self.path} could not be completed ({error.strerror}).") from None
        finally:
            self._file.close()

    def _add_json(self, at_ns: int, what: ControlTrace | CarState | LoopTelemetry | FrameDrops) -> None:
        topic = next(topic for topic, kind in _TOPICS if isinstance(what, kind))
        self._sequence += 1
        text = self._adapters[type(what)].dump_json(what)
        self._writer.add_message(self._channels[topic], at_ns, text, at_ns, self._sequence)

    def _sync(self, at_ns: int) -> None:
        """Flushes to the disk every 5 s: a power cut loses no more than that."""
        if self._synced_ns is None or at_ns - self._synced_ns >= _SYNC_NS:
            self._synced_ns = at_ns
            os.fdatasync(self._file.fileno())

    def _channel(self, topic: str, kind: type) -> int:
        schema = json.dumps(self._adapters[kind].json_schema()).encode()
        return self._writer.register_channel(
            topic, "json", self._writer.register_schema(kind.__name__, "jsonschema", schema)
        )
