"""Turns the edges of one gate into crossings: the first stage of the engine's pipeline. Called by engine.py.

The first edge of a pass is the timing edge; nothing later moves its stamp. Later edges of all the gate's sensors,
within the lockout, only classify it: how long the beam was blocked, how fast the car was, in which direction. If the
sensors stand in line, a pass that begins at the second one is held back until it is known whether it goes backwards or
the first sensor is blind; side by side, whichever fires first makes the crossing.
A transponder read by a decoder is a pass by itself, whatever else passes at the same time. A gap in the gate's count is
a fact (`EdgesLost`); a repeat is ignored (after a restart, the driver resends what the station may not have).

Example: a car breaks the beam at 9 s and frees it at 9.1 s: the first edge gives `Crossing` at 9 s, the second one
`CrossingMeasured` with a width of 100 ms.
"""

from dataclasses import dataclass
from typing import Literal

from shared.text import text
from station.core.facts import (
    Crossing,
    CrossingMeasured,
    EdgeIgnored,
    EdgesLost,
    Fact,
    GateStuck,
    GateTried,
    LayoutDoubted,
)
from station.core.inputs import Edge, GateSpec, Moment, clock_of
from station.core.timing.sensor_layout import SensorArrangement
from station.core.timing.sensor_trial import SensorTrial

CHATTER_NS = 50_000_000  # the longest flicker of a beam that was just freed
TRANSPONDERS = 256  # remembered at most
DIRECTION_NS = 500_000_000  # a car at 0.3 m/s needs this long for sensors 0.15 m apart
NO_SENSOR = text("the gate has no sensor")
OUT_OF_ORDER = text("its stamp lies before the last one")


@dataclass(slots=True)
class CrossingCounter:
    """Numbers all crossings of the station."""

    last: int = 0

    def next(self) -> int:
        """The number of the next crossing."""
        self.last += 1
        return self.last


