"""From a decoder's facts to the gate's edges: which boot, which number, which sensor. No I/O and no clock.

Decoder time is the lap's time: an edge's boot is `device:<id>:<epoch>`, and a restart or a jump of the device's clock
begins a new epoch, so that no lap is ever made across it. What the device does not stamp gets our stamp and our boot.
"""

from collections.abc import Mapping

from station.core.events import Edge
from station.gates.decoders.arrivals import Arrivals
from station.gates.decoders.decoder import NEW_EPOCH, Decoded, DeviceEdge, Gap, Passing, StatusReport


class Stamps:
    """One gate's epochs and numbers. `session` tells this start of the driver from all others."""

    def __init__(self, gate: str, sensors: tuple[str, ...], session: str, boot: str, allowed_ns: int) -> None:
        self._gate, self._sensors, self._session, self._own_boot = gate, sensors, session, boot
        self._wired: Mapping[str, str] = {}
        self._only: frozenset[str] = frozenset()
        self._seq: dict[str, int] = {}
        self._device = ""
        self._epoch = 1
        self._arrivals = Arrivals(allowed_ns)
        self.lost = 0
        self.last_ns: int | None = None
        self.status: StatusReport | None = None
        self.gap: Gap | None = None

    def wire(self, wired: Mapping[str, str], only: tuple[str, ...], after: Mapping[str, int]) -> None:
        """`wired`: the device's input or loop -> our sensor. `only`: transponders that count. `after`: seq kept."""
        self._wired, self._only, self._seq = wired, frozenset(only), dict(after)

    def edges(self, facts: list[Decoded], heard_ns: int, backlog: bool = False) -> list[Edge]:
        """The edges of these facts, in order."""
        made = (self._take(fact, heard_ns, backlog) for fact in facts)
        return [edge for edge in made if edge is not None]

    def _take(self, fact: Decoded, heard_ns: int, backlog: bool) -> Edge | None:
        if isinstance(fact, Gap):
            self._gap(fact)
        elif isinstance(fact, StatusReport):
            self.status = fact
        elif isinstance(fact, Passing) and not fact.repeat and (not self._only or fact.transponder in self._only):
            return self._edge(fact.decoder, fact.loop, True, fact.device_time_ns, heard_ns, backlog)
        elif isinstance(fact, DeviceEdge):
            return self._edge(fact.decoder, fact.sensor, fact.broken, fact.device_time_ns, heard_ns, backlog)
        return None

    def _edge(self, device: str, place: str, broken: bool, at_ns: int | None, heard_ns: int, backlog: bool) -> Edge:
        sensor = self._wired.get(place) or (place if place in self._sensors else self._sensors[0])
        if at_ns is None:
            return self._numbered(sensor, broken, heard_ns, self._own_boot)
        if device != self._device:
            self._begin(anew=bool(self._device))
            self._device = device
        jump = self._arrivals.judge(at_ns, heard_ns, backlog)
        if jump is not None:
            self._gap(jump)
            self._arrivals.judge(at_ns, heard_ns, backlog)
        return self._numbered(sensor, broken, at_ns, f"device:{device or self._gate}:{self._session}.{self._epoch}")

    def _numbered(self, sensor: str, broken: bool, at_ns: int, boot: str) -> Edge:
        seq = self._seq[boot] = self._seq.get(boot, 0) + 1
        self.last_ns = at_ns
        return Edge(self._gate, sensor, broken, at_ns, seq, boot)

    def _gap(self, gap: Gap) -> None:
        self.gap = gap
        if gap.kind in NEW_EPOCH:
            self._begin(anew=True)
        self.lost += gap.missing
        # A number that is left out is how the core learns of a loss.
        boot = f"device:{self._device or self._gate}:{self._session}.{self._epoch}"
        if gap.missing and boot in self._seq:
            self._seq[boot] += gap.missing

    def _begin(self, anew: bool) -> None:
        self._epoch += anew
        self._arrivals.begin()
