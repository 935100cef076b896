"""The model of a result is the one that the car reports: never a typed one, and never that of another run."""

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from tests.station.core.scripted_race import Hand, S, moment, only

SHA, OTHER = "ab" * 32, "cd" * 32


def report_model(
    hand: Hand, model: str, sha256: str = SHA, at_s: float = 0, *, online: bool = True
) -> tuple[f.Fact, ...]:
    return hand.do(e.CarModel(moment(round(at_s * S)), "car-1", online, model, sha256))


def entered(model: str = "", sha256: str = "") -> Hand:
    hand = Hand(RaceRules(consecutive_laps=1))
    hand.do(e.OpenRun(author="judge", racer="Ann", car="car-1", model=model, model_sha256=sha256, moment=moment(1 * S)))
    return hand


def raced(hand: Hand) -> f.ResultDue:
    for at_s in (10, 20, 30):
        hand.cross(at_s * S)
    return only(hand.do(e.FinishRun(author="judge", moment=moment(40 * S))), f.ResultDue)[0]


def refusal(facts: tuple[f.Fact, ...]) -> str:
    return next((fact.sentence for fact in only(facts, f.CommandRefused)), "")


def test_a_result_names_what_the_car_reports_and_not_what_was_typed() -> None:
    hand = entered()
    report_model(hand, "fast-v3")
    assert [(fact.model, fact.changed) for fact in only(hand.go(5 * S), f.RunModel)] == [("fast-v3", False)]
    result = raced(hand).result
    assert (result.model, result.model_sha256) == ("fast-v3", SHA)
    assert (result.evidence.model_by, result.evidence.model_changes) == ("car", 0)


def test_a_car_without_an_agent_says_so() -> None:
    hand = entered("typed by hand", OTHER)
    assert not refusal(hand.go(5 * S)), "nothing contradicts the entry"
    result = raced(hand).result
    assert (result.model, result.model_sha256, result.evidence.model_by) == ("", "", "nobody")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (("fast-v3", ""), ("slow-v1", SHA)),
        (("fast-v3", OTHER), ("fast-v3", SHA)),
        (("", OTHER), ("fast-v3", SHA)),
        (("fast-v3", ""), ("", "")),
    ],
)
def test_another_model_than_the_entrys_refuses_start_until_the_entry_is_changed(
    entry: tuple[str, str], says: tuple[str, str]
) -> None:
    hand = entered(*entry)
    report_model(hand, *says)
    sentence = refusal(hand.go(5 * S))
    assert "car-1 reports" in sentence
    assert "Ann's entry says" in sentence
    assert not hand.run.released
    silent = e.EnterModel(author="judge", model=says[0], model_sha256=says[1], moment=moment(6 * S))
    assert "needs a `reason`" in refusal(hand.do(silent))
    ruled = e.EnterModel(author="judge", reason="swapped", model=says[0], model_sha256=says[1], moment=moment(7 * S))
    assert [fact.author for fact in only(hand.do(ruled), f.ModelEntered)] == ["judge"]
    assert not refusal(hand.go(8 * S))
    assert raced(hand).result.model == says[0]


@pytest.mark.parametrize("entry", [("", ""), (" Fast-V3 ", ""), ("another name", SHA.upper()), ("fast-v3", "")])
def test_the_hash_decides_where_both_have_one_else_the_name(entry: tuple[str, str]) -> None:
    hand = entered(*entry)
    report_model(hand, "fast-v3")
    assert not refusal(hand.go(5 * S))


def test_another_model_in_the_middle_of_a_run_is_a_fact() -> None:
    hand = entered()
    report_model(hand, "fast-v3")
    hand.go(5 * S)
    hand.cross(10 * S)
    facts = only(report_model(hand, "fast-v4", OTHER, 15), f.RunModel)
    assert [(fact.changed, fact.was, fact.model) for fact in facts] == [(True, "fast-v3", "fast-v4")]
    assert report_model(hand, "fast-v4", OTHER, 16) == ()
    result = raced(hand).result
    assert (result.model, result.evidence.model_changes) == ("fast-v4", 1)


def test_a_radio_that_breaks_in_the_run_changes_nothing_and_one_that_comes_late_is_heard() -> None:
    hand = entered()
    hand.go(5 * S)
    assert [fact.changed for fact in only(report_model(hand, "fast-v3", at_s=12), f.RunModel)] == [False]
    report_model(hand, "", "", 13, online=False)
    report_model(hand, "fast-v3", at_s=14)
    result = raced(hand).result
    assert (result.model, result.evidence.model_by, result.evidence.model_changes) == ("fast-v3", "car", 0)


def test_what_was_said_before_the_station_started_anew_is_not_what_is_said_now() -> None:
    hand = Hand(RaceRules(consecutive_laps=1))
    report_model(hand, "fast-v3")
    hand.do(e.Booted(moment(1 * S), "station-1", (e.GateSpec("start"),)))
    hand.open(at_ns=2 * S)
    hand.go(5 * S)
    assert raced(hand).result.evidence.model_by == "nobody"


def test_an_older_race_posts_what_was_typed() -> None:
    hand = Hand()
    hand.do(e.OpenRace(moment(0), "old", "An old race", RaceRules(consecutive_laps=1), officiating=0))
    hand.do(e.OpenRun(author="judge", racer="Ann", car="car-1", model="typed", moment=moment(1 * S)))
    report_model(hand, "fast-v3")
    hand.go(5 * S)
    result = raced(hand).result
    assert (result.model, result.evidence.model_by) == ("typed", "")
