"""The event and its races: created, changed, switched and closed by command, with rules that are versioned."""

from dataclasses import replace
from typing import Any

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.event.records import EventInfo
from station.core.race.race_changes import PlaceChange, rule_change_effect
from tests.station.core.scripted_race import Hand, S, moment, only

FAST = RaceRules(consecutive_laps=1, min_lap_s=2.0)


def give(hand: Hand, command: type[e.Command], at_s: float = 0.0, **fields: Any) -> tuple[f.Fact, ...]:
    return hand.do(command(author="Ruth", moment=moment(round(at_s * S)), **fields))


def refusal(facts: tuple[f.Fact, ...]) -> str:
    return next((fact.sentence for fact in facts if isinstance(fact, f.CommandRefused)), "")


def empty() -> Hand:
    hand = Hand(started=False)
    hand.do(e.Booted(moment(0), "station-1", (e.GateSpec("start"),)))
    return hand


def race_two(hand: Hand, name: str = "Second race") -> str:
    created = only(give(hand, e.CreateRace, name=name, rules=FAST), f.RaceCreated)[0]
    return created.race.race_id


def test_the_race_of_the_config_is_the_first_race_of_an_event() -> None:
    hand = Hand(FAST)
    book = hand.engine.event
    assert book.event is not None
    assert (book.event.event_id, book.event.name) == ("event", "A race")
    card = book.races["race-1"]
    assert (card.rules, card.rules_version, card.state, card.event_id) == (FAST, 1, "open", "event")
    assert book.car_kind("car-1") == "agent"


def test_an_event_with_two_races_and_no_config() -> None:
    hand = empty()
    assert "create one" in refusal(hand.open())
    made = give(hand, e.CreateEvent, name="Winter Cup", track="Oval_track", direction="clockwise")
    assert only(made, f.EventCreated)[0].event == EventInfo("winter-cup", "Winter Cup", "Oval_track", "clockwise")
    made = give(hand, e.CreateRace, name="Heat 1")
    card = only(made, f.RaceCreated)[0].race
    assert (card.race_id, card.track, card.direction, card.state) == ("heat-1", "Oval_track", "clockwise", "draft")
    assert card.rules == RaceRules(min_lap_s=4.8), "19.55 m at 4 m/s"
    assert give(hand, e.SwitchRace, race_id="heat-1") == (f.RaceOpened("heat-1"),)
    assert hand.engine.event.races["heat-1"].state == "open"
    assert only(hand.open(), f.RunOpened)[0].race_id == "heat-1"


def test_a_race_without_an_event_begins_one_of_its_name() -> None:
    hand = empty()
    made = give(hand, e.CreateRace, name="Friday night")
    assert [type(fact) for fact in made] == [f.EventCreated, f.RaceCreated]
    assert hand.engine.event.event == EventInfo("event", "Friday night")


def test_race_ids_are_made_from_names_and_never_twice() -> None:
    hand = empty()
    names = ["Finale", "finale!", "Finale", "決勝", "決勝"]
    ids = [only(give(hand, e.CreateRace, name=name), f.RaceCreated)[0].race.race_id for name in names]
    assert ids == ["finale", "finale-2", "finale-3", "race", "race-2"]
    assert refusal(give(hand, e.CreateRace, name="Other", race_id="finale")).startswith("There was already a race")


@pytest.mark.parametrize(
    ("command", "fields", "words"),
    [
        (e.CreateRace, {"name": "  "}, "Enter a name for the race"),
        (e.CreateRace, {"name": "x" * 65}, "at most 64 characters"),
        (e.CreateRace, {"name": "a\u202eb"}, "cannot be shown"),
        (e.CreateRace, {"name": "a", "race_id": "Not an id"}, "is no id"),
        (e.CreateRace, {"name": "a", "cars_on_track": 13}, "1 to 12 cars"),
        (e.CreateRace, {"name": "a", "rules": RaceRules(consecutive_laps=11)}, "consecutive_laps"),
        (e.ChangeRace, {"race_id": "none"}, "There is no race 'none'"),
        (e.ChangeRace, {"race_id": "race-1"}, "Nothing is different"),
        (e.ChangeRace, {"race_id": "race-1", "name": ""}, "Enter a name"),
        (e.SwitchRace, {"race_id": "none"}, "There is no race"),
        (e.CloseRace, {"race_id": "none"}, "There is no race"),
        (e.ReopenRace, {"race_id": "race-1"}, "is not closed"),
        (e.CreateEvent, {"name": ""}, "Enter a name for the event"),
        (e.CreateEvent, {"name": "a", "event_id": "event"}, "already an event"),
        (e.CreateEvent, {"name": "a", "track_length_m": 0.5}, "1 to 1000 m"),
        (e.CreateEvent, {"name": "a", "time_zone": "Mars/Olympus Mons"}, "Europe/Berlin"),
        (e.ChangeEvent, {"name": "A race"}, "Nothing is different"),
    ],
)
def test_a_refused_command_changes_nothing(command: type[e.Command], fields: dict[str, Any], words: str) -> None:
    hand = Hand(FAST)
    before = _state(hand)
    assert words in refusal(give(hand, command, **fields))
    assert _state(hand) == before


