"""Follows the clock of a timer that stamps with the time of day and sends in order: any fall but midnight is a jump.

Decoders may report a little late and out of order (device_clock.py); a timer with beams does not, so that even a clock
that was set back by a tenth of a second is noticed.
"""

from collections.abc import Sequence

from shared.text import text
from station.gates.decoders.decoder import Gap
from station.gates.decoders.device_clock import DeviceClock, RecentPassings

DAY_S = 24 * 3600


class DayClock:
    """Converts hours, minutes, seconds and a fraction of up to `digits` digits to nanoseconds that only grow."""

    def __init__(self, digits: int) -> None:
        self._digits = digits
        self._per_s = int(10**digits)
        self._clock = DeviceClock(1_000_000_000 // self._per_s, DAY_S * self._per_s, "clock_jump")
        self._recent = RecentPassings()
        self._last_ns = 0

    def ticks(self, parts: Sequence[bytes | None]) -> int | None:
        """Hours, minutes, seconds, fraction (absent: 0) as ticks since midnight; None if it is not a time of day."""
        hours, minutes, seconds = (int(part or 0) for part in parts[:3])
        if hours > 23 or minutes > 59 or seconds > 59:
            return None
        fraction = (parts[3] or b"")[: self._digits].ljust(self._digits, b"0")
        return ((hours * 60 + minutes) * 60 + seconds) * self._per_s + int(fraction)

    def is_repeat(self, sensor: str, ticks: int) -> bool:
        """Whether this impulse was sent before; remembers it."""
        return self._recent.is_repeat(sensor, ticks)

    def read(self, ticks: int, slack_ns: int = 0) -> tuple[int, Gap | None]:
        """The time in ns, and the Gap if the clock wrapped or was set.

        A time of up to `slack_ns` before the last one is no jump.
        """
        at_ns, gap = self._clock.read(ticks)
        if gap is None and at_ns < self._last_ns - slack_ns:
            gap = Gap(
                "clock_jump",
                text("The timer's clock was set back by {seconds:.4f} s.", seconds=(self._last_ns - at_ns) / 1e9),
            )
        self._last_ns = at_ns if gap is not None else max(at_ns, self._last_ns)
        return at_ns, gap
