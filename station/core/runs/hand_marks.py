"""Hand times of a run as an official's marks, and their place on the gate's clock. Pure.

Taken by orders.py, read by lap_doubts.py (a mark within a long lap) and by rulings/hand_timing.py, which counts them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.units import NS_PER_MS
from station.core.moment import Moment, clock_of
from station.core.timing.utc_scale import UtcScale

HAND_NS = 100 * NS_PER_MS  # how far a hand time may be off
SAME_PASS_NS = 500 * NS_PER_MS  # a hand time this close to a sensor's stamp is of the same pass


@dataclass(frozen=True, slots=True)
class HandMark:
    """A hand time of a run at a `moment` of the station, and who took it."""

    moment: Moment
    author: str


def on_gate(scale: UtcScale, moment: Moment, boot: str) -> int | None:
    """A moment of the station in ns on the clock of `boot`; None if the two clocks were never compared."""
    if clock_of(moment.boot) == clock_of(boot):
        return moment.at_ns
    return scale.on_device(moment, boot)


def marks_between(marks: Iterable[HandMark], scale: UtcScale, boot: str, begin_ns: int, end_ns: int) -> list[int]:
    """The hand times between two stamps of the gate's clock `boot`, in ns of that clock, in order."""
    stamps = (on_gate(scale, mark.moment, boot) for mark in marks)
    return sorted(at_ns for at_ns in stamps if at_ns is not None and begin_ns < at_ns < end_ns)
