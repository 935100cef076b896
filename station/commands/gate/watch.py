"""`raceday gate watch`: shows each edge and passing as it arrives, and each gate's health.

It watches the gates of a station's config (stop the station first: a port has one reader), or one decoder on a port.
For a gate with several sensors, each pass also shows how they are arranged, and which `layout` to set.
"""

import argparse
import pathlib
import queue
import sys
import time
from collections.abc import Callable, Mapping

from shared.clock import SystemClock, build_clock
from shared.config import load
from shared.errors import ConfigError
from station.build import build_gates, gate_spec
from station.commands.gate.decode import KINDS, fact_fields
from station.config import StationConfig
from station.core.inputs import Edge, GateNote, GateSpec
from station.core.timing.gate import CrossingCounter, Gate
from station.core.timing.sensor_layout import describe_passes
from station.gates.decoders.decoder import Decoded, Gap, StatusReport
from station.gates.decoders.gate import DecoderGate
from station.gates.driver import GateDriver, GateOutput

HEALTH_S = 5.0
REFRESH_S = 0.25


def main(arguments: list[str]) -> int:
    """The command; shows lines until Ctrl-C or the end of the time. Raises OperatorError."""
    parser = argparse.ArgumentParser(prog="raceday gate watch", description="Shows a gate at work.")
    parser.add_argument("--config", type=pathlib.Path, metavar="FILE", help="watch the gates of this station's config")
    parser.add_argument("--protocol", metavar="P", help="with DEVICE: watch one decoder")
    parser.add_argument("--baud", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after this time")
    parser.add_argument("device", nargs="?", metavar="DEVICE")
    options = parser.parse_args(arguments)
    trials: dict[str, LayoutTrial] = {}
    if options.config is not None:
        gates, trials = _configured(options.config)
    elif options.protocol and options.device:
        gates = {"gate": _one(options.protocol, options.device, options.baud)}
    else:
        raise ConfigError("name a station's config (--config FILE), or a decoder (--protocol P DEVICE).")
    watch(gates, time.monotonic() + options.seconds if options.seconds else None, trials)
    return 0


class LayoutTrial:
    """The passes of one gate, evaluated by the core as in the station; `line_for` is called on the gate's thread."""

    def __init__(self, spec: GateSpec) -> None:
        self._gate = Gate(spec, CrossingCounter())
        self._last_line = ""

    def line_for(self, output: GateOutput) -> str:
        """A line on how the sensors are arranged, by the passes so far; "" if it is the same as before."""
        if isinstance(output, GateNote):
            return ""
        self._gate.handle(output)
        passes = self._gate.arrangement.passes
        now = describe_passes(self._gate.spec, passes) if passes else ""
        if now == self._last_line:
            return ""
        self._last_line = now
        return f"\n[{self._gate.spec.name}] {now}"


def watch(
    gates: Mapping[str, GateDriver], until_s: float | None, trials: Mapping[str, LayoutTrial] | None = None
) -> None:
    """Prints lines until `until_s` (monotonic; None: without end). `trials`: by gate name. Raises HardwareMissing."""
    trials = trials or {}
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    last: dict[tuple[str, str], int] = {}
    health = HealthLines(gates)
    try:
        for name, gate in gates.items():
            if isinstance(gate, DecoderGate):
                gate.subscribe(lambda facts: lines.put("\n".join(facts_lines(facts))))
            gate.start({}, _printing(lines, last, trials.get(name)))
        while until_s is None or time.monotonic() < until_s:
            try:
                line = lines.get(timeout=REFRESH_S if until_s is None else _left(until_s))
                sys.stdout.write(f"{line}\n" if line else "")
            except queue.Empty:
                pass  # nothing passed; the health may still have changed
            sys.stdout.writelines(health.due(time.monotonic()))
            sys.stdout.flush()
    finally:
        for gate in gates.values():
            gate.close()


def event_line(output: GateOutput, last: dict[tuple[str, str], int]) -> str:
    """An edge or a driver's note, as one line; `last`: see `edge_line`."""
    return edge_line(output, last) if isinstance(output, Edge) else f"{output.gate} note: {output.sentence}"


class HealthLines:
    """The health of each gate: at once when it becomes ready or not ready, otherwise every few seconds."""

    def __init__(self, gates: Mapping[str, GateDriver]) -> None:
        self._gates = gates
        self._alive: dict[str, bool] = {}
        self._due_s = 0.0

    def due(self, now_s: float) -> list[str]:
        """The lines that are due at `now_s` (monotonic seconds)."""
        due, lines = now_s >= self._due_s, []
        for name, gate in self._gates.items():
            alive = gate.health().alive
            if due or self._alive.get(name) != alive:
                lines.append(health_line(name, gate) + "\n")
            self._alive[name] = alive
        if due:
            self._due_s = now_s + HEALTH_S
        return lines


def edge_line(edge: Edge, last: dict[tuple[str, str], int]) -> str:
    """The edge, and the time since the last one that broke the same gate, on the same clock.

    `last`: that edge's stamp in ns by (gate, boot); it is updated.
    """
    since = ""
    if edge.broken:
        key = (edge.gate, edge.boot)
        since = f"  +{(edge.at_ns - last[key]) / 1e9:.6f} s" if key in last else ""
        last[key] = edge.at_ns
    what = "broken" if edge.broken else "free"
    return f"{edge.gate} {edge.sensor} {what} at {edge.at_ns / 1e9:.6f} s, no. {edge.seq} of {edge.boot}{since}"


def facts_lines(facts: list[Decoded]) -> list[str]:
    """One line for each fact of a decoder, except its status, which is part of the health."""
    return [f"  {_words(fact)}" for fact in facts if not isinstance(fact, StatusReport)]


def health_line(name: str, gate: GateDriver) -> str:
    """Whether the gate is ready, its driver's sentence and its counts, in one line."""
    health = gate.health()
    state = "ready" if health.alive else "NOT READY"
    return f"[{name}: {state}] {health.sentence} {health.edges} edges, {health.lost} lost."


def _words(fact: Decoded) -> str:
    if isinstance(fact, Gap):
        return fact.sentence
    fields = {key: value for key, value in fact_fields(fact).items() if value not in (0, False)}
    at_ns = fields.pop("device_time_ns", None)
    seconds = f" at {at_ns / 1e9:.6f} s:" if at_ns is not None else ":"
    return f"{KINDS[type(fact).__name__]}{seconds} " + ", ".join(f"{key} {value}" for key, value in fields.items())


def _printing(
    lines: "queue.SimpleQueue[str]", last: dict[tuple[str, str], int], trial: LayoutTrial | None
) -> Callable[[GateOutput], None]:
    """The callback for one gate: it queues a line for each output."""
    return lambda output: lines.put(event_line(output, last) + (trial.line_for(output) if trial is not None else ""))


def _left(until_s: float) -> float:
    return min(REFRESH_S, max(0.0, until_s - time.monotonic()))


def _configured(path: pathlib.Path) -> tuple[dict[str, GateDriver], dict[str, LayoutTrial]]:
    config = load(path, StationConfig)
    trials = {gate.name: LayoutTrial(gate_spec(gate)) for gate in config.gate if len(gate.sensors) > 1}
    return build_gates(config, build_clock(config.clock)), trials


def _one(protocol: str, device: str, baud: int) -> DecoderGate:
    return DecoderGate("gate", ("loop",), {"protocol": protocol, "url": device, "baud": baud}, SystemClock())
