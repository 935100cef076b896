"""I-Lap: lines of SOH, a type and tab-separated fields, without a checksum.

The device is silent until it gets a request (`%`), answers with its number, and then reports passings, in seconds
since it began. The request is repeated until the device answers, and never after that: what another one does to its
clock is not known.

Source: `transponder-bridge.md` of github.com/HackyRacers/Transponder-Documentation, read in 2026.

Tried with: the lines and answers quoted in that document and in the Flipside Racing wiki (2026-11). No counter was
available.
"""

import re

from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, DeviceTimelines
from station.gates.decoders.framed_decoder import LineDecoder
from station.gates.decoders.line_protocols.rc4 import microseconds

ASK = b"\x01%\r\n"
REQUEST_AGAIN_NS = 3_000_000_000
ANSWER = re.compile(r"%\t(\d{1,6})\t(\d{1,6})\t(\d{1,6})")
PASSING = re.compile(r"@\t(\d{1,6})\t(\d{1,10})\t(\d{1,10}\.\d{3})")  # always three decimals: fewer are a cut line


class ILap(LineDecoder):
    """A `Decoder`. Transponders are decimal; `decoder` is the device's number, each with a timeline of its own."""

    name = "ilap"
    max_frame_bytes = 120

    def __init__(self) -> None:
        super().__init__()
        self._timelines = DeviceTimelines(lambda: DeviceTimeline(DeviceClock(1_000, None, "restart")))
        self._answered = False
        self._requested_ns: int | None = None

    def hello(self) -> bytes:
        super().hello()
        self._answered, self._requested_ns = False, None
        return ASK

    def poll(self, now_ns: int) -> bytes:
        if self._requested_ns is None:
            self._requested_ns = now_ns
        if self._answered or now_ns - self._requested_ns < REQUEST_AGAIN_NS:
            return b""
        self._requested_ns = now_ns
        return ASK

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        # A line that lost its end holds two frames.
        noise, *texts = line.split(b"\x01")
        self.counts.resynced_bytes += len(noise)
        return [fact for text in texts for fact in self._text(text)]

    def _text(self, text: bytes) -> list[Decoded]:
        """The facts of one frame after its SOH, or of what is left of one."""
        facts = self._facts(text.decode("ascii", "replace"))
        if facts is None:
            self.counts.bad_length += bool(text)
            self.counts.resynced_bytes += len(text) + 1
            return []
        return self.counts.good(facts)

    def _facts(self, text: str) -> list[Decoded] | None:
        if text == "%":
            return [DeviceMessage("echo", "our own request came back")]
        if (match := ANSWER.fullmatch(text)) is not None:
            self._answered = True
            return [StatusReport(decoder=match[1])]
        passing = PASSING.fullmatch(text)
        if passing is None:
            return None
        self._answered = True
        decoder, transponder, seconds = passing.groups()
        reading = self._timelines.of(decoder).passing(transponder, microseconds(seconds))
        return [*reading.gaps, Passing(transponder, reading.at_ns, decoder=decoder, repeat=reading.repeat)]
