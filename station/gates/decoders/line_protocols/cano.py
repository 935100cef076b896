"""Cano records, as RCHourglass and other makers' lap counters send them: 14 hexadecimal digits a line (timing.md 2.5).

Transponder (6) and the time in quarter milliseconds (8), without any check; the counter wraps after 12.4 days.
Answers to RCHourglass commands (VERSION, LIST, ...) stand between the records as text, and are no passings.
"""

import re

from station.gates.decoders.decoder import Counts, Decoded, Passing
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framing import LineFramer

LONGEST = 120
QUARTER_MS = 250_000
RECORD = re.compile(rb"([0-9A-Fa-f]{6})([0-9A-Fa-f]{8})")


class Cano:
    """A `Decoder`."""

    name = "cano"

    def __init__(self) -> None:
        self.counts = Counts()
        self._lines = LineFramer(LONGEST, self.counts)
        self._timeline = DeviceTimeline(DeviceClock(QUARTER_MS, 1 << 32, "restart"))

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for line in self._lines.feed(data) for fact in self._line(line)]

    def hello(self) -> bytes:
        self._lines.forget()
        return b""

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # it speaks by itself
        return b""

    def _line(self, line: bytes) -> list[Decoded]:
        record = RECORD.fullmatch(line.strip())
        if record is None:
            # Without a check only the form can tell: digits of another number are a record that lost or gained some.
            self.counts.bad_length += re.fullmatch(rb"[0-9A-Fa-f]{7,24}", line) is not None
            self.counts.resynced_bytes += len(line)
            return []
        transponder, ticks = str(int(record[1], 16)), int(record[2], 16)
        seen = self._timeline.passing(transponder, ticks)
        return self.counts.good([*seen.gaps, Passing(transponder, seen.at_ns, repeat=seen.repeat)])
