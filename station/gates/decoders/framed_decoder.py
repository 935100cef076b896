"""The base classes of the protocol files: bytes are cut into frames, and each frame is decoded on its own.

A protocol derives from `LineDecoder` (line_protocols/) or `PacketDecoder` (packet_protocols/), gives `name` and the
maximum length of a frame, and writes `_decode_frame`. For example, a timer that sends one bare line per pass:

    class Strip(LineDecoder):
        name = "strip"
        max_frame_bytes = 80

        def _decode_frame(self, frame: bytes) -> list[Decoded]:
            return self.counts.good([DeviceEdge("strip", broken=True, device_time_ns=None)])

The decoder of a device that must be polled overrides `hello` or `poll` too. Called by the gate that owns the port
(gate.py).
"""

import abc
from collections.abc import Iterator
from typing import Protocol

from station.gates.decoders.decoder import Counts, Decoded
from station.gates.decoders.framing import BracketFramer, LineFramer


class Framer(Protocol):
    """Cuts a stream into frames; `framing.py` has those that ship with the station."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that these bytes complete."""

    def forget(self) -> None:
        """Drops half a frame, at a new connection."""


class FramedDecoder(abc.ABC):
    """A `Decoder` for a device that sends frames unasked, each of which can be decoded without the next."""

    name: str

    def __init__(self, counts: Counts, framer: Framer) -> None:
        self.counts = counts
        self._framer = framer

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for frame in self._framer.feed(data) for fact in self._decode_frame(frame)]

    def hello(self) -> bytes:
        """Forgets half a frame; nothing needs to be sent to a device that sends unasked."""
        self._framer.forget()
        return b""

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # for devices that must be polled
        return b""

    @abc.abstractmethod
    def _decode_frame(self, frame: bytes) -> list[Decoded]:
        """The facts of one frame, counted as good or bad in `counts`. Never raises."""


class LineDecoder(FramedDecoder):
    """A decoder whose frames are lines of text, ended by CR, LF or both; `frame` comes without its line end."""

    max_frame_bytes: int = 256

    def __init__(self) -> None:
        counts = Counts()
        super().__init__(counts, LineFramer(self.max_frame_bytes, counts))


class PacketDecoder(FramedDecoder):
    """A decoder whose frames lie between a start and an end byte (`brackets`) that occur nowhere inside a frame.

    `frame` comes with both.
    """

    max_frame_bytes: int
    brackets: tuple[bytes, bytes]

    def __init__(self) -> None:
        counts = Counts()
        super().__init__(counts, BracketFramer(*self.brackets, self.max_frame_bytes, counts))
