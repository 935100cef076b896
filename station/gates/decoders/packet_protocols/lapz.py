"""LapZ, an infrared bridge of Mini-Z clubs: `#U` time `$` and `#P` transponder time `$`, all hexadecimal.

The time is in milliseconds since power-on, six digits; a transponder has two digits (1 to 255). The maker states an
accuracy of 5 ms at a resolution of 1 ms.

Source: recorded lines of such a bridge (2026); the maker publishes no protocol.

Tried with: those recorded lines (2026). Neither a description nor another reader was found (searched 2026-11-30). No
bridge was available.
"""

import re

from station.gates.decoders.decoder import Decoded, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framed_decoder import PacketDecoder

TIME = re.compile(rb"#U([0-9A-Fa-f]{6})\$")
PASSING = re.compile(rb"#P([0-9A-Fa-f]{2})([0-9A-Fa-f]{6})\$")


class LapZ(PacketDecoder):
    """A `Decoder`. The transponder is its number, in decimal."""

    name = "lapz"
    max_frame_bytes = 16
    brackets = (b"#", b"$")

    def __init__(self) -> None:
        super().__init__()
        self._timeline = DeviceTimeline(DeviceClock(1_000_000, 1 << 24, "restart"))

    def _decode_frame(self, frame: bytes) -> list[Decoded]:
        if (match := TIME.fullmatch(frame)) is not None:
            clock = self._timeline.time(int(match[1], 16))
            return self.counts.good([*clock.gaps, StatusReport(device_time_ns=clock.at_ns)])
        passed = PASSING.fullmatch(frame)
        if passed is None:
            return self.counts.bad("bad_fields", len(frame))
        transponder = str(int(passed[1], 16))
        reading = self._timeline.passing(transponder, int(passed[2], 16))
        return self.counts.good([*reading.gaps, Passing(transponder, reading.at_ns, repeat=reading.repeat)])
