"""Sensors side by side: one crossing per pass, whichever fires first; a layout that loses passes is reported."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core import facts as f
from station.core import inputs as e
from station.core.timing.sensor_layout import SensorArrangement, SensorPass, describe_passes, observed_layout
from station.gates.drem import DremStream
from tests.station.core.scripted_race import MS, QUICK, Hand, S, moment, only

LEFT_RIGHT = ("left", "right")
SPECS = {
    "configured": e.GateSpec("start", LEFT_RIGHT, layout="side_by_side"),
    "unsaid": e.GateSpec("start", LEFT_RIGHT),
    "three": e.GateSpec("start", ("left", "middle", "right"), layout="side_by_side"),
}
IN_LINE = e.GateSpec("start", LEFT_RIGHT, layout="in_line")


def race(spec: e.GateSpec, passes: list[list[tuple[int, str, int]]], every_s: int = 10) -> Hand:
    """Each pass is a list of (ms after its beginning, sensor, ms of the press); they begin `every_s` apart."""
    hand = Hand(None, spec)
    hand.open()
    hand.go()
    for number, presses in enumerate(passes):
        begin_ns = (1 + every_s * number) * S
        moves = [(begin_ns + at * MS, sensor, True) for at, sensor, _ in presses]
        moves += [(begin_ns + (at + width) * MS, sensor, False) for at, sensor, width in presses]
        for at_ns, sensor, broken in sorted(moves):
            hand.edge(at_ns, broken, sensor)
        hand.tick(begin_ns + 2 * S)
    return hand


def two(lag_ms: int, width_ms: int = 3) -> list[tuple[int, str, int]]:
    """A pass over both strips, the left one first if the lag is positive."""
    first, second = LEFT_RIGHT if lag_ms >= 0 else LEFT_RIGHT[::-1]
    return [(0, first, width_ms), (abs(lag_ms), second, width_ms)]


AXLES = [(0, "left", 3), (9, "right", 3), (95, "left", 3), (101, "right", 3)]
STRIPS = {
    "either first in turn": [two(lag) for lag in (12, -12) * 6],
    "mostly one first": [two(lag) for lag in (3, 5, 15, -4, 8, 12, 3, -9, 6, 7, 3)],
    "one alone": [[(0, LEFT_RIGHT[number % 2], 3)] for number in range(11)],
    "both at the same instant": [two(0) for _ in range(11)],
    "aslant and slow": [two(lag) for lag in (140, -90, 120, -300, 60, -45) * 2],
    "two axles": [AXLES] * 11,
    "a beam blocked long": [two(lag, 250) for lag in (12, -12) * 6],
}


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("passes", STRIPS)
def test_side_by_side_every_pass_is_one_crossing(spec: str, passes: str) -> None:
    hand = race(SPECS[spec], STRIPS[passes])
    all_facts = [fact for facts in hand.facts for fact in facts]
    assert [round(lap / MS) for lap in hand.lap_times] == [10_000] * (len(STRIPS[passes]) - 1)
    assert not only(all_facts, f.Unattributed)
    assert {crossing.direction for crossing in only(all_facts, f.Crossing)} == {0}


def test_the_event_managers_two_strips_give_ten_laps_of_ten_seconds() -> None:
    hand = Hand(None, e.GateSpec("start", LEFT_RIGHT, uncertainty_ns=10 * MS))
    hand.open()
    hand.go()
    stream = DremStream("start", {"17": "left", "27": "right"}, "drem:x", 500 * MS)
    number = 0
    for lap, gap_ms in zip(range(11), itertools.cycle((12, -12, 3, -15, 0)), strict=False):
        for place, pin in enumerate((17, 27) if gap_ms > 0 else (27, 17)):
            number += 1
            at_ms = 3000 + 10_000 * lap + place * abs(gap_ms)
            stamp = 1_780_000_000_000 + at_ms
            text = f'{{"event":"lap","timestamp":{stamp},"gpio":{pin},"lapNumber":{number}}}'
            for edge in stream.on_text(text, at_ms * MS):
                hand.do(edge)
    assert hand.lap_times == [10 * S] * 10


@pytest.mark.parametrize(("spec", "directed"), [
    (e.GateSpec("g", ("a", "b")), False),
    (e.GateSpec("g", ("a", "b"), baseline_mm=100), True),
    (e.GateSpec("g", ("a", "b"), layout="in_line"), True),
    (e.GateSpec("g", ("a", "b"), layout=""), True),  # as in journals without layouts
    (e.GateSpec("g", ("a", "b"), layout="side_by_side"), False),
    (e.GateSpec("g", ("a",), baseline_mm=100, layout="in_line"), False),
    (e.GateSpec("g", ("a",)), False),
])  # fmt: skip
def test_which_gates_know_the_way(spec: e.GateSpec, directed: bool) -> None:
    assert spec.directed is directed


@pytest.mark.parametrize(("lags", "sentence"), [
    ((12, -12, 12, -12), 'Set layout = "side_by_side".'),
    ((3, 5, 15, -4, 8, 12, -3), 'Set layout = "side_by_side".'),
    ((-40, -35, -50), 'Set sensors = ["right", "left"], or swap their pins.'),
    ((-140, -135, -150), 'Set sensors = ["right", "left"], or swap their pins.'),
    ((40, 35, -200, 50, 45), ""),  # one car rolled back
    ((140, -200, 150, -180, 170), ""),  # cars from both directions, as far apart as sensors in line
    ((40, 35, 50, 44), ""),
    ((12, -12), ""),
])  # fmt: skip
def test_a_layout_that_loses_passes_is_said_once_and_is_a_note(lags: tuple[int, ...], sentence: str) -> None:
    hand = race(IN_LINE, [two(lag) for lag in lags])
    doubts = only([fact for facts in hand.facts for fact in facts], f.LayoutDoubted)
    assert len(doubts) == bool(sentence)
    notes = hand.engine.readiness.notes.get("start", ())
    assert [(note.kind, note.sentence.endswith(sentence)) for note in notes] == [("layout", True)] * bool(sentence)
    refused = only(hand.do(e.FinishRun(author="judge", moment=moment(900 * S))), f.CommandRefused)
    refused += only(hand.open("Bob", at_ns=901 * S), f.CommandRefused)
    assert [sentence in each.sentence for each in refused] == [True] * bool(sentence)


def test_a_doubt_goes_when_the_passes_agree_again() -> None:
    hand = race(IN_LINE, [two(lag) for lag in (12, -12, 12, -12)] + [two(40)] * 12)
    doubts = only([fact for facts in hand.facts for fact in facts], f.LayoutDoubted)
    assert [bool(doubt.sentence) for doubt in doubts] == [True, False]
    assert hand.engine.gates["start"].doubt == ""


def test_a_gate_of_an_old_journal_is_judged_as_it_was() -> None:
    hand = race(e.GateSpec("start", LEFT_RIGHT, layout=""), [two(lag) for lag in (12, -12) * 6])
    all_facts = [fact for facts in hand.facts for fact in facts]
    assert not only(all_facts, f.LayoutDoubted)
    assert len(only(all_facts, f.Unattributed)) == 6
    assert hand.lap_times == [20 * S] * 5


@pytest.mark.parametrize(("layout", "lags", "advice"), [
    ("unsaid", (3, -15, 4), "3 passes: left first twice, right first once, 3 to 15 ms apart. A few more passes"),
    ("unsaid", (3, -15, 4, -6), "3 to 15 ms apart. They stand side by side: set layout = \"side_by_side\"."),
    ("in_line", (3, -15, 4, -6), "They stand side by side: set layout = \"side_by_side\"."),
    ("side_by_side", (3, -15, 4, -6), "They stand side by side, as is set."),
    ("unsaid", (40, 55, 61), "They fire one after the other: layout = \"in_line\" would show which way"),
    ("in_line", (40, 55, 61), "They fire one after the other, as is set."),
    ("in_line", (-40, -55, -61), "name the sensors the other way round"),
    ("in_line", (140, -155, 161, -120), "Cars came from both directions"),
    ("side_by_side", (), "No pass yet"),
])  # fmt: skip
def test_who_tries_a_gate_reads_how_its_sensors_stand(layout: e.Layout, lags: tuple[int, ...], advice: str) -> None:
    spec = e.GateSpec("start", LEFT_RIGHT, layout=layout)
    hand = race(spec, [two(lag) for lag in lags])
    assert advice in describe_passes(spec, hand.engine.gates["start"].arrangement.passes)


def test_one_sensor_has_no_layout_to_try() -> None:
    assert describe_passes(e.GateSpec("start"), ()) == ""


@QUICK
@given(
    st.sampled_from(["side_by_side", "in_line", "unsaid"]),
    st.lists(st.tuples(st.integers(50, 400), st.sampled_from(LEFT_RIGHT)), max_size=80),
)
def test_side_by_side_loses_no_pass_of_any(layout: e.Layout, steps: list[tuple[int, str]]) -> None:
    """Whatever the strips do: a press later than the lockout after the last crossing makes one, at its own stamp."""
    hand = Hand(None, replace(SPECS["configured"], layout=layout))
    at_ns, last_ns = 0, None
    for wait_ms, sensor in steps:
        at_ns += wait_ms * MS
        crossings = only(hand.edge(at_ns, True, sensor), f.Crossing)
        hand.edge(at_ns, False, sensor)
        if layout == "in_line":
            continue
        due = last_ns is None or at_ns - last_ns >= S
        assert [crossing.at_ns for crossing in crossings] == [at_ns] * due
        last_ns = at_ns if due else last_ns


@QUICK
@given(
    st.lists(
        st.builds(SensorPass, st.sampled_from("ab"), st.sampled_from(["", "a", "b"]), st.integers(0, S)), max_size=30
    )
)
def test_any_passes_are_judged_and_worded(passes: list[SensorPass]) -> None:
    arrangement = SensorArrangement(e.GateSpec("g", ("a", "b"), layout="in_line"))
    for each in passes:
        arrangement.first(each.first)
        arrangement.second(each.second or each.first, each.lag_ns)
    remembered = arrangement.passes
    assert len(remembered) == min(len(passes), 12)
    assert observed_layout(("a", "b"), remembered) in ("", "in_line", "reversed", "side_by_side", "both_ways")
    assert describe_passes(e.GateSpec("g", ("a", "b")), remembered)
