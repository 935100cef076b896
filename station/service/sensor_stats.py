"""Statistics of each sensor: its edges, and how many of the last minute made no crossing. Live, not journaled."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from station.core.facts import Crossing, Fact
from station.core.inputs import Edge
from station.views.gate_views import RECENT_NS, RecentEdge

MINUTE_NS = 60_000_000_000
MAX_NOISE_EDGES = 1000
MAX_RECENT_EDGES = 64


@dataclass(slots=True)
class _SensorHistory:
    edges: int = 0
    last: Edge | None = None
    last_utc_ns: int = 0
    noise: deque[int] = field(default_factory=lambda: deque(maxlen=MAX_NOISE_EDGES))
    recent: deque[RecentEdge] = field(default_factory=lambda: deque(maxlen=MAX_RECENT_EDGES))


@dataclass(frozen=True, slots=True)
class SensorCounts:
    """A sensor's edges so far, its noise in the minute before the newest edge, and the newest edge's stamp in ns.

    `last_utc_ns`: that stamp as a time of day.
    """

    edges: int = 0
    noise: int = 0
    last_ns: int | None = None
    last_utc_ns: int | None = None


class SensorStats:
    """The statistics of all sensors, recorded on the timing thread and read on the live one."""

    def __init__(self) -> None:
        self._sensors: dict[tuple[str, str], _SensorHistory] = {}

    def record(self, edge: Edge, facts: Sequence[Fact], utc_ns: int) -> None:
        """Counts an edge with its time of day and its facts. A broken beam that made no crossing is noise."""
        sensor = self._sensors.setdefault((edge.gate, edge.sensor), _SensorHistory())
        if sensor.last is not None and sensor.last.boot != edge.boot:
            sensor.noise.clear()
        sensor.edges, sensor.last, sensor.last_utc_ns = sensor.edges + 1, edge, utc_ns
        sensor.recent.append(RecentEdge(edge.boot, edge.at_ns, utc_ns, edge.broken))
        if edge.broken and facts and not any(isinstance(fact, Crossing) for fact in facts):
            sensor.noise.append(edge.at_ns)

    def recent(self, gate: str, name: str, now_utc_ns: int) -> tuple[RecentEdge, ...]:
        """The sensor's edges of the last 10 s, the newest last."""
        sensor = self._sensors.get((gate, name))
        edges = tuple(sensor.recent) if sensor is not None else ()
        return tuple(edge for edge in edges if edge.utc_ns > now_utc_ns - RECENT_NS)

    def read(self, gate: str, name: str) -> SensorCounts:
        """The counts of the sensor `name`; zeros if it has sent nothing."""
        sensor = self._sensors.get((gate, name))
        if sensor is None or sensor.last is None:
            return SensorCounts()
        last_ns = sensor.last.at_ns
        noise = sum(1 for at_ns in tuple(sensor.noise) if at_ns > last_ns - MINUTE_NS)
        return SensorCounts(sensor.edges, noise, last_ns, sensor.last_utc_ns)
