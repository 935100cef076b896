"""Decoders in figures: the bytes of each protocol, who passed when by the device, and the gate's edges made of it.

The bytes are in the recorded document itself, so that these figures need nothing from other tests.
"""

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from station.core.facts import Crossing
from station.core.inputs import GateSpec
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.decoders.catalog import decoder
from station.gates.decoders.decoder import NEW_EPOCH, Decoded, DeviceEdge, DeviceMessage, Gap, Passing, StatusReport
from station.gates.decoders.edge_stamper import EdgeStamper, Wiring

Document = dict[str, Any]
S = 1_000_000_000
HEARD_FROM_NS, HEARD_EACH_NS = 100 * S, S // 10


def frames_figures(_folder: pathlib.Path, recorded: Document) -> Document:
    """The figures of each protocol's recorded frames."""
    return {protocol: _decoded(protocol, frames["sent"]) for protocol, frames in recorded.items()}


def capture_figures(path: pathlib.Path) -> Callable[[pathlib.Path, Document], Document]:
    """The figures of a recording of a real P3 decoder, one frame per line."""

    def case(_folder: pathlib.Path, _recorded: Document) -> Document:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        figures = _decoded("p3", lines)
        del figures["sent"]
        return figures

    return case


def _decoded(protocol: str, sent: list[str]) -> Document:
    device = decoder(protocol)
    stamps, gate = (
        EdgeStamper("start", Wiring(("loop",)), "session", "station", S),
        Gate(GateSpec("start", ("loop",)), CrossingCounter()),
    )
    rows: list[Document] = []
    edges: list[Document] = []
    crossings: list[Document] = []
    for number, text in enumerate(sent):
        facts = device.feed(bytes.fromhex(text))
        rows += [_row(fact) for fact in facts]
        for edge in stamps.edges(facts, HEARD_FROM_NS + number * HEARD_EACH_NS):
            epoch = edge.boot.rpartition(".")[2] if "." in edge.boot else ""
            seen = {"id": edge.transponder, "at_ns": edge.at_ns, "number": edge.seq, "epoch": epoch}
            edges.append(seen | {"broken": edge.broken})
            crossings += _crossings(gate.handle(edge))
    counts = device.counts
    return {
        "sent": sent,
        "decoded": rows,
        "edges": edges,
        "crossings": crossings,
        "good_frames": counts.frames,
        "bad_frames": counts.bad_crc + counts.bad_length + counts.bad_fields,
        "dropped_bytes": counts.resynced_bytes,
        "lost": stamps.lost,
    }


def _crossings(facts: Iterable[object]) -> list[Document]:
    return [{"id": fact.transponder, "at_ns": fact.at_ns} for fact in facts if isinstance(fact, Crossing)]


def _row(fact: Decoded) -> Document:
    match fact:
        case Passing():
            numbers = {"number": fact.number, "strength": fact.strength, "hits": fact.hits, "repeat": fact.repeat}
            return {"id": fact.transponder, "time_ns": fact.device_time_ns} | _filled(numbers)
        case DeviceEdge():
            return {"input": fact.sensor, "broken": fact.broken, "time_ns": fact.device_time_ns} | _filled(
                {"number": fact.number}
            )
        case StatusReport():
            readings = {"noise": fact.noise, "voltage_mv": fact.voltage_mv, "temperature_c": fact.temperature_c}
            return {"status": True} | _filled({"time_ns": fact.device_time_ns, **readings})
        case DeviceMessage():
            return {"other": fact.text}
        case Gap():
            return {"gap": fact.missing, "times_begin_anew": fact.kind in NEW_EPOCH}


def _filled(members: Document) -> Document:
    return {name: value for name, value in members.items() if value}
