"""The station's side of the Pico gate's protocol: lines in, edges in station time out. Pure; time is an argument.

Edges are passed on in order or not at all: after a gap the gate is asked to send again from there, and only what it no
longer has in memory is lost. An edge waits until the clock map is warm (seconds after a connect), so that its stamp is
as good as any other; after `MAX_WARM_UP_NS` it is stamped with whatever uncertainty the map then has.

The lines are described in pico/firmware/gatewire.py; pico/gate.py owns the port and calls this.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.text import text
from station.core.inputs import Edge, GateNote
from station.gates.clock_map import NS_PER_S, ClockMap
from station.gates.flicker import FlickerDetector
from station.gates.pico.firmware.gatewire import CheckedLineReader, pack
from station.gates.resting_level import LONG_NS, RestingLevelMonitor

PING_NS = 50_000_000  # between pings
WARM_PING_NS = 20_000_000  # between pings until the clock map is warm
REQUEST_AGAIN_NS = 200_000_000
SILENT_NS = 2_500_000_000  # without a line, the gate counts as silent
MAX_WARM_UP_NS = 20 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ReceivedEdge:
    """One edge as the gate sent it, and when it was read."""

    seq: int
    sensor: int
    level: int
    device_us: int
    read_ns: int


@dataclass(slots=True)
class _PicoBoot:
    """One boot of the gate: its clock, and how far its edges were received."""

    name: str
    have: int  # the last number up to which all edges were received
    known: bool  # edges of it were received before: what is missing after them is a loss
    clock: ClockMap = field(default_factory=ClockMap)
    waiting: deque[ReceivedEdge] = field(default_factory=deque)
    newest: int = 0  # the highest number that we know to exist
    requested_ns: int | None = None  # when we last asked for what is missing
    levels_known: bool = False  # the gate has sent the levels of its pins
    now_us: int = 0  # the gate's clock, as of its newest line
    broke_us: dict[int, int] = field(default_factory=dict)  # by sensor that an edge shows to be broken: since when

    def has_just_broken(self, sensor: int) -> bool:
        """Whether an edge shows that the sensor was free until a moment ago: a car is in the beam."""
        broke_us = self.broke_us.get(sensor)
        return broke_us is not None and (self.now_us - broke_us) * 1000 < LONG_NS


def boot_name(station_boot: str, device_boot: str) -> str:
    """The boot id of the gate's edges: their times are in ns of the station's clock, within that boot of the gate."""
    return f"{station_boot}/pico-{device_boot}"


class PicoSession:
    """Follows one Pico gate over all its connections and boots.

    `after` is as in `GateDriver.start`; `broken_level` is the level of a pin whose beam is broken.
    """

    def __init__(
        self, gate: str, sensors: tuple[str, ...], station_boot: str, after: Mapping[str, int], broken_level: int = 0
    ) -> None:
        self._gate, self._sensors, self._station_boot = gate, sensors, station_boot
        self._after, self._broken_level = dict(after), broken_level
        self._lines = CheckedLineReader()
        self._boot: _PicoBoot | None = None
        self._token = 0
        self._sent: dict[int, int] = {}
        self._next_ping_ns: int | None = None
        self.edges = self.lost = self.resets = self.foreign = 0
        self.last_edge_ns: int | None = None
        self.last_line_ns: int | None = None
        self._notes: list[GateNote] = []
        self._flicker, self._resting = FlickerDetector(), self._new_resting_monitor()

    def new_notes(self) -> list[GateNote]:
        """The notes for the journal since the last call."""
        notes, self._notes = self._notes, []
        return notes

    @property
    def dropped_bytes(self) -> int:
        return self._lines.dropped_bytes

    @property
    def clock(self) -> ClockMap | None:
        """The clock map of the gate's present boot; None before the first exchange."""
        return None if self._boot is None or self._boot.clock.empty else self._boot.clock

    @property
    def waiting(self) -> int:
        """How many edges wait for a better clock map."""
        return 0 if self._boot is None else len(self._boot.waiting)

    def fault(self, now_ns: int) -> str:
        """What is wrong with the gate's beams, for display; "" if nothing is."""
        return self._resting.sentence(now_ns) or self._flicker.sentence(now_ns)

    def silent(self, now_ns: int) -> bool:
        """Whether no valid line has come for `SILENT_NS`."""
        return self.last_line_ns is None or now_ns - self.last_line_ns > SILENT_NS

    def connected(self, now_ns: int) -> None:
        """Handles a new connection: what was sent over the old one will not be answered."""
        self._lines.forget()
        self._sent.clear()
        self._next_ping_ns = now_ns
        if self._boot is not None:
            self._boot.requested_ns = None

    def due_bytes(self, now_ns: int) -> bytes:
        """The bytes to send now: a ping, a request for missing edges. Write them at once: `now_ns` stamps the ping."""
        output = b""
        boot = self._boot
        if boot is not None and _must_request(boot, now_ns):
            boot.requested_ns = now_ns
            output += pack("R", boot.name, boot.have)
        if self._next_ping_ns is None or now_ns >= self._next_ping_ns:
            self._next_ping_ns = now_ns + (PING_NS if boot is not None and boot.clock.warm else WARM_PING_NS)
            self._token += 1
            self._sent[self._token] = now_ns
            self._sent.pop(self._token - 256, None)
            output = pack("P", self._token) + output
        return output

    def on_data(self, data: bytes, now_ns: int) -> list[Edge]:
        """The edges that can be passed on after these bytes, in order. Never raises, whatever the line brings."""
        edges: list[Edge] = []
        for fields in self._lines.feed(data):
            known = _LINES.get(fields[0])
            numbers = [
                int(digits) for digits in fields[2:] if digits.isascii() and digits.isdigit() and len(digits) < 19
            ]
            if known is None or len(numbers) not in known or len(fields) != len(numbers) + 2:
                self.foreign += 1
                continue
            self.last_line_ns = now_ns
            if self._boot is None or self._boot.name != fields[1]:
                edges += self._begin(fields[1])
            self._on_line(fields[0], numbers, now_ns)
        return edges + self.ready_edges(now_ns)

    def ready_edges(self, now_ns: int) -> list[Edge]:
        """The edges whose time is known at `now_ns`."""
        boot = self._boot
        if boot is None or boot.clock.empty:
            return []
        edges = []
        while boot.waiting and (boot.clock.warm or now_ns - boot.waiting[0].read_ns > MAX_WARM_UP_NS):
            edges += self._to_edges(boot, boot.waiting.popleft())
        return edges

    def _begin(self, name: str) -> list[Edge]:
        """Handles a gate that was reset, or is new: its clock and its numbers start again. Gives what still waited."""
        last, edges = self._boot, []
        if last is not None:
            self.resets += 1
            boot = boot_name(self._station_boot, name)
            sentence = text(
                "The Pico gate was reset: its clock and its numbers start again, a lap across this is void."
            )
            self._notes.append(GateNote(self._gate, "restart", sentence, boot=boot))
            for edge in last.waiting:
                if last.clock.empty:
                    self.lost += 1
                else:
                    edges += self._to_edges(last, edge)
        stored = [seq for boot, seq in self._after.items() if boot.endswith(f"/pico-{name}")]
        self._boot, self._resting = _PicoBoot(name, max(stored, default=0), bool(stored)), self._new_resting_monitor()
        return edges

    def _on_line(self, word: str, numbers: list[int], now_ns: int) -> None:
        assert self._boot is not None
        if word == "Q":
            self._boot.now_us = max(self._boot.now_us, numbers[1])
            sent_ns = self._sent.pop(numbers[0], None)
            if sent_ns is not None:
                self._boot.clock.add(sent_ns, numbers[1], now_ns)
        elif word == "E":
            self._on_edge(self._boot, ReceivedEdge(numbers[0], numbers[1], numbers[2], numbers[3], now_ns))
        else:
            self._on_heartbeat(self._boot, numbers[0], numbers[1])
            self._on_levels(self._boot, numbers[2:], now_ns)

    def _on_edge(self, boot: _PicoBoot, edge: ReceivedEdge) -> None:
        boot.newest = max(boot.newest, edge.seq)
        if edge.seq == boot.have + 1:
            boot.have, boot.known = edge.seq, True
            boot.waiting.append(edge)
            boot.now_us = max(boot.now_us, edge.device_us)
            if edge.sensor < len(self._sensors):
                # At the time of reading, since the levels in a heartbeat have no other time either.
                name = self._sensors[edge.sensor]
                if edge.level == self._broken_level:
                    boot.broke_us[edge.sensor] = edge.device_us
                    self._resting.broke(name, edge.read_ns)
                else:
                    boot.broke_us.pop(edge.sensor, None)
                    self._resting.change(name, False, edge.read_ns)

    def _on_levels(self, boot: _PicoBoot, levels: list[int], now_ns: int) -> None:
        """Handles the pins' present levels; the first firmware did not send them."""
        if not levels:
            return
        for index, name in enumerate(self._sensors):
            broken = levels[0] >> index & 1 == self._broken_level
            # The heartbeat before the edge may have been lost: then the sensor was not broken from the start.
            if boot.levels_known or (broken and boot.has_just_broken(index)):
                self._resting.change(name, broken, now_ns)
            else:
                self._resting.begin(name, broken, now_ns)
        boot.levels_known = True

    def _new_resting_monitor(self) -> RestingLevelMonitor:
        return RestingLevelMonitor("high" if self._broken_level else "low", "was connected")

    def _on_heartbeat(self, boot: _PicoBoot, first: int, last: int) -> None:
        boot.newest = max(boot.newest, last)
        if first > boot.have + 1:
            if boot.known:
                self._report_forgotten(boot, boot.have + 1, first - 1)
            boot.have = first - 1

    def _report_forgotten(self, boot: _PicoBoot, first: int, last: int) -> None:
        self.lost += last - first + 1
        sentence = text(
            "The Pico gate no longer has the edges {first} to {last}: it was not read for too long.",
            first=first,
            last=last,
        )
        self._notes.append(
            GateNote(self._gate, "missed_numbers", sentence, last - first + 1, boot_name(self._station_boot, boot.name))
        )

    def _to_edges(self, boot: _PicoBoot, edge: ReceivedEdge) -> list[Edge]:
        mapped = boot.clock.at(edge.device_us)
        if mapped.at_ns < 0:
            return []  # from before this machine's boot: its clock has no such time
        name = self._sensors[edge.sensor] if edge.sensor < len(self._sensors) else f"pin-{edge.sensor}"
        self.edges, self.last_edge_ns = self.edges + 1, mapped.at_ns
        broken = edge.level == self._broken_level
        self._flicker.edge(name, mapped.at_ns)
        boot_id = boot_name(self._station_boot, boot.name)
        return [Edge(self._gate, name, broken, mapped.at_ns, edge.seq, boot_id, mapped.uncertainty_ns)]


def _must_request(boot: _PicoBoot, now_ns: int) -> bool:
    """Whether to request edges: at a connect, and while some are missing, unless the answer may be on its way."""
    return boot.requested_ns is None or (boot.newest > boot.have and now_ns - boot.requested_ns > REQUEST_AGAIN_NS)


_LINES = {"Q": (2,), "E": (4,), "H": (2, 3)}  # word -> how many numbers after the boot
