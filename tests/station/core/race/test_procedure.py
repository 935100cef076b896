"""A run's procedure as a whole: cars without an agent, and any sequence of an official's commands."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.event.records import CarKind, EventCar, Racer
from tests.station.core.scripted_race import BOOT, QUICK, Hand, S, moment, only, refusal

RULES = RaceRules(consecutive_laps=1, max_laps=2, time_limit_s=60.0)


def stock(kind: CarKind = "stock") -> Hand:
    hand = Hand(RULES)
    hand.engine.event.cars["stock-1"] = EventCar("stock-1", kind)
    return hand


@pytest.mark.parametrize("kind", ["stock", "none"])
def test_a_car_without_our_agent_gets_no_order_in_its_whole_run(kind: CarKind) -> None:
    hand = stock(kind)
    [opened] = only(hand.open(car="stock-1"), f.RunOpened)
    assert opened.by_hand
    assert "takes no orders" in refusal(hand.do(e.ArmRun(author="judge", moment=moment(1 * S))))
    assert "takes no orders" in refusal(hand.do(e.ResumeRun(author="judge", moment=moment(1 * S))))
    stop = e.OrderCar(author="judge", car="stock-1", action="stop", moment=moment(1 * S))
    assert "takes no orders" in refusal(hand.do(stop))
    [released] = only(hand.go(2 * S), f.RunReleased)
    assert released.by_hand
    for at_s in (3, 13, 23):
        hand.cross(at_s * S)
    assert hand.run.phase == "finished"
    assert [fact for facts in hand.facts for fact in only(facts, f.CarOrdered)] == []
    [due] = [fact.result for facts in hand.facts for fact in only(facts, f.ResultDue)]
    assert due.evidence.by_hand


def test_a_car_that_nobody_entered_has_our_agent() -> None:
    hand = stock()
    assert [fact.action for fact in only(hand.open(car="car-1"), f.CarOrdered)] == ["arm"]


def test_the_model_of_the_entry_is_the_racers_unless_another_is_entered() -> None:
    hand = Hand(RULES)
    hand.engine.event.racers["ann"] = Racer("Ann", model="center-line-v3")
    hand.open("ANN")
    assert (hand.run.racer, hand.run.model) == ("Ann", "center-line-v3")
    hand.do(e.CarModel(moment(1 * S), "car-1", True, "apex-hunter", ""))
    assert "entry says the model center-line-v3" in refusal(hand.go(2 * S))
    assert "entry says" in refusal(hand.give(e.StageRun, 2 * S, delay_ms=200))
    hand.do(e.AbandonRun(author="judge", moment=moment(3 * S)))
    hand.do(e.OpenRun(author="judge", racer="Ann", car="car-1", model="apex-hunter", moment=moment(4 * S)))
    assert refusal(hand.go(5 * S)) == ""


PROCEDURE: dict[str, tuple[type[e.Command], dict[str, object]]] = {
    "open": (e.OpenRun, {"racer": "Ann", "car": "car-1"}),
    "stage": (e.StageRun, {"delay_ms": 500}),
    "start": (e.StartRun, {}),
    "relaunch": (e.Relaunch, {}),
    "pause": (e.PauseRace, {}),
    "continue": (e.ContinueRace, {}),
    "finish": (e.FinishRun, {}),
    "abandon": (e.AbandonRun, {}),
    "dnf": (e.MarkDnf, {}),
    "submit": (e.SubmitRun, {}),
    "discard": (e.DiscardRun, {}),
    "stop": (e.StopAll, {}),
    "release": (e.ReleaseStop, {}),
    "queue": (e.QueueRacer, {"racer": "Ann"}),
    "call": (e.CallNext, {}),
    "rerun": (e.Rerun, {"run_id": "run-1"}),
}
STEPS = st.lists(st.tuples(st.sampled_from([*PROCEDURE, "cross", "tick"]), st.integers(1, 15)), max_size=40)


@QUICK
@given(STEPS, st.sampled_from(["line", "signal"]), st.sampled_from([0.0, 5.0, -1.0]))
def test_any_sequence_leaves_the_clocks_true_and_replays(
    steps: list[tuple[str, int]], lap_1_from: str, submit_after_s: float
) -> None:
    """The time limit stands still exactly while the race is paused, and a lap is the difference of its crossings."""
    rules = RaceRules(consecutive_laps=1, time_limit_s=60.0, lap_1_from=lap_1_from)  # type: ignore[arg-type]
    hand = Hand(rules)
    hand.do(e.OpenRace(moment(0), "race-1", "A race", rules, submit_after_s=submit_after_s))
    now_ns = 0
    for step, after_s in steps:
        before_ns, limit_left = now_ns, left(hand, now_ns)
        paused, on = hand.engine.race is not None and hand.engine.race.paused is not None, hand.engine.run
        now_ns += after_s * S
        if step == "cross":
            hand.cross(now_ns)
        elif step == "tick":
            hand.tick(now_ns)
            run = hand.engine.run
            if limit_left is not None and run is on and run is not None and run.on:
                expected = limit_left if paused else limit_left - (now_ns - before_ns)
                assert left(hand, now_ns) == expected
        else:
            kind, fields = PROCEDURE[step]
            hand.give(kind, now_ns, **fields)
        check(hand)
    hand.check_replay()


def left(hand: Hand, now_ns: int) -> int | None:
    """What is left of the time limit of the run on the track, in ns."""
    run = hand.engine.run
    if run is None or run.phase != "running":
        return None
    ends_ns = run.ends_ns(BOOT)
    assert ends_ns is not None
    if run.paused is None:
        return ends_ns - now_ns
    return ends_ns - max(run.paused.at_ns, run.clocks[BOOT])


def check(hand: Hand) -> None:
    race = hand.engine.race
    assert race is not None
    for run in race.runs.values():
        stamps = [segment.start.at_ns for segment in run.book.segments]
        assert [lap.lap_ns for lap in run.book.laps()] == [b - a for a, b in itertools.pairwise(stamps)]
        assert not (run.staged and run.released)
        assert run.on or run.staged is None
        assert (run in race.waiting) == (not run.on and run.counts and not run.submitted)
    scored = {run.racer for run in race.runs.values() if run.submitted and run.counts and run.score is not None}
    assert {line.racer for line in race.standings.lines()} == scored
