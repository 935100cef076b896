"""The Pico's firmware on MicroPython itself (WebAssembly, on the Node that Playwright brings), against the driver."""

import os
import pathlib
import queue
import subprocess
import sys
import tty
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright._impl._driver import compute_driver_executable

from shared.clock import SystemClock
from station.core.inputs import Edge
from station.gates.driver import GateOutput
from station.gates.pico.firmware import gatewire
from station.gates.pico.gate import PicoGate

HERE = pathlib.Path(__file__).parent
MICROPYTHON = HERE.parents[2] / "assets" / "micropython"
FIRMWARE = pathlib.Path(gatewire.__file__).parent
EDGES = 40
PINS = {2: "a", 3: "b", 4: "c", 5: "d"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SCRIPT = """
import gatewire
lines, counter, gate = gatewire.CheckedLineReader(), gatewire.Counter(30), gatewire.GateFirmware("0badcafe", 8)
print(gatewire.crc16(b"123456789"), gatewire.pack("E", "boot", 1, 0, 1, 2**40))
print(lines.feed(b"noise\\xff\\n" + gatewire.pack("P", 7) + b"E b 1 *0000\\n" + gatewire.pack("R", "-", 0)[:5]))
print(lines.feed(b"x" * 300), lines.dropped_bytes, lines.bad_lines)
print([counter.extend(ticks) for ticks in (2**30 - 5, 3, 2**30 - 2, 900, 2**29, 2**30 - 1, 4)])
print(gate.next_edges(), gate.heartbeat())
for number in range(20):
    gate.edge(number * 1000, number % 4, number & 1)
print(gate.on_data(gatewire.pack("P", 1) + gatewire.pack("R", "another", 5), 123), gate.next_edges(), gate.next_edges())
print(gate.on_data(gatewire.pack("R", "0badcafe", 19), 124), gate.next_edges())
print([gatewire.unpack(line) for line in (gatewire.pack("P", 1)[:-1] + b"\\r", b"", b" *FFFF")])
"""


@dataclass(frozen=True, slots=True)
class Board:
    """A running board: its port, and the file with what truly happened."""

    port: str
    truth: pathlib.Path


def command(*more: str) -> list[str]:
    node = compute_driver_executable()[0]
    return [str(node), str(HERE / "board.mjs"), str(MICROPYTHON), str(FIRMWARE), *more]


@pytest.fixture
def board(tmp_path: pathlib.Path) -> Iterator[Board]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    truth = tmp_path / "truth"
    process = subprocess.Popen(command(str(truth)), stdin=ours, stdout=ours)
    try:
        yield Board(os.ttyname(theirs), truth)
    finally:
        process.kill()
        process.wait(10.0)
        os.close(ours)
        os.close(theirs)


def test_the_wire_says_the_same_on_both_pythons() -> None:
    there = subprocess.run(command(), input=SCRIPT, capture_output=True, text=True, check=True)
    here = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(FIRMWARE)}
    )
    assert there.stdout.splitlines() == here.stdout.splitlines()
    assert len(here.stdout.splitlines()) == 8


def test_edges_of_the_firmware_reach_the_station_within_what_is_stated(board: Board) -> None:
    """Edges are stamped right across a wrap of ticks_us, with a crystal that is 50 ppm off."""
    outputs: queue.SimpleQueue[GateOutput] = queue.SimpleQueue()
    gate = PicoGate("start", tuple(PINS.values()), {"port": board.port}, SystemClock())
    gate.start({}, outputs.put)
    try:
        edges: list[Edge] = []
        while len(edges) < EDGES:
            edges += [output for output in [outputs.get(timeout=60.0)] if isinstance(output, Edge)]
        health = gate.health()
    finally:
        gate.close()
    truth = [tuple(map(int, line.split())) for line in board.truth.read_text().splitlines()]
    assert [edge.seq for edge in edges] == list(range(1, EDGES + 1))
    for edge, (at_ns, pin, level) in zip(edges, truth, strict=False):
        assert (edge.sensor, edge.broken) == (PINS[pin], level == 0)
        assert abs(edge.at_ns - at_ns) <= edge.uncertainty_ns
    assert health.alive
    assert "its clock is known" in health.sentence
    assert (health.lost, health.dropped) == (0, 0)
    assert health.drift_ppb is not None
