"""What a gate saw: crossings, what is said of them, its health, and its two timing systems compared."""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Fact, NoteKind, later


@dataclass(frozen=True, slots=True)
class Crossing(Fact):
    """One pass through one gate. `number` counts all crossings of the station; `direction` -1 is reverse.

    `transponder`: the id that the decoder read.
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
    """What the later edges say about a crossing: how long the beam was blocked, how fast the car was.

    `odd` is empty, or why this does not look like a car. It classifies and never moves the stamp.
    """

    crossing: int
    width_ns: int
    speed_mmps: int | None = None
    odd: str = ""


@dataclass(frozen=True, slots=True)
class EdgeIgnored(Fact):
    """The edge is kept but makes no crossing."""

    gate: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class EdgesLost(Fact):
    """The gate's count has a gap: so many edges never reached us."""

    gate: str
    boot: str
    count: int


@dataclass(frozen=True, slots=True)
class GateStuck(Fact):
    """A sensor is blocked for longer than any car; `stuck` False: it is free again."""

    gate: str
    sensor: str
    stuck: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateTried(Fact):
    """Each of the gate's sensors saw a pass as it should be; `author`: an official has it tried anew instead."""

    gate: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class LayoutDoubted(Fact):
    """The gate's passes contradict its `layout`, and passes may be lost; `sentence` "": they do not any more."""

    gate: str
    sentence: str
    boot: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class SystemsPaired(Fact):
    """Both timing systems saw this pass; A's stamp minus B's, each on its own clock."""

    run_id: str
    crossing: int
    crossing_b: int
    difference_ns: int


@dataclass(frozen=True, slots=True)
class SystemsCompared(Fact):
    """The run's differences A-B so far: their median, how far the worst one is off it, and how many."""

    run_id: str
    median_ns: int
    max_off_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class ReplacementTime(Fact):
    """A missed the pass: B's crossing counts, `correction_ns` (the mean of `count` differences) added to its stamp.

    `count` 0: A has not even begun the run, and B times all of it by its own stamps.
    """

    crossing: int
    boot: str
    at_ns: int
    correction_ns: int
    spread_ns: int
    count: int


@dataclass(frozen=True, slots=True)
class GateHealthChanged(Fact):
    """A gate's driver fell ill, or is well again."""

    gate: str
    healthy: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class GateNoteStored(Fact):
    """A gate's driver noticed something of its device: kept for whoever has to explain a time."""

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
