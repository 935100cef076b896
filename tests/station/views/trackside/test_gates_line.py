"""The gates in one line for systemd: what the station tells is read back, and another's line is no gate."""

import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.views.gate_views import GateView
from station.views.trackside.gates_line import GateState, ReportedGate, gates_line, read_gates_line, reported_gate

START = GateView("start", ("beam",), True, "", 0, 0, ())
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)
SENTENCES = st.text(st.characters(categories=("L", "N", "P")), max_size=80).map(lambda text: text.replace("|", ""))


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "ready", ""),
        ({"untried": ("beam",)}, "not tested", "roll a car through"),
        (
            {"alive": False, "sentence": "The port is not there.", "untried": ("beam",)},
            "not ready",
            "port is not there",
        ),
        ({"stuck": ("beam",)}, "not ready", "Blocked for too long: beam."),
        ({"doubt": "Its layout loses passes."}, "not ready", "loses passes"),
    ],
)
def test_a_gate_is_told_as_its_page_judges_it(changes: dict[str, typing.Any], state: str, words: str) -> None:
    reported = reported_gate(dataclasses.replace(START, **changes))
    assert reported.state == state
    assert words in reported.sentence


@given(
    st.lists(st.tuples(NAMES, st.sampled_from(typing.get_args(GateState)), SENTENCES), unique_by=lambda each: each[0])
)
def test_each_line_is_read_back(gates: list[tuple[str, GateState, str]]) -> None:
    reported = {name: ReportedGate(name, state, sentence) for name, state, sentence in gates}
    assert read_gates_line(gates_line(reported.values())) == reported


@pytest.mark.parametrize(
    "line", ["", "driving, online", "gates: ", "gates: start", "gates: start fit | x", "start ready"]
)
def test_what_no_station_told_is_no_gate(line: str) -> None:
    assert read_gates_line(line) == {}


def test_a_sentence_is_no_second_gate() -> None:
    line = gates_line([ReportedGate("start", "not ready", "It said:\n x | sector-1 ready")])
    assert set(read_gates_line(line)) == {"start"}
