"""LapZ, an infrared bridge of Mini-Z clubs: `#U` time `$` and `#P` transponder time `$`, all hexadecimal.

Time is six digits of milliseconds since power-on, a transponder two (its ids are 1 to 255). The maker states 5 ms of
accuracy at 1 ms of resolution. Read from lines of such a bridge; the maker publishes no protocol.
"""

import re
from typing import Final

from station.gates.decoders.decoder import Counts, Decoded, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framing import BracketFramer

LONGEST: Final = 16
TIME = re.compile(rb"#U([0-9A-Fa-f]{6})\$")
PASSING = re.compile(rb"#P([0-9A-Fa-f]{2})([0-9A-Fa-f]{6})\$")


class LapZ:
    """A `Decoder`. The transponder is its number, in decimal."""

    name = "lapz"

    def __init__(self) -> None:
        self.counts = Counts()
        self._frames = BracketFramer(b"#", b"$", LONGEST, self.counts)
        self._timeline = DeviceTimeline(DeviceClock(1_000_000, 1 << 24, "restart"))

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for frame in self._frames.feed(data) for fact in self._frame(frame)]

    def hello(self) -> bytes:
        self._frames.forget()
        return b""

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # it speaks by itself
        return b""

    def _frame(self, frame: bytes) -> list[Decoded]:
        if (told := TIME.fullmatch(frame)) is not None:
            clock = self._timeline.time(int(told[1], 16))
            return self.counts.good([*clock.gaps, StatusReport(device_time_ns=clock.at_ns)])
        passed = PASSING.fullmatch(frame)
        if passed is None:
            return self.counts.bad("bad_fields", len(frame))
        transponder = str(int(passed[1], 16))
        seen = self._timeline.passing(transponder, int(passed[2], 16))
        return self.counts.good([*seen.gaps, Passing(transponder, seen.at_ns, repeat=seen.repeat)])
