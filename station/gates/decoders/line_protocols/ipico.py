"""IPICO readers (used in running): lines of `aa` and hexadecimal digits; TCP port 10000 or serial.

After `aa`: reader, tag, antenna counts, YYMMDD, HHMMSS, hundredths (in hexadecimal), optionally the three TTO bytes
(index, page, status), and the sum of all characters from after `aa` up to itself. Bit 7 of the status marks the first
sighting of a tag, bit 6 the last one, which the reader sends seconds later, with the time at which the tag left: it is
no second passing. Some programs write the same as a suffix, `FS` or `LS`; no reader was seen to. Without these marks a
reader sends a read again seconds later, with the same time.

Sources: IPICO's protocol document of 2007, and the recordings and `ipico-control-protocol.md` in
`docs/ipico-protocol/` of github.com/iwismer/rusty-timer (2026).

Tried with: lines of those recordings, with and without TTO bytes (2026-11-30), 100 and 6 lines of rusty-timer's
tests, and the sums of all 4,116 lines of its download (2026-11). No reader was available.
"""

import re
from datetime import UTC, datetime
from typing import Final

from station.gates.decoders.decoder import Decoded, DeviceMessage, Passing
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framed_decoder import LineDecoder

FIRST_SEEN: Final = 1
LAST_SEEN: Final = 2
SUFFIXES = {b"": 0, b"FS": FIRST_SEEN, b"LS": LAST_SEEN}
STATUS_BITS = {0x80: FIRST_SEEN, 0x40: LAST_SEEN}

_READ = re.compile(
    rb"aa([\da-f]{2})([\da-f]{12})[\da-f]{4}(\d{12})([\da-f]{2})(?:[\da-f]{4}([\da-f]{2}))?([\da-f]{2})(FS|LS)?$",
    re.IGNORECASE,
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
        reader, tag, moment, hundredths, status, check, suffix = found.groups()
        if sum(found[0][2 : found.start(6) - found.start()]) & 0xFF != int(check, 16):
            return self.counts.bad("bad_crc", len(line))
        ticks = _ticks(moment.decode(), int(hundredths, 16))
        if ticks is None:
            return self.counts.bad("bad_fields", len(line))
        self.counts.resynced_bytes += found.start()
        bits = int(status or b"0", 16)
        flags = SUFFIXES[(suffix or b"").upper()] | sum(flag for bit, flag in STATUS_BITS.items() if bits & bit)
        return self._sighting(tag.decode().lower(), reader.decode(), ticks, flags)

    def _sighting(self, tag: str, reader: str, ticks: int, flags: int) -> list[Decoded]:
        """The passing of a first sighting; of a last one (and not the first as well) only what it says of the clock."""
        if flags == LAST_SEEN:
            return self.counts.good([*self._timeline.time(ticks).gaps, DeviceMessage("last_seen", tag)])
        reading = self._timeline.passing(tag, ticks)
        passing = Passing(tag, reading.at_ns, loop=reader, flags=flags, repeat=reading.repeat)
        return self.counts.good([*reading.gaps, passing])


def _ticks(moment: str, hundredths: int) -> int | None:
    """Hundredths of a second since 1970 of YYMMDDHHMMSS; None if there is no such time."""
    if hundredths > 99:
        return None
    try:
        when = datetime.strptime(f"20{moment}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp()) * 100 + hundredths