class Gate:
    """The state of one gate: which beams are blocked, the pass in progress, which edges of each boot were handled."""

    def __init__(self, spec: GateSpec, count: CrossingCounter) -> None:
        self.spec = spec
        self.last_seq_by_boot: dict[str, int] = {}  # boot -> the last seq that was handled
        self._count = count
        self._boot: str | None = None
        self._last_ns = 0
        self._broken: dict[str, int] = {}  # sensor -> blocked since, ns
        self._freed_ns: int | None = None
        self._stuck: set[str] = set()
        self._passing: Crossing | None = None
        self._speed: int | None = None
        self._waiting: Edge | None = None
        self._read_last: dict[str, Crossing] = {}  # transponder -> its last pass, the oldest first
        self.arrangement = SensorArrangement(spec)
        self.trial = SensorTrial(spec)
        self.doubt = ""  # the last doubt about its layout
        # Journals without layouts are judged as they were when they were written.
        self._arranged = len(spec.sensors) > 1 and spec.layout != ""
        self._watched = self._arranged or bool(spec.proof)
        self._directed = spec.directed

    @property
    def stuck(self) -> tuple[str, ...]:
        """The sensors that are blocked for longer than any car, by name."""
        return tuple(sorted(self._stuck))

    def handle(self, edge: Edge) -> list[Fact]:
        """The facts of one edge; none for a repeat."""
        if edge.seq <= self.last_seq_by_boot.get(edge.boot, edge.seq - 1):
            return []
        facts = self._check_continuity(edge)
        self.last_seq_by_boot[edge.boot] = edge.seq
        if edge.sensor not in self.spec.sensors:
            facts.append(self._ignored(edge, f"{NO_SENSOR} {edge.sensor[:40]!r}"))
        elif edge.at_ns < self._last_ns and not edge.transponder:  # each transponder has its own order
            facts.append(self._ignored(edge, OUT_OF_ORDER))
        else:
            self._last_ns = max(self._last_ns, edge.at_ns)
            facts += self._release(edge.boot, edge.at_ns)
            if edge.transponder:
                facts += self._read(edge)
            else:
                facts += self._blocked(edge) if edge.broken else self._freed(edge)
        return self._judged(edge, facts) if self._watched else facts

    def forget(self) -> None:
        """Forgets what its passes showed, so that the gate is tested again."""
        self.trial = SensorTrial(self.spec)
        self.arrangement.forget()

    def _judged(self, edge: Edge, facts: list[Fact]) -> list[Fact]:
        """Adds what the pass newly shows about the gate itself."""
        if self.trial.open and edge.sensor in self.spec.sensors:
            direction = next((fact.direction for fact in facts if isinstance(fact, Crossing)), 0)
            if self.trial.edge(edge, direction):
                facts.append(GateTried(self.spec.name))
        if self._arranged and (doubt := self.arrangement.doubt) != self.doubt:
            self.doubt = doubt
            facts.append(LayoutDoubted(self.spec.name, doubt, edge.boot, edge.at_ns))
        return facts

    def tick(self, now: Moment) -> list[Fact]:
        """The facts that only the passing of time gives: a pass that waited for its direction, a beam still blocked."""
        facts = self._release(now.boot, now.at_ns)
        if self._boot is not None and clock_of(now.boot) == clock_of(self._boot):
            for sensor, since in self._broken.items():
                if sensor not in self._stuck and now.at_ns - since > self.spec.stuck_ns:
                    self._stuck.add(sensor)
                    facts.append(self._stuck_fact(sensor, True))
        return facts

    def _check_continuity(self, edge: Edge) -> list[Fact]:
        """Handles a new boot of the gate or a gap in its count: what was known of its beams no longer holds."""
        if edge.boot != self._boot:
            facts = self._forget_beams()
            self._boot, self._last_ns, self._passing, self._freed_ns = edge.boot, edge.at_ns, None, None
            return facts
        missing = edge.seq - self.last_seq_by_boot[edge.boot] - 1
        if not missing:
            return []
        return [*self._forget_beams(), EdgesLost(self.spec.name, edge.boot, missing)]

    def _forget_beams(self) -> list[Fact]:
        freed: list[Fact] = [self._stuck_fact(sensor, False) for sensor in sorted(self._stuck)]
        waiting = self._emit(self._waiting, 0) if self._waiting else []
        self._broken.clear()
        self._stuck.clear()
        return freed + waiting

    def _release(self, boot: str, at_ns: int) -> list[Fact]:
        """Emits a pass that waited for its direction, once the first sensor has been silent for long enough."""
        if self._waiting is None or clock_of(boot) != clock_of(self._waiting.boot):
            return []
        if at_ns - self._waiting.at_ns <= DIRECTION_NS:
            return []
        return self._emit(self._waiting, 0)

    def _read(self, edge: Edge) -> list[Fact]:
        """Handles a decoder's passing: each transponder has a lockout of its own, and no beam is blocked."""
        if not edge.broken:
            return [self._ignored(edge, text("the end of a transponder's passing"))]
        last = self._read_last.get(edge.transponder)
        if last is not None and last.boot == edge.boot and edge.at_ns - last.at_ns < self.spec.lockout_ns:
            return [self._ignored(edge, text("within the lockout of this transponder's last pass"))]
        uncertainty_ns = max(self.spec.uncertainty_ns, edge.uncertainty_ns)
        where = (self.spec.name, edge.sensor, edge.at_ns, edge.boot, uncertainty_ns)
        crossing = Crossing(self._count.next(), *where, transponder=edge.transponder)
        self._read_last.pop(edge.transponder, None)
        self._read_last[edge.transponder] = crossing
        if len(self._read_last) > TRANSPONDERS:
            del self._read_last[next(iter(self._read_last))]
        return [crossing]

    def _blocked(self, edge: Edge) -> list[Fact]:
        others_blocked = bool(self._broken) and any(
            sensor != edge.sensor and edge.at_ns - since < self.spec.stuck_ns for sensor, since in self._broken.items()
        )
        self._broken[edge.sensor] = edge.at_ns
        if self._waiting is not None:
            if edge.sensor != self.spec.sensors[0]:
                return [self._ignored(edge, text("it belongs to a held pass"))]
            waiting = self._waiting
            facts = self._emit(waiting, -1)
            self.arrangement.second(edge.sensor, edge.at_ns - waiting.at_ns)
            return facts
        passing = self._passing
        if passing is not None and edge.at_ns - passing.at_ns < self.spec.lockout_ns:
            return [self._ignored(edge, self._within_lockout(edge, passing))]
        if self._freed_ns is not None and edge.at_ns - self._freed_ns < CHATTER_NS:
            return [self._ignored(edge, text("the beam flickers at the end of the pass"))]
        if others_blocked:
            return [self._ignored(edge, text("another beam of the gate is still blocked by the same pass"))]
        if self._directed and edge.sensor != self.spec.sensors[0]:
            self._waiting = edge
            return [self._ignored(edge, text("held until its direction is known"))]
        return self._emit(edge, 1 if self._directed else 0)

    def _within_lockout(self, edge: Edge, passing: Crossing) -> str:
        """Why a further edge of the same pass is ignored; its lag tells the layout and the speed."""
        lag_ns = edge.at_ns - passing.at_ns
        self.arrangement.second(edge.sensor, lag_ns)
        if edge.sensor != passing.sensor and self._speed is None and self.spec.baseline_mm and lag_ns:
            self._speed = self.spec.baseline_mm * 1_000_000_000 // lag_ns
            return text("the second beam of the same pass: it gives the speed")
        return text("within the lockout of the last pass")

    def _freed(self, edge: Edge) -> list[Fact]:
        self._broken.pop(edge.sensor, None)
        self._freed_ns = edge.at_ns
        facts: list[Fact] = []
        if edge.sensor in self._stuck:
            self._stuck.discard(edge.sensor)
            facts.append(self._stuck_fact(edge.sensor, False))
        passing = self._passing
        if passing is None or passing.sensor != edge.sensor or self._waiting is not None:
            return [*facts, self._ignored(edge, text("the beam is free again"))]
        width_ns = edge.at_ns - passing.at_ns
        return [*facts, CrossingMeasured(passing.number, width_ns, self._speed, self._odd(width_ns))]

    def _odd(self, width_ns: int) -> str:
        if width_ns < self.spec.min_width_ns:
            return text("blocked for less time than a car takes")
        return text("blocked for longer than a car takes") if width_ns > self.spec.max_width_ns else ""

    def _emit(self, edge: Edge, direction: Literal[-1, 0, 1]) -> list[Fact]:
        self._waiting, self._speed = None, None
        uncertainty_ns = max(self.spec.uncertainty_ns, edge.uncertainty_ns)
        number = self._count.next()
        self._passing = Crossing(number, self.spec.name, edge.sensor, edge.at_ns, edge.boot, uncertainty_ns, direction)
        if self._arranged:
            self.arrangement.first(edge.sensor)
        return [self._passing]

    def _ignored(self, edge: Edge, why: str) -> EdgeIgnored:
        return EdgeIgnored(edge.gate, edge.seq, why)

    def _stuck_fact(self, sensor: str, stuck: bool) -> GateStuck:
        gate = self.spec.name
        sentence = text("the sensor {sensor} of the gate {gate} is free.", sensor=sensor, gate=gate)
        if stuck:
            sentence = text(
                "the sensor {sensor} of the gate {gate} has been blocked for too long: check its beam.",
                sensor=sensor,
                gate=gate,
            )
        return GateStuck(self.spec.name, sensor, stuck, sentence)
