"""ZRound's open lap counter protocol: `%`, a letter, hexadecimal digits, `&`; 19200 baud or TCP.

We send `%C&`, the counter answers `%A&` (on TCP it need not), `%I&` starts it and sets its clock to zero. Then come
`%T<ms>&` (its clock, which is optional; bridges from other decoders send it from the first lap on) and
`%L<transponder>[,]<ms>&` (a lap; without the comma the transponder has two digits). Each connection starts the
counter at most once. After a reconnect it is started only if it stays silent, since a start resets its clock, and not
at all if it sends laps without its clock, since its silence then means nothing. Before the first lap it is started
again in each connection in which it answers: it may be another process, and no lap can be lost by it yet.
Transponders of up to eight digits are numbers; longer ones are RFID tags (96 bits and more, EPC), known by their
digits.

Source: the open protocol in ZRound's wiki (zround.com, CC BY-SA), read in 2026.

Tried with: a bridge on TCP that behaves as OpenStint's `bridge-zround.py` does, silent before the first car and
switched off in between (2026-11-30). No lap counter was available.
"""

import re

from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framed_decoder import PacketDecoder

NUMBER_DIGITS = 8
ASK, ANSWER, START = b"%C&", b"%A&", b"%I&"
ANSWER_NS = 500_000_000
SILENT_NS = 10_000_000_000
TIME = re.compile(rb"%T([0-9A-Fa-f]{1,12})&")
LAP = re.compile(rb"%L(?:([0-9A-Fa-f]{1,128}),|([0-9A-Fa-f]{2}))([0-9A-Fa-f]{1,12})&")
WORDS = {ASK: "ask", ANSWER: "answer", START: "start", b"%F&": "stop"}


class ZRound(PacketDecoder):
    """A `Decoder`. Transponders up to eight digits are decimal, longer ones hexadecimal, as sent."""

    name = "zround"
    max_frame_bytes = 160
    brackets = (b"%", b"&")

    def __init__(self) -> None:
        super().__init__()
        self._timeline = DeviceTimeline(DeviceClock(1_000_000, 1 << 32, "restart"))
        self._ever_started = False  # in any connection, by us or before
        self._started = False  # by us, in this connection
        self._due_ns: int | None = None  # when the start is to be sent
        self._started_ns: int | None = None  # when the start was sent in this connection
        self._ever_timed = self._ever_sent_clock = False  # it sent a lap or its clock; it sent its clock
        self._mute = False  # it runs, and does not send its clock
        self._time_received = self._sends_clock = False
        self._must_answer = False

    def hello(self) -> bytes:
        super().hello()
        self._due_ns, self._started, self._time_received, self._sends_clock = None, False, False, False
        self._started_ns = None
        return ASK

    @property
    def quiet(self) -> bool:
        """True while it may be silent until a car passes: it has not sent its clock yet."""
        return not self._sends_clock

    def poll(self, now_ns: int) -> bytes:
        """The start, when it is due, and an answer, if the counter has requested one."""
        answer, self._must_answer = ANSWER if self._must_answer else b"", False
        if self._due_ns is None:
            self._due_ns = now_ns + (SILENT_NS if self._ever_started else ANSWER_NS)
        if self._started_ns is not None and now_ns >= self._started_ns + SILENT_NS:
            self._mute = not self._ever_sent_clock
        if self._started or self._time_received or self._mute or now_ns < self._due_ns:
            return answer
        self._ever_started, self._started, self._started_ns = True, True, now_ns
        return answer + START

    def _decode_frame(self, frame: bytes) -> list[Decoded]:
        facts = self._facts(frame)
        return self.counts.bad("bad_fields", len(frame)) if facts is None else self.counts.good(facts)

    def _facts(self, frame: bytes) -> list[Decoded] | None:
        if frame in WORDS:
            self._must_answer |= frame == ASK
            if frame == ANSWER and not self._ever_timed:
                self._mute = False  # it may have been away, or switched off since: a start costs no lap yet
            return [DeviceMessage(WORDS[frame])]
        if (match := TIME.fullmatch(frame)) is not None:
            self._ever_started = self._time_received = self._sends_clock = True
            self._ever_timed = self._ever_sent_clock = True
            self._mute = False
            clock = self._timeline.time(int(match[1], 16))
            return [*clock.gaps, StatusReport(device_time_ns=clock.at_ns)]
        lap = LAP.fullmatch(frame)
        if lap is None:
            return None
        self._ever_started = self._time_received = self._ever_timed = True
        self._mute = not self._ever_sent_clock
        transponder, ticks = transponder_of((lap[1] or lap[2]).decode()), int(lap[3], 16)
        reading = self._timeline.passing(transponder, ticks)
        return [*reading.gaps, Passing(transponder, reading.at_ns, repeat=reading.repeat)]


def transponder_of(digits: str) -> str:
    """The id: a number in decimal, a tag (more than eight digits) in hexadecimal as sent, with its leading zeros."""
    return str(int(digits, 16)) if len(digits) <= NUMBER_DIGITS else digits.upper()
