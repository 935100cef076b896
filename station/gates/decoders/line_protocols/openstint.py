"""OpenStint, the open decoder of RC and of its own transponders: lines of words, over ZeroMQ (`zmq://host:5556`).

`P` time (ms) kind (`OPN`, `AMB`) transponder strength (dB) hits ..., and each second `S` time noise (dB) ...; later
versions may add words. `T` synchronises two decoders, `L` tells of learning a transponder: neither is a passing.
The time counts from the start of the decoder's program, or (option -t) from 1970. A passing is told a quarter of a
second or more after it was, with its own time, so it may lie before the last status: only a status, or a passing long
before it, shows that the program was started again. What is published while nobody listens is lost.

Source: `docs/decoder-protocol.md`, `src/commons.cpp` and `integrations/` of github.com/zsellera/openstint (2026).

Tried with: a ZeroMQ publisher (pyzmq) that sends what its `simulator.py` and its decoder send, and the lines of its
documentation (2026-11-30). No decoder was available.
"""

import re
from typing import Final

from station.gates.decoders.decoder import LAST_NS, Decoded, DeviceMessage, Gap, Passing, StatusReport
from station.gates.decoders.device_clock import DeviceClock, RecentPassings
from station.gates.decoders.framed_decoder import LineDecoder

MS: Final = 1_000_000
LAST_MS: Final = LAST_NS // 1_000_000
LATE_MS: Final = 60_000  # a car may stand on the loop for this long before its passing is told
WORDS = {b"T": "timesync", b"L": "learning"}

_PASSING = re.compile(rb"P (\d{1,19}) ([A-Z0-9]{1,8}) (\d{1,10}) (-?\d{1,6}(?:\.\d{1,12})?) (\d{1,9})(?: [ -~]*)?")
_STATUS = re.compile(rb"S (\d{1,19}) (-?\d{1,6}(?:\.\d{1,12})?|-?inf|-?nan)(?: [ -~]*)?")
_WORD = re.compile(rb"([TL]) \d{1,19} [ -~]+")


class OpenStint(LineDecoder):
    """A `Decoder`. Transponders are decimal; `strength` is in whole dB."""

    name = "openstint"

    def __init__(self) -> None:
        super().__init__()
        self._clock = DeviceClock(MS, None, "restart")
        self._recent = RecentPassings()
        self._last_ms: int | None = None  # the newest time of all

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        passed, status = _PASSING.fullmatch(line), _STATUS.fullmatch(line)
        if passed is not None and int(passed[1]) <= LAST_MS:
            return self.counts.good(self._passing(passed))
        if status is not None and int(status[1]) <= LAST_MS:
            return self.counts.good(self._status(status))
        if word := _WORD.fullmatch(line):
            return self.counts.good([DeviceMessage(WORDS[word[1]], line.decode())])
        if line[:2] in (b"P ", b"S ", b"T ", b"L "):
            return self.counts.bad("bad_fields", len(line))
        self.counts.resynced_bytes += len(line)
        return []

    def _passing(self, found: re.Match[bytes]) -> list[Decoded]:
        time_ms, transponder = int(found[1]), str(int(found[3]))
        repeat = self._recent.is_repeat(transponder, time_ms)
        is_late = self._last_ms is not None and self._last_ms - LATE_MS <= time_ms <= self._last_ms
        gaps = [] if repeat or is_late else self._moved(time_ms)
        strength, hits = round(float(found[4])), int(found[5])
        return [*gaps, Passing(transponder, time_ms * MS, strength=strength, hits=hits, repeat=repeat)]

    def _status(self, found: re.Match[bytes]) -> list[Decoded]:
        time_ms, noise = int(found[1]), found[2]
        known = None if noise[-1:].isalpha() else round(float(noise))
        return [*self._moved(time_ms), StatusReport(noise=known, device_time_ns=time_ms * MS)]

    def _moved(self, time_ms: int) -> list[Gap]:
        """The Gap if the clock fell or was set."""
        _, gap = self._clock.read(time_ms)
        self._last_ms = time_ms if gap is not None else max(time_ms, self._last_ms or 0)
        return [] if gap is None else [gap]
