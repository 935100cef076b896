"""Cano records, as RCHourglass and other makers' lap counters send them: 14 hexadecimal digits per line.

The transponder (6) and the time in quarter milliseconds (8), without a checksum; the counter wraps after 12.4 days.
Answers to RCHourglass commands (VERSION, LIST, ...) come between the records as text, and are not passings.

Source: the Cano format on dokuwiki.faatal.dynv6.net; github.com/mv4wd/RCHourglass (2021).

Tried with: an encoder written from the designer's words on rctech.net (post 504: 6 digits of id, 8 of quarter
milliseconds) (2026-11). RCHourglass's longer records, with hits and volts, are not known. No counter was available.
"""

import re

from station.gates.decoders.decoder import Decoded, Passing
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline
from station.gates.decoders.framed_decoder import LineDecoder

QUARTER_MS = 250_000
RECORD = re.compile(rb"([0-9A-Fa-f]{6})([0-9A-Fa-f]{8})")


class Cano(LineDecoder):
    """A `Decoder`. Transponders are decimal; there are no sequence numbers, so losses do not show."""

    name = "cano"
    max_frame_bytes = 120

    def __init__(self) -> None:
        super().__init__()
        self._timeline = DeviceTimeline(DeviceClock(QUARTER_MS, 1 << 32, "restart"))

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        record = RECORD.fullmatch(line.strip())
        if record is None:
            # There is no checksum: another number of digits means a record that lost or gained some.
            self.counts.bad_length += re.fullmatch(rb"[0-9A-Fa-f]{7,24}", line) is not None
            self.counts.resynced_bytes += len(line)
            return []
        transponder, ticks = str(int(record[1], 16)), int(record[2], 16)
        reading = self._timeline.passing(transponder, ticks)
        return self.counts.good([*reading.gaps, Passing(transponder, reading.at_ns, repeat=reading.repeat)])
