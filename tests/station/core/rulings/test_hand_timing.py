"""Hand times: a mark first, a crossing where the gate is dead or an official says so, never over a sensor's."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from tests.station.core.scripted_race import MS, QUICK, Hand, S, moment, only

RULES = RaceRules(method="average", consecutive_laps=3)


def tap(hand: Hand, at_s: float) -> tuple[f.Fact, ...]:
    return hand.do(e.HandTime(author="Ruth", moment=moment(round(at_s * S))))


def by_hand(rules: RaceRules = RULES) -> Hand:
    """A run that is timed by hand, started at 1 s."""
    hand = Hand(rules)
    hand.do(
        e.OpenRun(author="Ruth", racer="Ann", car="car-1", hand_timed=True, reason="the gate is dead", moment=moment(S))
    )
    hand.do(e.StartRun(author="Ruth", by_hand=True, moment=moment(S)))
    return hand


def finish(hand: Hand, at_s: float) -> list[f.ResultDue]:
    return only(hand.do(e.FinishRun(author="Ruth", moment=moment(round(at_s * S)))), f.ResultDue)


def test_a_whole_run_is_timed_by_hand_and_its_result_says_so() -> None:
    hand = by_hand()
    for at_s in (2, 11, 20.1, 29.3):
        tap(hand, at_s)
    assert [lap.source for lap in hand.laps] == ["hand"] * 3
    assert [lap.reason for lap in hand.laps] == ["timed by hand"] * 3
    (due,) = finish(hand, 40)
    assert due.result.score_ms == 9_100
    assert due.result.evidence.hand_timed
    assert due.result.evidence.uncertainty_ns == 200 * MS, "a tenth at either end"


def test_timing_by_hand_takes_a_reason_which_also_overrides_the_gate() -> None:
    hand = Hand(RULES)
    hand.do(e.GateReported(moment(0), "start", False, "no edges"))
    given_up = e.OpenRun(author="Ruth", racer="Ann", car="car-1", hand_timed=True, moment=moment(S))
    assert only(hand.do(given_up), f.CommandRefused)
    facts = hand.do(
        e.OpenRun(author="Ruth", racer="Ann", car="car-1", hand_timed=True, reason="cable torn", moment=moment(S))
    )
    assert [fact.reason for fact in only(facts, f.GateOverridden)] == ["cable torn"]
    assert [fact.hand_timed for fact in only(facts, f.RunOpened)] == [True]


def test_outside_such_a_run_a_hand_time_is_a_mark_and_no_crossing() -> None:
    hand = Hand(RULES)
    hand.drive((1, 10))
    assert not only(tap(hand, 15), f.LapCompleted)
    assert [mark.moment.at_ns for mark in hand.run.hand_times] == [15 * S]
    assert len(hand.laps) == 1


@pytest.mark.parametrize("order", ["hand first", "sensor first"])
def test_a_sensor_that_sees_the_pass_wins_over_the_hand(order: str) -> None:
    hand = by_hand()
    tap(hand, 2)
    if order == "hand first":
        tap(hand, 11.1)
        facts = hand.cross(round(11.2 * S))
        assert only(facts, f.LapsRecomputed)
    else:
        hand.cross(round(11.2 * S))
        tap(hand, 11.3)
    tap(hand, 20)
    assert [lap.ended_ns for lap in hand.laps] == [round(11.2 * S), 20 * S]
    assert [lap.uncertainty_ns for lap in hand.laps] == [100 * MS + 1_000] * 2


def test_two_taps_of_one_pass_make_one_crossing() -> None:
    hand = by_hand()
    for at_s in (2, 2.3, 11, 11.4, 20):
        tap(hand, at_s)
    assert [lap.lap_ns for lap in hand.laps] == [9 * S, 9 * S]
    assert len(hand.run.hand_times) == 5, "every mark stays visible"


def test_the_lap_limit_ends_a_run_by_hand_too() -> None:
    hand = by_hand(RaceRules(max_laps=2))
    for at_s in (2, 11, 20):
        tap(hand, at_s)
    assert hand.run.phase == "finished"


def test_a_hand_time_within_a_long_lap_is_the_witness_and_gives_its_time() -> None:
    hand = Hand(RULES)
    hand.drive((1, 4.007, 7.003, 10.003))
    tap(hand, 13.1)
    (asked,) = only(hand.cross(round(16.159 * S)), f.Proposal)
    assert (asked.kind, asked.witness, asked.at_ns) == ("missed_crossing", "a hand time", round(13.1 * S))
    assert asked.uncertainty_ns == 100 * MS
    facts = hand.do(e.HandCrossing(author="Ruth", at_ns=asked.at_ns, moment=moment(20 * S)))
    assert not only(facts, f.CommandRefused)
    assert [lap.lap_ns for lap in hand.laps[3:]] == [round(3.097 * S), round(3.059 * S)]
    assert [lap.source for lap in hand.laps[3:]] == ["hand", "hand"]
    assert hand.run.proposals == []


@pytest.mark.parametrize(
    ("at_s", "why"),
    [(12.0, "no hand time"), (10.1, "a crossing of this pass already")],
)
def test_only_a_hand_time_where_the_gate_saw_nothing_is_counted(at_s: float, why: str) -> None:
    hand = Hand(RULES)
    hand.drive((1, 4, 7, 10, 16))
    tap(hand, 16.5)
    if at_s == 10.1:
        hand.run.hand_times.append(type(hand.run.hand_times[0])(moment(round(10.1 * S)), "Ruth"))
    facts = hand.do(e.HandCrossing(author="Ruth", at_ns=round(at_s * S), moment=moment(20 * S)))
    assert why in only(facts, f.CommandRefused)[0].sentence


@QUICK
@given(
    st.lists(st.floats(2.5, 4.0), min_size=3, max_size=8),
    st.integers(1, 7),
    st.lists(st.floats(0, 40), max_size=6),
)
def test_never_more_crossings_are_asked_for_than_usual_laps_less_one(
    usual_s: list[float], times: int, taps_s: list[float]
) -> None:
    """Laps of the ordinary spread, then one of about `times` usual ones, with hand times anywhere in between."""
    long_s = times * sorted(usual_s)[len(usual_s) // 2]
    stamps = list(itertools.accumulate([*usual_s, long_s], initial=2.0))
    hand = Hand(RULES)
    hand.drive(stamps[:1])
    events = sorted([(at_s, True) for at_s in stamps[1:]] + [(2 + at_s, False) for at_s in taps_s])
    for at_s, crosses in events:
        _ = hand.cross(round(at_s * S)) if crosses else tap(hand, at_s)
    asked = [p for p in hand.run.proposals if p.kind == "missed_crossing"]
    assert len(asked) <= max(0, round(long_s / min(usual_s)) - 1)
    if max([*usual_s, long_s]) < 1.85 * min(usual_s):
        assert asked == []


def test_a_replay_of_hand_timing_gives_the_same_facts() -> None:
    hand = by_hand()
    for at_s in (2, 11, 20):
        tap(hand, at_s)
    hand.cross(round(20.2 * S))
    finish(hand, 30)
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts
