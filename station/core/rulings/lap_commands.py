"""The commands about what happened in a run's laps: incidents, and the rulings on its laps, crossings and questions.

Named with all other commands by station/core/commands.py; carried out by incidents.py and lap_rulings.py.
"""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Command, later


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