def _state(hand: Hand) -> tuple[object, ...]:
    book = hand.engine.event
    return book.event, dict(book.races), dict(book.racers), dict(book.cars), hand.engine.race


def test_a_switched_race_keeps_its_runs_and_continues_when_it_is_open_again() -> None:
    hand = Hand(FAST)
    hand.drive([1, 9, 17])
    give(hand, e.FinishRun, 18)
    other = race_two(hand)
    assert give(hand, e.SwitchRace, 19, race_id=other) == (f.RaceOpened(other),)
    hand.drive([20, 27, 34])
    give(hand, e.FinishRun, 35)
    assert hand.run.run_id == "run-2", "ids are unique over all races"
    assert list(hand.engine.races["race-1"].runs) == ["run-1"]
    give(hand, e.SwitchRace, 36, race_id="race-1")
    hand.drive([40, 46, 52])
    assert (hand.run.run_id, hand.run.attempt) == ("run-3", 2)
    assert [line.score_ms for line in hand.engine.races[other].standings.lines()] == [7000]


def test_no_race_is_switched_closed_or_changed_while_a_run_is_on() -> None:
    hand = Hand(FAST)
    other = race_two(hand)
    hand.open()
    cases: list[tuple[type[e.Command], dict[str, Any]]] = [
        (e.SwitchRace, {"race_id": other}),
        (e.CloseRace, {"race_id": "race-1"}),
        (e.ChangeRace, {"race_id": "race-1", "name": "B"}),
        (e.CreateEvent, {"name": "Next"}),
    ]
    for command, fields in cases:
        assert "A run of A race is on" in refusal(give(hand, command, **fields))
    assert not refusal(give(hand, e.ChangeRace, race_id=other, name="Other")), "another race may be prepared"


def test_a_closed_race_takes_no_run_until_it_is_open_again() -> None:
    hand = Hand(FAST)
    closed = only(give(hand, e.CloseRace, race_id="race-1"), f.RaceChanged)[0]
    assert (closed.race.state, closed.was.state) == ("closed", "open")
    assert "is closed" in refusal(hand.open())
    assert "closed already" in refusal(give(hand, e.CloseRace, race_id="race-1"))
    assert "is closed" in refusal(give(hand, e.SwitchRace, race_id="race-1"))
    give(hand, e.ReopenRace, race_id="race-1")
    assert not refusal(hand.open())


def test_a_closed_draft_is_a_draft_again() -> None:
    hand = Hand(FAST)
    other = race_two(hand)
    give(hand, e.CloseRace, race_id=other)
    give(hand, e.ReopenRace, race_id=other)
    assert hand.engine.event.races[other].state == "draft"


def test_official_results_lock_their_race() -> None:
    hand = Hand(FAST)
    hand.engine.event.set_state("race-1", "official")
    assert "are official" in refusal(hand.open())
    assert "are official" in refusal(give(hand, e.ChangeRace, race_id="race-1", name="B"))


def _two_runs() -> Hand:
    hand = Hand(RaceRules(consecutive_laps=1, min_lap_s=2.0))
    hand.drive([1, 9, 18], "Ann")  # 8 s, then 9 s with an incident
    give(hand, e.OffTrack, 5, at_ns=5 * S)
    give(hand, e.FinishRun, 19)
    hand.drive([20, 28.5, 37], "Bob")
    give(hand, e.FinishRun, 38)
    return hand


def test_other_rules_judge_all_runs_of_the_race_again() -> None:
    hand = _two_runs()
    posted = {run.racer: run.posted for run in hand.engine.races["race-1"].runs.values()}
    rules = replace(FAST, off_track_penalty_s=2.0)
    facts = give(hand, e.ChangeRace, 40, race_id="race-1", rules=rules, reason="agreed with the racers")
    changed = only(facts, f.RaceChanged)[0]
    assert (changed.race.rules_version, changed.was.rules_version, changed.reason) == (2, 1, "agreed with the racers")
    scores = {fact.racer: fact.score_ms for fact in only(facts, f.Qualified)}
    assert scores == {"Ann": 9000, "Bob": 8500}
    due = {fact.result.racer: fact.result for fact in only(facts, f.ResultDue)}
    assert set(due) == {"Ann"}, "a result that is the same is not due again"
    assert posted["Ann"] is not None
    assert due["Ann"].revision == posted["Ann"].revision + 1
    assert due["Ann"].result_id == posted["Ann"].result_id
    assert [line.racer for line in only(facts, f.StandingChanged)[-1].lines] == ["Bob", "Ann"]
    assert len(only(facts, f.StandingChanged)) == 1
    hand.drive([50, 58], "Cid")
    assert hand.run.rules == rules


