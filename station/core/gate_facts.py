"""What a gate saw: crossings and their measurements, its health, and its two timing systems compared."""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Fact, NoteKind, later


@dataclass(frozen=True, slots=True)
class Crossing(Fact):
    """One pass through one gate, at `at_ns` of the clock of `boot`. `number` counts all crossings of the station.

    `direction`: 1 forwards, -1 backwards, 0 unknown. `transponder`: the id that a decoder read, else "".
    """

    number: int
    gate: str
    sensor: str
    at_ns: int
    boot: str
    uncertainty_ns: int
    direction: Literal[-1, 0, 1] = 0
    transponder: str = later("")


@dataclass(frozen=True, slots=True)
class CrossingMeasured(Fact):
    """What later edges show about a crossing: how long the beam was blocked, how fast the car was.

    `odd` is "", or the reason why this does not look like a car. A measurement never moves the crossing's stamp.
    """

    crossing: int
    width_ns: int
    speed_mmps: int | None = None
    odd: str = ""


@dataclass(frozen=True, slots=True)
class EdgeIgnored(Fact):
    """The edge is recorded but makes no crossing; `why` gives the reason."""

    gate: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class EdgesLost(Fact):
    """The gate's count has a gap: `count` edges never arrived."""

    gate: str
    boot: str
    count: int


@dataclass(frozen=True, slots=True)
class GateStuck(Fact):
    """A sensor has been blocked for longer than any car takes; `stuck` False: it is free again."""

    gate: str
    sensor: str
    stuck: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateTried(Fact):
    """Each of the gate's sensors saw a proper pass; or, with an `author`, an official has it tested again."""

    gate: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class LayoutDoubted(Fact):
    """The gate's passes contradict its `layout`, so passes may be lost; `sentence` "": they no longer do."""

    gate: str
    sentence: str
    boot: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class SystemsPaired(Fact):
    """Both timing systems saw this pass. `difference_ns`: A's stamp minus B's, each on its own clock."""

    run_id: str
    crossing: int
    crossing_b: int
    difference_ns: int


@dataclass(frozen=True, slots=True)
class SystemsCompared(Fact):
    """The run's differences A-B so far: their median, the largest deviation from it, and their number."""

    run_id: str
    median_ns: int
    max_off_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class ReplacementTime(Fact):
    """A missed the pass: B's crossing counts, with `correction_ns` (the mean of `count` differences) added.

    `count` 0: A missed even the start of the run, and B times all of it by its own stamps.
    """

    crossing: int
    boot: str
    at_ns: int
    correction_ns: int
    spread_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class GateHealthChanged(Fact):
    """A gate's driver became faulty, or is healthy again."""

    gate: str
    healthy: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateNoteStored(Fact):
    """Something noticed about a gate by its driver, or by the passes: recorded to help explain times later."""

    gate: str
    kind: NoteKind
    sentence: str
    count: int
    utc_ns: int


@dataclass(frozen=True, slots=True)
class GateOverridden(Fact):
    """An official armed a run on a gate that was not ready."""

    gate: str
    why: str
    author: str
    reason: str
