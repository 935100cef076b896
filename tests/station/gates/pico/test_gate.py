"""The Pico driver on a pseudo-terminal, against a simulated Pico with faults in real time."""

import contextlib
import os
import pathlib
import queue
import time
from collections.abc import Callable, Iterator

import pytest

from shared.clock import SystemClock
from shared.drivers import find
from shared.errors import ConfigError, HardwareMissing
from shared.process.descriptors import raise_limit
from simulator.pico.pico import LineFaults, PicoOnPty
from station.gates.driver import Edge, GateDriver, GateOutput
from station.gates.pico.gate import PicoGate

FD_SETSIZE = 1024


@pytest.fixture
def pico() -> Iterator[PicoOnPty]:
    made = PicoOnPty(LineFaults(loss=0.0005), 7, time.monotonic_ns)
    yield made
    made.close()


def gate(path: str, sensors: tuple[str, ...] = ("front", "rear")) -> PicoGate:
    return PicoGate("start", sensors, {"port": path}, SystemClock())


def until(
    condition: Callable[[], bool], outputs: "queue.SimpleQueue[GateOutput]", timeout_s: float = 30.0
) -> list[Edge]:
    """The edges that come until the condition is true; waits on their queue, and skips notes of lost bytes."""
    edges: list[Edge] = []
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        try:
            edges += [output for output in [outputs.get(timeout=0.05)] if isinstance(output, Edge)]
        except queue.Empty:
            continue
    assert condition()
    return edges


def queued(outputs: "queue.SimpleQueue[GateOutput]") -> list[Edge]:
    """The edges that are already in the queue."""
    return [output for output in [outputs.get_nowait() for _ in range(outputs.qsize())] if isinstance(output, Edge)]


def edges_of(outputs: "queue.SimpleQueue[GateOutput]", count: int) -> list[Edge]:
    """So many edges, and what else is in the queue once they are there."""
    edges: list[Edge] = []
    while len(edges) < count:
        edges += [output for output in [outputs.get(timeout=30)] if isinstance(output, Edge)]
    return edges + queued(outputs)


def test_it_is_found_by_name_and_is_a_driver() -> None:
    driver: GateDriver = find("raceday.gates", "pico")("start", ("beam",), {"port": "/dev/nothing"}, SystemClock())
    assert driver.health().alive is False
    driver.start({}, lambda _edge: None)
    until(lambda: driver.health().absent, queue.SimpleQueue())
    assert "/dev/nothing does not open" in driver.health().sentence
    assert "plug the Pico in" in driver.health().sentence
    driver.close()
    with pytest.raises(HardwareMissing, match="closed"):
        driver.start({}, lambda _edge: None)


@pytest.mark.parametrize(
    ("sensors", "options", "sentence"),
    [
        (("a", "b", "c", "d", "e"), {"port": "x"}, "4 sensors at most"),
        (("a",), {}, "`port` is missing"),
        (("a",), {"port": "x", "broken": "half"}, "allowed are low, high"),
    ],
)
def test_wrong_settings(sensors: tuple[str, ...], options: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        PicoGate("start", sensors, options, SystemClock())


def test_a_gate_that_does_not_answer_is_not_alive() -> None:
    made = gate("loop://")
    made.start({}, lambda _edge: None)
    health = made.health()
    assert (health.alive, "does not answer" in health.sentence) == (False, True)
    made.close()


def test_a_port_beyond_what_select_can_wait_for_is_told_and_tried_again(pico: PicoOnPty) -> None:
    made = gate(pico.path)
    if raise_limit() <= FD_SETSIZE:
        pytest.skip("this process may not open so many files")
    with contextlib.ExitStack() as others:
        while others.enter_context(pathlib.Path(os.devnull).open("rb")).fileno() < FD_SETSIZE:
            pass
        made.start({}, lambda _said: None)
        until(lambda: "out of range in select" in made.health().sentence, queue.SimpleQueue())
        assert not made.health().alive
    until(lambda: made.health().uncertainty_ns is not None, queue.SimpleQueue())
    made.close()


@pytest.mark.slow
def test_edges_over_a_cruel_line_a_reset_and_a_restart(pico: PicoOnPty) -> None:
    with contextlib.closing(gate(pico.path)) as made, contextlib.closing(gate(pico.path)) as again:
        _check_a_reset_and_a_restart(pico, made, again)


def _check_a_reset_and_a_restart(pico: PicoOnPty, made: PicoGate, again: PicoGate) -> None:
    outputs = queue.SimpleQueue[GateOutput]()
    made.start({}, outputs.put)
    early = [pico.edge(0, 0), pico.edge(0, 1)]
    edges = edges_of(outputs, 2)
    assert made.health().edges == 2
    assert [edge.seq for edge in edges] == [1, 2]
    assert all(abs(edge.at_ns - true_ns) <= edge.uncertainty_ns for edge, true_ns in zip(edges, early, strict=True))
    health = made.health()
    assert health.alive
    assert health.uncertainty_ns is not None
    assert health.drift_ppb is not None
    made.close()
    true_ns = pico.edge(1, 0)  # the station does not listen, but the gate stores its edges
    again.start({edges[-1].boot: 2}, outputs.put)
    edges = edges_of(outputs, 1)
    assert again.health().edges == 1
    assert [(edge.sensor, edge.seq) for edge in edges] == [("rear", 3)]
    assert abs(edges[0].at_ns - true_ns) <= edges[0].uncertainty_ns
    pico.reset()
    pico.edge(0, 0)
    until(lambda: again.health().edges == 2, outputs)
    assert "reset, 1 so far" in again.health().sentence
