"""IPICO readers (used in running): lines of `aa` and hexadecimal digits; TCP port 10000 or serial.

After `aa`: reader, tag, antenna counts, YYMMDD, HHMMSS, hundredths (in hexadecimal), optionally three more bytes, and
the sum of all characters from after `aa` up to itself. `FS` and `LS` mark the first and the last sighting of a tag.
Readers send a read again seconds later, with the same time.

Sources: IPICO's protocol document of 2007 and the recordings in `docs/ipico-protocol/` of
github.com/iwismer/rusty-timer (2026).
"""

import re
from datetime import UTC, datetime
from typing import Final

from station.gates.decoders.decoder import Decoded, Passing
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framed_decoder import LineDecoder

FIRST_SEEN: Final = 1
LAST_SEEN: Final = 2
MARKS = {b"": 0, b"FS": FIRST_SEEN, b"LS": LAST_SEEN}

_READ = re.compile(
    rb"aa([\da-f]{2})([\da-f]{12})[\da-f]{4}(\d{12})([\da-f]{2})(?:[\da-f]{6})?([\da-f]{2})(FS|LS)?$", re.IGNORECASE
)
_CUT = re.compile(rb"aa[\da-f]*(?:FS|LS)?", re.IGNORECASE)


class Ipico(LineDecoder):
    """A `Decoder`. The loop is the reader's number; times are those of its calendar clock."""

    name = "ipico"

    def __init__(self) -> None:
        super().__init__()
        self._timeline = DeviceTimeline(DeviceClock(10_000_000, None, "clock_jump"))

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        found = _READ.search(line)
        if found is None:
            self.counts.bad_length += _CUT.fullmatch(line) is not None
            self.counts.resynced_bytes += len(line)
            return []
        reader, tag, moment, hundredths, check, mark = found.groups()
        if sum(found[0][2 : found.start(5) - found.start()]) & 0xFF != int(check, 16):
            return self.counts.bad("bad_crc", len(line))
        ticks = _ticks(moment.decode(), int(hundredths, 16))
        if ticks is None:
            return self.counts.bad("bad_fields", len(line))
        self.counts.resynced_bytes += found.start()
        return self._passing(tag.decode().lower(), reader.decode(), ticks, MARKS[(mark or b"").upper()])

    def _passing(self, tag: str, reader: str, ticks: int, flags: int) -> list[Decoded]:
        reading = self._timeline.passing(tag, ticks, flags)
        return self.counts.good(
            [*reading.gaps, Passing(tag, reading.at_ns, loop=reader, flags=flags, repeat=reading.repeat)]
        )


def _ticks(moment: str, hundredths: int) -> int | None:
    """Hundredths of a second since 1970 of YYMMDDHHMMSS; None if there is no such time."""
    if hundredths > 99:
        return None
    try:
        when = datetime.strptime(f"20{moment}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp()) * 100 + hundredths
