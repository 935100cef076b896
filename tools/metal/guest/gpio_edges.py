"""Scenario gpio: our driver on a chip of the kernel, an edge at a time and in pulses too short for the kernel to look.

Runs with the installed product's Python. Each stamp must lie inside the call that pulled the line.
"""

import itertools
import statistics
import time

from shared.clock import SystemClock
from station.core.inputs import Edge
from station.gates.gpio.gate import GpioGate
from tools.metal.guest.checks import check, until
from tools.metal.guest.simulated_gpio import SimulatedGpio, pretend_to_be_a_pi

EDGES = 1000
PULSES = 200
WIDTHS_US = (1000, 200, 0)
LINE = 22  # used by no other scenario
SETTLE_S = 1.0


def edges_of(gate: GpioGate, got: list[Edge], chip: SimulatedGpio) -> None:
    """1,000 edges: none lost, none twice, each stamped while the line was being pulled."""
    calls = []
    for _ in range(EDGES // 2):
        for high in (False, True):
            calls.append(chip.pull(LINE, high))
            # irq_sim forgets an edge whose one before was not handled yet, as no chip does: one at a time.
            until(lambda: len(got) == len(calls) or None, SETTLE_S, 0.001)
    check("edges that arrived", len(got) == EDGES, f"{len(got)} of {EDGES}, {gate.health().lost} said as lost")
    late_us = [(edge.at_ns - began_ns) / 1000 for (began_ns, _), edge in zip(calls, got, strict=False)]
    inside = sum(began_ns <= edge.at_ns <= ended_ns for (began_ns, ended_ns), edge in zip(calls, got, strict=False))
    check("stamps inside the call that pulled the line", inside == EDGES, f"{inside} of {EDGES}")
    if late_us:
        seen = f"median {statistics.median(late_us):.0f} us, at most {max(late_us):.0f} us"
        check("stamp after the call began", min(late_us) >= 0, seen)


def wait_for_release(gate: GpioGate, got: list[Edge], before: int) -> None:
    """Until the pulse has come and is over: its end has arrived, or the gate has ended it, as the station asks it to.

    On a machine that is busy the kernel's thread may run much later than the pulse: another pulse by then would be one
    with it in the kernel, whoever reads.
    """

    def is_over() -> bool | None:
        gate.health()
        return (len(got) > before and not got[-1].broken) or None

    until(is_over, SETTLE_S, 0.001)


def pulses_of(gate: GpioGate, got: list[Edge], chip: SimulatedGpio, width_us: int) -> None:
    """Short pulses: each must be broken at its own beginning, whatever level the kernel read."""
    begun, lost, interrupts = len(got), gate.health().lost, chip.interrupts(LINE)
    windows = []
    for _ in range(PULSES):
        before = len(got)
        began_ns, _ = chip.pull(LINE, high=False)
        end_s = time.perf_counter() + width_us / 1e6
        while time.perf_counter() < end_s:
            pass
        windows.append((began_ns, chip.pull(LINE, high=True)[1]))
        wait_for_release(gate, got, before)
    edges = got[begun:]
    breaks = [edge.at_ns for edge in edges if edge.broken]
    found = sum(any(began <= at_ns <= ended for at_ns in breaks) for began, ended in windows)
    edge_gaps = [b.at_ns - a.at_ns for a, b in itertools.pairwise(edges)]
    merged = sum(not gap for gap in edge_gaps)
    said = f"{found} of {PULSES} begin at their own time; {chip.interrupts(LINE) - interrupts} interrupts, "
    said += f"{len(edges)} edges, {merged} ends merged by the kernel, "
    check(f"pulses of {width_us} us", found == PULSES, f"{said}{gate.health().lost - lost} said as lost")
    check(
        f"order of the stamps, {width_us} us", all(gap >= 0 for gap in edge_gaps), f"{len(edges)} edges, none backwards"
    )


def main() -> None:
    pretend_to_be_a_pi()
    chip = SimulatedGpio()
    chip.pull(LINE, high=True)
    number = int(chip.name.removeprefix("gpiochip"))
    gate = GpioGate("start", ("front",), {"pins": [LINE], "chip": number}, SystemClock())
    got: list[Edge] = []
    gate.start({}, got.append)
    time.sleep(SETTLE_S)
    check("the gate listens", gate.health().alive, gate.health().sentence)
    edges_of(gate, got, chip)
    for width_us in WIDTHS_US:
        pulses_of(gate, got, chip, width_us)
    gate.close()


if __name__ == "__main__":
    main()
