"""Racers and cars on file: entered, changed, renamed, merged and imported, with their runs and transponders."""

from typing import Any

import pytest

from shared.rules.person_names import name_key
from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.event.records import EventCar, Racer
from tests.station.core.event.test_races import FAST, give, refusal
from tests.station.core.scripted_race import Hand, S, moment, only

LONG = "W" * 40


def test_a_racer_is_entered_once_in_any_spelling() -> None:
    hand = Hand(FAST)
    added = give(
        hand,
        e.AddRacer,
        racer="  Shafi ",
        flag="in",
        team=" The  Fast ",
        colour="#46C8F5",
        model="m1",
        car="car-1",
        transponders=("0012-34", ""),
        code="abc234",
        pronounce_as=" Sha  fee",
    )
    entry = Racer(
        "Shafi", "IN", "The Fast", "#46c8f5", "m1", "car-1", ("0012-34",), code="abc234", pronounce_as="Sha fee"
    )
    assert only(added, f.RacerAdded)[0].racer == entry
    assert hand.engine.event.racer("ｓｈａｆｉ") == entry
    assert hand.engine.event.by_code("abc234") == entry
    assert hand.engine.event.by_code("") is None
    assert "on the list already" in refusal(give(hand, e.AddRacer, racer="SHAFI"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"racer": ""}, "at least one that can be seen"),
        ({"racer": "Eve", "flag": "ZZ"}, "is no country"),
        ({"racer": "Eve", "colour": "blue"}, "is no colour"),
        ({"racer": "Eve", "team": "a\x07"}, "cannot be shown"),
        ({"racer": "Eve", "pronounce_as": "x" * 65}, "pronunciation has at most 64"),
        ({"racer": "Eve", "car": "my stock car"}, "cannot name a car"),
        ({"racer": "Eve", "transponders": ("77",)}, "Ann's and Eve's"),
        ({"racer": "Eve", "transponders": ("0x4D",)}, "Ann's and Eve's"),
        ({"racer": "Eve", "transponders": ("9", "0-9")}, "Eve's and Eve's"),
        ({"racer": "Eve", "transponders": ("x" * 129,)}, "1 to 128"),
        ({"racer": "Eve", "transponders": tuple("123456789")}, "at most 8"),
        ({"racer": "Eve", "code": "ab"}, "code"),
        ({"racer": "Eve", "code": "ann234"}, "one code"),
    ],
)
def test_a_wrong_entry_is_refused_with_a_sentence(fields: dict[str, Any], words: str) -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann", transponders=("77",), code="ann234")
    before = dict(hand.engine.event.racers)
    assert words in refusal(give(hand, e.AddRacer, **fields))
    assert hand.engine.event.racers == before


def test_the_list_names_the_racer_of_a_run() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Shafi")
    assert only(hand.open("SHAFI"), f.RunOpened)[0].racer == "Shafi"


def test_an_alias_changes_freely_before_the_first_run() -> None:
    hand = Hand(FAST)
    for name in ("Ann", "Bob", "Cid"):
        give(hand, e.AddRacer, racer=name, transponders=(f"{len(name)}{ord(name[0])}",))
    facts = give(hand, e.ChangeRacer, racer="bob", alias="Bea", team="Red")
    assert [type(fact) for fact in facts] == [f.RacerChanged]
    assert [racer.alias for racer in hand.engine.event.racers.values()] == ["Ann", "Bea", "Cid"], "it keeps its place"
    assert "merge the two" in refusal(give(hand, e.ChangeRacer, racer="Bea", alias="ann"))
    assert "Nothing is different" in refusal(give(hand, e.ChangeRacer, racer="Bea"))
    assert "no racer" in refusal(give(hand, e.ChangeRacer, racer="Bob", alias="Ben"))


def test_another_name_carries_all_runs_along() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann")
    hand.drive([1, 9, 18], "Ann")
    give(hand, e.FinishRun, 19)
    posted = hand.run.posted
    assert posted is not None
    facts = give(hand, e.ChangeRacer, 20, racer="Ann", alias="Änne")
    assert only(facts, f.RunReassigned) == [f.RunReassigned("run-1", "Änne", "Ann", "Ruth", "")]
    due = only(facts, f.ResultDue)[0].result
    assert (due.racer, due.result_id, due.revision) == ("Änne", posted.result_id, posted.revision + 1)
    assert [line.racer for line in only(facts, f.StandingChanged)[-1].lines] == ["Änne"]
    hand.drive([30, 38, 46], "änne")
    assert (hand.run.racer, hand.run.attempt) == ("Änne", 2)
    assert "on the track" in refusal(give(hand, e.ChangeRacer, 47, racer="Änne", alias="Anna"))
    assert "has runs" in refusal(give(hand, e.RemoveRacer, 47, racer="Änne"))


