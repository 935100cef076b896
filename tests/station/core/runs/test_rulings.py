"""Rulings: new records that change what counts, and never what was recorded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules, score_run
from station.core import facts as f
from station.core import inputs as e
from station.core.runs.laps import run_lap
from tests.station.core.scripted_race import MS, QUICK, Hand, S, moment, only

LATER = moment(100 * S)


def finished() -> Hand:
    hand = Hand(RaceRules(max_laps=4))
    hand.drive([1, 9, 18, 28, 39])  # 8, 9, 10, 11 s
    return hand


def rule(hand: Hand, command: e.Command) -> tuple[f.Fact, ...]:
    facts = hand.do(command)
    assert not only(facts, f.CommandRefused), facts
    return facts


def test_a_voided_lap_breaks_the_window_and_a_restored_one_mends_it() -> None:
    hand = finished()
    facts = rule(hand, e.VoidLap(author="judge", number=1, reason="cut the corner", moment=LATER))
    assert only(facts, f.LapAdjusted)[0].lap.reason == "cut the corner"
    assert only(facts, f.Qualified)[0].score_ms == 10_000
    assert only(facts, f.ResultDue)[0].result.revision == 2
    facts = rule(hand, e.RestoreLap(author="jury", number=1, reason="protest upheld", moment=LATER))
    due = only(facts, f.ResultDue)[0].result
    assert (due.score_ms, due.revision) == (9000, 3)


def test_a_run_that_loses_its_score_is_posted_with_none() -> None:
    hand = finished()
    rule(hand, e.VoidLap(author="judge", number=2, moment=LATER))
    facts = rule(hand, e.VoidLap(author="judge", number=3, moment=LATER))
    assert only(facts, f.Qualified) == [] or only(facts, f.Qualified)[0].score_ms is None
    assert only(hand.facts[-2], f.ResultDue)[0].result.score_ms == 0
    assert only(hand.facts[-2], f.StandingChanged)[0].lines == ()


def test_penalties_add_up_and_never_fall_below_zero() -> None:
    hand = finished()
    for seconds in (2.5, -1.0, -600.0, 1.5):
        rule(hand, e.AddPenalty(author="judge", number=2, seconds=seconds, moment=LATER))
    assert hand.laps[1].penalty_ns == 1_500_000_000
    assert hand.run.score is not None
    assert hand.run.score.score_ms == 9500


@pytest.mark.parametrize("seconds", [0.0, 601.0, -601.0, float("nan"), float("inf")])
def test_a_penalty_is_a_sensible_number(seconds: float) -> None:
    hand = finished()
    facts = hand.do(e.AddPenalty(author="judge", number=1, seconds=seconds, moment=LATER))
    assert only(facts, f.CommandRefused)


def test_a_missed_crossing_divides_a_lap() -> None:
    hand = Hand()
    hand.drive([1, 9, 25, 33])
    rule(hand, e.FinishRun(author="judge", moment=moment(40 * S)))
    facts = rule(hand, e.AddCrossing(author="judge", at_ns=17 * S, uncertainty_ns=200 * MS, moment=LATER))
    assert only(facts, f.LapsRecomputed)[0].laps == hand.laps
    assert hand.lap_times == [8 * S, 8 * S, 8 * S, 8 * S]
    assert [lap.source for lap in hand.laps] == ["gate", "official", "official", "gate"]
    assert hand.laps[1].uncertainty_ns == 200 * MS + 1000
    assert only(facts, f.ResultDue)[0].result.score_ms == 8000


def test_a_false_crossing_makes_two_laps_one_and_nothing_is_lost() -> None:
    hand = Hand()
    hand.drive([1, 9, 12, 17, 25])
    for number in (2, 3):
        rule(hand, e.AddPenalty(author="judge", number=number, seconds=1.0, moment=LATER))
    facts = rule(hand, e.DropCrossing(author="judge", number=2, reason="a hand", moment=LATER))
    assert hand.lap_times == [8 * S, 8 * S, 8 * S]
    assert hand.laps[1].penalty_ns == 2 * S
    assert [mark.at_ns for mark in hand.run.book.flagged] == [12 * S]
    assert only(facts, f.LapsRecomputed)
    rule(hand, e.AddCrossing(author="jury", at_ns=12 * S, moment=LATER))
    assert hand.lap_times == [8 * S, 3 * S, 5 * S, 8 * S]
    assert hand.laps[1].source == "gate"


@pytest.mark.parametrize("at_s", [0, 1, 9, 200])
def test_a_crossing_is_added_within_the_run_and_once(at_s: int) -> None:
    hand = Hand()
    hand.drive([1, 9, 25])
    facts = hand.do(e.AddCrossing(author="judge", at_ns=at_s * S, moment=LATER))
    assert only(facts, f.CommandRefused)
    assert hand.lap_times == [8 * S, 16 * S]


def test_a_run_moves_to_another_racer_with_its_result() -> None:
    hand = finished()
    facts = rule(hand, e.ReassignRun(author="judge", racer="Bob", reason="wrong car", moment=LATER))
    due = only(facts, f.ResultDue)[0].result
    assert (due.racer, due.revision) == ("Bob", 2)
    assert [line.racer for line in only(facts, f.StandingChanged)[-1].lines] == ["Bob"]


def test_an_earlier_run_can_be_ruled_while_another_is_on() -> None:
    hand = finished()
    hand.open("Bob", at_ns=50 * S)
    facts = rule(hand, e.VoidLap(author="judge", number=1, run_id="run-1", moment=LATER))
    assert only(facts, f.ResultDue)[0].result.run_id == "run-1"
    assert only(hand.do(e.VoidLap(author="judge", number=1, moment=LATER)), f.CommandRefused)
    unknown = hand.do(e.VoidLap(author="judge", number=1, run_id="run-9", moment=LATER))
    assert "no run 'run-9'" in only(unknown, f.CommandRefused)[0].sentence


def test_a_ruling_that_changes_nothing_posts_nothing() -> None:
    hand = finished()
    rule(hand, e.AddPenalty(author="judge", number=1, seconds=-1.0, moment=LATER))
    assert not only(hand.facts[-1], f.ResultDue)


_NUMBERS = st.integers(0, 6)
_STAMPS = st.integers(0, 60).map(lambda s: s * S)
_RULINGS = st.one_of(
    st.builds(lambda n: e.VoidLap(author="j", number=n, moment=LATER), _NUMBERS),
    st.builds(lambda n: e.RestoreLap(author="j", number=n, moment=LATER), _NUMBERS),
    st.builds(lambda n, s: e.AddPenalty(author="j", number=n, seconds=s, moment=LATER), _NUMBERS, st.floats(-9, 9)),
    st.builds(lambda t: e.AddCrossing(author="j", at_ns=t, moment=LATER), _STAMPS),
    st.builds(lambda n: e.DropCrossing(author="j", number=n, moment=LATER), _NUMBERS),
    st.builds(lambda r: e.ReassignRun(author="j", racer=r, moment=LATER), st.sampled_from(["Ann", "Bob"])),
)


@QUICK
@given(st.lists(_RULINGS, max_size=12))
def test_any_rulings_leave_laps_that_join_up_and_a_result_that_agrees(rulings: list[e.Command]) -> None:
    hand = finished()
    posted = only(hand.facts[-2], f.ResultDue)[0].result
    for ruling in rulings:
        for fact in only(hand.do(ruling), f.ResultDue):
            assert fact.result.revision == posted.revision + 1
            posted = fact.result
    laps = hand.laps
    assert [lap.number for lap in laps] == list(range(1, len(laps) + 1))
    # A first crossing that was dropped begins no lap: the laps follow on from the crossing that does.
    assert laps == () or sum(lap.lap_ns for lap in laps) == laps[-1].ended_ns - hand.run.book.segments[0].start.at_ns
    assert all(lap.penalty_ns >= 0 for lap in laps)
    score = score_run([run_lap(lap) for lap in laps], hand.run.rules)
    assert hand.run.score == score
    assert (posted.score_ms, posted.racer) == (score.score_ms if score else 0, hand.run.racer)
    assert posted.laps == tuple(run_lap(lap) for lap in laps)
