"""Whose crossing is it? With one car on the track at a time: the car of the run that is on, or nobody's (and kept)."""

from shared.messages import RunPhase
from station.core.facts import Attributed, Crossing, Unattributed


def whose(crossing: Crossing, phase: RunPhase, released: bool, run_id: str, car: str) -> Attributed | Unattributed:
    """The crossing's car, or why it has none."""
    if crossing.direction < 0:
        return Unattributed(crossing.number, "it went backwards through the gate")
    if phase not in ("armed", "running"):
        return Unattributed(crossing.number, "no run is on")
    if phase == "armed" and not released:
        return Unattributed(crossing.number, "the start has not been given")
    return Attributed(crossing.number, run_id, car)
