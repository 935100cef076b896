"""The Pico's session on virtual time against a simulated Pico with faults: every edge is delivered exactly once."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.pico.pico import MS, LineFaults, S
from simulator.pico.trial import PicoTrial, trial
from station.core.inputs import Edge
from station.gates.pico.firmware.gatewire import pack
from station.gates.pico.session import PicoSession, boot_name

CRUEL = LineFaults(loss=0.001)
PERFECT = LineFaults(latency_ms=0.0, drift_ppm=0.0, wander_ppm=0.0)


def rig(cruelty: LineFaults = PERFECT, seed: int = 1, at_ns: int = 100 * S) -> PicoTrial:
    return trial(cruelty, seed, at_ns)


def numbers(edges: list[Edge]) -> list[int]:
    return [edge.seq for edge in edges]


def test_edges_come_in_station_time_once_the_clock_is_known() -> None:
    bench = rig()
    bench.passes([102 * S, 120 * S])
    bench.run(105 * S)
    assert bench.edges == []
    assert bench.session.waiting == 2
    bench.run(125 * S)
    assert [(e.sensor, e.broken) for e in bench.edges] == [("front", True), ("front", False)] * 2
    for edge, at_ns in zip(bench.edges, (102 * S, 102 * S + 120 * MS, 120 * S, 120 * S + 120 * MS), strict=True):
        assert abs(edge.at_ns - at_ns) <= edge.uncertainty_ns <= 50_000
    assert numbers(bench.edges) == [1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_under_cruelty_every_edge_comes_once_and_within_what_is_stated(seed: int) -> None:
    bench, chance = rig(CRUEL, seed), random.Random(seed)
    times = [102 * S + number * 5 * S + chance.randrange(S) for number in range(30)]
    bench.passes(times, width_ns=1 * MS)
    bench.run(260 * S)
    broken = [edge for edge in bench.edges if edge.broken]
    assert numbers(bench.edges) == list(range(1, 61))
    errors = [abs(edge.at_ns - at_ns) for edge, at_ns in zip(broken, times, strict=True)]
    assert all(error <= edge.uncertainty_ns for error, edge in zip(errors, broken, strict=True))
    assert max(errors) <= 300_000
    assert bench.session.lost == 0
    assert bench.session.dropped_bytes > 0


def test_a_cut_line_is_made_up_for_from_the_ring() -> None:
    bench = rig(CRUEL)
    bench.passes([110 * S, 130 * S, 140 * S])
    bench.run(120 * S)
    bench.run(135 * S, connected=False)
    bench.session.connected(bench.now_ns)
    bench.run(150 * S)
    assert numbers(bench.edges) == [1, 2, 3, 4, 5, 6]
    assert abs(bench.edges[2].at_ns - 130 * S) <= bench.edges[2].uncertainty_ns


def test_what_the_station_has_kept_is_not_told_again_after_its_restart() -> None:
    bench = rig()
    bench.passes([110 * S, 130 * S])
    bench.run(120 * S)
    stored = bench.edges[0]
    for boot in ("boot-0", "boot-1"):  # the process, then the whole machine
        bench.edges.clear()
        bench.restart({stored.boot: stored.seq}, boot)
        bench.run(bench.now_ns + 25 * S)
        assert numbers(bench.edges)[0] == 2
        assert bench.edges[0].boot.startswith(f"{boot}/pico-")


def test_what_the_ring_forgot_is_counted_and_leaves_a_gap() -> None:
    bench = rig()
    bench.run(110 * S)
    bench.passes([111 * S])
    bench.run(115 * S)
    bench.passes([116 * S + number * 20 * MS for number in range(300)], width_ns=10 * MS)
    bench.run(125 * S, connected=False)
    bench.session.connected(bench.now_ns)
    bench.run(140 * S)
    assert bench.session.lost == 600 - 512
    assert numbers(bench.edges) == [1, 2, *range(91, 603)]


def test_what_came_before_we_first_met_is_no_loss() -> None:
    bench = rig()
    bench.passes([100 * S + number * 20 * MS for number in range(300)], width_ns=10 * MS)
    bench.run(107 * S, connected=False)
    bench.run(130 * S)
    assert (bench.session.lost, bench.edges[0].seq) == (0, 89)


def test_a_reset_is_another_boot() -> None:
    bench = rig(CRUEL)
    bench.passes([115 * S])
    bench.pico.plan_move(120 * S, bench.pico.reset)
    bench.passes([140 * S])
    bench.run(160 * S)
    assert numbers(bench.edges) == [1, 2, 1, 2]
    assert len({edge.boot for edge in bench.edges}) == 2
    assert bench.session.resets == 1
    assert abs(bench.edges[2].at_ns - 140 * S) <= bench.edges[2].uncertainty_ns


def test_an_edge_does_not_wait_for_ever_for_a_better_clock() -> None:
    session = PicoSession("start", ("front",), "boot-0", {})
    session.connected(0)
    session.due_bytes(0)
    session.on_data(pack("Q", "aa", 1, 5_000_000), 8 * MS)
    assert session.on_data(pack("E", "aa", 1, 0, 0, 5_000_100), 9 * MS) == []
    assert session.ready_edges(19 * S) == []
    (edge,) = session.ready_edges(21 * S)
    assert edge.uncertainty_ns >= 4 * MS


def test_an_edge_from_before_our_boot_has_no_time_here() -> None:
    bench = rig(at_ns=0)
    bench.pico.plan(1, 0, 0)
    bench.session = PicoSession("start", ("front",), "boot-1", {})
    bench.run(2 * S)
    bench.pico.crystal = type(bench.pico.crystal)(PERFECT, -500 * S)  # it has run for longer than the station
    assert bench.edges == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("QEHXR"), st.lists(st.text("0129 -²aé", max_size=24), max_size=6))))
def test_no_line_raises(lines: list[tuple[str, list[str]]]) -> None:
    session = PicoSession("start", ("front",), "boot-0", {})
    session.connected(0)
    for number, (word, fields) in enumerate(lines):
        session.on_data(pack(word, *fields), number)
        session.due_bytes(number)


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0, 0.01), st.lists(st.sampled_from(["cut", "reset", "restart"]), max_size=2))
def test_whatever_happens_each_edge_comes_once_and_in_order(seed: int, loss: float, mishaps: list[str]) -> None:
    bench = rig(LineFaults(loss=loss), seed)
    stored: dict[str, int] = {}
    received: list[Edge] = []
    for mishap in [*mishaps, ""]:
        bench.passes([bench.now_ns + 3 * S, bench.now_ns + 14 * S])
        bench.run(bench.now_ns + 17 * S)
        received += bench.edges
        stored |= {edge.boot: edge.seq for edge in bench.edges}
        bench.edges.clear()
        _happen(bench, mishap, stored)
    bench.run(bench.now_ns + 30 * S)
    received += bench.edges
    for boot in {edge.boot for edge in received}:
        own_numbers = numbers([edge for edge in received if edge.boot == boot])
        assert own_numbers == list(range(own_numbers[0], own_numbers[0] + len(own_numbers)))
    assert len({(edge.boot, edge.seq) for edge in received}) == len(received)
    if "reset" not in mishaps:  # a reset loses what was not sent yet
        assert len(received) + bench.session.lost == 4 * (len(mishaps) + 1)


def _happen(bench: PicoTrial, mishap: str, stored: dict[str, int]) -> None:
    if mishap == "cut":
        bench.pico.cut()
        bench.session.connected(bench.now_ns)
    elif mishap == "reset":
        bench.pico.reset(bench.now_ns)
    elif mishap == "restart":
        bench.restart(stored)


def test_the_boot_names_both_clocks() -> None:
    assert boot_name("b", "aa") == "b/pico-aa"


def test_a_beam_that_was_never_free_is_said() -> None:
    session = PicoSession("start", ("front", "rear"), "boot-0", {})
    session.on_data(pack("H", "one", 1, 0), S)
    assert session.fault(S) == "", "old firmware does not report the levels of its pins"
    session.on_data(pack("H", "two", 1, 0, 0b1001), S)
    assert session.fault(S).startswith("The beam of rear has been broken since")
    session.on_data(pack("H", "two", 1, 0, 0b1011), 2 * S)
    session.on_data(pack("H", "two", 1, 0, 0b1001), 4 * S)
    assert session.fault(4 * S) == "", "it was free in between"


def test_a_beam_that_moves_was_free() -> None:
    session = PicoSession("start", ("front",), "boot-0", {}, broken_level=1)
    session.on_data(pack("H", "one", 1, 0, 0b0001), S)
    assert "front" in session.fault(S)
    session.on_data(pack("E", "one", 1, 0, 0, 5), S)
    assert session.fault(S) == ""


@pytest.mark.parametrize(("asked_us", "sentence"), [(1_500_000, ""), (4_000_000, "The beam of front has been broken")])
def test_a_car_in_the_beam_is_no_wrong_level_though_the_first_heartbeat_was_lost(asked_us: int, sentence: str) -> None:
    session = PicoSession("start", ("front", "rear"), "boot-0", {})
    session.on_data(pack("E", "one", 1, 0, 0, 1_000_000), S)
    session.on_data(pack("Q", "one", 1, asked_us), 2 * S)
    session.on_data(pack("H", "one", 1, 1, 0b1110), 2 * S)
    assert session.fault(2 * S)[: len("The beam of front has been broken")] == sentence


def test_a_flickering_beam_is_said() -> None:
    bench = rig()
    bench.run(115 * S)
    bench.passes([116 * S + number * 40 * MS for number in range(20)], width_ns=20 * MS)
    bench.run(118 * S)
    assert len(bench.edges) == 40
    assert bench.session.fault(118 * S).startswith("The beam of front flickers")
    assert bench.session.fault(130 * S) == ""
