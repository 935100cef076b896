"""The rules on where lap 1 begins, and what counts when the time is up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.rules.ranking import AtLimit, Lap1, RaceRules, check_rules
from simulator.races.verify.reference_model import ReferenceRun
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import BOOT, MS, QUICK, Hand, S, moment, only

SIGNAL = RaceRules(consecutive_laps=1, lap_1_from="signal", time_limit_s=60.0)
LAST = RaceRules(consecutive_laps=1, at_time_limit="finish_lap", time_limit_s=30.0)


def finished(hand: Hand) -> list[str]:
    return [fact.reason for facts in hand.facts for fact in only(facts, f.RunFinished)]


def test_lap_1_and_the_time_limit_begin_with_the_start_signal() -> None:
    hand = Hand(SIGNAL)
    hand.open()
    facts = hand.go(5 * S)
    assert [(fact.at_ns, fact.crossing) for fact in only(facts, f.RunStarted)] == [(5 * S, 0)]
    assert hand.run.phase == "running"
    for at_s in (17, 27):
        hand.cross(at_s * S)
    assert hand.lap_times == [12 * S, 10 * S]
    assert [lap.source for lap in hand.laps] == ["official", "gate"]
    assert hand.laps[0].uncertainty_ns > 50 * MS > hand.laps[1].uncertainty_ns
    assert hand.run.ends_ns(BOOT) == 65 * S
    hand.tick(66 * S)
    assert finished(hand) == ["time is up"]


def test_the_car_that_stood_behind_the_line_drives_off_over_it() -> None:
    hand = Hand(SIGNAL)
    hand.open()
    hand.go(5 * S)
    assert [fact.why for fact in only(hand.cross(6 * S), f.Unattributed)] == [
        "the car drove off over the line: lap 1 had begun"
    ]
    assert hand.run.book.flagged == []
    hand.cross(15 * S)
    assert hand.lap_times == [10 * S]


def test_a_gate_with_a_clock_of_its_own_is_put_beside_the_signal_by_the_time_of_day() -> None:
    hand = Hand(SIGNAL)
    hand.do(e.ClockPair(e.Moment("gate-boot", 1_000 * S, moment(0).utc_ns)))
    hand.open()
    hand.go(5 * S)
    hand.cross(1_017 * S, boot="gate-boot")
    hand.cross(1_027 * S, boot="gate-boot")
    assert hand.lap_times == [12 * S, 10 * S]
    assert hand.laps[0].uncertainty_ns > 100 * MS
    assert all(lap.valid for lap in hand.laps)
    assert hand.run.ends_ns("gate-boot") == 1_065 * S


def test_the_start_given_again_after_a_stop_moves_nothing_and_a_signal_cannot_be_dropped() -> None:
    hand = Hand(SIGNAL)
    hand.open()
    hand.go(5 * S)
    hand.go(9 * S)
    hand.cross(17 * S)
    assert hand.lap_times == [12 * S]
    drop = e.DropCrossing(author="judge", number=0, moment=moment(30 * S))
    assert "began with the start signal" in only(hand.do(drop), f.CommandRefused)[0].sentence


def test_the_lap_in_progress_counts_and_then_the_run_is_over() -> None:
    hand = Hand(LAST)
    hand.drive((1, 11, 21))
    assert [fact.run_id for fact in only(hand.tick(32 * S), f.TimeUp)] == ["run-1"]
    assert hand.tick(33 * S) == (), "reported once"
    assert hand.run.on
    facts = hand.cross(34 * S)
    assert finished(hand) == ["time is up, the last lap is done"]
    assert hand.lap_times == [10 * S, 10 * S, 13 * S]
    assert [fact.action for fact in only(facts, f.CarOrdered)] == ["stop"]
    assert [fact.why for fact in only(hand.cross(44 * S), f.Unattributed)] == ["no run is on"]


def test_a_crossing_on_the_limit_is_within_and_the_next_one_is_the_last() -> None:
    hand = Hand(LAST)
    hand.drive((1, 11, 21, 31, 41, 51))
    assert hand.lap_times == [10 * S] * 4


def test_a_car_that_does_not_come_round_is_ended_by_the_official() -> None:
    hand = Hand(LAST)
    hand.drive((1, 11))
    hand.tick(500 * S)
    assert hand.run.on
    hand.do(e.FinishRun(author="judge", reason="stands", moment=moment(501 * S)))
    assert hand.lap_times == [10 * S]


@pytest.mark.parametrize(("rule", "value"), [("lap_1_from", "go"), ("at_time_limit", "later")])
def test_another_word_is_refused(rule: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"`{rule}` is '{value}'"):
        check_rules(RaceRules(**{rule: value}))  # type: ignore[arg-type]


@QUICK
@given(
    gaps=st.lists(st.integers(300 * MS, 14 * S), min_size=1, max_size=12),
    lap_1_from=st.sampled_from(("line", "signal")),
    at_time_limit=st.sampled_from(("stop", "finish_lap")),
    max_laps=st.none() | st.integers(1, 4),
)
def test_the_engine_and_the_reference_model_agree(
    gaps: list[int], lap_1_from: Lap1, at_time_limit: AtLimit, max_laps: int | None
) -> None:
    rules = RaceRules("best_lap", 1, max_laps, 30.0, min_lap_s=3.0, lap_1_from=lap_1_from, at_time_limit=at_time_limit)
    hand, reference = (
        Hand(rules, e.GateSpec("start", lockout_ns=200 * MS)),
        ReferenceRun("r", "race", "Ann", "car-1", rules),
    )
    hand.open()
    hand.go(1 * S)
    reference.release(BOOT, 1 * S)
    at_ns = 1 * S
    for gap in gaps:
        at_ns += gap
        hand.cross(at_ns, width_ns=100 * MS)
        reference.crossing(BOOT, at_ns)
    assert [(lap.lap_ns, lap.valid) for lap in hand.laps] == [(lap.lap_ns, lap.valid) for lap in reference.laps()]
    score = hand.run.score if not hand.run.on else None
    assert hand.run.on != (reference.over or (at_time_limit == "stop" and finished(hand) == ["time is up"]))
    if score is not None:
        assert score.score_ms == reference.score_ms()


def test_two_cars_that_start_with_the_signal_each_drive_off_over_the_line() -> None:
    hand = Hand()
    rules = RaceRules(consecutive_laps=1, lap_1_from="signal", min_lap_s=4.0)
    hand.do(e.OpenRace(moment(0), "two", "Two", rules, cars_on_track=2))
    for number, racer in enumerate(("Ann", "Ben"), 1):
        hand.open(racer, run_id=f"r{number}", car=f"car-{number}")
    for number, at_s in ((1, 5), (2, 12)):
        hand.do(e.StartRun(author="judge", run_id=f"r{number}", moment=moment(at_s * S)))
        hand.cross((at_s + 1) * S)
        hand.do(e.CarReport(f"car-{number}", f"b{number}", 1, (at_s + 1) * S, BOOT, moment((at_s + 1) * S + 80 * MS)))
        hand.tick((at_s + 4) * S)
    assert hand.engine.race is not None
    for run_id, at_s in (("r1", 5), ("r2", 12)):
        run = hand.engine.race.runs[run_id]
        assert [segment.start.at_ns for segment in run.book.segments] == [at_s * S]
        assert run.proposals == []
