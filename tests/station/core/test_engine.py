"""The engine as a whole: never raises, replays to the same facts, and laps equal the truth."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.protocol.results import MAX_RESULT_BYTES, encode_result
from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from tests.station.core.runs.test_run import COMMANDS
from tests.station.core.scripted_race import MS, QUICK, UTC, Hand, S, moment, only

_INT = st.integers(-(2**62), 2**62)
_BOOT = st.sampled_from(["boot-a", "boot-b", ""])
_MOMENT = st.builds(e.Moment, _BOOT, _INT, _INT)
_TEXT = st.sampled_from(["Ann", "Bob", "car-1", "start", "", "\x00", "x" * 300])
_ANYTHING = st.one_of(
    st.builds(
        e.Edge, st.sampled_from(["start", "nowhere"]), st.sampled_from(["beam", "?"]), st.booleans(), _INT, _INT, _BOOT
    ),
    st.builds(e.CarReport, st.just("car-1"), _BOOT, _INT, _INT, _BOOT, _MOMENT, st.none() | _INT, _INT),
    st.builds(e.Tick, _MOMENT),
    st.builds(e.ClockPair, _MOMENT),
    st.builds(e.GateReported, _MOMENT, st.sampled_from(["start", "nowhere"]), st.booleans(), _TEXT),
    st.builds(lambda m, mode: e.SetMode(author="j", mode=mode, moment=m), _MOMENT, st.sampled_from(["race", "test"])),
    st.builds(e.GateNote, st.sampled_from(["start", "nowhere"]), st.just("wrap"), _TEXT, moment=_MOMENT),
    st.builds(e.Booted, _MOMENT, _TEXT, st.just((e.GateSpec("start"),))),
    st.builds(e.OpenRace, _MOMENT, st.sampled_from(["race-1", "race-2"]), _TEXT, st.just(RaceRules(time_limit_s=60.0))),
    st.builds(lambda m, r, c: e.OpenRun(author="j", racer=r, car=c, moment=m), _MOMENT, _TEXT, _TEXT),
    st.sampled_from(list(COMMANDS.values())),
    st.builds(lambda m, t: e.AddCrossing(author="j", at_ns=t, moment=m), _MOMENT, _INT),
    st.builds(lambda m, t: e.OffTrack(author="j", at_ns=t, moment=m), _MOMENT, st.none() | _INT),
)


@QUICK
@given(st.lists(_ANYTHING, max_size=40))
def test_nothing_that_happens_raises_and_no_facts_means_no_change(inputs: list[e.Input]) -> None:
    """Two engines, one with all inputs, the other with only those that the journal would store, agree to the end."""
    live, replayed = Engine(), Engine()
    for event in inputs:
        facts = live.handle(event)
        if facts:
            assert replayed.handle(event) == facts


def test_the_same_inputs_make_the_same_facts() -> None:
    hand = Hand(RaceRules(max_laps=5, off_track_penalty_s=1.0))
    for racer in ("Ann", "Bob", "Cyd"):
        start_s = 1 + 100 * len(hand.engine.race.runs if hand.engine.race else ())
        hand.drive([start_s + 8.25 * n for n in range(6)], racer)
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts
    assert [line.racer for line in only(hand.facts[-2], f.StandingChanged)[0].lines] == ["Ann", "Bob", "Cyd"]


@st.composite
def driven(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, bool]]]:
    """True stamps of a run, and the edges of a beam that bounces within the lockout."""
    at_ns, stamps, edges = S + draw(st.integers(0, S)), [], []
    for _ in range(draw(st.integers(1, 12))):
        stamps.append(at_ns)
        bounces = sorted(draw(st.lists(st.integers(1, 900 * MS), max_size=6, unique=True)))
        edges += [(at_ns, True), *((at_ns + b, i % 2 == 1) for i, b in enumerate(bounces))]
        at_ns += draw(st.integers(2 * S, 30 * S))
    return stamps, edges


@QUICK
@given(driven())
def test_laps_equal_the_truth_to_the_nanosecond(drawn: tuple[list[int], list[tuple[int, bool]]]) -> None:
    stamps, edges = drawn
    hand = Hand()
    hand.open()
    hand.go()
    for at_ns, broken in edges:
        hand.edge(at_ns, broken)
    assert hand.lap_times == [b - a for a, b in itertools.pairwise(stamps)]
    assert [lap.ended_utc_ns for lap in hand.laps] == [UTC + at_ns for at_ns in stamps[1:]]


def test_a_station_that_boots_again_hears_no_edge_twice() -> None:
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17])
    hand.do(e.Booted(moment(18 * S), "station-1", (e.GateSpec("start"),)))
    assert hand.engine.last_seq_by_boot("start") == {"boot-a": 6}
    for event in [event for event in hand.inputs if isinstance(event, e.Edge)]:
        assert hand.do(event) == ()
    assert only(hand.cross(25 * S), f.RunFinished)


def test_a_gate_that_is_rebuilt_keeps_its_count() -> None:
    hand = Hand()
    hand.drive([1, 9])
    hand.do(e.Booted(moment(10 * S), "station-1", (e.GateSpec("start", lockout_ns=2 * S),)))
    assert hand.engine.last_seq_by_boot("start") == {"boot-a": 4}
    hand.cross(17 * S)
    assert hand.lap_times == [8 * S, 8 * S]


def test_ties_go_to_the_earlier() -> None:
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25], "Zoe")
    hand.drive([101, 109, 117, 125], "Ann")
    lines = only(hand.facts[-2], f.StandingChanged)[0].lines
    assert [(line.rank, line.racer, line.tied) for line in lines] == [(1, "Zoe", True), (2, "Ann", True)]


def test_a_race_to_come_back_to_keeps_its_standing() -> None:
    hand = Hand(RaceRules(max_laps=3))
    hand.drive([1, 9, 17, 25], "Zoe")
    hand.do(e.OpenRace(moment(30 * S), "race-2", "B", RaceRules()))
    assert hand.engine.race is not None
    assert hand.engine.race.standings.lines() == ()
    hand.do(e.OpenRace(moment(31 * S), "race-1", "A race", RaceRules(max_laps=3)))
    assert [line.racer for line in hand.engine.race.standings.lines()] == ["Zoe"]


@pytest.mark.parametrize("laps", [99, 100, 101, 400])
def test_a_long_run_is_posted_with_the_laps_that_made_its_score(laps: int) -> None:
    hand = Hand(RaceRules(time_limit_s=7200.0))
    best = laps * 3 // 4
    stamps = [1.0]
    for number in range(1, laps + 1):
        stamps.append(stamps[-1] + (8.0 if abs(number - best) < 2 else 9.0))
    hand.drive(stamps)
    facts = hand.do(e.FinishRun(author="judge", moment=moment(7000 * S)))
    result = only(facts, f.ResultDue)[0].result
    assert result.score_ms == 8000
    assert len(result.laps) <= 100
    widest = replace(result, racer="\U0001f3ce" * 64, model="é" * 200, model_sha256="0" * 64)
    assert len(encode_result(widest)) <= MAX_RESULT_BYTES
    assert {best - 1, best, best + 1} <= {lap.number for lap in result.laps}
