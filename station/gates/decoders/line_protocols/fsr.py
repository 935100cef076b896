"""An Arduino with one pressure strip (DeepTimer): it writes one line for each pass, without a time.

8N1, CRLF, RTS and DTR on. The station stamps the line when it is read: the delay of the wire and of USB (an FTDI
adapter alone waits up to 16 ms) is in that stamp, so a gate with this timer needs an uncertainty of about 20 ms.

Source: github.com/kkstephen/DeepTimer (Apache-2.0, 2023).

Tried with: lines as that program writes them (2026-11). No Arduino with a strip was available.
"""

from typing import Final

from station.gates.decoders.decoder import Decoded, DeviceEdge
from station.gates.decoders.framed_decoder import LineDecoder

STRIP: Final = "strip"


class Fsr(LineDecoder):
    """A `Decoder`. Any line of plain text is a pass; anything else is noise."""

    name = "fsr"
    max_frame_bytes = 80

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        if not line.isascii() or not line.decode().isprintable():
            return self.counts.bad("bad_fields", len(line))
        return self.counts.good([DeviceEdge(STRIP, True, None)])
