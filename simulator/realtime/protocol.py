"""The protocol between the world process and its devices over a Unix socket: dataclass messages in packets of bytes.

A packet is its length (4 bytes), a kind (1 byte) and a body: `J` a message's name and its JSON, `F` a camera frame
(stamp, number, width, height, grey pixels). The first message of a device is Hello.
"""

import dataclasses
import json
import pathlib
import socket
import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput, HardwareMissing, OperatorError
from vehicle.hardware.frame import Frame, Pixels

SOCKET_NAME = "world.sock"
CLOCK_NAME = "world.clock"
TRUTH_NAME = "truth.jsonl"
MAX_PACKET_BYTES = 2_000_000
_MAX_PATH_BYTES = 107
_HEAD = struct.Struct("!Ic")
_FRAME = struct.Struct("!qqHH")

Role = Literal["camera", "motors", "gate", "control"]
RequestKind = Literal["place", "remove", "put_back", "status", "appearance"]
Event = Literal["placed", "removed", "crossing", "off_track", "back_on_track"]


@dataclass(frozen=True, slots=True)
class Hello:
    """From a device: its role; `name` is the car's name, or for a gate the name of the world's beam."""

    role: Role
    name: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """From the world: accepted, with the world's boot id."""

    boot: str
    rate: float


@dataclass(frozen=True, slots=True)
class WorldRefusal:
    """From the world: refused, with the reason in one sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """From a gate or control: send all events numbered above `after`, and the following ones."""

    after: int


@dataclass(frozen=True, slots=True)
class FrameTaken:
    """From a camera: its owner received the frame of this number."""

    seq: int


@dataclass(frozen=True, slots=True)
class PulseWidths:
    """From motors: the pulse widths from now on."""

    steering_ns: int
    throttle_ns: int


@dataclass(frozen=True, slots=True)
class GateEdge:
    """From the world: a beam changed. `oldest` is the first number that the world still has of this gate."""

    broken: bool
    at_ns: int
    seq: int
    oldest: int


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """From the world: what truly happened; for the demo and the tests only, never for a machine of the race."""

    seq: int
    event: Event
    car: str
    at_ns: int
    direction: int = 0
    gate: str = ""


@dataclass(frozen=True, slots=True)
class WorldRequest:
    """From control: do this. `number` is the seed of the floor's appearance for `appearance`."""

    deed: RequestKind
    car: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class WorldStatus:
    """From the world: its status. `stretched_ms` is how far it is behind its real-time schedule."""

    boot: str
    track: str
    length_m: float
    now_ns: int
    rate: float
    car: str
    frames: int
    speed_mps: float
    off_track: bool
    stretched_ms: int
    waited_ms: int
    missed_frames: int


WorldMessage = (
    Hello
    | Welcome
    | WorldRefusal
    | ReplayRequest
    | FrameTaken
    | PulseWidths
    | GateEdge
    | TrueEvent
    | WorldRequest
    | WorldStatus
)
_MESSAGES: dict[str, TypeAdapter[Any]] = {
    message.__name__: TypeAdapter(message)
    for message in (
        Hello,
        Welcome,
        WorldRefusal,
        ReplayRequest,
        FrameTaken,
        PulseWidths,
        GateEdge,
        TrueEvent,
        WorldRequest,
        WorldStatus,
    )
}


def pack(message: WorldMessage) -> bytes:
    """Encode a message as a packet."""
    body = f"{type(message).__name__} {json.dumps(dataclasses.asdict(message))}".encode()
    return _HEAD.pack(len(body), b"J") + body


def pack_frame(pixels: Pixels, at_ns: int, seq: int) -> bytes:
    """Encode a grey picture (height, width) as a packet."""
    height, width = pixels.shape
    body = _FRAME.pack(at_ns, seq, width, height) + pixels.tobytes()
    return _HEAD.pack(len(body), b"F") + body


class PacketReader:
    """Decodes received bytes to messages and frames. Raises BadInput for anything else."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[WorldMessage | Frame]:
        """Add received bytes; returns the messages and frames that are complete, in order."""
        self._buffer += data
        messages: list[WorldMessage | Frame] = []
        while len(self._buffer) >= _HEAD.size:
            length, kind = _HEAD.unpack_from(self._buffer)
            if length > MAX_PACKET_BYTES:
                raise BadInput("The peer on the world's socket does not speak its protocol.")
            end = _HEAD.size + length
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[_HEAD.size : end])
            del self._buffer[:end]
            messages.append(_frame(body) if kind == b"F" else _message(body))
        return messages


def _frame(body: bytes) -> Frame:
    if len(body) < _FRAME.size:
        raise BadInput("A frame on the world's socket is cut short.")
    at_ns, seq, width, height = _FRAME.unpack_from(body)
    if len(body) != _FRAME.size + width * height:
        raise BadInput("A frame on the world's socket does not have the size that it states.")
    return Frame(np.frombuffer(body, np.uint8, offset=_FRAME.size).reshape(height, width), at_ns, seq)


def _message(body: bytes) -> WorldMessage:
    name, _, fields = body.partition(b" ")
    adapter = _MESSAGES.get(name.decode("ascii", "replace"))
    if adapter is None:
        raise BadInput("A message on the world's socket is unknown or malformed.")
    try:
        message: WorldMessage = adapter.validate_json(fields, strict=True)
    except ValidationError:
        raise BadInput("A message on the world's socket is unknown or malformed.") from None
    return message


def socket_path(world: str) -> pathlib.Path:
    """The world's socket for a config value: its run folder, or the socket itself. Raises OperatorError."""
    path = pathlib.Path(world)
    path = path / SOCKET_NAME if path.is_dir() else path
    if len(str(path).encode()) > _MAX_PATH_BYTES:
        raise OperatorError(f"The path {path} is too long for a socket: choose a shorter run folder for the world.")
    return path


def call(world: str, hello: Hello, timeout_s: float = 5.0) -> tuple[socket.socket, PacketReader, Welcome]:
    """Connect to the world and wait for its welcome. Raises HardwareMissing."""
    path = socket_path(world)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(str(path))
        sock.sendall(pack(hello))
        unpacker = PacketReader()
        answer = _first(sock, unpacker)
    except (OSError, BadInput) as error:
        sock.close()
        raise HardwareMissing(f"The mock world does not answer at {path} ({error}): start `raceday world`.") from None
    if not isinstance(answer, Welcome):
        sock.close()
        sentence = answer.sentence if isinstance(answer, WorldRefusal) else "it does not speak this protocol."
        raise HardwareMissing(f"The mock world at {path} refuses: {sentence}")
    return sock, unpacker, answer


def _first(sock: socket.socket, unpacker: PacketReader) -> WorldMessage | Frame:
    # The world answers Hello with exactly one message and sends nothing more until requested.
    while data := sock.recv(65_536):
        if messages := unpacker.feed(data):
            return messages[0]
    raise OSError("the connection was closed")
