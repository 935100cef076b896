"""AMB RC-4 and AMBrc text, "Enhanced" (P98): lines on TCP 5100 or serial (timing.md 2.3).

SOH, type, tab-separated fields, tab, `x` and 4 hex digits of a CRC over all between SOH and the `x`. Passings and
status share one sequence; a status comes each 5 s. The time is seconds since power-on, trailing zeros dropped.
Which of the two counters of a passing is hits and which is strength is disputed, so neither is claimed.
"""

import re

from station.gates.decoders.decoder import Counts, Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, DeviceTimelines, Numbering
from station.gates.decoders.framing import LineFramer, crc_amb

LONGEST = 200
CHECKED = re.compile(rb"([^\x01]*\t)x([0-9A-Fa-f]{4})")
BEGINNING = re.compile(rb"[@#%A-Z?]\t")
STATUS = re.compile(r"#\t(\d{1,10})\t(\d{1,10})\t(\d{1,10})\t(\d{1,10})\t")
PASSING = re.compile(
    r"@\t(\d{1,10})\t(\d{1,10})\t(\d{1,10})\t(\d{1,10}(?:\.\d{0,6})?)\t(\d{1,10})\t(\d{1,10})\t(\d{1,5})\t"
)
MODE = b"AMBRC MODE"


class RC4:
    """A `Decoder`."""

    name = "rc4"

    def __init__(self) -> None:
        self.counts = Counts()
        self._lines = LineFramer(LONGEST, self.counts)
        self._timelines = DeviceTimelines(
            lambda: DeviceTimeline(DeviceClock(1_000, None, "restart"), Numbering("sequence"))
        )

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for line in self._lines.feed(data) for fact in self._line(line)]

    def hello(self) -> bytes:
        self._lines.forget()
        return b""

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # it speaks by itself
        return b""

    def _line(self, line: bytes) -> list[Decoded]:
        # A line that lost its end holds two frames; some servers leave the SOH out.
        before, *texts = line.split(b"\x01")
        facts = self._text(before, 0) if before else []
        return facts + [fact for text in texts for fact in self._text(text, 1)]

    def _text(self, text: bytes, soh: int) -> list[Decoded]:
        """One frame after its SOH (of so many bytes), or what is left of one, or noise."""
        if text == MODE:
            return self.counts.good([DeviceMessage("mode", "AMBrc")])
        checked = CHECKED.fullmatch(text)
        if checked is None:
            self.counts.bad_length += bool(text) and (soh > 0 or BEGINNING.match(text) is not None)
            self.counts.resynced_bytes += len(text) + soh
            return []
        if crc_amb(checked[1]) != int(checked[2], 16):
            return self.counts.bad("bad_crc", len(text) + soh)
        facts = self._facts(checked[1].decode("ascii", "replace"))
        if facts is None:
            return self.counts.bad("bad_fields", len(text) + soh)
        return self.counts.good(facts)

    def _facts(self, body: str) -> list[Decoded] | None:
        if (passing := PASSING.fullmatch(body)) is not None:
            return self._passing(passing)
        if (said := STATUS.fullmatch(body)) is not None:
            gap = self._timelines.of(said[1]).count(int(said[2]))
            status = StatusReport(decoder=said[1], noise=int(said[3]), number=int(said[2]))
            return [status] if gap is None else [gap, status]
        if body[0] in "@#":
            return None
        return [DeviceMessage(f"type {body[0]}", body[1:].strip("\t").replace("\t", " "))]

    def _passing(self, line: re.Match[str]) -> list[Decoded]:
        decoder, number, transponder, seconds, first, second, flags = line.groups()
        seen = self._timelines.of(decoder).passing(transponder, microseconds(seconds), int(number))
        passing = Passing(
            transponder,
            seen.at_ns,
            int(number),
            decoder=decoder,
            counters=(int(first), int(second)),
            flags=int(flags),
            repeat=seen.repeat,
        )
        return [*seen.gaps, passing]


def microseconds(seconds: str) -> int:
    """`688.41` to 688410000, exactly."""
    whole, _, part = seconds.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0") or "0")


def line(body: str) -> bytes:
    """A line as it is sent, for whoever plays a decoder; `body` from the type through the last field."""
    checked = f"{body}\t".encode("ascii")
    return b"\x01" + checked + f"x{crc_amb(checked):04X}\r\n".encode("ascii")
