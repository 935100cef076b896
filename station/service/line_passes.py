"""Finds each pass over the start line, once, in the facts of one input: what an event manager's timer would report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from station.core import facts as f
from station.core.engine import Engine
from station.core.timing.readiness import TESTING


@dataclass(frozen=True, slots=True)
class LinePass:
    """A crossing of the start line, on the clock of `boot`."""

    boot: str
    at_ns: int


def line_passes(engine: Engine, facts: Sequence[f.Fact]) -> Iterator[LinePass]:
    """The passes in `facts`, except those in test mode and those that came too soon to be a lap.

    They count with or without a run: an event manager that uses this station as its timer has runs of its own. A pass
    that system A missed counts if a time of system B takes its place.
    """
    excluded = {fact.crossing for fact in facts if isinstance(fact, f.CrossingFlagged)}
    excluded |= {fact.crossing for fact in facts if isinstance(fact, f.Unattributed) and fact.why == TESTING}
    for fact in facts:
        match fact:
            case f.Crossing(number=number, gate=gate) if number not in excluded and _is_the_line(engine, gate):
                yield LinePass(fact.boot, fact.at_ns)
            case f.ReplacementTime(crossing=number) if number not in excluded:
                yield LinePass(fact.boot, fact.at_ns)


def _is_the_line(engine: Engine, gate: str) -> bool:
    known = engine.gates.get(gate)
    return known is not None and known.spec.kind == "start_finish" and known.spec.system == "A"
