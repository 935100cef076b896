"""TAG Heuer CP 520: lines of 30 columns ended by CR, times of day with six decimals (the CP 540 uses another format).

`T`, mark, start number, channel (M1: by hand), `HH:MM:SS.ffffff` with leading blanks. Only a plain `T` is an impulse:
`T-` (a start was cancelled), `T*` (renumbered), `R` (a result) and `S` (a new run) are DeviceMessages.

Sources: `tag_heuer_520.py` of github.com/LateralGs/rallyx_timing_scoring (MIT, 2018) and the recorded
logs of github.com/amayers1/ww-canoe-kayak-slalom.

Tried with: the recorded logs of ww-canoe-kayak-slalom (2026-11). No timer was available.
"""

import re
from typing import Final

from station.gates.decoders.day_clock import DayClock
from station.gates.decoders.decoder import Decoded, DeviceEdge, DeviceMessage
from station.gates.decoders.framed_decoder import LineDecoder

MANUAL: Final = 1
COLUMNS: Final = 30
MESSAGE_KINDS = {b"T-": "cancelled", b"T*": "renumbered"}

_TIME = re.compile(rb"(T[ *-])([ \d]{9}) ([ M])([1-9]) ([ \d:]{8}\.\d{1,6} *)")
_RESULT = re.compile(rb"R[ \d]{4}[ \d]{6} [ \d:]{12}\.\d{1,6} *|R[ \d:]{22,23}\.\d{1,6} *")
_RUN = re.compile(rb"S +(\d{1,4})(?: .*)?")
_BEGUN = re.compile(rb"(?:T[ *-]|R[ \d])[ \d]{2}")
_CLOCK = re.compile(rb" *(?:(?:(\d{1,2}):)? ?(\d{1,2}):)? ?(\d{1,2})\.(\d{1,6}) *")


class TagHeuer(LineDecoder):
    """A `Decoder`. Sensors are the channels, "1" to "4"; `number` is the start number, None if there is none."""

    name = "tag"

    def __init__(self) -> None:
        super().__init__()
        self._clock = DayClock(6)

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        tail = line[-COLUMNS:]
        if len(tail) == COLUMNS and (found := _TIME.fullmatch(tail)):
            return self._time(found, len(line))
        if len(tail) == COLUMNS and _RESULT.fullmatch(tail):
            return self._message("result", tail, len(line))
        if _RUN.fullmatch(line) and line.isascii():
            return self._message("run", line, len(line))
        if _BEGUN.match(line):
            return self.counts.bad("bad_fields" if len(line) == COLUMNS else "bad_length", len(line))
        self.counts.resynced_bytes += len(line)
        return []

    def _message(self, kind: str, text: bytes, length: int) -> list[Decoded]:
        self.counts.resynced_bytes += length - len(text)
        return self.counts.good([DeviceMessage(kind, " ".join(text.decode().split()))])

    def _time(self, found: re.Match[bytes], length: int) -> list[Decoded]:
        mark, number, hand, channel, text = found.groups()
        clock = _CLOCK.fullmatch(text)
        ticks = self._clock.ticks(clock.groups()) if clock else None
        if ticks is None:
            return self.counts.bad("bad_fields", length)
        sensor = channel.decode()
        if mark in MESSAGE_KINDS or self._clock.is_repeat(sensor, ticks):
            return self._message(MESSAGE_KINDS.get(mark, "repeat"), found[0], length)
        self.counts.resynced_bytes += length - COLUMNS
        time_ns, gap = self._clock.read(ticks)
        edge = DeviceEdge(sensor, True, time_ns, _number(number), flags=MANUAL if hand == b"M" else 0)
        return self.counts.good([edge] if gap is None else [gap, edge])


def _number(columns: bytes) -> int | None:
    digits = columns.split()
    return int(digits[-1]) if digits else None
