"""What comes out of the core: facts, in the order in which they became true. They are stored with their input.

An input that yields no facts changed nothing and is not stored.
"""

from dataclasses import dataclass
from typing import Literal

from shared.messages import RunPhase
from station.core.gatefacts import (
    Crossing,
    CrossingMeasured,
    EdgeIgnored,
    EdgesLost,
    GateJudged,
    GateNoted,
    GateOverridden,
    GateStuck,
    GateTried,
    LayoutDoubted,
    SystemReplaced,
    SystemsCompared,
    SystemsPaired,
)
from station.core.moments import CarOrder, Mode, Moment
from station.core.runfacts import (
    Attributed,
    CrossingFlagged,
    Incident,
    Lap,
    LapConfirmed,
    LapDone,
    LapRuled,
    LapsRecast,
    PassUnseen,
    Proposal,
    ProposalDismissed,
    ProposalKind,
    Qualified,
    ResultDue,
    RunClock,
    RunFinished,
    RunOpened,
    RunReassigned,
    RunReleased,
    RunStarted,
    Source,
    StandingChanged,
    Unattributed,
)

__all__ = [
    "Attributed",
    "CarHeard",
    "CarOrdered",
    "ClockNoted",
    "CommandRefused",
    "Crossing",
    "CrossingFlagged",
    "CrossingMeasured",
    "EdgeIgnored",
    "EdgesLost",
    "EpochBegan",
    "Fact",
    "GateJudged",
    "GateNoted",
    "GateOverridden",
    "GateStuck",
    "GateTried",
    "Incident",
    "Lap",
    "LapConfirmed",
    "LapDone",
    "LapRuled",
    "LapsRecast",
    "LayoutDoubted",
    "PassUnseen",
    "PhaseChanged",
    "Proposal",
    "ProposalDismissed",
    "ProposalKind",
    "Qualified",
    "RaceOpened",
    "ResultDue",
    "RunClock",
    "RunFinished",
    "RunOpened",
    "RunReassigned",
    "RunReleased",
    "RunStarted",
    "Source",
    "StandingChanged",
    "StationBooted",
    "SystemReplaced",
    "SystemsCompared",
    "SystemsPaired",
    "Tapped",
    "Unattributed",
]


@dataclass(frozen=True, slots=True)
class EpochBegan:
    """Test mode or race mode from now on."""

    epoch: int
    mode: Mode
    author: str


@dataclass(frozen=True, slots=True)
class CarHeard:
    """A car's report was kept; its acknowledgement may go out."""

    car: str
    boot: str
    seq: int
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Tapped:
    """An official's hand at `moment`; `off_ns` from the nearest crossing of the run, if there is one."""

    run_id: str
    moment: Moment
    author: str
    off_ns: int | None


@dataclass(frozen=True, slots=True)
class CarOrdered:
    """The service shall bring the car there: `resume` is reset, arm and start in a row, `rearm` reset and arm."""

    car: str
    run_id: str
    action: CarOrder | Literal["resume", "rearm"]
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True)
class StationBooted:
    """The station's process started (or its gates were rebuilt)."""

    station: str
    boot: str


@dataclass(frozen=True, slots=True)
class ClockNoted:
    """A monotonic/UTC pair was kept. `used` False while a run is on: its laps keep one scale."""

    boot: str
    used: bool


@dataclass(frozen=True, slots=True)
class RaceOpened:
    """Runs from now on belong to this race."""

    race_id: str


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The state table moved."""

    run_id: str
    phase: RunPhase


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """Nothing changed; the sentence says why."""

    command: str
    sentence: str


Fact = (
    Crossing
    | CrossingMeasured
    | EdgeIgnored
    | EdgesLost
    | GateStuck
    | SystemsPaired
    | SystemsCompared
    | SystemReplaced
    | GateJudged
    | GateNoted
    | GateOverridden
    | GateTried
    | LayoutDoubted
    | EpochBegan
    | Attributed
    | Unattributed
    | CrossingFlagged
    | LapDone
    | LapConfirmed
    | LapRuled
    | LapsRecast
    | Incident
    | RunOpened
    | RunReleased
    | RunStarted
    | RunClock
    | RunFinished
    | RunReassigned
    | Qualified
    | ResultDue
    | StandingChanged
    | CarHeard
    | Proposal
    | PassUnseen
    | ProposalDismissed
    | Tapped
    | CarOrdered
    | StationBooted
    | ClockNoted
    | RaceOpened
    | PhaseChanged
    | CommandRefused
)
