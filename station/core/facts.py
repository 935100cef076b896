"""What comes out of the core: facts, in the order in which they became true, to be stored with their input.

An input that yields no facts changed nothing and is not stored. The whole vocabulary is here by one name
(`from station.core import facts as f`): what a gate saw is defined in gate_facts.py, laps in lap_facts.py, what became
of a run in run_facts.py, everything else below. The journal stores a fact by the name of its class. Example:
`f.LapCompleted(lap)`.
"""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.messages import RunPhase
from station.core.event.facts import *
from station.core.gate_facts import *
from station.core.lap_facts import *
from station.core.moment import CarOrder, Fact, Mode, Moment
from station.core.queue.facts import *
from station.core.race.facts import *
from station.core.rulings.facts import *
from station.core.run_facts import *


@dataclass(frozen=True, slots=True)
class ModeChanged(Fact):
    """The station is in test or race mode from now on. `epoch` counts the changes of mode."""

    epoch: int
    mode: Mode
    author: str


@dataclass(frozen=True, slots=True)
class CarReportStored(Fact):
    """A car's report was stored; its acknowledgement may be sent."""

    car: str
    boot: str
    seq: int
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class HandTimeRecorded(Fact):
    """A time taken by hand at `moment`; `off_ns`: its distance from the run's nearest crossing, if there is one."""

    run_id: str
    moment: Moment
    author: str
    off_ns: int | None


@dataclass(frozen=True, slots=True)
class CarOrdered(Fact):
    """An order to a car, which the service sends: `resume` is reset, arm and start in a row, `rearm` reset and arm."""

    car: str
    run_id: str
    action: CarOrder | Literal["resume", "rearm"]
    throttle_percent: int | None = None


@dataclass(frozen=True, slots=True)
class AllStopped(Fact):
    """All cars are stopped until the stop is released."""

    author: str
    reason: str
    utc_ns: int


@dataclass(frozen=True, slots=True)
class StopReleased(Fact):
    """Cars may be armed again."""

    author: str


@dataclass(frozen=True, slots=True)
class StationBooted(Fact):
    """The station's process started."""

    station: str
    boot: str


@dataclass(frozen=True, slots=True)
class JournalNamed(Fact):
    """The journal's name; if it continues a damaged one: that one's name, last good record and its hash."""

    journal: str
    old_journal: str = ""
    old_seq: int = 0
    old_head: str = ""


@dataclass(frozen=True, slots=True)
class ClockPairStored(Fact):
    """A monotonic/UTC pair was stored. `used`: times of day are shown by it from now on.

    It is not used if it would only shift the scale within a run, or if it is less trusted than the time in use.
    """

    boot: str
    used: bool


@dataclass(frozen=True, slots=True)
class ClockCorrected(Fact):
    """The times of day stamped under this boot of the station were wrong by `by_ns`, and are corrected now.

    `trusted` False: the new time is not known to be right either.
    """

    boot: str
    by_ns: int
    trusted: bool


@dataclass(frozen=True, slots=True)
class RaceOpened(Fact):
    """Runs from now on belong to this race."""

    race_id: str


@dataclass(frozen=True, slots=True)
class PhaseChanged(Fact):
    """The run is in another phase now; runs/phases.py has the table."""

    run_id: str
    phase: RunPhase


@dataclass(frozen=True, slots=True)
class CommandRefused(Fact):
    """The command changed nothing; `sentence` gives the reason."""

    command: str
    sentence: str
