"""AMB TranX-2 and RC2: hexadecimal lines at 9600 baud, without a checksum.

Passing: `$`, decoder (2), 2 more, transponder (6), milliseconds (8), hits (2), strength (2), 2 more. Noise: `#`,
decoder (2), noise (2). The millisecond counter is 32 bits and wraps after 49.7 days.

Source: github.com/bitbrewers/tranx2 (MIT), read in 2026.

Tried with: the lines in the tests of bitbrewers/tranx2 (2026-11). No decoder was available.
"""

import re

from station.gates.decoders.decoder import Decoded, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, DeviceTimelines
from station.gates.decoders.framed_decoder import LineDecoder

HEX = "[0-9A-Fa-f]"
PASSING = re.compile(rf"\$({HEX}{{2}}){HEX}{{2}}({HEX}{{6}})({HEX}{{8}})({HEX}{{2}})({HEX}{{2}}){HEX}{{2}}".encode())
NOISE = re.compile(rf"#({HEX}{{2}})({HEX}{{2}})".encode())
PASSING_LENGTH, NOISE_LENGTH = 25, 5
STARTS = re.compile(rb"(?=[$#])")


class TranX2(LineDecoder):
    """A `Decoder`. Transponders are decimal; `decoder` is the two hexadecimal digits of the sender."""

    name = "tranx2"
    max_frame_bytes = 64

    def __init__(self) -> None:
        super().__init__()
        self._timelines = DeviceTimelines(lambda: DeviceTimeline(DeviceClock(1_000_000, 1 << 32, "restart")))

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        # A line that lost its end holds two frames.
        noise, *texts = STARTS.split(line)
        self.counts.resynced_bytes += len(noise)
        return [fact for text in texts for fact in self._text(text)]

    def _text(self, text: bytes) -> list[Decoded]:
        """The facts of one frame from its start on, or of what is left of one."""
        if (passing := PASSING.fullmatch(text)) is not None:
            return self.counts.good(self._passing(passing))
        if (match := NOISE.fullmatch(text)) is not None:
            return self.counts.good([StatusReport(decoder=match[1].decode(), noise=int(match[2], 16))])
        whole = len(text) == (PASSING_LENGTH if text.startswith(b"$") else NOISE_LENGTH)
        return self.counts.bad("bad_fields" if whole else "bad_length", len(text))

    def _passing(self, line: re.Match[bytes]) -> list[Decoded]:
        transponder, ticks, hits, strength = (int(field, 16) for field in line.groups()[1:])
        decoder = line[1].decode()
        reading = self._timelines.of(decoder).passing(str(transponder), ticks)
        passing = Passing(
            str(transponder),
            reading.at_ns,
            decoder=decoder,
            strength=strength,
            hits=hits,
            repeat=reading.repeat,
        )
        return [*reading.gaps, passing]
