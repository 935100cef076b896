"""What comes out of the core: facts, in the order in which they became true. They are stored with their input.

An input that yields no facts changed nothing and is not stored.
"""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import RunPhase
from station.core.gate_facts import (
    Crossing,
    CrossingMeasured,
    EdgeIgnored,
    EdgesLost,
    GateHealthChanged,
    GateNoteStored,
    GateOverridden,
    GateStuck,
    GateTried,
    LayoutDoubted,
    ReplacementTime,
    SystemsCompared,
    SystemsPaired,
)
from station.core.moment import CarOrder, Mode, Moment
from station.core.run_facts import (
    Attributed,
    CrossingFlagged,
    CrossingMissed,
    Incident,
    IncidentTakenBack,
    Lap,
    LapAdjusted,
    LapCompleted,
    LapConfirmed,
    LapHeld,
    LapsRecomputed,
    ModelEntered,
    ModelReported,
    Proposal,
    ProposalDismissed,
    ProposalKind,
    Qualified,
    ResultDue,
    RunClock,
    RunFinished,
    RunModel,
    RunOpened,
    RunReassigned,
    RunReleased,
    RunStarted,
    Source,
    StandingChanged,
    TimeUp,
    TransponderAssigned,
    Unattributed,
    UnknownTransponder,
)

__all__ = [
    "AllStopped",
    "Attributed",
    "CarOrdered",
    "CarReportStored",
    "ClockCorrected",
    "ClockPairStored",
    "CommandRefused",
    "Crossing",
    "CrossingFlagged",
    "CrossingMeasured",
    "CrossingMissed",
    "EdgeIgnored",
    "EdgesLost",
    "Fact",
    "GateHealthChanged",
    "GateNoteStored",
    "GateOverridden",
    "GateStuck",
    "GateTried",
    "HandTimeRecorded",
    "Incident",
    "IncidentTakenBack",
    "JournalNamed",
    "Lap",
    "LapAdjusted",
    "LapCompleted",
    "LapConfirmed",
    "LapHeld",
    "LapsRecomputed",
    "LayoutDoubted",
    "ModeChanged",
    "ModelEntered",
    "ModelReported",
    "PhaseChanged",
    "Proposal",
    "ProposalDismissed",
    "ProposalKind",
    "Qualified",
    "RaceOpened",
    "ReplacementTime",
    "ResultDue",
    "RunClock",
    "RunFinished",
    "RunModel",
    "RunOpened",
    "RunReassigned",
    "RunReleased",
    "RunStarted",
    "Source",
    "StandingChanged",
    "StationBooted",
    "StopReleased",
    "SystemsCompared",
    "SystemsPaired",
    "TimeUp",
    "TransponderAssigned",
    "Unattributed",
    "UnknownTransponder",
]


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """Test mode or race mode from now on."""

    epoch: int
    mode: Mode
    author: str


@dataclass(frozen=True, slots=True)
class CarReportStored:
    """A car's report was kept; its acknowledgement may go out."""

    car: str
    boot: str
    seq: int
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class HandTimeRecorded:
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
class AllStopped:
    """All cars are stopped, and stay so until it is released."""

    author: str
    reason: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class StopReleased:
    """Cars may be armed again."""

    author: str


@dataclass(frozen=True, slots=True)
class StationBooted:
    """The station's process started (or its gates were rebuilt)."""

    station: str
    boot: str


@dataclass(frozen=True, slots=True)
class JournalNamed:
    """The journal's name; and of the damaged one that it goes on for: name, last good record and its hash."""

    journal: str
    old_journal: str = ""
    old_seq: int = 0
    old_head: str = ""


@dataclass(frozen=True, slots=True)
class ClockPairStored:
    """A monotonic/UTC pair was kept. `used` False while a run is on: its laps keep one scale."""

    boot: str
    used: bool


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """The times of day that were stamped under this boot of the station were wrong by `by_ns`; they are right now.

    `trusted` False: another wrong time, as far as the machine can tell.
    """

    boot: str
    by_ns: int
    trusted: bool


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
    | ReplacementTime
    | GateHealthChanged
    | GateNoteStored
    | GateOverridden
    | GateTried
    | LayoutDoubted
    | ModeChanged
    | Attributed
    | Unattributed
    | UnknownTransponder
    | TransponderAssigned
    | CrossingFlagged
    | LapCompleted
    | LapHeld
    | LapConfirmed
    | LapAdjusted
    | LapsRecomputed
    | ModelEntered
    | ModelReported
    | Incident
    | IncidentTakenBack
    | RunOpened
    | RunReleased
    | RunStarted
    | RunClock
    | RunFinished
    | RunModel
    | RunReassigned
    | Qualified
    | ResultDue
    | StandingChanged
    | TimeUp
    | CarReportStored
    | Proposal
    | CrossingMissed
    | ProposalDismissed
    | HandTimeRecorded
    | CarOrdered
    | AllStopped
    | StopReleased
    | StationBooted
    | JournalNamed
    | ClockPairStored
    | ClockCorrected
    | RaceOpened
    | PhaseChanged
    | CommandRefused
)
