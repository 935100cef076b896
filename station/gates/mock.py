"""Driver "mock": a gate without a beam, for tests and for trying out the station. It is as strict as a real device.

It numbers edges, remembers the last `ring` of them until a reboot, and refuses a sensor that it does not have. With
`every_s` it makes passes by itself.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from shared.clock import Clock
from shared.config import from_table, setting
from shared.errors import HardwareMissing, Refused
from shared.text import text
from station.core.inputs import NoteKind, Proof
from station.gates.driver import Edge, GateHealthReport, GateNote, GateOutput


@dataclass(frozen=True, slots=True)
class MockGateOptions:
    """`[gate.options]` of the driver "mock". `every_s` > 0: a pass of `width_ms` every `every_s` seconds, by itself."""

    ring: int = setting(4096, min=1, max=1_000_000, what="edges in memory for a station that comes back")
    every_s: float = setting(0.0, min=0.0, max=3600.0)
    width_ms: int = setting(120, min=1, max=10_000)


@dataclass(slots=True)
class _MockDevice:
    """The device's state, which outlives the station's process."""

    seq: int = 0
    edges: int = 0
    lost: int = 0
    last_ns: int | None = None
    ring: deque[Edge] = field(default_factory=deque)


class MockGate:
    """A `GateDriver` whose edges are made by `edge`, `pass_by` or, with `every_s`, a timer."""

    proof: ClassVar[Proof] = "level"

    def __init__(self, name: str, sensors: tuple[str, ...], options: dict[str, Any], clock: Clock) -> None:
        self._name, self._sensors, self._clock = name, sensors, clock
        self._options = from_table(options, MockGateOptions, source=f"gate {name}")
        self._device = _MockDevice(ring=deque(maxlen=self._options.ring))
        self._lock = threading.Lock()
        self._put: Callable[[GateOutput], None] | None = None
        self._closed = threading.Event()

    def start(self, after: Mapping[str, int], put: Callable[[GateOutput], None]) -> None:
        """As `GateDriver.start` describes. Raises HardwareMissing if it was closed, as if it were unplugged."""
        if self._closed.is_set():
            raise HardwareMissing(f"the gate {self._name} is unplugged: plug it in and start again.")
        with self._lock:
            for edge in self._device.ring:
                if edge.seq > after.get(edge.boot, 0):
                    put(edge)
            self._put = put
        if self._options.every_s:
            threading.Thread(target=self._by_itself, name=f"gate-{self._name}", daemon=True).start()

    def edge(self, sensor: str, broken: bool, at_ns: int | None = None) -> Edge:
        """Makes one level change, now or at `at_ns` of the clock, and returns its edge.

        Raises Refused for a sensor that the gate does not have, and for a time before the last edge.
        """
        if sensor not in self._sensors:
            raise Refused(
                text(
                    "The gate {name} has no sensor {sensor!r}; it has {names}.",
                    name=self._name,
                    sensor=sensor,
                    names=", ".join(self._sensors),
                )
            )
        with self._lock:
            device = self._device
            stamp = self._clock.now_ns() if at_ns is None else at_ns
            if device.last_ns is not None and stamp < device.last_ns:
                raise Refused(text("A device's clock does not run backwards."))
            device.seq, device.edges, device.last_ns = device.seq + 1, device.edges + 1, stamp
            edge = Edge(self._name, sensor, broken, stamp, device.seq, self._clock.boot_id)
            device.ring.append(edge)
            if self._put is not None:
                self._put(edge)
        return edge

    def pass_by(self, at_ns: int | None = None) -> Edge:
        """Makes a pass of `width_ms` at the first sensor; returns its first edge, the timing edge."""
        stamp = self._clock.now_ns() if at_ns is None else at_ns
        first = self.edge(self._sensors[0], True, stamp)
        self.edge(self._sensors[0], False, stamp + self._options.width_ms * 1_000_000)
        return first

    def add_note(self, kind: NoteKind, sentence: str, count: int = 0) -> None:
        """Delivers a note, as a driver that noticed something about its device; drops it while not started."""
        with self._lock:
            if self._put is not None:
                self._put(GateNote(self._name, kind, sentence, count, self._clock.boot_id))

    def lose(self) -> None:
        """Loses an edge: its number is used up, and it is never delivered."""
        with self._lock:
            self._device.seq += 1
            self._device.lost += 1

    def reboot(self) -> None:
        """Simulates a power loss: the memory is empty and numbers start again (the clock names the new boot)."""
        with self._lock:
            self._device = _MockDevice(ring=deque(maxlen=self._options.ring))

    def health(self) -> GateHealthReport:
        alive = not self._closed.is_set() and self._put is not None
        device = self._device
        sentence = text("The mock gate listens.") if alive else text("The mock gate is not started.")
        return GateHealthReport(alive, sentence, device.last_ns, device.edges, device.lost)

    def detach(self) -> None:
        """Simulates that the station's process is gone: the device continues, and delivers to nobody."""
        with self._lock:
            self._put = None

    def close(self) -> None:
        self.detach()
        self._closed.set()

    def _by_itself(self) -> None:
        while not self._closed.wait(self._options.every_s):
            self.edge(self._sensors[0], True)
            self._closed.wait(self._options.width_ms / 1000)
            self.edge(self._sensors[0], False)
