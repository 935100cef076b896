"""A run's laps: each as it stands now, what ended, confirmed, held or changed one, and what happened in it."""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Fact, later

Source = Literal["gate", "official", "system_b"]


@dataclass(frozen=True, slots=True)
class CrossingFlagged(Fact):
    """Sooner than any lap can be: kept and shown, ends no lap until an official counts it (AddCrossing)."""

    crossing: int
    run_id: str
    at_ns: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap as it stands now. `ended_ns` on the clock of `boot`; `ended_utc_ns` for display and for ties.

    `lap_ns` is 0 for a lap that spans two boots: it is void by rule. `reason` says why it is not valid, or
    what an official did. `confirmed` once the car's own report agrees. `held`: not valid while an official is asked.
    """

    run_id: str
    number: int
    lap_ns: int
    ended_ns: int
    boot: str
    ended_utc_ns: int
    uncertainty_ns: int
    source: Source = "gate"
    valid: bool = True
    confirmed: bool = False
    off_tracks: int = 0
    collisions: int = 0
    resets: int = 0
    penalty_ns: int = 0
    reason: str = ""
    held: bool = later(False)


@dataclass(frozen=True, slots=True)
class LapCompleted(Fact):
    """A lap ended just now."""

    lap: Lap


@dataclass(frozen=True, slots=True)
class LapConfirmed(Fact):
    """The car's own report agrees with this lap; `difference_ns` is car minus gate."""

    lap: Lap
    car_lap_ns: int | None
    difference_ns: int


@dataclass(frozen=True, slots=True)
class LapHeld(Fact):
    """By the run's other laps this one is too short to be believed, or began at such a crossing; or not any more."""

    lap: Lap
    held: bool


@dataclass(frozen=True, slots=True)
class LapAdjusted(Fact):
    """An official changed what this lap counts."""

    lap: Lap
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class LapsRecomputed(Fact):
    """A ruling added or dropped a crossing: these are the run's laps now, all of them."""

    run_id: str
    laps: tuple[Lap, ...]
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Incident(Fact):
    """Off-track, collision or reset, in lap `number` (0: before lap 1)."""

    run_id: str
    number: int
    kind: Literal["off_track", "collision", "reset"]
    author: str


@dataclass(frozen=True, slots=True)
class IncidentTakenBack(Fact):
    """An official says that it was none, in lap `number`."""

    run_id: str
    number: int
    kind: Literal["off_track", "collision", "reset"]
    author: str
    reason: str
