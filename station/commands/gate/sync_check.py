"""The two-pulse test: one contact, wired to every gate, is closed once, and again a minute later.

The intervals that any two gates measure must agree within 1 ms, or the test is repeated (as the FIS Timing Booklet
requires of systems A and B). Only intervals are compared, so each gate may have a clock of its own; a clock that is 17
ppm off fails over a minute.
"""

import argparse
import pathlib
import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.clock import build_clock
from shared.config import load
from shared.errors import ConfigError, HardwareMissing, RetryLater
from station.build import build_gates
from station.config import StationConfig
from station.core.inputs import Edge
from station.gates.driver import GateDriver

AGREE_NS = 1_000_000
PAUSE_S = 60.0
SAME_PULSE_S = 2.0
PULSE_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True)
class GateInterval:
    """One gate's interval between the pulses, and how far it is off from the gate that differs most.

    `why`: why the gate fails; "" if it agrees with all others.
    """

    gate: str
    interval_ns: int | None
    off_ns: int | None
    why: str = ""


def compare(first: Mapping[str, Edge], second: Mapping[str, Edge], gates: tuple[str, ...]) -> list[GateInterval]:
    """Compares each gate's interval with that of every other gate. Pure.

    `first` and `second`: gate name to its edge of that pulse. Returns one entry for each of `gates`, in order.
    """
    intervals = {gate: _interval(first.get(gate), second.get(gate)) for gate in gates}
    known = {gate: ns for gate, ns in intervals.items() if ns is not None}
    return [_line(gate, known, gate in first) for gate in gates]


def _interval(before: Edge | None, after: Edge | None) -> int | None:
    if before is None or after is None or before.boot != after.boot:
        return None
    return after.at_ns - before.at_ns


def _line(gate: str, known: Mapping[str, int], had_first: bool) -> GateInterval:
    interval_ns = known.get(gate)
    if interval_ns is None:
        which = (
            "second pulse was not seen, or its clock was set in between" if had_first else "first pulse was not seen"
        )
        return GateInterval(gate, None, None, f"the {which}")
    off_ns, other = max(((interval_ns - ns, name) for name, ns in known.items()), key=lambda off: abs(off[0]))
    why = "" if abs(off_ns) <= AGREE_NS else f"off by {off_ns / 1e6:.3f} ms from {other}, 1 ms is allowed"
    return GateInterval(gate, interval_ns, off_ns, why)


def main(arguments: list[str]) -> int:
    """`raceday gate sync-check`: 0 if all gates agree, 1 if one does not. Raises OperatorError, RetryLater."""
    parser = argparse.ArgumentParser(prog="raceday gate sync-check", description="The two-pulse test of all gates.")
    parser.add_argument("--config", type=pathlib.Path, default=pathlib.Path("config/station.toml"), metavar="FILE")
    parser.add_argument("--pause", type=float, default=PAUSE_S, metavar="S", help="minimum time between the pulses")
    parser.add_argument(
        "--timeout", type=float, default=PULSE_TIMEOUT_S, metavar="S", help="how long to wait for a pulse"
    )
    options = parser.parse_args(arguments)
    config = load(options.config, StationConfig)
    if len(config.gate) < 2:
        raise ConfigError(f"{options.config}: names one gate; the two-pulse test compares gates with each other.")
    drivers = build_gates(config, build_clock(config.clock))
    return run(drivers, options.pause, options.timeout, lambda text: print(text, flush=True))


def run(drivers: Mapping[str, GateDriver], pause_s: float, timeout_s: float, report: Callable[[str], None]) -> int:
    """Waits for both pulses at all gates and reports whether they agree; returns the exit code.

    Raises HardwareMissing, RetryLater.
    """
    edges: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    try:
        for driver in drivers.values():
            driver.start({}, lambda output: edges.put(output) if isinstance(output, Edge) else None)
        if absent := next((health for each in drivers.values() if (health := each.health()).absent), None):
            raise HardwareMissing(absent.sentence)
        report(f"close the contact on {', '.join(drivers)} now")
        first, at_s = _pulse(edges, tuple(drivers), timeout_s, 0.0)
        report(f"the first pulse reached {len(first)} of {len(drivers)} gates; close it again in {pause_s:g} s")
        second, _ = _pulse(edges, tuple(drivers), pause_s + timeout_s, at_s + pause_s)
    finally:
        for driver in drivers.values():
            driver.close()
    lines = compare(first, second, tuple(drivers))
    for line in lines:
        interval = "-" if line.interval_ns is None else f"{line.interval_ns / 1e9:.6f} s"
        report(f"  {line.gate:<16} {interval:>14}  {line.why or 'agrees'}")
    failed = [line.gate for line in lines if line.why]
    report(
        f"FAILED at {', '.join(failed)}: check cable and clock, and repeat the test" if failed else "all gates agree"
    )
    return 1 if failed else 0


def _pulse(
    edges: "queue.SimpleQueue[Edge]", gates: tuple[str, ...], timeout_s: float, not_before_s: float
) -> tuple[dict[str, Edge], float]:
    """The first edge of each gate, all within two seconds, and when the first one came (s, monotonic).

    Edges before `not_before_s` are ignored. Raises RetryLater if none comes.
    """
    edge_by_gate: dict[str, Edge] = {}
    give_up_s, began_s = time.monotonic() + timeout_s, 0.0
    while len(edge_by_gate) < len(gates):
        try:
            edge = edges.get(timeout=max(0.001, give_up_s - time.monotonic()))
        except queue.Empty:
            break
        now_s = time.monotonic()
        if not edge.broken or now_s < not_before_s:
            continue
        if not edge_by_gate:
            began_s, give_up_s = now_s, now_s + SAME_PULSE_S
        edge_by_gate.setdefault(edge.gate, edge)
    if not edge_by_gate:
        raise RetryLater(f"No pulse came within {timeout_s:g} s: is the contact wired to the gates?")
    return edge_by_gate, began_s
