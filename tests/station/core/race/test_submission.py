"""A run's result waits to be submitted, by an official or by the station; runs that are discarded, replaced, or DNF."""

from dataclasses import replace

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import Hand, S, moment, only, refusal

RULES = RaceRules(consecutive_laps=1, max_laps=2, attempts_per_racer=1)


def race(submit_after_s: float, rules: RaceRules = RULES) -> Hand:
    hand = Hand(rules)
    opened = e.OpenRace(moment(0), "race-1", "A race", rules, submit_after_s=submit_after_s)
    hand.do(opened)
    return hand


def standing(hand: Hand) -> list[tuple[str, int]]:
    assert hand.engine.race is not None
    return [(line.racer, line.score_ms) for line in hand.engine.race.standings.lines()]


def posted(hand: Hand) -> list[tuple[str, int, int]]:
    due = [fact.result for facts in hand.facts for fact in only(facts, f.ResultDue)]
    return [(result.run_id, result.revision, result.score_ms) for result in due]


def discards(hand: Hand) -> list[bool]:
    """Of each result that was due, whether it tells the leaderboard that the run is no attempt any more."""
    return [fact.result.discarded for facts in hand.facts for fact in only(facts, f.ResultDue)]


def test_by_default_it_counts_at_once() -> None:
    hand = Hand(RULES)
    hand.drive((10, 20, 29))
    assert standing(hand) == [("Ann", 9000)]
    assert posted(hand) == [("run-1", 1, 9000)]
    assert "submitted already" in refusal(hand.give(e.SubmitRun, 40 * S))


def test_it_waits_for_an_official() -> None:
    hand = race(-1.0)
    hand.drive((10, 20, 29))
    assert hand.run.score is not None, "it is scored and shown all the same"
    assert standing(hand) == posted(hand) == []
    hand.tick(4000 * S)
    hand.do(e.AddPenalty(author="judge", number=2, seconds=2.0, moment=moment(4001 * S)))
    assert standing(hand) == posted(hand) == []
    assert only(hand.give(e.SubmitRun, 5000 * S), f.RunSubmitted)
    assert standing(hand) == [("Ann", 10_000)]
    assert posted(hand) == [("run-1", 1, 10_000)]
    hand.check_replay()


def test_it_is_submitted_by_the_station_after_a_while() -> None:
    hand = race(10.0)
    hand.drive((10, 20, 29))
    [pending] = [fact for facts in hand.facts for fact in only(facts, f.SubmissionPending)]
    assert pending.due_utc_ns == moment(39 * S).utc_ns
    assert hand.tick(39 * S - 1) == ()
    assert [fact.author for fact in only(hand.tick(39 * S), f.RunSubmitted)] == ["station"]
    assert standing(hand) == [("Ann", 9000)]
    assert hand.tick(50 * S) == ()
    hand.check_replay()


def test_a_race_that_is_not_open_any_more_submits_all_the_same() -> None:
    hand = race(10.0)
    hand.drive((10, 20, 29))
    hand.do(e.OpenRace(moment(30 * S), "race-2", "Another", RULES))
    assert [fact.run_id for fact in only(hand.tick(39 * S), f.RunSubmitted)] == ["run-1"]


@pytest.mark.parametrize("submit_after_s", [0.0, -1.0])
def test_a_discarded_run_counts_nowhere_until_it_is_submitted_again(submit_after_s: float) -> None:
    hand = race(submit_after_s)
    hand.drive((10, 20, 29))
    assert only(hand.give(e.DiscardRun, 40 * S, reason="wrong car"), f.RunDiscarded)[0].reason == "wrong car"
    assert standing(hand) == []
    assert posted(hand) == ([("run-1", 1, 9000), ("run-1", 2, 0)] if submit_after_s == 0 else [])
    assert discards(hand) == ([False, True] if submit_after_s == 0 else [])
    assert "does not count already" in refusal(hand.give(e.DiscardRun, 41 * S))
    assert "run-1" in (hand.engine.race.runs if hand.engine.race else {}), "it stays in the archive"
    hand.give(e.SubmitRun, 42 * S)
    assert standing(hand) == [("Ann", 9000)]
    assert discards(hand)[-1] is False
    hand.give(e.DiscardRun, 43 * S)
    assert discards(hand)[-1] is True
    hand.drive((50, 60, 68))  # the attempt is free again
    assert hand.run.attempt == 1
    hand.give(e.SubmitRun, 70 * S)
    assert "used all 1 attempts" in refusal(hand.give(e.SubmitRun, 71 * S, run_id="run-1"))
    hand.check_replay()


def test_an_abandoned_run_counts_if_an_official_submits_it() -> None:
    hand = race(0.0)
    hand.drive((10, 20))
    hand.do(e.AbandonRun(author="judge", moment=moment(25 * S)))
    assert standing(hand) == []
    hand.give(e.SubmitRun, 30 * S)
    assert standing(hand) == [("Ann", 10_000)]


def test_a_run_that_did_not_finish_ends_and_its_laps_count() -> None:
    hand = race(0.0)
    hand.drive((10, 20))
    facts = hand.give(e.MarkDnf, 25 * S)
    assert [fact.reason for fact in only(facts, f.RunFinished)] == ["did not finish"]
    assert [fact.action for fact in only(facts, f.CarOrdered)] == ["stop"]
    assert hand.run.dnf
    assert standing(hand) == [("Ann", 10_000)]
    assert "used all" in refusal(hand.open("Ann"))
    hand.check_replay()


@pytest.mark.parametrize("submit_after_s", [0.0, -1.0])
def test_a_rerun_replaces_its_run_when_it_is_submitted_and_not_before(submit_after_s: float) -> None:
    hand = race(submit_after_s)
    hand.drive((10, 20, 29))
    if submit_after_s < 0:
        hand.give(e.SubmitRun, 30 * S)
    hand.give(e.Rerun, 40 * S, run_id="run-1", reason="somebody stood in the beam")
    hand.open("ann", at_ns=49 * S)  # any spelling
    assert (hand.run.replaces, hand.run.attempt) == ("run-1", 1)
    hand.go(49 * S)
    hand.cross(50 * S)
    assert standing(hand) == [("Ann", 9000)]
    hand.cross(62 * S)
    facts = hand.cross(75 * S)
    if submit_after_s < 0:
        assert standing(hand) == [("Ann", 9000)]
        facts = hand.give(e.SubmitRun, 80 * S)
    assert [(fact.run_id, fact.reason) for fact in only(facts, f.RunDiscarded)] == [("run-1", "replaced by run-2")]
    assert standing(hand) == [("Ann", 12_000)]
    hand.check_replay()


def test_a_rerun_that_is_abandoned_replaces_nothing() -> None:
    hand = race(0.0)
    hand.drive((10, 20, 29))
    hand.give(e.Rerun, 40 * S, run_id="run-1")
    hand.open("Ann", at_ns=49 * S)
    hand.go(49 * S)
    hand.cross(50 * S)
    hand.do(e.AbandonRun(author="judge", moment=moment(55 * S)))
    assert standing(hand) == [("Ann", 9000)]


def test_an_old_race_is_submitted_at_once() -> None:
    stored = replace(e.OpenRace(moment(0), "race-1", "A race", RULES), officiating=2)
    assert stored.submit_after_s == 0.0
