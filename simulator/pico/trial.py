"""The station's real Pico session against the faulty simulated Pico, stepped from event to event on virtual time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.pico.pico import MS, FaultyPico, LineFaults
from station.core.inputs import Edge
from station.gates.pico.session import PicoSession

POLL_NS = 10 * MS  # how often the driver's thread polls while nothing arrives


@dataclass(slots=True)
class PicoTrial:
    """Runs both ends; `edges` are those that the station received."""

    pico: FaultyPico
    session: PicoSession
    now_ns: int
    edges: list[Edge] = field(default_factory=list)

    def run(self, until_ns: int, connected: bool = True) -> None:
        """Run up to the given true time. Without a connection the gate runs on alone."""
        if connected and self.session.last_line_ns is None:
            self.session.connected(self.now_ns)
        while connected and self.now_ns < until_ns:
            self._poll(min(until_ns, self.now_ns + POLL_NS, max(self.pico.next_ns(), self.now_ns + 1)))
        if not connected:
            self.pico.advance(until_ns)
            self.pico.cut()
            self.now_ns = until_ns

    def passes(self, times_ns: Sequence[int], width_ns: int = 120 * MS, sensor: int = 0) -> None:
        """Break the beam at each of these times."""
        for at_ns in times_ns:
            self.pico.plan(at_ns, sensor, 0)
            self.pico.plan(at_ns + width_ns, sensor, 1)

    def restart(self, after: Mapping[str, int], boot: str = "boot-0") -> None:
        """Restart the station's session with the edge numbers that its journal has."""
        self.pico.cut()
        self.session = PicoSession("start", ("front", "rear"), boot, after)
        self.session.connected(self.now_ns)

    def _poll(self, until_ns: int) -> None:
        self.pico.write(self.session.due_bytes(self.now_ns), self.now_ns)
        self.pico.advance(until_ns)
        self.now_ns = until_ns
        while message := self.pico.read(until_ns):
            self.edges += self.session.on_data(*message)
        self.edges += self.session.ready_edges(until_ns)


def trial(faults: LineFaults, seed: int, at_ns: int) -> PicoTrial:
    """A trial of a gate that was just switched on and a station that was just started, at the true time `at_ns`."""
    return PicoTrial(FaultyPico(faults, seed, at_ns), PicoSession("start", ("front", "rear"), "boot-0", {}), at_ns)
