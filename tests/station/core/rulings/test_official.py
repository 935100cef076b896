"""Official results are locked until they are opened again; a disqualified run keeps its laps and has no score."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from tests.station.core.scripted_race import Hand, S, moment, only

RULES = RaceRules(method="best_lap", consecutive_laps=1)
LATER = moment(200 * S)


def finished() -> Hand:
    hand = Hand(RULES)
    hand.drive((1, 11, 20))
    hand.do(e.FinishRun(author="Ruth", moment=moment(30 * S)))
    return hand


def refused(facts: tuple[f.Fact, ...]) -> str:
    return next((fact.sentence for fact in only(facts, f.CommandRefused)), "")


RULINGS = [
    e.VoidLap(author="Ruth", number=1, moment=LATER),
    e.AddPenalty(author="Ruth", number=1, seconds=2.0, moment=LATER),
    e.DropCrossing(author="Ruth", number=1, moment=LATER),
    e.ReassignRun(author="Ruth", racer="Ben", moment=LATER),
    e.Disqualify(author="Ruth", reason="a second battery", moment=LATER),
    e.OffTrack(author="Ruth", moment=LATER),
    e.AssignTransponder(author="Ruth", transponder="123", car="car-1", moment=LATER),
]


# A single run's result: an off-track is refused after its end anyway, a transponder is the whole race's.
OF_A_RUN = [ruling for ruling in RULINGS if not isinstance(ruling, e.AssignTransponder | e.OffTrack)]


@pytest.mark.parametrize(
    ("of", "ruling"),
    [*(("race", ruling) for ruling in RULINGS), *(("run", ruling) for ruling in OF_A_RUN)],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
def test_official_results_refuse_every_ruling_until_they_are_opened_again(of: str, ruling: e.Command) -> None:
    hand = finished()
    run_id = "run-1" if of == "run" else ""
    (fact,) = only(hand.do(e.Official(author="Ruth", run_id=run_id, moment=LATER)), f.ResultsOfficial)
    assert (fact.race_id, fact.run_id, fact.official) == ("race-1", run_id, True)
    before = hand.laps
    assert "open it again first" in refused(hand.do(ruling)).replace("open them", "open it")
    assert hand.laps == before
    opened = hand.do(e.ReopenResults(author="Ruth", reason="a protest", run_id=run_id, moment=LATER))
    assert [fact.official for fact in only(opened, f.ResultsOfficial)] == [False]
    assert "again first" not in refused(hand.do(ruling))


@pytest.mark.parametrize(
    ("first", "then", "sentence"),
    [
        (None, e.ReopenResults(author="Ruth", reason="why", moment=LATER), "are not official"),
        (e.Official(author="Ruth", moment=LATER), e.Official(author="Ruth", moment=LATER), "official already"),
        (e.Official(author="Ruth", moment=LATER), e.ReopenResults(author="Ruth", moment=LATER), "takes a reason"),
        (
            e.Official(author="Ruth", moment=LATER),
            e.OpenRun(author="R", racer="Ann", car="c", moment=LATER),
            "official",
        ),
        (None, e.Official(author="Ruth", race_id="no-race", moment=LATER), "No runs were driven"),
        (None, e.Disqualify(author="Ruth", moment=LATER), "takes a reason"),
        (None, e.Reinstate(author="Ruth", moment=LATER), "is not disqualified"),
    ],
)
def test_each_refusal_says_why(first: e.Command | None, then: e.Command, sentence: str) -> None:
    hand = finished()
    if first is not None:
        hand.do(first)
    assert sentence in refused(hand.do(then))


def test_results_do_not_become_official_while_a_run_is_on() -> None:
    hand = finished()
    hand.open("Ben", at_ns=60 * S, car="car-2")
    assert "A run is on" in refused(hand.do(e.Official(author="Ruth", moment=LATER)))
    assert "is not over yet" in refused(hand.do(e.Official(author="Ruth", run_id="run-2", moment=LATER)))


@pytest.mark.parametrize(("second", "done"), [("", False), ("ruth", False), ("Sam", True)])
def test_a_race_may_ask_for_two_people(second: str, done: bool) -> None:
    hand = Hand(started=False)
    hand.do(e.Booted(moment(0), "station-1", (e.GateSpec("start"),)))
    hand.do(e.OpenRace(moment(0), "final", "The final", RULES, official_by_two=True))
    hand.drive((1, 11, 20))
    hand.do(e.FinishRun(author="Ruth", moment=moment(30 * S)))
    facts = hand.do(e.Official(author="Ruth", confirmed_by=second, moment=LATER))
    assert bool(only(facts, f.ResultsOfficial)) == done


def test_a_disqualified_run_keeps_its_laps_and_loses_score_place_and_result() -> None:
    hand = finished()
    laps = hand.laps
    facts = hand.do(e.Disqualify(author="Ruth", reason="a second battery", moment=LATER))
    assert hand.laps == laps
    assert [fact.score_ms for fact in only(facts, f.Qualified)] == [None]
    assert [fact.result.score_ms for fact in only(facts, f.ResultDue)] == [0]
    assert only(facts, f.StandingChanged)[0].lines == ()
    facts = hand.do(e.Reinstate(author="Sam", reason="it was the first", moment=LATER))
    assert [fact.score_ms for fact in only(facts, f.Qualified)] == [9_000]
    assert len(only(facts, f.StandingChanged)[0].lines) == 1


def test_rulings_reach_a_run_of_an_earlier_race() -> None:
    hand = finished()
    hand.do(e.OpenRace(moment(100 * S), "race-2", "The next race", RULES))
    facts = hand.do(e.AddPenalty(author="Ruth", number=2, seconds=3.0, run_id="run-1", moment=LATER))
    assert [fact.score_ms for fact in only(facts, f.Qualified)] == [10_000]
    assert [fact.race_id for fact in only(facts, f.StandingChanged)] == ["race-1"]
    hand.do(e.Official(author="Ruth", race_id="race-1", moment=LATER))
    assert "official" in refused(hand.do(e.VoidLap(author="Ruth", number=1, run_id="run-1", moment=LATER)))
    assert only(hand.open("Ann", at_ns=210 * S), f.RunOpened), "the open race is another one"
    again = Engine()
    assert [again.handle(event) for event in hand.inputs] == hand.facts


def test_a_dismissed_question_can_be_asked_again() -> None:
    hand = Hand(RULES)
    hand.drive((1, 11, 13.5, 24))
    (asked,) = hand.run.proposals
    hand.do(e.DismissProposal(author="Ruth", at_ns=asked.at_ns, moment=LATER))
    assert hand.laps[1].valid
    hand.do(e.RestoreProposal(author="Ruth", at_ns=asked.at_ns, moment=LATER))
    assert hand.run.proposals == [asked]
    assert not hand.laps[1].valid
    assert "Nothing was dismissed" in refused(hand.do(e.RestoreProposal(author="Ruth", at_ns=1, moment=LATER)))
