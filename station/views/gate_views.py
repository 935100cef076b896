"""The gates and their sensors as the pages show them, which are live states. Made by service/live_state.py."""

from dataclasses import dataclass

from station.core.facts import GateNoteStored
from station.core.inputs import GateKind, Layout, System

RECENT_NS = 10_000_000_000  # how long an edge stays in the trace


@dataclass(frozen=True, slots=True)
class RecentEdge:
    """A level change of a beam: its stamp on the clock of `boot`, the same as a time of day, and whether it broke."""

    boot: str
    at_ns: int
    utc_ns: int
    broken: bool


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor. `edges`: all so far; `noise`: those of the last minute that made no crossing.

    `last_edge_ns`: the newest edge's stamp, on the clock of the machine that made it; `last_utc_ns`: the same as a time
    of day. `level`: the strength of the beam, 0 to 1; None if the driver does not know it. `recent`: its edges
    of the last 10 s, the newest last, 64 at most.
    """

    name: str
    edges: int = 0
    noise: int = 0
    last_edge_ns: int | None = None
    level: float | None = None
    last_utc_ns: int | None = None
    recent: tuple[RecentEdge, ...] = ()


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate's health. `stuck`: the sensors that have been blocked for too long.

    `uncertainty_ns`: of a stamp made now, the larger of the config's and the driver's. `notes`: what the driver has
    lately noticed of its device, newest first. `passes`: how several sensors are arranged, by the passes so far;
    `untried`: those that have not seen a proper pass; `doubt`: why the configured layout loses passes, "" if it does
    not. `absent`: the device is missing, and is tried again.
    """

    name: str
    sensors: tuple[str, ...]
    alive: bool
    sentence: str
    edges: int
    lost: int
    stuck: tuple[str, ...]
    each: tuple[SensorView, ...] = ()
    dropped: int = 0
    offset_ns: int | None = None
    drift_ppb: int | None = None
    uncertainty_ns: int | None = None
    notes: tuple[GateNoteStored, ...] = ()
    kind: GateKind = "start_finish"
    system: System = "A"
    layout: Layout = "single"
    passes: str = ""
    untried: tuple[str, ...] = ()
    doubt: str = ""
    absent: bool = False
