"""Carrera Digital 124/132 control unit: it is polled continuously, and answers with a passing or with its state.

19200 baud (or BLE behind a bridge). A request is `"` command `$`; an answer ends with `$` or `#`. Each character after
the first carries one nibble above 30h, the last is the nibble sum. A passing is `?`, address, milliseconds (32 bits,
the nibbles of each byte swapped), sector (1: start/finish), sum.

Source: carreralib (github.com/tkem/carreralib, MIT), its protocol module and tests, read in 2026.

Tried with: the three timer frames in carreralib's tests (2026-11). No control unit was available.
"""

import re
from typing import Final

from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framed_decoder import LineDecoder

ASK: Final = b'"?$'
ASK_VERSION: Final = b'"0$'
EVERY_NS: Final = 20_000_000  # between polls while the unit answers: a passing waits for the next poll
ANSWER_TIMEOUT_NS: Final = 250_000_000  # the unit has not answered: poll again

_ENDS = bytes.maketrans(b"$#", b"\n\n")
_ANSWER = re.compile(rb"(\?:[0-?]{16}|\?:[0-?]{14}|\?[1-8][0-?]{8}[1-9][0-?]|(?<![0-?])0[ -~]{4}[0-?])$")
_CUT = re.compile(rb"\?[0-?]{2,}|[0-?]{5,}$")  # an answer without its beginning or its end


class Carrera(LineDecoder):
    """A `Decoder`. The transponder is the controller's address as on the unit, "1" to "8"; the loop is the sector."""

    name = "carrera"
    max_frame_bytes = 64

    def __init__(self) -> None:
        super().__init__()
        self._timeline = DeviceTimeline(DeviceClock(1_000_000, 1 << 32, "restart"))
        self._requested_ns: int | None = None
        self._answered = False

    def feed(self, data: bytes) -> list[Decoded]:
        return super().feed(data.translate(_ENDS))

    def hello(self) -> bytes:
        super().hello()
        self._requested_ns = None
        return ASK_VERSION

    def poll(self, now_ns: int) -> bytes:
        wait_ns = EVERY_NS if self._answered else ANSWER_TIMEOUT_NS
        if self._requested_ns is not None and 0 <= now_ns - self._requested_ns < wait_ns:
            return b""
        self._requested_ns, self._answered = now_ns, False
        return ASK

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        found = _ANSWER.search(line)
        if found is None:
            self.counts.bad_length += _CUT.match(line) is not None
            self.counts.resynced_bytes += len(line)
            return []
        answer = found[0]
        if (sum(answer[1:-1]) ^ answer[-1]) & 15:
            return self.counts.bad("bad_crc", len(line))
        self._answered = True
        self.counts.resynced_bytes += len(line) - len(answer)
        if answer.startswith(b"0"):
            return self.counts.good([DeviceMessage("version", answer[1:-1].decode())])
        return self.counts.good([StatusReport()] if answer.startswith(b"?:") else self._passing(answer))

    def _passing(self, answer: bytes) -> list[Decoded]:
        address, sector = str(answer[1] & 15), answer[10] & 15
        reading = self._timeline.passing(address, _swapped(answer[2:10]), sector)
        return [*reading.gaps, Passing(address, reading.at_ns, loop=str(sector), repeat=reading.repeat)]


def _swapped(nibbles: bytes) -> int:
    """The number in nibbles: high byte first, but the low nibble of each byte before its high one."""
    value = 0
    for low, high in zip(nibbles[::2], nibbles[1::2], strict=True):
        value = value << 8 | (high & 15) << 4 | low & 15
    return value
