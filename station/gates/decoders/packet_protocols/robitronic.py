"""Robitronic and EasyLAP: binary packets of fixed lengths, times in ms since power-on; 38400 baud.

A packet is its length, an undocumented check byte, its kind and the rest: `0B .. 83`, time (4), 4 more, about once a
second; `0D .. 84`, transponder (4), time (4), hits, strength. Numbers are little-endian. We send `03 B9 01`, the
counter answers `00` and begins. EasyLAP has a USB bridge that is not a serial port: its `url` is
`cp2110:///dev/hidraw0` (hid_port.py).

Without a usable checksum or a start byte, noise can look like a packet. Its time gives it away: a passing that lies
seconds before the counter's own clock, or minutes after it, is refused.

Source: the Robitronic page of the Flipside Racing wiki, read in 2026; the maker publishes no protocol.

Tried with: the packets of that page, and packets read by the rules of two other readers, rginda/pycp2110 and
florin-rosca-us/easylap-server, which agree on every place (2026-11-30). They read 16 bits of the transponder, and
send no start to an EasyLAP. Three packets do not determine the check byte: dozens of CRC-8s fit. No counter was
available.
"""

import struct
from typing import Final

from station.gates.decoders.decoder import Counts, Decoded, DeviceMessage, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, DeviceTimeline

BEGIN: Final = b"\x03\xb9\x01"
TIME: Final = (0x0B, 0x83)
PASSING: Final = (0x0D, 0x84)
KIND: Final = 3  # the bytes up to and including the kind
EARLY_MS, LATE_MS = 5_000, 120_000  # how far a passing may lie before and after the last time packet

_PASSING = struct.Struct("<xxxIIBB")
_TIME = struct.Struct("<xxxI4x")


class Robitronic:
    """A `Decoder`. Transponders are decimal; packets have a length but no end, hence a buffer of its own."""

    name = "robitronic"

    def __init__(self) -> None:
        self.counts = Counts()
        self._buffer = bytearray()
        self._timeline = DeviceTimeline(DeviceClock(1_000_000, 1 << 32, "restart"))
        self._clock_ms: int | None = None  # of the last time packet
        self._awaits_answer = False

    def feed(self, data: bytes) -> list[Decoded]:
        self._buffer += data
        facts: list[Decoded] = []
        at = 0
        while (left := len(self._buffer) - at) and (self._awaits_answer or left >= KIND):
            length, packet_facts = self._packet(at, left)
            if not length:
                break
            facts += packet_facts
            at += length
        del self._buffer[:at]
        return facts

    def hello(self) -> bytes:
        if self._buffer:
            self.counts.bad("bad_length", len(self._buffer))
        self._buffer.clear()
        self._awaits_answer, self._clock_ms = True, None
        return BEGIN

    def poll(self, now_ns: int) -> bytes:  # noqa: ARG002  # once started it sends unasked
        return b""

    def _packet(self, at: int, left: int) -> tuple[int, list[Decoded]]:
        """How many bytes are consumed, and the facts in them; 0: more bytes are needed."""
        if self._awaits_answer and self._buffer[at] == 0:
            self._awaits_answer = False
            return 1, self.counts.good([DeviceMessage("answer")])
        if left < KIND:
            return 0, []
        head = (self._buffer[at], self._buffer[at + 2])
        if head not in (TIME, PASSING):
            self.counts.resynced_bytes += 1
            return 1, []
        if left < head[0]:
            return 0, []
        packet = bytes(self._buffer[at : at + head[0]])
        return (len(packet), self._time(packet)) if head == TIME else self._passing(packet)

    def _time(self, packet: bytes) -> list[Decoded]:
        self._awaits_answer = False
        (self._clock_ms,) = _TIME.unpack(packet)
        clock = self._timeline.time(self._clock_ms)
        return self.counts.good([*clock.gaps, StatusReport(device_time_ns=clock.at_ns)])

    def _passing(self, packet: bytes) -> tuple[int, list[Decoded]]:
        transponder, ms, hits, strength = _PASSING.unpack(packet)
        if self._clock_ms is not None and not -EARLY_MS <= ms - self._clock_ms <= LATE_MS:
            return 1, self.counts.bad("bad_fields", 1)
        self._awaits_answer = False
        reading = self._timeline.passing(str(transponder), ms)
        passing = Passing(str(transponder), reading.at_ns, strength=strength, hits=hits, repeat=reading.repeat)
        return len(packet), self.counts.good([*reading.gaps, passing])
