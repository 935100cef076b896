"""The gate's device in the hall: numbers the edges, remembers the newest, and says them again to a new station.

It stamps with the clock of the station's machine (kernel edge stamps), so it shares that machine's boots: a
reboot forgets what it remembered. A killed station process costs nothing while the ring holds.
"""

from collections import deque
from collections.abc import Callable, Mapping

from simulator.races.physical.beam_gate import GATE, SeenEdge
from simulator.races.physical.virtual_time import VirtualKernelClock
from station.core.inputs import Edge
from station.gates.driver import GateHealthReport

RING = 4096


class GateDevice:
    """What survives the station's process. `noted`: every edge that got a number and was not lost, for the checker."""

    def __init__(self, clock: VirtualKernelClock) -> None:
        self.clock = clock
        self.powered = True
        self.noted: list[Edge] = []
        self.edges = 0
        self.lost = 0
        self._seq = 0
        self._ring: deque[Edge] = deque(maxlen=RING)
        self._put: Callable[[Edge], None] | None = None

    def see(self, seen: SeenEdge) -> None:
        """One level change, now."""
        if not self.powered:
            return
        self._seq += 1
        self.edges += 1
        if seen.lost:
            self.lost += 1
            return
        edge = Edge(GATE, seen.sensor, seen.broken, self.clock.stamp(seen.at_ns), self._seq, self.clock.boot_id)
        self.noted.append(edge)
        self._ring.append(edge)
        if self._put is not None:
            self._put(edge)

    def reboot(self) -> None:
        """The machine went down with all that it remembered; numbers begin again under the new boot."""
        self._ring.clear()
        self._seq = 0
        self._put = None

    def attach(self, after: Mapping[str, int], put: Callable[[Edge], None]) -> None:
        """A station listens from now on; what it has not kept comes first."""
        for edge in self._ring:
            if edge.seq > after.get(edge.boot, 0):
                put(edge)
        self._put = put

    def detach(self) -> None:
        self._put = None


class GateDeviceDriver:
    """`station.gates.driver.GateDriver` on a `GateDevice`; a new one for each station process."""

    def __init__(self, gate_device: GateDevice) -> None:
        self._gate_device = gate_device

    def start(self, after: Mapping[str, int], put: Callable[[Edge], None]) -> None:
        self._gate_device.attach(after, put)

    def health(self) -> GateHealthReport:
        last_ns = self._gate_device.noted[-1].at_ns if self._gate_device.noted else None
        return GateHealthReport(
            self._gate_device.powered, "The gate answers.", last_ns, self._gate_device.edges, self._gate_device.lost
        )

    def close(self) -> None:
        self._gate_device.detach()
