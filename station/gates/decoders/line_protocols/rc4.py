"""AMB RC-4 and AMBrc text, "Enhanced" (P98): lines on TCP 5100 or serial.

SOH, type, tab-separated fields, tab, `x` and 4 hex digits of a CRC over everything between SOH and the `x`. Passings
and status share one sequence; a status comes every 5 s. The time is in seconds since power-on, without trailing zeros.
The sources disagree on which of the two counters of a passing is hits and which is strength, so neither is named.

Sources: `docs/AMB_DECODER_PROTOCOL.md` of github.com/oggthemiffed/RCTimingControl (2026) and
github.com/condac/RCtajm. The CRC is in neither; it was derived from the captured lines of the former, and fits all of
them.

Tried with: the lines that RCTimingControl quotes from its decoder, and the same lines altered, which their CRC
betrays (2026-11). No decoder was available.
"""

import re

from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, DeviceTimelines, Numbering
from station.gates.decoders.framed_decoder import LineDecoder
from station.gates.decoders.framing import crc_amb

CHECKED = re.compile(rb"([^\x01]*\t)x([0-9A-Fa-f]{4})")
BEGINNING = re.compile(rb"[@#%A-Z?]\t")
STATUS = re.compile(r"#\t(\d{1,10})\t(\d{1,10})\t(\d{1,10})\t(\d{1,10})\t")
PASSING = re.compile(
    r"@\t(\d{1,10})\t(\d{1,10})\t(\d{1,10})\t(\d{1,10}(?:\.\d{0,6})?)\t(\d{1,10})\t(\d{1,10})\t(\d{1,5})\t"
)
MODE = b"AMBRC MODE"


class RC4(LineDecoder):
    """A `Decoder`. Transponders are decimal; passings and status share the sequence that shows losses."""

    name = "rc4"
    max_frame_bytes = 200

    def __init__(self) -> None:
        super().__init__()
        self._timelines = DeviceTimelines(
            lambda: DeviceTimeline(DeviceClock(1_000, None, "restart"), Numbering("sequence"))
        )

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        # A line that lost its end holds two frames; some servers leave the SOH out.
        before, *texts = line.split(b"\x01")
        facts = self._text(before, 0) if before else []
        return facts + [fact for text in texts for fact in self._text(text, 1)]

    def _text(self, text: bytes, soh: int) -> list[Decoded]:
        """The facts of one frame after its SOH (`soh` bytes), of what is left of one, or of noise."""
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
        if (match := STATUS.fullmatch(body)) is not None:
            gap = self._timelines.of(match[1]).count(int(match[2]))
            status = StatusReport(decoder=match[1], noise=int(match[3]), number=int(match[2]))
            return [status] if gap is None else [gap, status]
        if body[0] in "@#":
            return None
        return [DeviceMessage(f"type {body[0]}", body[1:].strip("\t").replace("\t", " "))]

    def _passing(self, line: re.Match[str]) -> list[Decoded]:
        decoder, number, transponder, seconds, first, second, flags = line.groups()
        reading = self._timelines.of(decoder).passing(transponder, microseconds(seconds), int(number))
        passing = Passing(
            transponder,
            reading.at_ns,
            int(number),
            decoder=decoder,
            counters=(int(first), int(second)),
            flags=int(flags),
            repeat=reading.repeat,
        )
        return [*reading.gaps, passing]


def microseconds(seconds: str) -> int:
    """`688.41` to 688410000, exactly."""
    whole, _, part = seconds.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0") or "0")


def line(body: str) -> bytes:
    """A line as a decoder sends it, for simulations; `body` from the type through the last field."""
    checked = f"{body}\t".encode("ascii")
    return b"\x01" + checked + f"x{crc_amb(checked):04X}\r\n".encode("ascii")
