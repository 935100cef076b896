"""Turns a decoder's facts into the gate's edges: which boot, which number, which sensor. No I/O and no clock.

Laps are timed by the decoder's clock: an edge's boot is `device:<id>:<session>.<epoch>`, and a restart or a jump of
the device's clock begins a new epoch, so that no lap ever spans it. What the device does not stamp gets the station's
stamp and boot. Called by gate.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.text import text
from station.core.attribution.transponder_ids import plain_id
from station.core.inputs import Edge, GateNote
from station.gates.decoders.clock_jumps import ClockJumpDetector
from station.gates.decoders.decoder import (
    LAST_NS,
    NEW_EPOCH,
    Decoded,
    DeviceEdge,
    DeviceMessage,
    Gap,
    Passing,
    StatusReport,
)

PHOTOCELLS = frozenset({"9991", "9992"})  # a decoder's own inputs (P3): a beam, and no car's transponder


@dataclass(frozen=True, slots=True)
class Wiring:
    """What counts at this gate. `wired`: the device's input, loop or id -> the gate's sensor ("": none).

    `only`: the transponders that count; empty: all. `decoder`: the id of the one decoder that counts, if the line
    carries several; "": all of them.
    """

    sensors: tuple[str, ...]
    wired: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    decoder: str = ""

    def counts(self, passing: Passing) -> bool:
        """Whether the passing counts at this gate, and was not sent before."""
        return not passing.repeat and (not self.only or plain_id(passing.transponder) in map(plain_id, self.only))

    def sensor(self, place: str, device: str) -> str:
        """The gate's sensor for an input or loop (`place`) of the device; "": the place is not at this gate.

        One that is not wired is the sensor of the same name, else the first sensor.
        """
        named = self.wired.get(place, self.wired.get(device))
        return named if named is not None else (place if place in self.sensors else self.sensors[0])


@dataclass(slots=True)
class _DeviceEpochs:
    """One decoder's boot id, and the epochs of its clock."""

    boot: str
    clock_jumps: ClockJumpDetector


class EdgeStamper:
    """Numbers one gate's edges, and gives them their boots. `session` names this start of the driver.

    `own_boot`: the station's boot; `allowed_ns`: as in `ClockJumpDetector`.
    """

    def __init__(self, gate: str, wiring: Wiring, session: str, own_boot: str, allowed_ns: int) -> None:
        self._gate, self._wiring, self._session, self._own_boot = gate, wiring, session, own_boot
        self._allowed_ns = allowed_ns
        self._seq: dict[str, int] = {}
        self._devices: dict[str, _DeviceEpochs] = {}
        self._gaps: list[Gap] = []  # they stand before the fact that showed them, which names the device
        self._notes: list[GateNote] = []
        self._beyond = False  # the last time was one that no clock shows
        self.lost = 0
        self.last_ns: int | None = None
        self.status: StatusReport | None = None
        self.gap: Gap | None = None

    def begin(self, after: Mapping[str, int]) -> None:
        """Continues the numbers after those that the station has stored (`after[boot]`).

        There can only be some of the station's own boot, since each start of the driver has new device boots.
        """
        self._seq = dict(after)

    def edges(self, facts: list[Decoded], read_ns: int, backlog: bool = False) -> list[Edge]:
        """The edges of these facts, in order. `backlog`: they may have waited in the device for a long time."""
        return [edge for fact in facts for edge in self._on_fact(fact, read_ns, backlog)]

    def new_notes(self) -> list[GateNote]:
        """The notes for the journal since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _on_fact(self, fact: Decoded, read_ns: int, backlog: bool) -> list[Edge]:
        if isinstance(fact, Gap):
            self._gaps.append(fact)
            return []
        gaps, self._gaps = self._gaps, []
        if self._wiring.decoder not in ("", fact.decoder):
            return []
        for gap in gaps:
            self._on_gap(gap, fact.decoder)
        if isinstance(fact, StatusReport):
            self.status = fact
        if isinstance(fact, StatusReport | DeviceMessage) or (
            isinstance(fact, Passing) and not self._wiring.counts(fact)
        ):
            return []
        return self._to_edges(fact, read_ns, backlog)

    def _to_edges(self, fact: Passing | DeviceEdge, read_ns: int, backlog: bool) -> list[Edge]:
        transponder = ""
        match fact:
            case Passing():
                place, broken, impulse = fact.loop, True, True
                transponder = "" if fact.transponder in PHOTOCELLS else fact.transponder
            case DeviceEdge():
                place, broken, impulse = fact.sensor, fact.broken, fact.impulse
        sensor = self._wiring.sensor(place, fact.decoder)
        if not sensor:
            return []
        boot, at_ns = self._own_boot, read_ns
        if fact.device_time_ns is not None:
            at_ns = fact.device_time_ns
            if not self._is_time(at_ns, fact.decoder):
                return []
            boot = self._boot(fact.decoder, at_ns, read_ns, backlog)
        edges = [self._numbered(sensor, broken, at_ns, boot, transponder)]
        # The release is not sent: without one, the gate's other sensors would wait for it, and on our own clock the
        # beam would count as stuck.
        if broken and impulse and (len(self._wiring.sensors) > 1 or boot == self._own_boot):
            edges.append(self._numbered(sensor, False, at_ns, boot, transponder))
        return edges

    def _is_time(self, at_ns: int, device: str) -> bool:
        """Whether a clock can show this time. The first of those that none can is noted: they make no edges."""
        was, self._beyond = self._beyond, not -LAST_NS <= at_ns <= LAST_NS
        if self._beyond and not was:
            sentence = text("The decoder sent a time that no clock shows: passings with such times are not counted.")
            known = self._device(device)
            self._add_note(Gap("clock_jump", sentence), f"{known.boot}.{known.clock_jumps.epoch}")
        return not self._beyond

    def _boot(self, device: str, at_ns: int, read_ns: int, backlog: bool) -> str:
        known = self._device(device)
        checked = known.clock_jumps.check(at_ns, read_ns, backlog)
        boot = f"{known.boot}.{checked.epoch}"
        if checked.gap is not None:
            self._add_note(checked.gap, boot)
        return boot

    def _device(self, device: str) -> _DeviceEpochs:
        if device not in self._devices:
            boot = f"device:{device or self._gate}:{self._session}"
            self._devices[device] = _DeviceEpochs(boot, ClockJumpDetector(self._allowed_ns))
        return self._devices[device]

    def _numbered(self, sensor: str, broken: bool, at_ns: int, boot: str, transponder: str) -> Edge:
        seq = self._seq[boot] = self._seq.get(boot, 0) + 1
        self.last_ns = at_ns
        return Edge(self._gate, sensor, broken, at_ns, seq, boot, transponder=transponder)

    def _on_gap(self, gap: Gap, device: str) -> None:
        known = self._device(device)
        if gap.kind in NEW_EPOCH:
            known.clock_jumps.begin()
        self.lost += gap.missing
        # A number that is left out is how the core learns of a loss.
        boot = f"{known.boot}.{known.clock_jumps.epoch}"
        self._add_note(gap, boot)
        if gap.missing and boot in self._seq:
            self._seq[boot] += gap.missing

    def _add_note(self, gap: Gap, boot: str) -> None:
        self.gap = gap
        self._notes.append(GateNote(self._gate, gap.kind, gap.sentence, gap.missing, boot))
