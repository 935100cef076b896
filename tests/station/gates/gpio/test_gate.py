"""The GPIO gate on gpiozero's MockFactory, and on the real LGPIOFactory over a fake kernel."""

import gc
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.exc import PinUnknownPi
from gpiozero.pins.local import LocalPiFactory
from gpiozero.pins.mock import MockFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import ManualClock, SystemClock
from shared.drivers import find
from shared.errors import ConfigError, HardwareMissing
from station.core.facts import Crossing
from station.core.inputs import Edge, GateSpec
from station.core.timing.gate import CrossingCounter, Gate
from station.gates.driver import GateDriver
from station.gates.gpio import pins
from station.gates.gpio.gate import GpioGate
from tests.station.gates.gpio.fake_lgpio import Kernel

BOOT = SystemClock().boot_id
MS = 1_000_000


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Resets the shared factories and gpiozero's table of local pins, as in a new process."""
    monkeypatch.setattr(pins, "_opened", {})
    yield
    LocalPiFactory.pins.clear()
    LocalPiFactory._reservations.clear()
    sys.modules.pop("gpiozero.pins.lgpio", None)


def gate(sensors: tuple[str, ...] = ("beam",), numbers: tuple[int, ...] = (17,), **options: Any) -> GpioGate:
    clock = SystemClock()
    return GpioGate("start", sensors, {"factory": "mock", "pins": list(numbers), **options}, clock)


def started(made: GpioGate, after: dict[str, int] | None = None) -> list[Edge]:
    edges: list[Edge] = []
    made.start(after or {}, edges.append)
    return edges


def factory() -> MockFactory:
    made = pins._opened["mock", -1]
    assert isinstance(made, MockFactory)
    return made


