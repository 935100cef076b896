"""ZRound's open lap counter protocol: `%`, a letter, hexadecimal digits, `&`; 19200 baud or TCP (timing.md 2.7).

We ask `%C&`, the counter answers `%A&` (on TCP it need not), `%I&` starts it and sets its clock to zero; then come
`%T<ms>&` (its clock) and `%L<transponder>[,]<ms>&` (a lap; without the comma the transponder is two digits). After a
reconnect it is started again only when it stays silent, since a start begins its time anew.
"""

import re

from station.gates.decoders.decoder import Counts, Decoded, Message, Passing, StatusReport
from station.gates.decoders.deviceclock import DeviceClock, Timeline
from station.gates.decoders.framing import Brackets

LONGEST = 40
ASK, ANSWER, START = b"%C&", b"%A&", b"%I&"
ANSWER_NS = 500_000_000
SILENT_NS = 10_000_000_000
TIME = re.compile(rb"%T([0-9A-Fa-f]{1,12})&")
LAP = re.compile(rb"%L(?:([0-9A-Fa-f]{1,8}),|([0-9A-Fa-f]{2}))([0-9A-Fa-f]{1,12})&")
WORDS = {ASK: "ask", ANSWER: "answer", START: "start", b"%F&": "stop"}


class ZRound:
    """A `Decoder`."""

    name = "zround"

    def __init__(self) -> None:
        self.counts = Counts()
        self._frames = Brackets(b"%", b"&", LONGEST, self.counts)
        self._timeline = Timeline(DeviceClock(1_000_000, 1 << 32, "restart"))
        self._started = False
        self._due_ns: int | None = None
        self._heard_time = False
        self._must_answer = False

    def feed(self, data: bytes) -> list[Decoded]:
        return [fact for frame in self._frames.feed(data) for fact in self._frame(frame)]

    def hello(self) -> bytes:
        self._frames.forget()
        self._due_ns, self._heard_time = None, False
        return ASK

    def poll(self, now_ns: int) -> bytes:
        """The start, when it is due; the answer, when we are asked."""
        answer, self._must_answer = ANSWER if self._must_answer else b"", False
        if self._due_ns is None:
            self._due_ns = now_ns + (SILENT_NS if self._started else ANSWER_NS)
        if self._heard_time or now_ns < self._due_ns:
            return answer
        self._due_ns = now_ns + SILENT_NS
        self._started = True
        return answer + START

    def _frame(self, frame: bytes) -> list[Decoded]:
        facts = self._facts(frame)
        return self.counts.bad("bad_fields", len(frame)) if facts is None else self.counts.good(facts)

    def _facts(self, frame: bytes) -> list[Decoded] | None:
        if frame in WORDS:
            self._must_answer |= frame == ASK
            return [Message(WORDS[frame])]
        if (said := TIME.fullmatch(frame)) is not None:
            self._heard_time = True
            clock = self._timeline.time(int(said[1], 16))
            return [*clock.gaps, StatusReport(device_time_ns=clock.at_ns)]
        lap = LAP.fullmatch(frame)
        if lap is None:
            return None
        self._heard_time = True
        transponder, ticks = str(int(lap[1] or lap[2], 16)), int(lap[3], 16)
        seen = self._timeline.passing(transponder, ticks)
        return [*seen.gaps, Passing(transponder, seen.at_ns, repeat=seen.repeat)]
