"""The queue of a race: who is queued, moved, called, missing, and leaves; everything replays."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.event.records import Racer
from station.core.queue.race_queue import QueueEntry, RaceQueue
from station.core.runs.racer_names import RacerNames
from tests.station.core.scripted_race import QUICK, Hand, S, moment, only, refusal

RULES = RaceRules(consecutive_laps=1, max_laps=1, attempts_per_racer=1, time_limit_s=180.0)


def queued(*racers: str) -> Hand:
    hand = Hand(RULES)
    for racer in racers:
        assert refusal(hand.give(e.QueueRacer, 1 * S, racer=racer)) == ""
    return hand


def order(hand: Hand) -> list[str]:
    assert hand.engine.race is not None
    return [entry.racer for entry in hand.engine.queue_of(hand.engine.race).entries]


def called(hand: Hand) -> list[str]:
    assert hand.engine.race is not None
    return [entry.racer for entry in hand.engine.queue_of(hand.engine.race).called]


# commands -> the order after them, who is called, and the words of the last one's refusal
Step = tuple[type[e.Command], dict[str, object]]
CALL: Step = (e.CallNext, {})
CASES: dict[str, tuple[Sequence[Step], list[str], list[str], str]] = {
    "move up": ([(e.MoveInQueue, {"racer": "cyd", "place": 1})], ["Cyd", "Ann", "Bo"], [], ""),
    "move down": ([(e.MoveInQueue, {"racer": "Ann", "place": 99})], ["Bo", "Cyd", "Ann"], [], ""),
    "no such place": ([(e.MoveInQueue, {"racer": "Ann", "place": 0})], ["Ann", "Bo", "Cyd"], [], "count from 1"),
    "not queued": ([(e.MoveInQueue, {"racer": "Dora", "place": 1})], ["Ann", "Bo", "Cyd"], [], "not in the queue"),
    "call": ([CALL], ["Ann", "Bo", "Cyd"], ["Ann"], ""),
    "one at a time": ([CALL, CALL], ["Ann", "Bo", "Cyd"], ["Ann"], "Ann is called already"),
    "call by name": ([(e.CallNext, {"racer": "CYD"})], ["Cyd", "Ann", "Bo"], ["Cyd"], ""),
    "nobody passes him": ([CALL, (e.MoveInQueue, {"racer": "Cyd", "place": 1})], ["Ann", "Cyd", "Bo"], ["Ann"], ""),
    "nor is he moved": ([CALL, (e.MoveInQueue, {"racer": "Ann", "place": 2})], ["Ann", "Bo", "Cyd"], ["Ann"], "called"),
    "no-show": ([CALL, (e.MarkNoShow, {})], ["Bo", "Cyd", "Ann"], [], ""),
    "no-show for good": ([CALL, (e.MarkNoShow, {"out": True})], ["Bo", "Cyd"], [], ""),
    "no-show of nobody": ([(e.MarkNoShow, {})], ["Ann", "Bo", "Cyd"], [], "Nobody is called"),
    "leave": ([(e.LeaveQueue, {"racer": "Bo"})], ["Ann", "Cyd"], [], ""),
    "twice": ([(e.QueueRacer, {"racer": "ANN"})], ["Ann", "Bo", "Cyd"], [], "Ann is in the queue already, at place 1"),
    "at a place": ([(e.QueueRacer, {"racer": "Dora", "place": 2})], ["Ann", "Dora", "Bo", "Cyd"], [], ""),
    "nobody": ([(e.QueueRacer, {"racer": " "})], ["Ann", "Bo", "Cyd"], [], "Name the racer"),
    "bad name": ([(e.QueueRacer, {"racer": "a\u202eb"})], ["Ann", "Bo", "Cyd"], [], "RIGHT-TO-LEFT"),
    "no such run": ([(e.Rerun, {"run_id": "run-9"})], ["Ann", "Bo", "Cyd"], [], "no run run-9"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_orders(case: str) -> None:
    hand = queued("Ann", "Bo", "Cyd")
    steps, expected, expected_called, words = CASES[case]
    for kind, fields in steps:
        facts = hand.give(kind, 2 * S, **fields)
    assert words in refusal(facts)
    assert bool(refusal(facts)) == bool(words)
    assert (order(hand), called(hand)) == (expected, expected_called)
    hand.check_replay()


def test_a_no_show_is_counted() -> None:
    hand = queued("Ann")
    counts = []
    for at_s in (2, 3, 4):
        hand.give(e.CallNext, at_s * S)
        counts += [(fact.count, fact.place) for fact in only(hand.give(e.MarkNoShow, at_s * S), f.RacerNoShow)]
    assert counts == [(1, 1), (2, 1), (3, 1)]


def test_whoever_drives_has_left_the_queue_and_has_no_attempt_left_for_it() -> None:
    hand = queued("Ann", "Bo")
    hand.give(e.CallNext, 2 * S)
    assert [fact.why for fact in only(hand.open("ann", at_ns=3 * S), f.RacerUnqueued)] == ["run_opened"]
    assert order(hand) == ["Bo"]
    hand.go(4 * S)
    hand.cross(5 * S)
    hand.cross(15 * S)
    assert "used all 1 attempts" in refusal(hand.give(e.QueueRacer, 20 * S, racer="Ann"))
    facts = hand.give(e.Rerun, 21 * S, run_id="run-1")
    assert only(facts, f.RacerQueued) == [f.RacerQueued("race-1", "Ann", 1, "judge", "run-1")]
    assert order(hand) == ["Ann", "Bo"]
    assert "for a re-run of run-1 already" in refusal(hand.give(e.Rerun, 22 * S, run_id="run-1"))
    hand.check_replay()


def test_a_run_that_is_on_or_does_not_count_is_not_run_again() -> None:
    hand = queued()
    hand.open()
    assert "still on" in refusal(hand.give(e.Rerun, 1 * S, run_id="run-1"))
    hand.do(e.AbandonRun(author="judge", moment=moment(2 * S)))
    assert "does not count" in refusal(hand.give(e.Rerun, 3 * S, run_id="run-1"))


def test_all_who_are_checked_in_are_queued_those_with_the_fewest_attempts_first() -> None:
    hand = Hand(RaceRules(consecutive_laps=1, max_laps=1, attempts_per_racer=2))
    hand.drive((10, 20), racer="Ann")
    for alias, present in (("Ann", True), ("Bo", False), ("Cyd", True), ("Dora", True)):
        hand.engine.event.racers[alias.lower()] = Racer(alias, checked_in=present)
    hand.give(e.QueueRacer, 30 * S, racer="dora")
    hand.give(e.QueueRacer, 30 * S, all_checked_in=True)
    assert order(hand) == ["Dora", "Cyd", "Ann"]
    assert "Nobody else" in refusal(hand.give(e.QueueRacer, 31 * S, all_checked_in=True))
    assert "not among the event's racers" in refusal(hand.give(e.QueueRacer, 31 * S, racer="Eve"))


def test_each_race_has_a_queue_of_its_own() -> None:
    hand = queued("Ann")
    hand.do(e.OpenRace(moment(2 * S), "race-2", "Another", RULES))
    assert order(hand) == []
    hand.do(e.OpenRace(moment(3 * S), "race-1", "A race", RULES))
    assert order(hand) == ["Ann"]


def test_a_start_that_is_predicted_later_than_it_was_planned_is_late() -> None:
    hand = queued("Ann", "Bo")
    assert hand.engine.race is not None
    queue = hand.engine.queue_of(hand.engine.race)
    planned = [entry.planned_utc_ns for entry in queue.entries]
    assert planned[1] - planned[0] == (180 + 60) * S
    hand.give(e.MoveInQueue, 100 * S, racer="Bo", place=1)
    assert queue.entries[0].planned_utc_ns == moment(100 * S).utc_ns, "a new place is a new plan"
    assert queue.entries[1].planned_utc_ns == planned[0]


def test_a_racer_who_is_renamed_or_merged_keeps_one_place() -> None:
    queue = RaceQueue("race-1", RacerNames())
    for racer in ("Ann", "Bo", "Cyd"):
        queue.insert(QueueEntry(racer))
    queue.rename("bo", "Bob")
    assert [entry.racer for entry in queue.entries] == ["Ann", "Bob", "Cyd"]
    queue.rename("Cyd", "ann")
    assert [entry.racer for entry in queue.entries] == ["ann", "Bob"]
    queue.rename("Eve", "Bob")
    assert len(queue.entries) == 2


NAMES = st.sampled_from(["Ann", "Bo", "Cyd", "Dora"])
COMMANDS = st.one_of(
    st.builds(e.QueueRacer, author=st.just("judge"), racer=NAMES, place=st.none() | st.integers(1, 5)),
    st.builds(e.MoveInQueue, author=st.just("judge"), racer=NAMES, place=st.integers(1, 5)),
    st.builds(e.CallNext, author=st.just("judge"), racer=st.just("") | NAMES),
    st.builds(e.MarkNoShow, author=st.just("judge"), racer=st.just("") | NAMES, out=st.booleans()),
    st.builds(e.LeaveQueue, author=st.just("judge"), racer=NAMES),
)


@QUICK
@given(st.lists(COMMANDS, max_size=30))
def test_nobody_stands_twice_in_the_queue_and_the_called_stand_in_front(commands: list[e.Command]) -> None:
    hand = Hand(RULES)
    for command in commands:
        hand.do(command)
        names = order(hand)
        assert len(set(names)) == len(names)
        assert called(hand) == names[: len(called(hand))]
        assert len(called(hand)) <= 1
    hand.check_replay()