def test_an_entry_takes_over_the_runs_of_another_spelling() -> None:
    hand = Hand(FAST)
    hand.drive([1, 9, 18], "shafi")
    give(hand, e.FinishRun, 19)
    facts = give(hand, e.AddRacer, 20, racer="Shafi")
    assert only(facts, f.RunReassigned)[0].racer == "Shafi"
    assert [line.racer for line in hand.engine.races["race-1"].standings.lines()] == ["Shafi"]


def _duplicates(rules: RaceRules = FAST) -> Hand:
    hand = Hand(rules)
    give(hand, e.AddRacer, racer="Shafi", transponders=("11",), code="aaaa22")
    give(hand, e.AddRacer, racer="Shafi K.", team="Red", flag="IN", transponders=("22",), code="bbbb22")
    hand.drive([1, 9, 18], "Shafi")
    give(hand, e.FinishRun, 19)
    hand.drive([21, 28, 36], "Shafi K.")
    give(hand, e.FinishRun, 37)
    return hand


def test_duplicates_become_one_racer_with_all_runs() -> None:
    hand = _duplicates()
    facts = give(hand, e.MergeRacers, 40, racer="Shafi K.", into="Shafi")
    entry = hand.engine.event.racer("Shafi")
    assert entry == Racer("Shafi", "IN", "Red", transponders=("11", "22"), code="aaaa22")
    assert only(facts, f.RacerRemoved)[0].into == "Shafi"
    assert hand.engine.event.racer("Shafi K.") is None
    race = hand.engine.races["race-1"]
    assert [(run.racer, run.attempt) for run in race.runs.values()] == [("Shafi", 1), ("Shafi", 2)]
    assert [(line.racer, line.score_ms) for line in race.standings.lines()] == [("Shafi", 7000)]
    assert [fact.result.racer for fact in only(facts, f.ResultDue)] == ["Shafi"]
    assert not only(facts, f.TransponderAssigned), "his transponders have been his all along"
    hand.open(at_ns=50 * S, racer="Shafi")
    assert hand.run.attempt == 3
    assert "one racer already" in refusal(give(hand, e.MergeRacers, racer="shafi", into="Shafi"))
    assert "none has a run" in refusal(give(hand, e.MergeRacers, racer="Nobody", into="Shafi"))


def test_a_merge_that_gives_a_racer_too_many_attempts_is_refused() -> None:
    hand = _duplicates(RaceRules(consecutive_laps=1, attempts_per_racer=1))
    assert "Together they have 2 attempts" in refusal(give(hand, e.MergeRacers, 40, racer="Shafi K.", into="Shafi"))


@pytest.mark.parametrize(("was", "into"), [("Guest", "Ann"), ("Ann", "Guest"), ("guest", "Other")])
def test_racers_with_runs_only_can_be_merged_too(was: str, into: str) -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann", code="aaaa22")
    for number, name in enumerate(("Guest", "Ann", "Other")):
        hand.drive([100 * number + 1, 100 * number + 9], name)
        give(hand, e.FinishRun, 100 * number + 10)
    give(hand, e.MergeRacers, 400, racer=was, into=into)
    racers = {run.racer for run in hand.engine.races["race-1"].runs.values()}
    assert racers == {"Ann", "Guest", "Other"} - {"Guest" if was == "guest" else was}
    entry = hand.engine.event.racer("Guest" if into == "Guest" else "Ann")
    assert entry is not None
    assert entry.code == "aaaa22"


def test_check_in_and_out() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann")
    assert only(give(hand, e.CheckIn, racer="ann"), f.RacerChanged)[0].racer.checked_in
    assert "checked in already" in refusal(give(hand, e.CheckIn, racer="Ann"))
    assert not only(give(hand, e.CheckIn, racer="Ann", present=False), f.RacerChanged)[0].racer.checked_in
    assert "not checked in" in refusal(give(hand, e.CheckIn, racer="Ann", present=False))


