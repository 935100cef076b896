"""`raceday gate sync-check`: the two-pulse test of all gates (station/core/timing/two_pulses.py), from a terminal."""

import argparse
import queue
import time
from collections.abc import Callable, Mapping

from shared.chosen_config import add_config_option, chosen_config
from shared.clock import build_clock
from shared.config import load
from shared.errors import ConfigError, HardwareMissing, RetryLater
from station.build import build_gates
from station.config import StationConfig
from station.core.inputs import Edge
from station.core.timing.two_pulses import PAUSE_S, SAME_PULSE_S, compare
from station.gates.driver import GateDriver

PULSE_TIMEOUT_S = 180.0


def main(arguments: list[str]) -> int:
    """`raceday gate sync-check`: 0 if all gates agree, 1 if one does not. Raises OperatorError, RetryLater."""
    parser = argparse.ArgumentParser(prog="raceday gate sync-check", description="The two-pulse test of all gates.")
    add_config_option(parser, "station.toml")
    parser.add_argument("--pause", type=float, default=PAUSE_S, metavar="S", help="minimum time between the pulses")
    parser.add_argument(
        "--timeout", type=float, default=PULSE_TIMEOUT_S, metavar="S", help="how long to wait for a pulse"
    )
    options = parser.parse_args(arguments)
    path = chosen_config(options.config, "station.toml", may_be_root=True)
    config = load(path, StationConfig)
    if len(config.gate) < 2:
        raise ConfigError(f"{path}: names one gate; the two-pulse test compares gates with each other.")
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
