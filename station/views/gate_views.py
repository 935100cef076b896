"""The gates and their sensors as the pages show them: live states. Made by service/live_state.py."""

from dataclasses import dataclass

from station.core.facts import GateNoteStored
from station.core.inputs import GateKind, Layout, System


@dataclass(frozen=True, slots=True)
class SensorView:
    """One sensor: edges so far, those of the last minute that made no crossing, the newest one, the beam's level.

    `last_edge_ns` is on the clock of whoever stamped it, `last_utc_ns` the same as a time of day.
    """

    name: str
    edges: int = 0
    noise: int = 0
    last_edge_ns: int | None = None
    level: float | None = None
    last_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate's health; `stuck` names the sensors that are blocked for too long.

    `uncertainty_ns` of a stamp that is made now: the larger of the config's and the driver's. `notes`: what the driver
    noticed of its device lately, newest first. `passes`: how several sensors stand, by the passes so far; `untried`
    names those that saw no pass as it should be; `doubt`: why the layout as it is set loses passes, "" if it does not.
    `absent`: its device is not there; it is tried again.
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
