"""The gate's device: numbers the edges, buffers the newest ones, and sends them again to a new station process.

It stamps with the clock of the station's machine (kernel edge stamps), so it shares that machine's boots: a reboot
empties the buffer. Killing the station's process loses nothing while the ring buffer has room.
"""

from collections import deque
from collections.abc import Callable, Mapping

from simulator.races.physical.beam_gate import GATE, SensorEdge
from simulator.races.physical.kernel_clock import VirtualKernelClock
from station.core.inputs import Edge
from station.gates.driver import GateHealthReport

RING = 4096


class GateDevice:
    """The state that survives the station's process. `numbered`: all edges with a number that were not lost."""

    def __init__(self, clock: VirtualKernelClock) -> None:
        self.clock = clock
        self.powered = True
        self.numbered: list[Edge] = []
        self.edges = 0
        self.lost = 0
        self._seq = 0
        self._ring: deque[Edge] = deque(maxlen=RING)
        self._put: Callable[[Edge], None] | None = None

    def on_edge(self, edge: SensorEdge) -> None:
        """Number and buffer one level change that happens now."""
        if not self.powered:
            return
        self._seq += 1
        self.edges += 1
        if edge.lost:
            self.lost += 1
            return
        numbered = Edge(GATE, edge.sensor, edge.broken, self.clock.stamp(edge.at_ns), self._seq, self.clock.boot_id)
        self.numbered.append(numbered)
        self._ring.append(numbered)
        if self._put is not None:
            self._put(numbered)

    def reboot(self) -> None:
        """Lose the buffer with the machine's reboot; numbers restart under the new boot."""
        self._ring.clear()
        self._seq = 0
        self._put = None

    def attach(self, after: Mapping[str, int], put: Callable[[Edge], None]) -> None:
        """Connect a station process; the edges that it has not stored are sent first."""
        for edge in self._ring:
            if edge.seq > after.get(edge.boot, 0):
                put(edge)
        self._put = put

    def detach(self) -> None:
        self._put = None


class GateDeviceDriver:
    """A `station.gates.driver.GateDriver` on a `GateDevice`; each station process has a new one."""

    def __init__(self, gate_device: GateDevice) -> None:
        self._gate_device = gate_device

    def start(self, after: Mapping[str, int], put: Callable[[Edge], None]) -> None:
        self._gate_device.attach(after, put)

    def health(self) -> GateHealthReport:
        last_ns = self._gate_device.numbered[-1].at_ns if self._gate_device.numbered else None
        return GateHealthReport(
            self._gate_device.powered, "The gate answers.", last_ns, self._gate_device.edges, self._gate_device.lost
        )

    def close(self) -> None:
        self._gate_device.detach()