def test_the_preview_says_what_other_rules_would_do_and_does_nothing() -> None:
    hand = _two_runs()
    race = hand.engine.races["race-1"]
    before = race.standings.lines()
    effect = rule_change_effect(race, replace(FAST, off_track_penalty_s=2.0))
    assert effect == (PlaceChange("Bob", 2, 8500, 1, 8500), PlaceChange("Ann", 1, 8000, 2, 9000))
    assert all(each.changes for each in effect)
    lost = rule_change_effect(race, replace(FAST, consecutive_laps=3))
    assert lost == (PlaceChange("Ann", 1, 8000, None, None), PlaceChange("Bob", 2, 8500, None, None))
    assert not any(each.changes for each in rule_change_effect(race, FAST))
    assert (race.standings.lines(), race.info.rules) == (before, FAST)
    after = give(hand, e.ChangeRace, 40, race_id="race-1", rules=replace(FAST, off_track_penalty_s=2.0))
    assert [(line.racer, line.score_ms) for line in only(after, f.StandingChanged)[-1].lines] == [
        (each.racer, each.score_after_ms) for each in effect
    ]


def test_rules_that_allow_fewer_attempts_than_were_used_are_refused() -> None:
    hand = _two_runs()
    hand.drive([50, 58, 66], "Ann")
    give(hand, e.FinishRun, 67)
    rules = replace(FAST, attempts_per_racer=1)
    assert "Ann has used 2 attempts" in refusal(give(hand, e.ChangeRace, race_id="race-1", rules=rules))


def test_a_new_event_keeps_the_racers_and_checks_nobody_in() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann", checked_in=True)
    facts = give(hand, e.CreateEvent, name="Spring Cup", track_length_m=20.0)
    assert [fact.racer.checked_in for fact in only(facts, f.RacerChanged)] == [False]
    card = only(give(hand, e.CreateRace, name="Heat"), f.RaceCreated)[0].race
    assert (card.event_id, card.rules.min_lap_s) == ("spring-cup", 5.0)
    changed = only(give(hand, e.ChangeEvent, track_length_m=0.0, name="Spring"), f.EventChanged)[0].event
    assert (changed.track_length_m, changed.name) == (None, "Spring")


def test_the_same_config_does_not_undo_what_officials_changed() -> None:
    hand = Hand(FAST)
    opened = next(each for each in hand.inputs if isinstance(each, e.OpenRace))
    again = replace(opened, moment=moment(99))
    assert hand.engine.event.opened_before(again)
    give(hand, e.SwitchRace, race_id=race_two(hand))
    assert hand.engine.event.opened_before(again), "the config is as it was: the officials' race stays on"
    assert not hand.engine.event.opened_before(replace(again, race_id="other"))


def test_how_results_become_official_stays_with_the_race() -> None:
    hand = empty()
    give(hand, e.CreateRace, name="Heat", rules=FAST, submit_after_s=15.0, official_by_two=True)
    give(hand, e.SwitchRace, race_id="heat")
    give(hand, e.ChangeRace, race_id="heat", name="Heat A")
    race = hand.engine.race
    assert race is not None
    assert (race.info.name, race.info.submit_after_s, race.info.official_by_two) == ("Heat A", 15.0, True)
    give(hand, e.ChangeRace, race_id="heat", official_by_two=False)
    assert not race.info.official_by_two


def test_official_results_change_neither_by_rules_nor_by_a_name() -> None:
    hand = _two_runs()
    give(hand, e.AddRacer, racer="Ann")
    give(hand, e.Official, 40, run_id="run-1")
    rules = replace(FAST, off_track_penalty_s=2.0)
    assert "run-1 is official" in refusal(give(hand, e.ChangeRace, 41, race_id="race-1", rules=rules))
    assert "are official" in refusal(give(hand, e.ChangeRacer, 41, racer="Ann", alias="Anna"))
    assert "are official" in refusal(give(hand, e.MergeRacers, 41, racer="Ann", into="Bob"))
    give(hand, e.ReopenResults, 42, run_id="run-1", reason="a protest")
    assert not refusal(give(hand, e.ChangeRacer, 43, racer="Ann", alias="Anna"))


def test_the_preview_counts_no_disqualified_run() -> None:
    hand = _two_runs()
    give(hand, e.Disqualify, 40, run_id="run-1", reason="another car")
    effect = rule_change_effect(hand.engine.races["race-1"], replace(FAST, off_track_penalty_s=2.0))
    assert [each.racer for each in effect] == ["Bob"]
