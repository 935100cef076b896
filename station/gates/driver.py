"""The interface of gate drivers: they stamp edges, number them, and deliver again what the station has not stored.

Constructed by build.py as `cls(name, sensors, options, clock)`: `sensors` in the order a forward car meets them,
`options` the driver's own table from the config, `clock` the station's (a driver whose hardware has its own clock
stamps with that and names its boot). Installed under the entry-point group `raceday.gates`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from station.core.inputs import Edge, GateNote

__all__ = ["Edge", "GateDriver", "GateHealthReport", "GateNote", "GateOutput"]

GateOutput = Edge | GateNote  # what a driver delivers: edges and notes about its device, in order


@dataclass(frozen=True, slots=True)
class GateHealthReport:
    """Whether the gate works, and a sentence about it. `lost`: edges that the driver knows it could not deliver.

    Where the driver knows them: `offset_ns` and `drift_ppb` of its device's clock to the station's, `dropped` bytes
    that were in no frame, `level` of each sensor's beam (0 to 1, in the order of the sensors), `uncertainty_ns` of a
    stamp that is made now. `absent`: the device is not connected; the driver keeps trying, and it may join later.
    """

    alive: bool
    sentence: str
    last_edge_ns: int | None = None
    edges: int = 0
    lost: int = 0
    offset_ns: int | None = None
    drift_ppb: int | None = None
    dropped: int = 0
    level: tuple[float, ...] = ()
    uncertainty_ns: int | None = None
    absent: bool = False


class GateDriver(Protocol):
    """One gate with its sensors.

    Its class may state how they are placed (`layout`, where its hardware leaves no choice), and what a pass must be
    like before a run is armed on it (`proof`: "level" where it sees a beam broken and free, else "pass").
    """

    def start(self, after: Mapping[str, int], put: Callable[[GateOutput], None]) -> None:
        """Begins to deliver edges, in order, in the background.

        `after[boot]` is the last seq of that boot that the station has stored: what the device has in memory beyond it
        is delivered first. A boot that is not named is delivered from the oldest edge in memory. `put` only enqueues
        and may be called from any thread; it accepts a GateNote too (a driver may have none).
        A device that comes and goes is not an error here: health reports it as `absent`. Raises HardwareMissing where
        the driver cannot wait for it; then it is started again later.
        """

    def health(self) -> GateHealthReport:
        """The gate's health now; never blocks."""

    def close(self) -> None:
        """Stops delivering edges and releases the device; may be called more than once."""
