"""The skeleton that the protocol files share: bytes are cut into frames, each frame is decoded on its own.

A protocol derives from `LineDecoder` (line_protocols/) or `PacketDecoder` (packet_protocols/), gives `name` and the
maximum length of a frame, and writes `_decode_frame`. For example, a timer that sends one bare line per pass:

    class Strip(LineDecoder):
        name = "strip"
        max_frame_bytes = 80

        def _decode_frame(self, frame: bytes) -> list[Decoded]:
            return self.counts.good([DeviceEdge("strip", broken=True, device_time_ns=None)])

A device that must be asked overrides `hello` or `poll` as well. Called by the gate that owns the port (gate.py).
"""

import abc
from collections.abc import Iterator
from typing import Protocol

from station.gates.decoders.decoder import Counts, Decoded
from station.gates.decoders.framing import BracketFramer, LineFramer


class Framer(Protocol):
    """Cuts a stream into frames; `framing.py` has those that ship with the station."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def forget(self) -> None: ...


class FramedDecoder(abc.ABC):
    """A `Decoder` of a device that speaks by itself in frames, each of which can be decoded without the next."""

    name: str

    def __init__(self, counts: Counts, framer: Framer) -> None:
        self.counts = counts
        self._framer = framer

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for frame in self._framer.feed(data) for fact in self._decode_frame(frame)]

    def hello(self) -> bytes:
        """Forgets half a frame; nothing needs to be sent to a device that speaks by itself."""
        self._framer.forget()
        return b""

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # of use to devices that must be asked
        return b""

    @abc.abstractmethod
    def _decode_frame(self, frame: bytes) -> list[Decoded]:
        """The facts of one frame, counted as good or bad in `counts`. Never raises."""


class LineDecoder(FramedDecoder):
    """Frames are lines of text ended by CR, LF or both; `frame` is without its end."""

    max_frame_bytes: int = 256

    def __init__(self) -> None:
        counts = Counts()
        super().__init__(counts, LineFramer(self.max_frame_bytes, counts))


class PacketDecoder(FramedDecoder):
    """Frames lie between a start and an end byte (`brackets`) that occur nowhere inside; `frame` is with both."""

    max_frame_bytes: int
    brackets: tuple[bytes, bytes]

    def __init__(self) -> None:
        counts = Counts()
        super().__init__(counts, BracketFramer(*self.brackets, self.max_frame_bytes, counts))
