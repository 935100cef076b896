"""Racers' names in the core: two spellings of one racer share attempts and place; an old journal keeps its history."""

from collections.abc import Callable

import pytest

from shared.rules.ranking import RaceRules
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.core.race.race import Race
from station.core.runs.run_registry import RunRegistry
from station.store.encoding import decode_input, encode_facts, encode_input
from station.views.projection import standing_lines
from tests.station.core.scripted_race import Hand, S, moment, only

NFC, NFD = "Jos\u00e9", "Jose\u0301"
TWO_LAPS = RaceRules(consecutive_laps=1, max_laps=2)


def booted(edition: int) -> e.Booted:
    return e.Booted(moment(0), "station-1", (e.GateSpec("start"),), edition=edition)


def old_hand(rules: RaceRules = TWO_LAPS) -> Hand:
    """A station of the first edition: its start, then a race."""
    hand = Hand(rules)
    hand.engine, hand.inputs, hand.facts = Engine(), [], []
    hand.do(booted(1))
    hand.do(e.OpenRace(moment(0), "race-1", "A race", rules))
    return hand


def places(hand: Hand) -> list[tuple[str, int]]:
    assert hand.engine.race is not None
    return [(line.racer, line.score_ms) for line in hand.engine.race.standings.lines()]


@pytest.mark.parametrize(
    "spellings",
    [
        (NFC, NFD),
        (NFD, NFC),
        ("Ann", "ANN", "  ann"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u5c71\u7530\u3000\u592a\u90ce", "\u5c71\u7530 \u592a\u90ce"),
        ("Jean\u00a0Luc", "jean luc"),
        ("\u0645\u06cc\u200c\u0644\u0627\u062f", "\u0645\u06cc\u0644\u0627\u062f"),
        ("Ada \U0001f469\u200d\U0001f4bb", "ADA \U0001f469\u200d\U0001f4bb"),
    ],
)
def test_all_spellings_are_one_racer_with_one_count_of_attempts(spellings: tuple[str, ...]) -> None:
    hand = Hand(RaceRules(consecutive_laps=1, max_laps=2, attempts_per_racer=len(spellings)))
    for n, racer in enumerate(spellings):
        hand.drive([100 * n + 10, 100 * n + 20 - n, 100 * n + 31], racer)
    opened = [fact for facts in hand.facts for fact in only(facts, f.RunOpened)]
    assert [fact.attempt for fact in opened] == list(range(1, len(spellings) + 1))
    assert len({fact.racer for fact in opened}) == 1
    assert len(places(hand)) == 1
    posted = [fact.result for facts in hand.facts for fact in only(facts, f.ResultDue)]
    assert {result.racer for result in posted} == {opened[0].racer}
    new_facts = hand.open(spellings[0], at_ns=900 * S)
    assert "has used all" in only(new_facts, f.CommandRefused)[0].sentence


def test_one_racer_is_on_the_track_once() -> None:
    hand = Hand()
    hand.do(e.OpenRace(moment(1), "race-1", "A race", RaceRules(), cars_on_track=2))
    hand.open("Ann", "run-1")
    new_facts = hand.do(e.OpenRun(author="judge", racer="ANN", car="car-2", moment=moment(2)))
    assert "Ann is on the track already" in only(new_facts, f.CommandRefused)[0].sentence


def test_a_run_that_is_given_to_another_spelling_stays() -> None:
    hand = Hand(TWO_LAPS)
    hand.drive([10, 20, 29], "Ann")
    new_facts = hand.do(e.ReassignRun(author="judge", racer="ann", moment=moment(40 * S)))
    assert "already Ann's" in only(new_facts, f.CommandRefused)[0].sentence
    hand.drive([110, 120, 128], "Bob")
    hand.do(e.ReassignRun(author="judge", racer=" ANN", moment=moment(140 * S)))
    assert places(hand) == [("Ann", 8000)]


@pytest.mark.parametrize("racer", ["Ann\u202e", "\u200b", "A\nnn", "Ann\ud800", "x" * 65])
def test_what_is_no_name_opens_no_run(racer: str) -> None:
    hand = Hand()
    new_facts = hand.open(racer)
    assert "racer's name" in only(new_facts, f.CommandRefused)[0].sentence
    assert hand.engine.run is None


def replays(hand: Hand) -> None:
    """The stored text of each input gives the same facts again."""
    engine = Engine()
    for event, facts in zip(hand.inputs, hand.facts, strict=True):
        stored = encode_input(event).replace(b',"edition":1', b"").replace(b'"edition":1,', b"")
        assert encode_facts(engine.handle(decode_input(stored))) == encode_facts(facts)


def test_an_old_journal_keeps_its_history_and_what_follows_is_read_as_today() -> None:
    hand = old_hand()
    hand.drive([10, 20, 29], "Ann")
    hand.drive([110, 120, 128], "ann")
    refused = hand.open("Jean\u00a0Luc", at_ns=150 * S)
    assert only(refused, f.CommandRefused)
    hand.drive([210, 220, 227], "\u3164")  # invisible, but once accepted as a name
    assert [racer for racer, _ in places(hand)] == ["\u3164", "ann", "Ann"]
    replays(hand)
    new_facts = hand.do(booted(2))
    assert [line.racer for line in only(new_facts, f.StandingChanged)[0].lines] == ["\u3164", "Ann"]
    assert places(hand) == [("\u3164", 7000), ("Ann", 8000)]
    assert only(hand.open("ANN", at_ns=300 * S), f.RunOpened)[0].attempt == 3
    replays(hand)
    assert hand.do(booted(2)) == (f.StationBooted("station-1", "boot-a"),)


def test_spellings_become_one_also_in_what_lies_too_far_back(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Callable[..., None] = Race.__init__

    def short(self: Race, *arguments: object) -> None:
        made(self, *arguments)
        self.registry = RunRegistry(reach=3)

    monkeypatch.setattr(Race, "__init__", short)
    hand = old_hand()
    for n, (racer, lap_s) in enumerate([("ann", 9), ("ann", 7), ("Ann", 8), ("Bob", 6), ("Bob", 7), ("Bob", 8)]):
        hand.drive([100 * n + 10, 100 * n + 30, 100 * n + 30 + lap_s], racer)
    hand.do(booted(2))
    assert places(hand) == [("Bob", 6000), ("ann", 7000)]
    assert hand.engine.race is not None
    assert [line.runs for line in standing_lines(hand.engine.race)] == [3, 3]
    assert only(hand.open("ANN", at_ns=900 * S), f.RunOpened)[0].attempt == 4
