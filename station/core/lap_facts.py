"""Facts about a run's laps: completed, confirmed, held, adjusted or recomputed, and the incidents in them."""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Fact, later

Source = Literal["gate", "official", "system_b", "hand", "car"]


@dataclass(frozen=True, slots=True)
class CrossingFlagged(Fact):
    """A crossing too soon after the last: it is shown, but ends no lap unless an official counts it (AddCrossing)."""

    crossing: int
    run_id: str
    at_ns: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap as it stands now. `ended_ns` is on the clock of `boot`; `ended_utc_ns` is for display and for ties.

    `lap_ns` is 0 for a lap that spans two boots: it is void by rule. `reason`: why it is not valid, what an official
    changed, or a remark. `confirmed`: the car's own report agrees. `held`: not valid until an official decides.
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
    """`held` True: the lap is implausibly short beside the run's others, or follows such a lap. False: not any more."""

    lap: Lap
    held: bool


@dataclass(frozen=True, slots=True)
class LapAdjusted(Fact):
    """An official changed how this lap counts."""

    lap: Lap
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class LapsRecomputed(Fact):
    """The run's crossings or times of day changed, by a ruling or a corrected clock: `laps` are all its laps now."""

    run_id: str
    laps: tuple[Lap, ...]
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Incident(Fact):
    """An off-track, collision or reset in lap `number` (0: before lap 1)."""

    run_id: str
    number: int
    kind: Literal["off_track", "collision", "reset"]
    author: str


@dataclass(frozen=True, slots=True)
class IncidentTakenBack(Fact):
    """An official took back an incident of lap `number`."""

    run_id: str
    number: int
    kind: Literal["off_track", "collision", "reset"]
    author: str
    reason: str
