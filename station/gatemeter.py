"""What each sensor did lately: its edges, and how many of the last minute made no crossing. Live, not journaled."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from station.core.events import Edge
from station.core.facts import Crossing, Fact

MINUTE_NS = 60_000_000_000
REMEMBERED = 1000


@dataclass(slots=True)
class _Sensor:
    edges: int = 0
    last: Edge | None = None
    noise: deque[int] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


class GateMeter:
    """Noted on the thread that commits, read on the live one."""

    def __init__(self) -> None:
        self._sensors: dict[tuple[str, str], _Sensor] = {}

    def note(self, edge: Edge, facts: Sequence[Fact]) -> None:
        """An edge and what became of it. A beam that is broken and makes no crossing is noise."""
        sensor = self._sensors.setdefault((edge.gate, edge.sensor), _Sensor())
        if sensor.last is not None and sensor.last.boot != edge.boot:
            sensor.noise.clear()
        sensor.edges, sensor.last = sensor.edges + 1, edge
        if edge.broken and facts and not any(isinstance(fact, Crossing) for fact in facts):
            sensor.noise.append(edge.at_ns)

    def read(self, gate: str, name: str) -> tuple[int, int, int | None]:
        """Edges so far, noise within the minute before the newest one, and that one's stamp."""
        sensor = self._sensors.get((gate, name))
        if sensor is None or sensor.last is None:
            return 0, 0, None
        last_ns = sensor.last.at_ns
        return sensor.edges, sum(1 for at_ns in tuple(sensor.noise) if at_ns > last_ns - MINUTE_NS), last_ns
