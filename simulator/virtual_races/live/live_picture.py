"""What a LIVE run shows at one moment. Pure data: of the run, the parent of its child imports nothing else."""

from dataclasses import dataclass

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What the track shows at one moment. Times in ms, penalties included; None: not known yet.

    `over`: all laps of the race are driven, or its time limit is reached.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    run_ms: int
    lap: int
    lap_ms: int | None
    last_lap_ms: int | None
    best_lap_ms: int | None
    sectors: tuple[int | None, ...]
    track_share: float
    speed_mps: float
    resets: int
    over: bool
