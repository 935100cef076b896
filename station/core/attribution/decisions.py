"""The outcomes of attribution: whose crossing it was, which crossing is missing, which is in doubt after all.

assignment.py decides among several cars; attribution.py hands each `AssignedCrossing` on to the race (counting.py)
through the engine.
"""

from dataclasses import dataclass

from station.core.facts import Fact
from station.core.race.counting import AssignedCrossing


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose crossing it was; `car` "": no car's. `odds`: how likely that is, 0 to 1. `sure` False: an official decides.

    `others`: the other cars that it may have been, the likeliest first.
    """

    crossing: int
    at_ns: int
    car: str
    why: str
    odds: float
    sure: bool
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingCrossing:
    """A car passed where the gate has no crossing, by its report or by a gap of several laps: to be proposed."""

    car: str
    at_ns: int
    witness: str


@dataclass(frozen=True, slots=True)
class LateContradiction:
    """A late report fits a crossing that was given to another car: an official decides after all."""

    crossing: int
    at_ns: int
    car: str
    other: str
    why: str


# What attribution hands on, one at a time: a crossing that has a run, or a final fact.
Step = Fact | AssignedCrossing
