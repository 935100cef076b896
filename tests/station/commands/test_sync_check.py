"""The two-pulse test: the intervals of all gates are compared, on clocks that share nothing."""

import threading

import pytest

from shared.clock import ManualClock
from shared.errors import RetryLater
from station.commands.gate.sync_check import run
from station.core.inputs import Edge
from station.core.timing.two_pulses import compare
from station.gates.mock import MockGate

S = 1_000_000_000


def edge(gate: str, at_ns: int, boot: str = "b") -> Edge:
    return Edge(gate, "beam", True, at_ns, 1, boot)


@pytest.mark.parametrize(
    ("off_ns", "boot", "agrees"),
    [(0, "b", True), (1_000_000, "b", True), (-1_000_001, "b", False), (5_000_000, "b", False), (0, "c", False)],
)
def test_one_millisecond_is_allowed(off_ns: int, boot: str, agrees: bool) -> None:
    first = {"a": edge("a", 5 * S), "b": edge("b", 700 * S)}
    second = {"a": edge("a", 65 * S), "b": edge("b", 760 * S + off_ns, boot)}
    lines = compare(first, second, ("a", "b"))
    assert [line.why == "" for line in lines] == ([agrees, agrees] if boot == "b" else [True, False])


def test_no_two_gates_may_be_further_apart() -> None:
    first = {gate: edge(gate, S) for gate in "abc"}
    second = {gate: edge(gate, 61 * S + off_ns) for gate, off_ns in (("a", 0), ("b", 700_000), ("c", -700_000))}
    assert [line.why for line in compare(first, second, ("a", "b", "c"))] == [
        "",
        "off by 1.400 ms from c, 1 ms is allowed",
        "off by -1.400 ms from b, 1 ms is allowed",
    ]


def test_a_gate_that_saw_nothing_fails() -> None:
    lines = compare({"a": edge("a", 1)}, {"a": edge("a", 2), "b": edge("b", 2)}, ("a", "b"))
    assert lines[1].why == "the first pulse was not seen"


def test_both_pulses_from_drivers() -> None:
    clocks = ManualClock(S), ManualClock(900 * S)
    gates = {name: MockGate(name, ("beam",), {}, clock) for name, clock in zip("ab", clocks, strict=True)}
    reported: list[str] = []

    def contact(text: str) -> None:
        reported.append(text)
        if text.startswith(("close", "the first pulse")):
            for gate, clock in zip(gates.values(), clocks, strict=True):
                clock.advance(clock.now_ns() + 60 * S)
                gate.pass_by()

    assert run(gates, pause_s=0.0, timeout_s=5.0, report=contact) == 0
    assert reported[-1] == "all gates agree"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gate-")]


def test_no_pulse_is_one_sentence() -> None:
    gate = MockGate("a", ("beam",), {}, ManualClock(S))
    with pytest.raises(RetryLater, match="No pulse came within"):
        run({"a": gate}, 0.0, 0.01, lambda _text: None)
