"""The edges that a car makes at a gate of two sensors, and the faults that can change them.

In line, the front of the car breaks the first beam at the instant of the crossing: that edge is the time; the second
beam follows `BASELINE_M` later. Side by side, two strips lie on one line: the first one that a wheel presses gives the
time, the other follows by the car's skew, or the car misses it. Every injected fault is recorded with the pass, so
that the checker knows which crossings may differ from the truth, and why.
"""

import random
from dataclasses import dataclass, field

from shared.units import NS_PER_MS, NS_PER_S

GATE = "start"
SENSORS = ("front", "rear")
BASELINE_M = 0.030
CAR_M = 0.30
ASKEW_NS = 40 * NS_PER_MS
ONE_STRIP = 0.2  # share of the cars that run over only one of the two strips


@dataclass(frozen=True, slots=True)
class SensorEdge:
    """One level change of a sensor, before any device numbers it; `lost` if the sensor's queue dropped it."""

    sensor: str
    broken: bool
    at_ns: int
    lost: bool = False


@dataclass(slots=True)
class BeamPassing:
    """A true pass of a car over the line at `at_ns` of true time, and the faults injected into it."""

    at_ns: int
    speed_mps: float
    faults: list[str] = field(default_factory=list)

    def clean(self) -> list[SensorEdge]:
        """The edges of a perfect gate with two beams in line."""
        follow_ns = round(BASELINE_M / self.speed_mps * NS_PER_S)
        return self._edges((SENSORS[0], 0), (SENSORS[1], follow_ns))

    def clean_side_by_side(self, rng: random.Random) -> list[SensorEdge]:
        """The edges of a perfect gate with two strips side by side."""
        first, second = rng.sample(SENSORS, 2)
        later = () if rng.random() < ONE_STRIP else ((second, rng.randint(0, ASKEW_NS)),)
        return self._edges((first, 0), *later)

    def _edges(self, *sensors: tuple[str, int]) -> list[SensorEdge]:
        blocked_ns = round(CAR_M / self.speed_mps * NS_PER_S)
        edges = []
        for sensor, after_ns in sensors:
            at_ns = self.at_ns + after_ns
            edges += [SensorEdge(sensor, True, at_ns), SensorEdge(sensor, False, at_ns + blocked_ns)]
        return in_order(edges)


def in_order(edges: list[SensorEdge]) -> list[SensorEdge]:
    """The edges sorted by time; at equal times those of the first beam come first."""
    return sorted(edges, key=lambda e: (e.at_ns, SENSORS.index(e.sensor), e.broken))


def double_trigger(edges: list[SensorEdge], rng: random.Random) -> list[SensorEdge]:
    """Make the beam flicker: through a gap in the car while it is blocked, or at a wing just after it is clear."""
    sensor = rng.choice(sorted({e.sensor for e in edges}))
    own = [e for e in edges if e.sensor == sensor]
    first_ns, last_ns = own[0].at_ns, own[-1].at_ns
    extra = []
    at_ns = first_ns
    for _ in range(rng.choice((1, 1, 2, 3))):
        at_ns = rng.randint(at_ns + 1, max(at_ns + 2, last_ns - 1))
        width_ns = rng.randint(20_000, 3 * NS_PER_MS)
        if at_ns + width_ns >= last_ns:
            at_ns = last_ns + rng.randint(NS_PER_MS, 60 * NS_PER_MS)
            extra += [SensorEdge(sensor, True, at_ns), SensorEdge(sensor, False, at_ns + width_ns)]
            break
        extra += [SensorEdge(sensor, False, at_ns), SensorEdge(sensor, True, at_ns + width_ns)]
        at_ns += width_ns
    return in_order(edges + extra)


def miss_sensor(edges: list[SensorEdge], rng: random.Random) -> list[SensorEdge]:
    """Remove the edges of one sensor: dirt, sunlight, a loose plug."""
    blind = rng.choice(SENSORS)
    return [e for e in edges if e.sensor != blind]


def lose_edge(edges: list[SensorEdge], rng: random.Random) -> list[SensorEdge]:
    """Mark one edge as numbered and then dropped by the sensor's queue."""
    victim = rng.randrange(len(edges))
    return [SensorEdge(e.sensor, e.broken, e.at_ns, lost=i == victim) for i, e in enumerate(edges)]


def noise(at_ns: int, rng: random.Random) -> list[SensorEdge]:
    """The edges of a pulse without a car: an insect, a camera flash, a kicked cable."""
    width_ns = rng.randint(20_000, 4 * NS_PER_MS)
    sensor = rng.choice(SENSORS)
    return [SensorEdge(sensor, True, at_ns), SensorEdge(sensor, False, at_ns + width_ns)]
