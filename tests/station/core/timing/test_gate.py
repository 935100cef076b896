"""From edges to crossings: the first edge is the timing edge, and nothing later moves its stamp."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.facts import Crossing, CrossingMeasured, EdgeIgnored, EdgesLost, Fact, GateStuck
from station.core.inputs import Edge, GateSpec, Moment
from station.core.timing.gate import CrossingCounter, Gate
from tests.station.core.scripted_race import MS, QUICK, S, only

ONE = GateSpec("start", lockout_ns=S)
TWO = GateSpec("start", sensors=("front", "rear"), lockout_ns=S, baseline_mm=100)


def walk(spec: GateSpec, edges: list[tuple[int, str, bool]]) -> list[Fact]:
    gate = Gate(spec, CrossingCounter())
    return [f for seq, (at, sensor, broken) in enumerate(edges, 5) for f in gate.handle(edge(at, sensor, broken, seq))]


def edge(at_ms: int, sensor: str = "beam", broken: bool = True, seq: int = 1, boot: str = "b") -> Edge:
    return Edge("start", sensor, broken, at_ms * MS, seq, boot)


CASES = {
    "one clean pass": (ONE, [(100, "beam", True), (220, "beam", False)], [100]),
    "a bouncing beam": (
        ONE,
        [(100, "beam", True), (101, "beam", False), (102, "beam", True), (220, "beam", False)],
        [100],
    ),
    "two passes": (ONE, [(100, "beam", True), (220, "beam", False), (9000, "beam", True)], [100, 9000]),
    "the freeing edge was lost": (ONE, [(100, "beam", True), (9000, "beam", True)], [100, 9000]),
    "at the end of the lockout": (ONE, [(100, "beam", True), (200, "beam", False), (1100, "beam", True)], [100, 1100]),
    "within the lockout": (ONE, [(100, "beam", True), (200, "beam", False), (1099, "beam", True)], [100]),
    "flicker at the end of a slow pass": (
        ONE,
        [(100, "beam", True), (2500, "beam", False), (2510, "beam", True), (2600, "beam", False)],
        [100],
    ),
    "a hand soon after": (ONE, [(100, "beam", True), (1500, "beam", False), (1551, "beam", True)], [100, 1551]),
    "two sensors, forwards": (TWO, [(100, "front", True), (150, "rear", True), (300, "rear", False)], [100]),
    "a car that stands in the gate": (TWO, [(100, "front", True), (3000, "rear", True), (3100, "front", False)], [100]),
    "a blind rear sensor": (TWO, [(100, "front", True), (220, "front", False), (9000, "front", True)], [100, 9000]),
}


@pytest.mark.parametrize("name", CASES)
def test_crossings_of_edges(name: str) -> None:
    spec, edges, stamps_ms = CASES[name]
    assert [c.at_ns // MS for c in only(walk(spec, edges), Crossing)] == stamps_ms


def test_width_and_speed_classify_and_leave_the_stamp() -> None:
    facts = walk(TWO, [(100, "front", True), (150, "rear", True), (220, "front", False), (270, "rear", False)])
    assert only(facts, Crossing)[0].direction == 1
    assert only(facts, CrossingMeasured) == [CrossingMeasured(1, 120 * MS, 2000, "")]


def test_a_pass_blocked_too_long_is_odd() -> None:
    facts = walk(ONE, [(100, "beam", True), (5000, "beam", False)])
    assert only(facts, CrossingMeasured)[0].odd == "blocked for longer than a car takes"


def test_backwards_is_recorded_as_such() -> None:
    facts = walk(TWO, [(100, "rear", True), (150, "front", True), (300, "front", False)])
    assert [(c.at_ns // MS, c.direction) for c in only(facts, Crossing)] == [(100, -1)]


def test_a_blind_front_sensor_costs_no_crossing() -> None:
    gate = Gate(TWO, CrossingCounter())
    assert not only(gate.handle(edge(100, "rear")), Crossing)
    assert not gate.tick(Moment("b", 400 * MS, 0))
    assert not gate.tick(Moment("another clock", 10**15, 0))
    facts = gate.tick(Moment("b", 601 * MS, 0))
    assert [(c.at_ns // MS, c.direction) for c in only(facts, Crossing)] == [(100, 0)]
    assert not gate.tick(Moment("b", 700 * MS, 0))


def test_gaps_repeats_and_strangers() -> None:
    gate = Gate(ONE, CrossingCounter())
    assert only(gate.handle(edge(100, seq=7)), Crossing)
    assert gate.handle(edge(100, seq=7)) == []
    assert gate.handle(edge(90, seq=3)) == []
    assert only(gate.handle(edge(200, broken=False, seq=10)), EdgesLost) == [EdgesLost("start", "b", 2)]
    assert only(gate.handle(edge(300, "what", seq=11)), EdgeIgnored)
    assert only(gate.handle(edge(150, seq=12)), EdgeIgnored)[0].why == "its stamp lies before the last one"
    assert gate.last_seq_by_boot == {"b": 12}


def test_a_new_boot_of_the_gate_starts_its_count_and_clock_anew() -> None:
    gate = Gate(ONE, CrossingCounter())
    gate.handle(edge(100_000, seq=900))
    facts = gate.handle(edge(50, seq=1, boot="c"))
    assert only(facts, Crossing)[0].boot == "c"
    assert not only(facts, EdgesLost)
    assert gate.last_seq_by_boot == {"b": 900, "c": 1}


def test_a_stuck_beam_is_said_once_and_taken_back() -> None:
    gate = Gate(ONE, CrossingCounter())
    gate.handle(edge(100, seq=1))
    assert gate.tick(Moment("b", 5100 * MS, 0)) == []
    assert only(gate.tick(Moment("b", 5101 * MS, 0)), GateStuck)[0].stuck
    assert gate.tick(Moment("b", 9000 * MS, 0)) == []
    assert gate.stuck == ("beam",)
    assert not only(gate.handle(edge(9500, broken=False, seq=2)), GateStuck)[0].stuck
    assert gate.stuck == ()


@QUICK
@given(st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(["front", "rear", "x"]), st.booleans()), max_size=60))
def test_any_edges_make_crossings_apart_and_stamped_by_an_edge(steps: list[tuple[int, str, bool]]) -> None:
    gate, at_ms, crossings, stamps = Gate(TWO, CrossingCounter()), 0, [], set()
    for seq, (wait_ms, sensor, broken) in enumerate(steps, 1):
        at_ms += wait_ms
        stamps.add(at_ms * MS)
        crossings += only(gate.handle(edge(at_ms, sensor, broken, seq)), Crossing)
    crossings += only(gate.tick(Moment("b", (at_ms + 600) * MS, 0)), Crossing)
    times = [c.at_ns for c in crossings]
    assert set(times) <= stamps
    assert times == sorted(times)
    assert [c.number for c in crossings] == list(range(1, len(crossings) + 1))
    assert all(b - a >= TWO.lockout_ns for a, b in itertools.pairwise(times))
