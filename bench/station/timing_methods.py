"""Four timing methods on the same edges: each receives the true edges and returns the crossings that it makes.

Raceday's two run their shipped code: the GPIO driver on gpiozero's MockFactory with interrupt delays as measured on a
BeagleBone (mean 6.9, SD 1.7 us), and the Pico's session against the faulty Pico; both through the core's gate. The
others are in common use: a serial line stamped when it is read, and the AWS event timer, which polls each pin every
10 ms, stamps with the wall clock in ms, and ignores a pin for 2 s of that same clock after it triggered
(guidance-for-aws-deepracer-event-management, leaderboard-timer/timer.js; its issues 252 and 253).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpiozero.pins.mock import MockFactory, MockPin

from shared.clock import ManualClock
from simulator.pico.pico import MS, LineFaults, S
from simulator.pico.trial import trial
from station.core.facts import Crossing
from station.core.inputs import Edge, GateSpec
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.gpio import pins
from station.gates.gpio.gate import GpioGate

SENSORS = ("front", "rear")
POLL_NS, DEAF_MS = 10 * MS, 2_000


@dataclass(frozen=True, slots=True)
class Move:
    """One true edge: a sensor's beam is broken or restored."""

    at_ns: int
    sensor: int
    broken: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens at the line: the true edges, the start of each pass, and the wall clock over true time (ns)."""

    name: str
    moves: tuple[Move, ...]
    passes: tuple[int, ...]
    wall: Callable[[int], int]
    seed: int


@dataclass(frozen=True, slots=True)
class MethodCrossing:
    """A crossing by a method: its stamp, and the true time at which it was detected."""

    stamp_ns: int
    true_ns: int


class KernelPin(MockPin):
    """A mock pin whose edges carry the stamp of their interrupt."""

    def interrupt(self, level: bool, at_ns: int) -> None:
        self._state = level
        if self._when_changed is not None:
            super(MockPin, self)._call_when_changed(at_ns / 1_000_000_000, level)


def gpio(scene: Scene) -> list[MethodCrossing]:
    """Raceday's GPIO driver."""
    pins._opened["mock", -1] = factory = MockFactory(pin_class=KernelPin)
    clock, chance = ManualClock(scene.moves[0].at_ns - S), random.Random(scene.seed)
    driver = GpioGate("start", SENSORS, {"factory": "mock", "pins": [17, 27]}, clock)
    edges: list[Edge] = []
    driver.start({}, edges.append)
    for move in scene.moves:
        stamp_ns = move.at_ns + round(max(1.0, chance.gauss(6.92, 1.72)) * 1000)
        clock.advance(stamp_ns + 500_000)  # lgpio's thread passes it on within half a millisecond
        factory.pin((17, 27)[move.sensor]).interrupt(not move.broken, stamp_ns)
    driver.close()
    return _crossings(edges)


def pico(scene: Scene) -> list[MethodCrossing]:
    """Raceday's Pico gate: 0 to 16 ms each way, 50 ppm and wander, one byte in a thousand lost."""
    ours = trial(LineFaults(loss=0.001), scene.seed, scene.moves[0].at_ns - 15 * S)
    for move in scene.moves:
        ours.pico.plan(move.at_ns, move.sensor, 0 if move.broken else 1)
    ours.run(scene.moves[-1].at_ns + 5 * S)
    return _crossings(ours.edges)


def receipt(scene: Scene) -> list[MethodCrossing]:
    """The same line, no bytes lost; each edge is stamped with the monotonic clock when it is read."""
    chance, last_ns, edges = random.Random(scene.seed), 0, []
    for seq, move in enumerate(scene.moves, 1):
        last_ns = max(last_ns, move.at_ns + chance.randrange(16 * MS))
        edges.append(Edge("start", SENSORS[move.sensor], move.broken, last_ns, seq, "boot"))
    return _crossings(edges)


def polled(scene: Scene) -> list[MethodCrossing]:
    """The AWS event timer: a poll of a broken beam counts if this pin has not counted for 2 s of wall time."""
    chance = random.Random(scene.seed)
    phase_ns = chance.randrange(POLL_NS)
    last_ms: dict[int, int] = {}
    crossings = []
    for down, up in _pulses(scene.moves):
        poll_ns = down.at_ns + (phase_ns - down.at_ns) % POLL_NS
        while poll_ns < up.at_ns:
            wall_ms = scene.wall(poll_ns) // MS
            if wall_ms - last_ms.get(down.sensor, -DEAF_MS) >= DEAF_MS:
                last_ms[down.sensor] = wall_ms
                crossings.append(MethodCrossing(wall_ms * MS, poll_ns))
            poll_ns += POLL_NS
    return sorted(crossings, key=lambda one: one.true_ns)


METHODS: dict[str, Callable[[Scene], list[MethodCrossing]]] = {
    "ours: GPIO, kernel stamp": gpio,
    "ours: Pico, mapped clock": pico,
    "stamped on receipt": receipt,
    "polled each 10 ms, wall clock": polled,
}


def _crossings(edges: Sequence[Edge]) -> list[MethodCrossing]:
    gate = Gate(GateSpec("start", SENSORS, layout="in_line"), CrossingCounter())
    facts = [fact for edge in edges for fact in gate.handle(edge)]
    return [MethodCrossing(fact.at_ns, fact.at_ns) for fact in facts if isinstance(fact, Crossing)]


def _pulses(moves: Sequence[Move]) -> list[tuple[Move, Move]]:
    pulses, since = [], dict[int, Move]()
    for move in moves:
        if move.broken:
            since[move.sensor] = move
        else:
            pulses.append((since.pop(move.sensor), move))
    return pulses
