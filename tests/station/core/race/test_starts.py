"""Starts by the start lights: when one is given, what cancels it, false starts, and a start that is taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.race.starts import LATE_GO_NS, lights_lit
from tests.station.core.scripted_race import BOOT, MS, QUICK, Hand, S, moment, only, refusal

SIGNAL = RaceRules(consecutive_laps=1, lap_1_from="signal", time_limit_s=60.0)
LINE = RaceRules(consecutive_laps=1, time_limit_s=60.0)
STAGED, GO = 10 * S, 15 * S  # with a delay of a second


def staged(rules: RaceRules = SIGNAL, **fields: object) -> Hand:
    hand = Hand(rules)
    hand.open()
    facts = hand.give(e.StageRun, STAGED, **{"delay_ms": 1000, **fields})
    assert only(facts, f.RunStaged) == [f.RunStaged("run-1", BOOT, STAGED, GO, False, "judge")]
    return hand


def test_lap_1_begins_when_the_lights_go_out_and_the_car_is_ordered_then() -> None:
    hand = staged()
    assert hand.tick(GO - 1) == ()
    facts = hand.tick(GO + 40 * MS)
    assert [(fact.at_ns, fact.crossing) for fact in only(facts, f.RunStarted)] == [(GO, 0)]
    assert [fact.action for fact in only(facts, f.CarOrdered)] == ["start"]
    hand.cross(GO + 9 * S)
    assert hand.lap_times == [9 * S]
    assert hand.run.ends_ns(BOOT) == GO + 60 * S
    hand.check_replay()


def test_with_lap_1_from_the_line_the_lights_only_give_the_start() -> None:
    hand = staged(LINE)
    hand.tick(GO)
    assert (hand.run.phase, hand.run.released, hand.run.staged) == ("armed", True, None)
    hand.cross(GO + 2 * S)
    hand.cross(GO + 12 * S)
    assert hand.lap_times == [10 * S]


def test_a_crossing_after_the_start_counts_also_if_it_comes_before_the_next_tick() -> None:
    hand = staged(LINE)
    facts = hand.cross(GO + 10 * MS)
    assert [type(fact) for fact in facts if isinstance(fact, f.RunReleased | f.FalseStart | f.RunStarted)] == [
        f.RunReleased,
        f.RunStarted,
    ]
    hand.check_replay()


@pytest.mark.parametrize("rules", [SIGNAL, LINE])
def test_a_crossing_before_the_lights_go_out_is_a_false_start(rules: RaceRules) -> None:
    hand = staged(rules)
    facts = hand.cross(GO - 400 * MS)
    assert only(facts, f.FalseStart)[0].early_ns == 400 * MS
    assert only(facts, f.StartCancelled)[0].why == "false start, 0.400 s before the lights went out"
    assert [fact.action for fact in only(facts, f.CarOrdered)] == ["stop"]
    assert (hand.run.phase, hand.run.released, hand.run.false_starts) == ("armed", False, 1)
    assert hand.tick(GO) == (), "no start is given"
    assert refusal(hand.give(e.StageRun, GO + 5 * S, delay_ms=200)) == ""
    hand.check_replay()


CANCELS: dict[str, e.Input] = {
    "stop_all": e.StopAll(author="Ruth", moment=moment(GO - 1)),
    "stop_car": e.OrderCar(author="Ruth", car="car-1", action="stop", moment=moment(GO - 1)),
    "pause": e.PauseRace(author="Ruth", moment=moment(GO - 1)),
    "late": e.Tick(moment(GO + LATE_GO_NS + 1)),
    "reboot": e.Tick(moment(1 * S, "boot-b")),
}


@pytest.mark.parametrize("cause", CANCELS)
def test_whatever_makes_the_start_unexpected_cancels_it(cause: str) -> None:
    hand = staged()
    facts = hand.do(CANCELS[cause])
    assert len(only(facts, f.StartCancelled)) == 1
    assert "No start was given" in hand.run.start_note
    assert only(hand.tick(GO), f.RunReleased) == []
    assert not hand.run.released
    hand.check_replay()


REFUSED: dict[str, tuple[int, dict[str, object], str]] = {
    "no delay": (0, {"delay_ms": 0}, "must be 200 to 3000"),
    "long": (0, {"delay_ms": 3001}, "must be 200 to 3000"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_stage_that_cannot_be_is_refused(case: str) -> None:
    hand = Hand(SIGNAL)
    hand.open()
    at_ns, fields, words = REFUSED[case]
    assert words in refusal(hand.give(e.StageRun, at_ns, **fields))


def test_a_start_that_was_given_is_not_staged_again_and_a_paused_race_gives_none() -> None:
    hand = Hand(SIGNAL)
    hand.open()
    hand.give(e.PauseRace, 1 * S)
    assert "paused by judge" in refusal(hand.give(e.StageRun, 2 * S, delay_ms=200))
    assert "paused by judge" in refusal(hand.go(2 * S))
    hand.give(e.ContinueRace, 3 * S)
    hand.go(4 * S)
    assert refusal(hand.give(e.StageRun, 5 * S, delay_ms=200)) != ""


@pytest.mark.parametrize("rules", [SIGNAL, LINE])
def test_a_start_is_taken_back_until_the_car_has_crossed_the_line(rules: RaceRules) -> None:
    hand = Hand(rules)
    hand.open()
    assert "has not been given" in refusal(hand.give(e.Relaunch, 1 * S))
    hand.go(5 * S)
    hand.do(e.OffTrack(author="judge", moment=moment(6 * S)))
    facts = hand.give(e.Relaunch, 8 * S, reason="wrong car")
    assert only(facts, f.RunRelaunched)[0].reason == "wrong car"
    assert [fact.action for fact in only(facts, f.CarOrdered)] == ["stop"]
    assert (hand.run.phase, hand.run.released, hand.run.book.segments) == ("armed", False, [])
    assert hand.cross(9 * S)[1:2] == (f.Unattributed(1, "the start has not been given"),)
    hand.go(20 * S)
    hand.cross(30 * S)
    hand.cross(40 * S)
    assert hand.lap_times == ([10 * S, 10 * S] if rules is SIGNAL else [10 * S])
    assert "has crossed the line" in refusal(hand.give(e.Relaunch, 41 * S))
    hand.check_replay()


def test_start_lights_that_are_on_are_ended() -> None:
    hand = staged()
    assert [fact.why for fact in only(hand.give(e.Relaunch, GO - 1), f.StartCancelled)] == ["taken back by judge"]
    assert hand.tick(GO) == ()
    assert refusal(hand.go(GO + 1)) == ""


@QUICK
@given(st.integers(200, 3000), st.integers(0, 10 * S))
def test_the_lights_light_one_after_the_other_and_go_out_at_the_start(delay_ms: int, after_ns: int) -> None:
    go_ns = 4 * S + delay_ms * MS
    lit = lights_lit(0, go_ns, after_ns)
    assert lit == (0 if after_ns >= go_ns else min(5, 1 + after_ns // S))
