"""The pause of a race: time limits stand still, lap clocks never; the lap in which it began is asked about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import AtLimit, RaceRules
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import BOOT, QUICK, Hand, S, moment, only, refusal

LIMIT = RaceRules(consecutive_laps=1, time_limit_s=60.0)
LAST = RaceRules(consecutive_laps=1, time_limit_s=60.0, at_time_limit="finish_lap")


def finished(hand: Hand) -> list[str]:
    return [fact.reason for facts in hand.facts for fact in only(facts, f.RunFinished)]


def test_the_limit_stands_still_and_the_laps_go_on() -> None:
    hand = Hand(LIMIT)
    hand.drive((10, 20))
    hand.give(e.PauseRace, 25 * S, reason="a cable")
    hand.cross(30 * S)
    hand.tick(200 * S)
    assert finished(hand) == []
    hand.cross(205 * S)
    assert hand.lap_times == [10 * S, 10 * S, 175 * S]
    assert only(hand.give(e.ContinueRace, 225 * S), f.RaceContinued)[0].paused_ns == 200 * S
    assert hand.run.ends_ns(BOOT) == (10 + 60 + 200) * S
    hand.cross(269 * S)
    hand.tick(271 * S)
    assert finished(hand) == ["time is up"]
    assert hand.run.finished_utc_ns == moment(270 * S).utc_ns
    hand.check_replay()


def test_the_lap_of_the_pause_is_asked_about_once_it_has_ended() -> None:
    hand = Hand(LIMIT)
    hand.drive((10, 20))
    hand.give(e.PauseRace, 25 * S)
    hand.give(e.ContinueRace, 27 * S)
    asked = only(hand.cross(31 * S), f.Proposal)
    assert [(each.kind, each.witness, each.sentence) for each in asked] == [
        ("paused_lap", "pause", "The race was paused in lap 2: does the lap count?")
    ]
    assert only(hand.cross(41 * S), f.Proposal) == []
    assert hand.laps[1].valid, "it counts unless an official voids it"
    hand.do(e.VoidLap(author="judge", number=1, moment=moment(42 * S)))
    assert len(hand.run.proposals) == 1
    hand.do(e.VoidLap(author="judge", number=2, moment=moment(42 * S)))
    assert hand.run.proposals == []
    hand.check_replay()


def test_the_answer_that_the_lap_counts_ends_the_question() -> None:
    hand = Hand(LIMIT)
    hand.drive((10, 20))
    hand.give(e.PauseRace, 25 * S)
    [asked] = only(hand.cross(31 * S), f.Proposal)
    hand.do(e.DismissProposal(author="judge", at_ns=asked.at_ns, moment=moment(32 * S)))
    assert hand.run.proposals == []
    assert hand.laps[1].valid


@pytest.mark.parametrize(("crossed_s", "over"), [(75, False), (79, False), (81, True), (95, True)])
def test_with_the_lap_in_progress_the_limit_is_later_by_the_pause(crossed_s: int, over: bool) -> None:
    hand = Hand(LAST)
    hand.drive((10, 20))  # the limit would be over at 70 s
    hand.give(e.PauseRace, 30 * S)
    hand.give(e.ContinueRace, 40 * S)
    hand.cross(crossed_s * S)
    assert finished(hand) == (["time is up, the last lap is done"] if over else [])
    assert len(hand.laps) == 2
    hand.tick(96 * S)
    assert hand.run.last_lap != over
    hand.check_replay()


def test_a_limit_that_was_over_is_not_extended() -> None:
    hand = Hand(LIMIT)
    hand.drive((10, 20))
    hand.give(e.PauseRace, 70 * S + 100_000_000)
    hand.tick(71 * S)
    assert finished(hand) == ["time is up"]
    assert hand.run.finished_utc_ns == moment(70 * S).utc_ns


def test_a_run_that_begins_in_a_pause_has_its_whole_limit_after_it() -> None:
    hand = Hand(LIMIT)
    hand.open()
    hand.go(5 * S)
    hand.give(e.PauseRace, 8 * S)
    hand.cross(10 * S)
    hand.give(e.ContinueRace, 40 * S)
    assert hand.run.ends_ns(BOOT) == 100 * S
    assert only(hand.cross(50 * S), f.Proposal) == [], "its lap began in the pause, which nobody need be asked about"


def test_it_is_paused_and_continued_once_and_ends_with_the_run() -> None:
    hand = Hand(LIMIT)
    assert "not paused" in refusal(hand.give(e.ContinueRace, 1 * S))
    hand.give(e.PauseRace, 2 * S)
    assert "paused already, by judge" in refusal(hand.give(e.PauseRace, 3 * S))
    hand.give(e.ContinueRace, 4 * S)
    hand.drive((10, 20))
    hand.give(e.PauseRace, 22 * S)
    hand.do(e.FinishRun(author="judge", moment=moment(23 * S)))
    assert hand.run.paused is None
    hand.give(e.ContinueRace, 30 * S)
    hand.check_replay()


def test_a_reboot_in_the_pause_lets_the_limit_stand_still_by_the_time_of_day() -> None:
    hand = Hand(LIMIT)
    hand.do(e.ClockPair(moment(0)))
    hand.drive((10, 20))
    hand.give(e.PauseRace, 25 * S)
    again = e.Moment("boot-b", 5 * S, moment(100 * S).utc_ns)
    hand.do(e.Booted(again, "station-1", (e.GateSpec("start"),)))
    hand.do(e.ContinueRace(author="judge", moment=again))
    hand.do(e.Tick(e.Moment("boot-b", 6 * S, moment(101 * S).utc_ns)))
    assert finished(hand) == []
    assert hand.run.paused_ns() == 75 * S
    hand.check_replay()


@QUICK
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), max_size=4), st.sampled_from(["stop", "finish_lap"]))
def test_the_limit_is_later_by_what_the_pauses_last(spans: list[tuple[int, int]], at_limit: AtLimit) -> None:
    hand = Hand(RaceRules(consecutive_laps=1, time_limit_s=600.0, at_time_limit=at_limit))
    hand.drive((10,))
    now_s, paused_s = 10, 0
    for wait_s, pause_s in spans:
        now_s += wait_s
        hand.give(e.PauseRace, now_s * S)
        now_s += pause_s
        hand.tick(now_s * S)
        hand.give(e.ContinueRace, now_s * S)
        paused_s += pause_s
    assert hand.run.ends_ns(BOOT) == (610 + paused_s) * S
    assert hand.tick((610 + paused_s) * S) == ()
    assert only(hand.tick((611 + paused_s) * S), f.RunFinished if at_limit == "stop" else f.TimeUp)
    hand.check_replay()
