"""The two-pulse test: one contact, wired to every gate, is closed once, and again a minute later. Pure.

The intervals that any two gates measure must agree within 1 ms, or the test is repeated (as the FIS Timing Booklet
requires of systems A and B). Only intervals are compared, so each gate may have a clock of its own; a clock that is 17
ppm off fails over a minute. Called by the gates' page and by `raceday gate sync-check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.text import text

AGREE_NS = 1_000_000
PAUSE_S = 60.0
SAME_PULSE_S = 2.0


class Stamped(Protocol):
    """What a pulse is known by: a stamp in ns of the clock of this boot."""

    @property
    def boot(self) -> str: ...

    @property
    def at_ns(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Pulse:
    """A pulse as a gate stamped it."""

    boot: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class GateInterval:
    """One gate's interval between the pulses, and how far it is off from the gate that differs most.

    `why`: why the gate fails; "" if it agrees with all others.
    """

    gate: str
    interval_ns: int | None
    off_ns: int | None
    why: str = ""


def compare(first: Mapping[str, Stamped], second: Mapping[str, Stamped], gates: tuple[str, ...]) -> list[GateInterval]:
    """Compares each gate's interval with that of every other gate.

    `first` and `second`: gate name to its edge of that pulse. Returns one entry for each of `gates`, in order.
    """
    intervals = {gate: _interval(first.get(gate), second.get(gate)) for gate in gates}
    known = {gate: ns for gate, ns in intervals.items() if ns is not None}
    return [_line(gate, known, gate in first) for gate in gates]


def _interval(before: Stamped | None, after: Stamped | None) -> int | None:
    if before is None or after is None or before.boot != after.boot:
        return None
    return after.at_ns - before.at_ns


def _line(gate: str, known: Mapping[str, int], had_first: bool) -> GateInterval:
    interval_ns = known.get(gate)
    if interval_ns is None:
        unseen = text("the first pulse was not seen")
        if had_first:
            unseen = text("the second pulse was not seen, or its clock was set in between")
        return GateInterval(gate, None, None, unseen)
    off_ns, other = max(((interval_ns - ns, name) for name, ns in known.items()), key=lambda off: abs(off[0]))
    if abs(off_ns) <= AGREE_NS:
        return GateInterval(gate, interval_ns, off_ns)
    why = text("off by {off} ms from {other}, 1 ms is allowed", off=f"{off_ns / 1e6:.3f}", other=other)
    return GateInterval(gate, interval_ns, off_ns, why)
