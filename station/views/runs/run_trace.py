"""What every witness saw during one run, on one time base: ms since the run's first crossing. Made by service/archive/.

Beams are edges; the crossings of a gate say what became of them; cars' reports, hand times and the backup system (B)
are lanes of their own.
"""

from dataclasses import dataclass
from typing import Literal

CrossingState = Literal["counted", "flagged", "dropped", "uncounted"]


@dataclass(frozen=True, slots=True)
class BeamPulse:
    """A beam was broken from `begin_ms` to `end_ms` (None: it was not seen free again)."""

    begin_ms: float
    end_ms: float | None


@dataclass(frozen=True, slots=True)
class BeamLane:
    """One sensor of one gate over time. `system`: "A", or "B" for the backup timing."""

    gate: str
    sensor: str
    system: str
    pulses: tuple[BeamPulse, ...]


@dataclass(frozen=True, slots=True)
class TracedCrossing:
    """A crossing of a gate and what became of it. `lap`: the lap that it ended, 0 for the first, None if it counts not.

    `why`: why it does not count.
    """

    at_ms: float
    number: int
    gate: str
    system: str
    state: CrossingState
    lap: int | None = None
    source: str = "gate"
    why: str = ""


@dataclass(frozen=True, slots=True)
class TracedReport:
    """A car's report of a passing, put on the time base by the shortest delay of its reports, so only to some 0.1 s."""

    at_ms: float
    car: str
    lap_ms: float | None


@dataclass(frozen=True, slots=True)
class TracedHandTime:
    """A hand time, and who took it."""

    at_ms: float
    author: str


@dataclass(frozen=True, slots=True)
class RunTrace:
    """All lanes. `begin_utc_ns`: the time of day of 0 ms. `cut`: there was more than is shown."""

    begin_utc_ns: int = 0
    from_ms: float = 0.0
    to_ms: float = 0.0
    beams: tuple[BeamLane, ...] = ()
    crossings: tuple[TracedCrossing, ...] = ()
    reports: tuple[TracedReport, ...] = ()
    hand_times: tuple[TracedHandTime, ...] = ()
    cut: bool = False
