"""A gate with its own numbers on the station's clock (the Pico) is judged by the station's time."""

from station.core.facts import Crossing, GateStuck
from station.core.inputs import Edge, GateSpec, Moment, clock_of
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.pico.session import boot_name

S = 1_000_000_000
BOOT = boot_name("boot-0", "c0ffee")


def gate() -> Gate:
    return Gate(GateSpec("start", ("front", "rear"), uncertainty_ns=1_000, layout="in_line"), CrossingCounter())


def test_the_clock_of_a_boot() -> None:
    assert (clock_of(BOOT), clock_of("boot-0")) == ("boot-0", "boot-0")
    assert clock_of("device:7") == "device:7"


def test_a_held_pass_is_released_by_the_stations_tick_and_keeps_its_own_uncertainty() -> None:
    core = gate()
    core.handle(Edge("start", "rear", True, 10 * S, 1, BOOT, 90_000))
    assert core.tick(Moment("another", 11 * S, 0)) == []
    facts = core.tick(Moment("boot-0", 11 * S, 0))
    assert [(fact.at_ns, fact.uncertainty_ns) for fact in facts if isinstance(fact, Crossing)] == [(10 * S, 90_000)]


def test_a_beam_that_stays_blocked_is_told_by_the_stations_tick() -> None:
    core = gate()
    core.handle(Edge("start", "front", True, 10 * S, 1, BOOT))
    assert [fact.stuck for fact in core.tick(Moment("boot-0", 16 * S, 0)) if isinstance(fact, GateStuck)] == [True]


def test_the_gates_own_uncertainty_stands_where_the_edge_has_less() -> None:
    (crossing,) = [f for f in gate().handle(Edge("start", "front", True, S, 1, BOOT, 10)) if isinstance(f, Crossing)]
    assert crossing.uncertainty_ns == 1_000