def test_an_import_adds_and_fills_all_or_nothing() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann", team="Red", transponders=("1",), code="aaaa22")
    entries = (Racer("ANN", flag="DE", transponders=("2",)), Racer("Bob", transponders=("1",), checked_in=True))
    facts = give(hand, e.ImportRacers, racers=entries)
    assert hand.engine.event.racer("Ann") == Racer("Ann", "DE", "Red", transponders=("2",), code="aaaa22")
    assigned = {fact.transponder: fact.racer for fact in only(facts, f.TransponderAssigned)}
    assert assigned == {"2": "Ann", "1": "Bob"}, "a transponder may move from one to another"
    assert "changes nothing" in refusal(give(hand, e.ImportRacers, racers=entries))
    for wrong in (Racer("bob"), Racer("Cid", flag="??"), Racer("Cid", transponders=("2",))):
        before = dict(hand.engine.event.racers)
        assert refusal(give(hand, e.ImportRacers, racers=(Racer("Dan"), Racer("Bob", team="x"), wrong)))
        assert hand.engine.event.racers == before


def _read(hand: Hand, at_s: float, transponder: str) -> tuple[f.Fact, ...]:
    hand.seq += 1
    return hand.do(e.Edge("start", "beam", True, round(at_s * S), hand.seq, "boot-a", transponder=transponder))


def test_a_transponder_that_is_entered_counts_as_one_that_an_official_assigned() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann", transponders=("7",))
    hand.open("Ann")
    hand.go(S)
    for at_s in (2, 10, 18):
        _read(hand, at_s, "99")
    assert not hand.laps, "it is nobody's"
    assert hand.engine.unknown_transponders
    facts = give(hand, e.ChangeRacer, 19, racer="Ann", transponders=("7", "99"))
    assert only(facts, f.TransponderAssigned)[0].racer == "Ann"
    assert hand.lap_times == [8 * S, 8 * S]
    give(hand, e.ChangeRacer, 20, racer="Ann", transponders=("99",))
    assert only(_read(hand, 26, "99"), f.LapCompleted)


def test_what_an_official_assigns_is_on_file() -> None:
    hand = Hand(FAST)
    give(hand, e.AddRacer, racer="Ann", transponders=("7",))
    give(hand, e.AddCar, car="blue", kind="stock")
    give(hand, e.AssignTransponder, transponder="07", car="blue")
    assert hand.engine.event.racers["ann"].transponders == ()
    assert hand.engine.event.cars["blue"].transponders == ("07",)
    give(hand, e.AssignTransponder, transponder="8", racer="ANN")
    assert hand.engine.event.racers["ann"].transponders == ("8",)


def test_a_transponder_has_one_owner() -> None:
    hand = Hand(FAST)
    both: dict[str, Any] = {"transponder": "7", "car": "car-1", "racer": "Ann"}
    assert "name one of the two" in refusal(give(hand, e.AssignTransponder, **both))
    old = Hand(started=False)
    old.do(e.Booted(moment(0), "station-1", (e.GateSpec("start"),), edition=3))
    old.do(e.OpenRace(moment(0), "race-1", "A race", FAST))
    assert only(give(old, e.AssignTransponder, **both), f.TransponderAssigned)[0].car == "car-1", "as it was journaled"


def test_cars_are_entered_changed_and_removed() -> None:
    hand = Hand(FAST)
    give(hand, e.AddCar, car="blue", kind="stock", transponders=("5",), colour="#0000ff")
    assert hand.engine.event.cars["blue"] == EventCar("blue", "stock", ("5",), "#0000ff")
    assert hand.engine.event.car_kind("blue") == "stock"
    assert "on the list already" in refusal(give(hand, e.AddCar, car="blue"))
    assert "cannot name a car" in refusal(give(hand, e.AddCar, car="Blue car"))
    assert "name" in refusal(give(hand, e.AddCar, car=" "))
    assert "Ann's and blue's" in refusal(give(hand, e.AddRacer, racer="Ann", transponders=("005",)))
    hand.open(car="blue")
    assert "on the track" in refusal(give(hand, e.ChangeCar, car="blue", kind="none"))
    assert "on the track" in refusal(give(hand, e.RemoveCar, car="blue"))
    assert only(give(hand, e.ChangeCar, car="blue", colour="#00ff00"), f.CarChanged)[0].was.colour == "#0000ff"
    give(hand, e.AbandonRun)
    removed = give(hand, e.RemoveCar, car="blue")
    assert only(removed, f.TransponderAssigned)[0].car == "", "its transponder has no owner now"
    assert "no car" in refusal(give(hand, e.RemoveCar, car="blue"))


def test_names_of_any_script_and_length() -> None:
    hand = Hand(FAST)
    names = [LONG, "👨‍👩‍👧 family", "مريم", "山田太郎", "Ⓐnn"]
    for name in names:
        assert not refusal(give(hand, e.AddRacer, racer=name))
    assert set(hand.engine.event.racers) == {name_key(name) for name in names}
