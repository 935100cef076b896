"""The timer of the DeepRacer Event Manager (DREM): JSON texts (here one per line), stamped with its wall clock in ms.

It sends `{"event":"lap","timestamp":ms,"gpio":17,"lapNumber":n,"sensorLapCount":k}` and, to every new client, an event
`connected`. It counts from 1 at each start, samples its inputs every 10 ms (5 ms in newer versions), and repeats
nothing. On the network it is a WebSocket: station/gates/drem.py.

Source: the `leaderboard-timer` of github.com/aws-solutions-library-samples/guidance-for-aws-deepracer-event-management
(MIT-0, 2026).

Tried with: a WebSocket server that sends what that timer sends: 1,000 passes over its two strips, sampled every 5 and
10 ms (2026-11-30). No timer was available.
"""

import json
import math
from typing import Any, Final, TypeGuard

from station.gates.decoders.decoder import LAST_NS, Decoded, DeviceEdge, DeviceMessage, Gap, StatusReport
from station.gates.decoders.framed_decoder import LineDecoder

MAX_TEXT_BYTES: Final = 4096
LAST_MS: Final = LAST_NS // 1_000_000
MAX_INTEGER: Final = 2**53  # beyond it, JavaScript's numbers are no longer exact


class Drem(LineDecoder):
    """A `Decoder`. Sensors are the GPIO numbers, "17" and "27"; `number` is the lap number."""

    name = "drem"
    max_frame_bytes = MAX_TEXT_BYTES

    def __init__(self) -> None:
        super().__init__()
        self._last_lap: tuple[int, int] | None = None
        self._last_ns = 0

    def _decode_frame(self, line: bytes) -> list[Decoded]:
        document = read_object(line)
        if document is None:
            self.counts.bad_length += line.startswith(b"{")  # an object that begins must end on its line
            self.counts.resynced_bytes += len(line)
            return []
        time_ns = _nanoseconds(document.get("timestamp"))
        event = document.get("event")
        if event == "lap":
            gpio, number = document.get("gpio"), document.get("lapNumber")
            if time_ns is None or not _whole(gpio) or not _whole(number):
                return self.counts.bad("bad_fields", len(line))
            return self.counts.good(self._lap(str(gpio), number, time_ns))
        if event == "connected":
            return self.counts.good([*self._clock(time_ns), StatusReport(device_time_ns=time_ns)])
        return self.counts.good([DeviceMessage(str(event)[:40])])

    def _lap(self, gpio: str, number: int, time_ns: int) -> list[Decoded]:
        if self._last_lap == (number, time_ns):
            return [DeviceMessage("repeat", f"lap {number}")]
        last, self._last_lap = self._last_lap, (number, time_ns)
        edge = DeviceEdge(gpio, True, time_ns, number)
        skipped = _skipped(last[0], number) if last is not None else None
        clock = self._clock(time_ns)
        if skipped is None:
            return [*clock, edge]
        # A restart of the timer may come with another clock: one restart, reported once.
        return [skipped, edge] if skipped.kind == "restart" else [skipped, *clock, edge]

    def _clock(self, time_ns: int | None) -> list[Decoded]:
        """The Gap if the wall clock fell. It may be set by any step, but only a fall is visible here."""
        if time_ns is None:
            return []
        last_ns, self._last_ns = self._last_ns, time_ns
        if time_ns >= last_ns:
            return []
        back_s = (last_ns - time_ns) / 1e9
        return [Gap("clock_jump", f"The timer's wall clock was set back by {back_s:.3f} s: laps across this are void.")]


def _skipped(last: int, number: int) -> Gap | None:
    """The Gap between two lap numbers. They never wrap: one that does not grow shows a restart of the timer."""
    if number <= last:
        return Gap("restart", f"The timer was started again: its lap numbers went from {last} to {number}.")
    missing = number - last - 1
    sentence = f"The timer sent lap {number} after lap {last}: {missing} between them were not received."
    return Gap("missed_numbers", sentence, missing) if missing else None


def read_object(text: bytes | str) -> dict[str, Any] | None:
    """A JSON object from an untrusted peer, or None if the text is not one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_INTEGER


def _nanoseconds(timestamp: object) -> int | None:
    """Milliseconds, whole or not, as ns; None if it is not a time."""
    if _whole(timestamp):
        return timestamp * 1_000_000 if timestamp <= LAST_MS else None
    if isinstance(timestamp, float) and math.isfinite(timestamp) and 0 <= timestamp <= LAST_MS:
        return round(timestamp * 1000) * 1000
    return None
