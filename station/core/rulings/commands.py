"""The commands about a run: incidents, the rulings on its laps and crossings, and those on whole runs and races.

Named with all other commands by station/core/commands.py; carried out by incidents.py, lap_rulings.py, official.py and
hand_timing.py.
"""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Command, later

CrossingWitness = Literal["gate", "car", "hand", "system_b"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffTrack(Command):
    """The car left the track; counted in lap `number`, or in the one that was on at `at_ns` of the station's clock.

    With neither (None): in the lap that is on now.
    """

    at_ns: int | None = None
    run_id: str = later("")
    number: int | None = later(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision(Command):
    """The car hit something; counted in the same lap as an OffTrack would be."""

    at_ns: int | None = None
    run_id: str = later("")
    number: int | None = later(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarReset(Command):
    """A marshal put the car back on the track; counts against `max_resets_per_lap`."""

    at_ns: int | None = None
    run_id: str = later("")
    number: int | None = later(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack(Command):
    """Takes back one off-track, collision or reset of lap `number`; None: the newest of that kind."""

    kind: Literal["off_track", "collision", "reset"]
    number: int | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterModel(Command):
    """Changes the model of the run's entry, to allow the one that is on the car; a `reason` is required."""

    model: str
    model_sha256: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidLap(Command):
    """Voids lap `number`: it does not count. `run_id` "": the run on the track, else the last one; so also below."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreLap(Command):
    """Makes lap `number` count: undoes VoidLap or a doubt about its crossing. A lap that is void by rule stays void."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPenalty(Command):
    """Adds a penalty to lap `number`, in seconds; a negative one takes some back, never below zero in total."""

    number: int
    seconds: float
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCrossing(Command):
    """Counts a crossing that the gate missed or flagged: the lap around `at_ns` becomes two.

    `at_ns` is on the clock of the run's gate. A flagged crossing is used if `at_ns` is exactly its stamp.
    `with_incidents`: a crossing that had been dropped takes back what happened after it, so that the drop is undone.
    """

    at_ns: int
    uncertainty_ns: int = 100_000_000
    run_id: str = ""
    with_incidents: bool = later(False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCrossing(Command):
    """Removes the false crossing that ended lap `number`: that lap and the next become one.

    0 is the crossing that began lap 1: the run and its time limit begin at the next one instead.
    """

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCrossing(Command):
    """Gives the doubtful crossing `number` to this run: it counts at its own stamp."""

    number: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissProposal(Command):
    """Rejects what was proposed for `at_ns` of the gate's clock; it is not proposed again.

    For a short lap that means that its crossing was right: the lap is no longer held.
    """

    at_ns: int
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassignRun(Command):
    """Gives the run to the `racer` who really drove it."""

    racer: str
    run_id: str = ""


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
