"""Whether each sensor of a gate has seen a proper pass: until then the gate is not known to work.

In a proper pass a beam is free, then broken for as long as a car takes, then free again. One that was free for no
longer than it was broken afterwards may be wired with the wrong polarity. A decoder reports passes without levels, so
any pass is enough.
"""

from station.core.inputs import Edge, GateSpec


class SensorTrial:
    """The trial of one gate since it was built, or since an official had it tested again. gate.py adds each edge."""

    def __init__(self, spec: GateSpec) -> None:
        self._spec = spec
        self._seen: set[str] = set()
        self._broken: dict[str, Edge] = {}  # sensor -> the edge that broke it
        self._freed: dict[str, Edge] = {}
        self._forwards = not spec.directed

    @property
    def open(self) -> bool:
        """Whether the gate still has to show that it works."""
        return bool(self._spec.proof) and not (self._forwards and self._seen.issuperset(self._spec.sensors))

    @property
    def missing(self) -> tuple[str, ...]:
        """The sensors that have not seen a proper pass; all of them if no pass went forwards."""
        if not self.open:
            return ()
        return tuple(name for name in self._spec.sensors if name not in self._seen) or self._spec.sensors

    def edge(self, edge: Edge, direction: int) -> bool:
        """Adds one edge and the direction of its crossing (0: none); True once nothing is missing any more."""
        self._forwards |= direction > 0
        if self._spec.proof == "pass" or edge.transponder:
            if edge.broken:
                self._seen.add(edge.sensor)
        elif edge.broken:
            self._broken[edge.sensor] = edge
        else:
            self._free(edge)
        return not self.open

    def _free(self, edge: Edge) -> None:
        broken, freed = self._broken.pop(edge.sensor, None), self._freed.get(edge.sensor)
        self._freed[edge.sensor] = edge
        if broken is None or broken.boot != edge.boot:
            return
        width_ns = edge.at_ns - broken.at_ns
        fits = self._spec.min_width_ns <= width_ns <= self._spec.max_width_ns
        before = freed is not None and freed.boot == edge.boot and broken.at_ns - freed.at_ns <= width_ns
        if fits and not before:
            self._seen.add(edge.sensor)
