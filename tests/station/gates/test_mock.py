"""The mock gate does what a driver must do, and is as strict as a device on a wire."""

import queue

import pytest

from shared.clock import ManualClock
from shared.drivers import find
from shared.errors import ConfigError, HardwareMissing, Refused
from station.gates.driver import Edge, GateDriver
from station.gates.mock import MockGate
from tests.station.gates.edges_only import edges_only

MS = 1_000_000


def gate(**options: object) -> tuple[MockGate, ManualClock]:
    clock = ManualClock(0)
    return MockGate("start", ("front", "rear"), dict(options), clock), clock


def test_it_is_found_by_name_and_is_a_driver() -> None:
    driver: GateDriver = find("raceday.gates", "mock")("start", ("beam",), {}, ManualClock())
    assert driver.health().alive is False


def test_edges_are_numbered_and_stamped_in_order() -> None:
    mock, clock = gate()
    edges: list[Edge] = []
    mock.start({}, edges_only(edges.append))
    clock.advance(5 * MS)
    mock.pass_by()
    assert [(e.sensor, e.broken, e.at_ns, e.seq, e.boot) for e in edges] == [
        ("front", True, 5 * MS, 1, "boot-0"),
        ("front", False, 125 * MS, 2, "boot-0"),
    ]
    health = mock.health()
    assert (health.alive, health.edges, health.last_edge_ns) == (True, 2, 125 * MS)


def test_what_the_station_has_not_kept_comes_again() -> None:
    mock, clock = gate()
    mock.start({}, lambda _edge: None)
    for _ in range(3):
        clock.advance(clock.now_ns() + 1000 * MS)
        mock.pass_by()
    mock.detach()
    edges: list[Edge] = []
    mock.start({"boot-0": 4}, edges_only(edges.append))
    assert [edge.seq for edge in edges] == [5, 6]


def test_it_remembers_only_so_many_and_nothing_over_a_reboot() -> None:
    mock, clock = gate(ring=2)
    for _ in range(3):
        clock.advance(clock.now_ns() + 1000 * MS)
        mock.pass_by()
    edges: list[Edge] = []
    mock.start({}, edges_only(edges.append))
    assert [edge.seq for edge in edges] == [5, 6]
    mock.reboot()
    clock.reboot("boot-1")
    mock.pass_by()
    assert (edges[-1].seq, edges[-1].boot) == (2, "boot-1")


def test_a_lost_edge_leaves_a_gap() -> None:
    mock, _ = gate()
    edges: list[Edge] = []
    mock.start({}, edges_only(edges.append))
    mock.edge("front", True)
    mock.lose()
    mock.edge("front", False)
    assert [edge.seq for edge in edges] == [1, 3]
    assert mock.health().lost == 1


def test_it_refuses_what_the_metal_refuses() -> None:
    mock, _ = gate()
    mock.edge("front", True, at_ns=9)
    with pytest.raises(Refused, match="has no sensor"):
        mock.edge("middle", True)
    with pytest.raises(Refused, match="backwards"):
        mock.edge("front", False, at_ns=8)
    mock.close()
    with pytest.raises(HardwareMissing, match="unplugged"):
        mock.start({}, lambda _edge: None)
    with pytest.raises(ConfigError, match="unknown key `rings`"):
        gate(rings=3)


def test_it_can_run_by_itself() -> None:
    mock, _ = gate(every_s=0.01, width_ms=1)
    queued: queue.SimpleQueue[Edge] = queue.SimpleQueue()
    mock.start({}, edges_only(queued.put))
    edges = [queued.get(timeout=30) for _ in range(4)]
    mock.close()
    assert [edge.broken for edge in edges] == [True, False, True, False]
