"""ImmersionRC LapRF: binary records from 5Ah to 5Bh, fields of tag, length and value, time in microseconds.

5Ch is an escape; the byte after it is sent + 40h. The CRC-16/ARC is over the unescaped record with the CRC set to
zero, both delimiters included; the length counts the same bytes. The gate sends unasked, over TCP port 5403 or USB.

Sources: github.com/fpvcult/laprf and github.com/RotorHazard/laprf-provider, read in 2026.

Tried with: six frames of a device and seven of its host in the tests of fpvcult/laprf, one with an escaped CRC
(2026-11). No gate was available.
"""

import struct
from typing import Final

from station.gates.decoders.decoder import LAST_NS, MAX_VALUE_BYTES, Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline, Numbering
from station.gates.decoders.framed_decoder import PacketDecoder

MAX_RECORD_BYTES: Final = 1024  # bytes of a record, unescaped
HEAD: Final = struct.Struct("<BHHH")  # start, length, CRC, kind
ESCAPE: Final = 0x5C

PASSING, STATUS, TIME = 0xDA09, 0xDA0A, 0xDA0C
KINDS = {
    0xDA01: "rssi",
    0xDA02: "rf_setup",
    0xDA04: "state",
    0xDA07: "settings",
    0xDA08: "descriptor",
    0xDA0C: "time",
    0xFFFF: "error",
}
SLOT, RTC_US = 0x01, 0x02
GATE, NUMBER, PEAK, FLAGS = 0x20, 0x21, 0x22, 0x23  # of a passing
MILLIVOLTS: Final = 0x21  # of a status
US: Final = 1_000  # ns

Fields = dict[int, int]


class LapRf(PacketDecoder):
    """A `Decoder`. The transponder is the pilot's slot, since pilots differ by frequency; `strength` is the peak."""

    name = "laprf"
    max_frame_bytes = 2 * MAX_RECORD_BYTES
    brackets = (b"\x5a", b"\x5b")

    def __init__(self) -> None:
        super().__init__()
        self._timeline = DeviceTimeline(DeviceClock(US, None, "restart"), Numbering("passing"))
        self._gate = ""  # only passings name it: all else comes from the same one

    def _decode_frame(self, frame: bytes) -> list[Decoded]:
        plain = unescaped(frame)
        if len(plain) <= HEAD.size:
            return self.counts.bad("bad_length", len(frame))
        _, length, crc, kind = HEAD.unpack_from(plain)
        if length != len(plain):
            return self.counts.bad("bad_length", len(frame))
        if crc != crc_arc(plain[:3] + b"\0\0" + plain[5:]):
            return self.counts.bad("bad_crc", len(frame))
        fields = read_fields(plain[HEAD.size : -1])
        if fields is None:
            return self.counts.bad("bad_fields", len(frame))
        if kind == PASSING:
            return self._passing(fields, len(frame))
        return self._other(kind, fields)

    def _passing(self, fields: Fields, length: int) -> list[Decoded]:
        if SLOT not in fields or not 0 <= fields.get(RTC_US, -1) * US <= LAST_NS:
            return self.counts.bad("bad_fields", length)
        slot, number = str(fields[SLOT]), fields.get(NUMBER)
        reading = self._timeline.passing(slot, fields[RTC_US], number)
        self._gate = f"{fields[GATE]:08x}" if GATE in fields else self._gate
        passing = Passing(
            slot,
            reading.at_ns,
            number,
            decoder=self._gate,
            strength=fields.get(PEAK),
            flags=fields.get(FLAGS, 0),
            repeat=reading.repeat,
        )
        return self.counts.good([*reading.gaps, passing])

    def _other(self, kind: int, fields: Fields) -> list[Decoded]:
        if kind == STATUS:
            return self.counts.good([StatusReport(self._gate, voltage_mv=fields.get(MILLIVOLTS))])
        if kind == TIME and 0 <= fields.get(RTC_US, -1) * US <= LAST_NS:
            clock = self._timeline.time(fields[RTC_US])
            return self.counts.good([*clock.gaps, StatusReport(self._gate, device_time_ns=clock.at_ns)])
        return self.counts.good([DeviceMessage(KINDS.get(kind, f"{kind:04x}"), decoder=self._gate)])


def unescaped(frame: bytes) -> bytes:
    """The record without its escapes; an escape with nothing after it is dropped, so the length will not match."""
    first, *rest = frame.split(bytes((ESCAPE,)))
    return first + b"".join(bytes(((part[0] - 0x40) & 0xFF,)) + part[1:] for part in rest if part)


def read_fields(body: bytes) -> Fields | None:
    """Tag -> little-endian value; of a tag that repeats (one group per slot), the last value. None if cut short.

    A field without a value is a request of the host, or an empty answer: it is left out. So is one that is longer than
    any number.
    """
    fields: Fields = {}
    at = 0
    while at < len(body):
        end = at + 2 + (body[at + 1] if at + 1 < len(body) else len(body))
        if end > len(body):
            return None
        if 0 < body[at + 1] <= MAX_VALUE_BYTES:
            fields[body[at]] = int.from_bytes(body[at + 2 : end], "little")
        at = end
    return fields


def crc_arc(data: bytes) -> int:
    """CRC-16/ARC: polynomial 8005h reflected, initial 0."""
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ _ARC[(crc ^ byte) & 0xFF]
    return crc


def _arc_row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_ARC = tuple(_arc_row(byte) for byte in range(256))
