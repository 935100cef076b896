"""The Arduino with one pressure strip (DeepTimer): it writes one line for each pass, and no time.

8N1, CRLF, RTS and DTR on. Whoever hears the line stamps it: the time of a line on a wire and of a USB packet is in
that stamp, so a gate with this timer states an uncertainty of some 20 ms (timing.md 3.2).
"""

from typing import Final

from station.gates.decoders.decoder import Counts, Decoded, DeviceEdge
from station.gates.decoders.framing import LineFramer

LONGEST: Final = 80
STRIP: Final = "strip"


class Fsr:
    """A `Decoder`. Any line of plain text is a pass; what else comes is noise."""

    name = "fsr"

    def __init__(self) -> None:
        self.counts = Counts()
        self._lines = LineFramer(LONGEST, self.counts)

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for line in self._lines.feed(data) for fact in self._line(line)]

    def hello(self) -> bytes:
        self._lines.forget()
        return b""

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # it speaks by itself
        return b""

    def _line(self, line: bytes) -> list[Decoded]:
        if not line.isascii() or not line.decode().isprintable():
            return self.counts.bad("bad_fields", len(line))
        return self.counts.good([DeviceEdge(STRIP, True, None)])
