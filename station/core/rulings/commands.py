"""The rulings on a run's crossings by other witnesses, and on whole runs and races: disqualify, official, reopen.

Named with all other commands by station/core/commands.py; carried out by rulings.py, official.py and hand_timing.py.
"""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Command

CrossingWitness = Literal["gate", "car", "hand", "system_b"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandCrossing(Command):
    """Counts a crossing at a hand time of this run, which lies at `at_ns` of the gate's clock: a lap becomes two."""

    at_ns: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceCrossing(Command):
    """Times the crossing that ended lap `number` (0: that began lap 1) by another `witness`, with its uncertainty.

    "gate" takes the sensor's own time again. A number that a person typed in never replaces a sensor's.
    """

    number: int
    witness: CrossingWitness
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreProposal(Command):
    """Asks again what was dismissed for `at_ns` of the gate's clock."""

    at_ns: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disqualify(Command):
    """Takes the run's score away, for a `reason`; its laps stay as they are."""

    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstate(Command):
    """Gives a disqualified run its score back."""

    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Official(Command):
    """Declares the results of a race official, or those of one run (`run_id`): no ruling changes them any more.

    `race_id` "": the open race. `confirmed_by`: the second person, where the race asks for two.
    """

    race_id: str = ""
    run_id: str = ""
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenResults(Command):
    """Opens official results for rulings again, for a `reason`; the fields are those of Official."""

    race_id: str = ""
    run_id: str = ""
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoLast(Command):
    """Undoes the author's last own act that can be undone. The service journals the ruling that undoes it instead."""
