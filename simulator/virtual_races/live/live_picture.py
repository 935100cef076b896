"""What a LIVE run shows at one moment. Pure data: of the run, the parent of its child imports nothing else."""

from dataclasses import dataclass

from pydantic import ConfigDict

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class LiveCar:
    """One car at that moment. Times in ms, penalties included; None: not known yet.

    `through`: it has driven all laps of the race, and stays where it crossed the line.
    """

    __pydantic_config__ = _STRICT

    lap: int
    lap_ms: int | None
    last_lap_ms: int | None
    best_lap_ms: int | None
    sectors: tuple[int | None, ...]
    track_share: float
    speed_mps: float
    resets: int
    through: bool


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What the track shows at one moment.

    `over`: all laps of the race are driven, or its time limit is reached. `ahead_m`: how far the first of two cars is
    ahead of the second along the track, laps included, and below 0 behind it; nobody is ahead of the last finish.
    """

    __pydantic_config__ = _STRICT

    run_ms: int
    over: bool
    cars: tuple[LiveCar, ...]
    ahead_m: float | None
