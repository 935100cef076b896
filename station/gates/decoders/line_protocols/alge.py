"""ALGE Timy 2/3 and TdC 8001: lines of fixed columns ended by CR, times of day in 0.1 ms.

`yNNNN CCC HH:MM:SS.zhtq GGRRRR`: devices end it after the time (23 columns: PC timers), the group (26) or the rank (30
in ALGE's manuals; 31 with a blank before it), with blanks where there is none. The column before the channel is `r`
or `b` for the red and the blue course of a parallel slalom. After the command CHK1 two more columns follow, the sum
of all bytes before them. Only a live impulse becomes an edge: what the Timy resends from memory, deletes, renumbers or
computes is a DeviceMessage. Logs usually lack the blank in the first column: such a line is an impulse too.

Sources: ALGE-TIMING's manuals of the Timy and the TdC 8001 (columns, commands); metarace `timy.py` (MIT, read in 2026)
for the checksum, and for ALGE's statement of 2026-02-03 that simultaneous impulses on C0 to C5 may be reported up to
0.3 ms apart.

Tried with: two dumps of real devices (661 and 629 lines) and the 26 lines in the tests of RaceHorology, all of which
are read (2026-11). No timer was available.
"""

import re
from typing import Final

from station.gates.decoders.day_clock import DayClock
from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage
from station.gates.decoders.framed_decoder import LineDecoder

MANUAL: Final = 1  # keyed by hand (M), not seen by a beam
NO_START_NUMBER: Final = 2  # the Timy's program did not expect it; the impulse is real
RADIO: Final = 4  # by radio; the Timy has already subtracted the delay

LENGTHS: Final = (31, 30, 26, 23)
SUM: Final = 2
SPREAD_NS: Final = 300_000  # simultaneous impulses of two channels
DELAY_NS: Final = 2_000_000_000  # a radio impulse may be reported this much late
LIVE = {b" ": 0, b"?": NO_START_NUMBER, b"t": RADIO, b"x": RADIO}
MESSAGE_KINDS = {
    b"m": "memory",
    b"c": "deleted",
    b"C": "deleted",
    b"d": "disqualified",
    b"i": "entered",
    b"n": "number",
    b"p": "penalty",
}

_IMPULSE = re.compile(
    rb"([ ?txmcCdinp])( {0,3}\d{1,4}| {4})(?<=^.{5})[ rb]([A-Za-z][\w/]?[\w ][\w ])([ \d]\d):(\d\d):(\d\d)[.,:]"
    rb"(?=[ \d]{4})(\d{1,4}) *(?: [ \d]{2}(?: ?[ \d]{4})?)?"
)
_BEGUN = re.compile(rb"[ ?txmcCdinp]?\d{4}[ rb][A-Za-z]")
_CHANNEL = re.compile(r"C\d ?M?")
_NUMBER = re.compile(rb"n(?=[ \d]{4}$)( *\d*)")
_RUNNING = re.compile(rb"[ \d]\d:\d\d:\d\d\.\d {0,4};?\d*@*")


class Alge(LineDecoder):
    """A `Decoder`. Sensors are the channels, "C0" to "C9"; `number` is the start number."""

    name = "alge"

    def __init__(self) -> None:
        super().__init__()
        self._clock = DayClock(4)

    def hello(self) -> bytes:
        """Asks for checksums, all four digits, truncated and not rounded, and no running time."""
        super().hello()
        return b"CHK1\rPRE4\rRR0\rEMU0\r"

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        for length in LENGTHS:
            for summed in (SUM, 0):
                # Logs lack the blank of the first column: then a digit stands there.
                stripped = len(line) == length + summed - 1 and line[:1].isdigit()
                whole = b" " + line if stripped else line
                tail = whole[-length - summed :]
                found = _IMPULSE.fullmatch(tail[:length]) if len(tail) == length + summed else None
                if found is not None:
                    if summed and not _sum_fits(tail):
                        return self.counts.bad("bad_crc", len(line))
                    self.counts.resynced_bytes += len(whole) - len(tail)
                    return self._impulse(found, line)
        return self._other(line)

    def _impulse(self, found: re.Match[bytes], line: bytes) -> list[Decoded]:
        flag, number, channel, *clock = found.groups()
        ticks = self._clock.ticks(clock)
        if ticks is None:
            return self.counts.bad("bad_fields", len(line))
        text, name = found[0].decode().strip(), channel.decode().strip().upper()
        if flag not in LIVE or not _CHANNEL.fullmatch(name):
            return self.counts.good([DeviceMessage(MESSAGE_KINDS.get(flag, "result"), text)])
        if self._clock.is_repeat(name, ticks):
            return self.counts.good([DeviceMessage("repeat", text)])
        time_ns, gap = self._clock.read(ticks, DELAY_NS if LIVE[flag] & RADIO else SPREAD_NS)
        flags = LIVE[flag] | (MANUAL if name.endswith("M") else 0)
        edge = DeviceEdge(name[:2], True, time_ns, int(number.strip() or 0), flags=flags)
        return self.counts.good([edge] if gap is None else [gap, edge])

    def _other(self, line: bytes) -> list[Decoded]:
        if found := _NUMBER.fullmatch(line):
            return self.counts.good([DeviceMessage("number", found[1].decode().strip())])
        if found := _RUNNING.fullmatch(line):
            return self.counts.good([DeviceMessage("running_time", line.decode())])
        if _summed(line) and not _sum_fits(line):
            return self.counts.bad("bad_crc", len(line))
        if _BEGUN.match(line):
            return self.counts.bad("bad_fields" if len(line) in LENGTHS else "bad_length", len(line))
        self.counts.resynced_bytes += len(line)
        return []


def _summed(line: bytes) -> bool:
    """Whether the line is as long as one with a sum, and ends like one."""
    return len(line) - SUM in LENGTHS and re.fullmatch(rb"[0-?]{2}", line[-SUM:]) is not None


def _sum_fits(line: bytes) -> bool:
    """Whether the last two characters are the high and the low nibble, each + 30h, of the sum of all before them."""
    total = sum(line[:-SUM]) & 0xFF
    return line[-SUM:] == bytes((0x30 + (total >> 4), 0x30 + (total & 15)))
