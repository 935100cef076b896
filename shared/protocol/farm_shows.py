"""What a farm and a leaderboard say of what is driven before an audience: turns of LIVE races, heats of brackets.

Part of the farm's protocol (farm.py), which reads and writes these too.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.conditions import Conditions

MAX_HEAT_RUNS = 9
# Why a car is ahead after a run: over the line first, farther along, as far but there earlier, or nobody is.
HeatReason = Literal["first_to_finish", "farther", "earlier", "level"]

_STRICT = ConfigDict(extra="forbid", strict=True)
_Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")]
_Version = Annotated[int, Field(ge=1, le=1)]
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_HeatMs = Annotated[int, Field(ge=1, lt=10**9)]
_Apart = Annotated[int, Field(ge=0, lt=10**9)]
_Side = Annotated[int, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class LiveTurnRequest:
    """A node asks for a turn of a LIVE race that is launched: it would drive it in real time, now."""

    __pydantic_config__ = _STRICT

    node: _Name
    engine: _Name
    v: _Version = 1


@dataclass(frozen=True, slots=True)
class HeatSide:
    """One of the two, and the model (or the checkpoint of it) that drives."""

    racer: str
    model_sha256: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class LiveTurn:
    """A turn to drive: the countdown is over in `starts_in_ms`, the run ends `run_ms` later.

    `turn` and `launch` name it in what is said of it, and in the answers to live messages while it is on the track.
    With a `rival` it is a heat: both drive in one world, and the first of them starts in front.
    """

    race_id: str
    turn: str
    launch: int
    racer: str
    starts_in_ms: int
    run_ms: int
    seed: int
    model_sha256: str
    checkpoint: str
    conditions: Conditions
    conditions_sha256: str
    rival: HeatSide | None = None

    @property
    def path(self) -> str:
        """Where it is reported, below FARM_PATH."""
        return f"/live/{self.turn}/{self.launch}"


@dataclass(frozen=True, slots=True)
class LiveTurnAnswer:
    """The turn that the node is to drive now; without one, ask again in `ask_after_s`."""

    turn: LiveTurn | None = None
    ask_after_s: float = 1.0


@dataclass(frozen=True, slots=True)
class HeatRequest:
    """A node asks for a heat of a bracket: two models that drive against each other."""

    __pydantic_config__ = _STRICT

    node: _Name
    engine: _Name
    v: _Version = 1


@dataclass(frozen=True, slots=True)
class HeatWork:
    """A heat to drive: a run for each seed, both in one world; who is ahead in more of them wins."""

    bracket_id: str
    number: int
    race_id: str
    first: HeatSide
    second: HeatSide
    seeds: tuple[int, ...]
    conditions: Conditions
    conditions_sha256: str

    @property
    def path(self) -> str:
        """Where it is reported, below FARM_PATH."""
        return f"/heats/{self.bracket_id}/{self.number}"


@dataclass(frozen=True, slots=True)
class HeatAnswer:
    """The heat that the node is to drive now; without one, ask again in `ask_after_s`."""

    heat: HeatWork | None = None
    ask_after_s: float = 1.0


@dataclass(frozen=True, slots=True)
class HeatRun:
    """One run of a heat. `in_front`: which of the two started in front; `winner`: who is ahead, null for neither.

    `traces`: the SHA-256 of the first's and of the second's; `by_ms` or `by_mm`: how far apart they are, where it says.
    """

    __pydantic_config__ = _STRICT

    in_front: _Side
    winner: _Side | None
    reason: HeatReason
    traces: tuple[_Sha256, _Sha256]
    by_ms: _Apart | None = None
    by_mm: _Apart | None = None


@dataclass(frozen=True, slots=True)
class HeatReport:
    """What a heat came to. `winner`: 0 is the first, 1 the second, null for neither.

    `times_ms`: of both in the run that shows it, null for one who did not finish. `traces`: the SHA-256 of all of them.
    `runs`: one for each seed.
    """

    __pydantic_config__ = _STRICT

    winner: _Side | None
    times_ms: tuple[_HeatMs | None, _HeatMs | None]
    traces: Annotated[tuple[_Sha256, ...], Field(max_length=2 * MAX_HEAT_RUNS)]
    conditions_sha256: _Sha256
    cost_ms: Annotated[int, Field(ge=0, le=10**9)]
    runs: Annotated[tuple[HeatRun, ...], Field(max_length=MAX_HEAT_RUNS)] = ()
