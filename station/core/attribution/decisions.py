"""What attribution comes to: whose a crossing was, what is missing, what is in doubt after all.

assignment.py decides among several cars; attribution.py hands each `AssignedCrossing` on to the race (counting.py), by
way of the engine.
"""

from dataclasses import dataclass

from station.core.facts import Fact
from station.core.race.counting import AssignedCrossing


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose crossing it was: `car` "" is nobody's. `sure` False: an official decides. `odds` is 0 to 1.

    `others`: the cars that it may be as well, the likeliest first.
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
    """A car passed, by its report or by a gap of several laps, where the gate has no crossing: to be proposed."""

    car: str
    at_ns: int
    witness: str


@dataclass(frozen=True, slots=True)
class LateContradiction:
    """A report came late and fits a crossing that was given to another car: an official decides after all."""

    crossing: int
    at_ns: int
    car: str
    other: str
    why: str


# What attribution hands on, one after the other: a crossing that has a run, or a fact as it is.
Step = Fact | AssignedCrossing