def lgpio(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", kernel.module())
    sys.modules.pop("gpiozero.pins.lgpio", None)
    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", lambda: 0xC03111)


def test_it_is_found_by_name_and_is_a_driver() -> None:
    driver: GateDriver = find("raceday.gates", "gpio")(
        "start", ("beam",), {"factory": "mock", "pins": [4]}, SystemClock()
    )
    assert driver.health().alive is False
    driver.close()


def test_both_edges_with_the_stamp_of_the_pin() -> None:
    made = gate()
    edges = started(made)
    pin = factory().pin(17)
    before = time.monotonic_ns()
    pin.drive_low()
    pin.drive_high()
    assert [(e.sensor, e.broken, e.seq, e.boot) for e in edges] == [("beam", True, 1, BOOT), ("beam", False, 2, BOOT)]
    assert before <= edges[0].at_ns <= edges[1].at_ns <= time.monotonic_ns()
    assert round(pin._last_change * 1e9) == edges[1].at_ns, "exactly the stamp of the pin"
    assert made.health().alive
    assert "clear" in made.health().sentence
    made.close()


def test_the_handler_lives_although_gpiozero_holds_it_weakly() -> None:
    made = gate()
    edges = started(made)
    gc.collect()
    factory().pin(17).drive_low()
    assert len(edges) == 1
    made.close()


@pytest.mark.parametrize(("broken", "pull", "level"), [("low", "up", 0), ("high", "down", 1), ("high", "floating", 1)])
def test_pull_and_active_level(broken: str, pull: str, level: int) -> None:
    made = gate(broken=broken, pull=pull)
    edges = started(made)
    pin = factory().pin(17)
    assert pin.pull == pull
    (pin.drive_high if level else pin.drive_low)()
    assert [edge.broken for edge in edges] == [True]
    assert "broken: beam" in made.health().sentence
    made.close()


def test_numbers_go_on_where_the_journal_ends() -> None:
    made = gate()
    edges = started(made, {BOOT: 41, "another": 99})
    factory().pin(17).drive_low()
    assert edges[0].seq == 42
    made.close()


def test_after_closing_nothing_comes_and_the_pin_is_free_again() -> None:
    made = gate()
    edges = started(made)
    pin = factory().pin(17)
    made.close()
    made.close()
    pin.drive_low()
    assert edges == []
    with pytest.raises(HardwareMissing, match="closed"):
        made.start({}, edges.append)
    again = gate()
    assert started(again) == []
    again.close()


@pytest.mark.parametrize(
    ("numbers", "options", "sentence"),
    [
        ((17, 18), {}, "one GPIO number for each of beam"),
        ((), {}, "one GPIO number"),
        ((17,), {"factory": "gpiod"}, "allowed are lgpio"),
        ((17,), {"pull": "sideways"}, "allowed are up, down, floating"),
        ((17,), {"bounce": 0.01}, "unknown key `bounce`"),
    ],
)
def test_wrong_settings(numbers: tuple[int, ...], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        gate(numbers=numbers, **options)


def test_five_sensors_are_too_many() -> None:
    with pytest.raises(ConfigError, match="4 sensors at most"):
        gate(("a", "b", "c", "d", "e"), (4, 17, 27, 22, 23))


def test_a_pin_that_is_not_there_or_taken_or_has_its_own_resistor() -> None:
    with pytest.raises(HardwareMissing, match="no GPIO77"):
        gate(numbers=(77,))
    with pytest.raises(HardwareMissing, match="GPIO2 has a resistor of its own"):
        gate(numbers=(2,), pull="down")
    first = gate()
    with pytest.raises(HardwareMissing, match=r"GPIO17 is in use: .*the gate start"):
        gate()
    first.close()
    gate().close()


def test_one_gate_closing_leaves_the_other_alone() -> None:
    first, second = gate(numbers=(17,)), gate(numbers=(27,))
    started(first)
    edges = started(second)
    first.close()
    factory().pin(27).drive_low()
    assert len(edges) == 1
    second.close()


def test_the_kernels_stamp_through_the_real_lgpio_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    lgpio(monkeypatch, kernel)
    made = gate(factory="lgpio")
    edges = started(made)
    stamps = [kernel.edge(17, 0), kernel.edge(17, 1)]
    assert [edge.at_ns for edge in edges] == stamps
    assert kernel.flags[17] == 32, "the pull survives the claim of the alert"
    assert edges[0].uncertainty_ns == 15_000
    kernel.callbacks[17](0, 17, 2, time.monotonic_ns())
    assert len(edges) == 2, "a watchdog's report is not an edge"
    made.close()


def test_half_a_millisecond_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    lgpio(monkeypatch, kernel)
    made = gate(("front", "rear"), (17, 27), factory="lgpio")
    edges = started(made)
    at_ns = time.monotonic_ns()
    for number in range(100):  # both ends of each pulse arrive in one burst, as lgpio's thread delivers them
        kernel.edge(17, 0, at_ns + number * MS)
        kernel.edge(17, 1, at_ns + number * MS + MS // 2)
    assert len(edges) == 200
    assert all(up.at_ns - down.at_ns == MS // 2 for down, up in zip(edges[::2], edges[1::2], strict=True))
    made.close()


def test_an_edge_that_was_never_reported_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    lgpio(monkeypatch, kernel)
    made = gate(factory="lgpio")
    edges = started(made)
    for level in (0, 0, 1):
        kernel.edge(17, level)
    assert [edge.seq for edge in edges] == [1, 3, 4]
    assert made.health().lost == 1
    made.close()


def test_a_beam_that_is_broken_at_the_start_is_not_fit_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    kernel.levels[27] = 0
    lgpio(monkeypatch, kernel)
    made = gate(("front", "rear"), (17, 27), factory="lgpio")
    edges = started(made)
    assert (made.health().alive, edges) == (False, []), "no edge was reported, so none is invented"
    assert made.health().sentence.startswith("The beam of rear has been broken since the gate started: check what")
    kernel.edge(27, 1, time.monotonic_ns() - 1_500 * MS)
    assert [(edge.sensor, edge.broken, edge.seq) for edge in edges] == [("rear", False, 1)]
    kernel.edge(27, 0)
    assert made.health().alive, "a car stands there now: the core handles that"
    assert "broken: rear" in made.health().sentence
    made.close()


# What the kernel's own gpio-sim gives for pulses of 0 to 0.3 ms (`./dev metal gpio`): "free" twice, once, or as it was.
@pytest.mark.parametrize(
    ("levels", "expected", "lost"),
    [
        ([1, 1], [(True, 0), (False, 1)], 0),
        ([1], [(True, 0), (False, 0)], 0),
        ([1, 0, 1], [(True, 0), (True, 1), (False, 2)], 1),  # the end of the first pulse is missed
        ([0, 1, 1, 1], [(True, 0), (False, 1), (True, 2), (False, 3)], 0),
    ],
)
def test_a_pulse_that_is_over_before_the_kernel_looks_is_a_crossing_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch, levels: list[int], expected: list[tuple[bool, int]], lost: int
) -> None:
    kernel, clock = Kernel(), ManualClock(at_ns=1_000 * MS)
    lgpio(monkeypatch, kernel)
    made = GpioGate("start", ("beam",), {"factory": "lgpio", "pins": [17]}, clock)
    edges = started(made)
    for number, level in enumerate(levels):
        kernel.edge(17, level, 1_000 * MS + number * MS)
    clock.advance(2_000 * MS)
    health = made.health()
    assert (health.alive, health.lost, "all beams clear" in health.sentence) == (True, lost, True)
    assert [(edge.broken, edge.at_ns // MS - 1_000) for edge in edges] == expected
    core = Gate(GateSpec("start", ("beam",)), CrossingCounter())
    crossings = [fact for edge in edges for fact in core.handle(edge) if isinstance(fact, Crossing)]
    assert [crossing.at_ns for crossing in crossings] == [1_000 * MS]
    made.close()


def test_two_short_pulses_are_two_crossings_although_nobody_asks_for_the_health_between_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel, clock = Kernel(), ManualClock(at_ns=1_000 * MS)
    lgpio(monkeypatch, kernel)
    made = GpioGate("start", ("beam",), {"factory": "lgpio", "pins": [17]}, clock)
    edges = started(made)
    for _ in range(2):  # each so short that the kernel reports one edge, and the level after it
        kernel.edge(17, 1, clock.now_ns())
        clock.advance(clock.now_ns() + 900 * MS)
    made.health()
    assert [(edge.broken, edge.at_ns // MS - 1_000) for edge in edges] == [
        (True, 0),
        (False, 0),
        (True, 900),
        (False, 900),
    ]
    made.close()


def test_a_flickering_beam_counts_and_is_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    lgpio(monkeypatch, kernel)
    made = gate(("front", "rear"), (17, 27), factory="lgpio")
    edges = started(made)
    at_ns = time.monotonic_ns() - 1_000 * MS
    for number in range(39):
        kernel.edge(27, number % 2, at_ns + number * 20 * MS)
    assert made.health().alive
    kernel.edge(27, 1, at_ns + 39 * 20 * MS)
    assert (made.health().alive, len(edges)) == (False, 40)
    assert made.health().sentence.startswith("The beam of rear flickers")
    made.close()


def test_stamps_of_another_clock_are_refused_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    lgpio(monkeypatch, kernel)
    made = gate(factory="lgpio")
    edges = started(made)
    kernel.edge(17, 0, time.time_ns())
    assert (edges, made.health().alive, made.health().lost) == ([], False, 1)
    assert "not of CLOCK_MONOTONIC" in made.health().sentence
    made.close()


def test_a_pin_in_use_by_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    kernel.busy.add(17)
    lgpio(monkeypatch, kernel)
    with pytest.raises(HardwareMissing, match=r"GPIO17 cannot be used \(GPIO busy\); is another program"):
        gate(factory="lgpio")


def test_a_missing_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    lgpio(monkeypatch, Kernel(chip=0))
    with pytest.raises(HardwareMissing, match=r"/dev/gpiochip3 is there"):
        gate(factory="lgpio", chip=3)


def test_the_empty_lgpio_and_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", types.ModuleType("lgpio"))
    with pytest.raises(HardwareMissing, match="empty stub"):
        gate(factory="lgpio")
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(HardwareMissing, match="lgpio is not installed"):
        gate(factory="lgpio")


def test_a_machine_without_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    lgpio(monkeypatch, Kernel())

    def unknown() -> int:
        raise PinUnknownPi("unable to locate Pi revision")

    monkeypatch.setattr("gpiozero.pins.local.get_pi_revision", unknown)
    with pytest.raises(HardwareMissing, match="not a Raspberry Pi"):
        gate(factory="lgpio")


class DaemonFactory(MockFactory):
    """A factory with pigpio's ticks: 32-bit microseconds of the daemon, about to wrap."""

    began_ns = time.monotonic_ns()

    @staticmethod
    def ticks() -> int:
        return (2**32 - 500 + (time.monotonic_ns() - DaemonFactory.began_ns) // 1000) & 0xFFFFFFFF


def test_pigpios_microseconds_are_mapped_over_their_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    DaemonFactory.began_ns = time.monotonic_ns()
    pins._opened["pigpio", -1] = DaemonFactory()
    made = gate(factory="pigpio")
    edges = started(made)
    for state in (0.0, 1.0):
        before = time.monotonic_ns()
        made._sensors[0].changed(DaemonFactory.ticks(), state)
        after = time.monotonic_ns()
        edge = edges[-1]
        assert before - edge.uncertainty_ns <= edge.at_ns <= after + edge.uncertainty_ns
        assert edge.uncertainty_ns < 5 * MS
    made.close()
    assert "pigpio-ticks" not in {thread.name for thread in threading.enumerate()}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.booleans()), max_size=60))
def test_whatever_the_wires_do_it_counts_without_a_gap_and_the_core_never_minds(
    moves: list[tuple[int, bool]],
) -> None:
    pins._opened.clear()
    made = gate(("front", "rear"), (17, 27))
    edges = started(made)
    for line, high in moves:
        pin = factory().pin((17, 27)[line])
        (pin.drive_high if high else pin.drive_low)()
    made.close()
    assert [edge.seq for edge in edges] == list(range(1, len(edges) + 1))
    core = Gate(GateSpec("start", ("front", "rear")), CrossingCounter())
    crossings = [fact for edge in edges for fact in core.handle(edge) if isinstance(fact, Crossing)]
    assert all(crossing.uncertainty_ns == 15_000 for crossing in crossings)
