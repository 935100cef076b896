"""One boot of a car's clock against the gate's: bounded by when its reports were heard, then learnt from crossings.

A report was made before it was heard, so the least delay bounds the offset. Whose crossing a report was about, once
that is sure, says it closely, and also how long before the line the board leaves the car's picture.
"""

import math
import statistics
from collections import deque
from collections.abc import Iterable

from shared.units import NS_PER_MS

SIGMA_NS = 40 * NS_PER_MS  # two frames, and speed that differs
UNLEARNT_NS = 200 * NS_PER_MS  # nothing but the delay bounds it
DELAY_NS = 100 * NS_PER_MS  # what the way takes at least, about
LEAST_SIGMA_NS = 25 * NS_PER_MS
REMEMBERED = 7
ENOUGH = 4  # so many say how far its reports scatter
SAFE = 1.5
HEARD = 32


class CarClock:
    """Car stamps on the gate's clock."""

    def __init__(self, one_clock: bool) -> None:
        """`one_clock`: the car stamps with the gate's clock."""
        self._one_clock = one_clock
        self._heard: deque[tuple[int, int]] = deque(maxlen=HEARD)
        self._met: deque[int] = deque(maxlen=REMEMBERED)

    @property
    def learnt(self) -> bool:
        """A crossing was surely this car's."""
        return bool(self._met)

    def heard(self, said_ns: int, heard_ns: int) -> None:
        """It said so; the station heard it at that time of the gate's clock."""
        self._heard.append((said_ns, heard_ns))

    def met(self, said_ns: int, crossed_ns: int) -> None:
        """This report was about that crossing."""
        self._met.append(crossed_ns - said_ns)

    def on_gate(self, said_ns: int, uncertainty_ns: int) -> tuple[int, int]:
        """When it crossed the line, on the gate's clock, and how far off (one sigma) that may be."""
        if self._met:
            offset_ns = round(statistics.median(self._met))
            if len(self._met) < ENOUGH:
                return said_ns + offset_ns, math.isqrt(SIGMA_NS * SIGMA_NS + uncertainty_ns * uncertainty_ns)
            return said_ns + offset_ns, max(LEAST_SIGMA_NS, round(SAFE * statistics.pstdev(self._met)))
        if self._one_clock or not self._heard:
            return said_ns, UNLEARNT_NS + uncertainty_ns
        return said_ns + on_gate_clock(self._heard) - DELAY_NS, UNLEARNT_NS + uncertainty_ns


def on_gate_clock(reports: Iterable[tuple[int, int]]) -> int:
    """Gate clock minus car clock, from (said on the car's clock, heard on the gate's): the least delay bounds it."""
    return min(heard_ns - said_ns for said_ns, heard_ns in reports)
