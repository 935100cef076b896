"""The results of a race from the engine's state: places, runs and laps with their figures, and how ties went."""

from typing import Any

import pytest

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.views.results.race_records import race_record
from station.views.results.race_results import RaceResults, race_results, tie_words, uncertainty_words
from tests.station.core.scripted_race import Hand, S, moment

RULES = RaceRules(consecutive_laps=2, max_laps=3, off_track_penalty_s=2.0)


def results(hand: Hand, race_id: str = "race-1") -> RaceResults:
    record = race_record(hand.engine, race_id)
    assert record is not None
    return race_results(record)


def driven(*runs: tuple[str, tuple[float, ...]], rules: RaceRules = RULES) -> Hand:
    """One run after the other, each with its crossings in seconds after its start."""
    hand, at_s = Hand(rules), 10.0
    for racer, stamps_s in runs:
        hand.open(racer, at_ns=round(at_s * S))
        hand.go(round(at_s * S))
        for stamp_s in stamps_s:
            hand.cross(round((at_s + stamp_s) * S))
        at_s += 100
        if len(stamps_s) < 4:
            hand.do(e.FinishRun(author="judge", moment=moment(round((at_s - 10) * S))))
    return hand


def test_places_runs_and_laps_have_the_published_figures() -> None:
    hand = driven(("Ann", (1, 5, 9.5, 13)), ("Bob", (1, 5, 8.5, 12)), ("Cid", (1, 6)))
    hand.do(e.OffTrack(author="judge", run_id="run-2", at_ns=112 * S, moment=moment(400 * S)))
    found = results(hand)
    assert [(p.rank, p.racer, p.score_ms, p.gap_ms, p.runs) for p in found.places] == [
        (1, "Bob", 3500, 0, 1),
        (2, "Ann", 4000, 500, 1),
    ]
    ann = found.run("run-1")
    assert ann is not None
    assert [(lap.number, lap.lap_ms, lap.in_score) for lap in ann.laps] == [
        (1, 4000, False),
        (2, 4500, True),
        (3, 3500, True),
    ]
    assert (ann.score_ms, ann.first_lap, ann.last_lap, ann.best_ms) == (4000, 2, 3, 3500)
    assert [run.score_ms for run in found.runs_of("CID")] == [None]
    assert found.place_of("ann") == found.places[1]
    assert found.place_of("Cid") is None
    assert (found.name, found.state, found.rules_version, found.clock_trusted) == ("A race", "open", 1, True)


def test_a_penalty_is_part_of_the_lap_that_it_happened_in() -> None:
    hand = Hand(RULES)
    hand.open("Ann")
    hand.go()
    hand.cross(1 * S)
    hand.do(e.OffTrack(author="judge", moment=moment(3 * S), at_ns=3 * S))
    hand.cross(5 * S)
    [run] = results(hand).runs
    assert [(lap.lap_ms, lap.track_ms, lap.penalty_ms, lap.off_tracks) for lap in run.laps] == [(6000, 4000, 2000, 1)]


@pytest.mark.parametrize(
    ("runs", "ties", "words"),
    [
        ((("Ann", (1, 5, 9, 13)), ("Bob", (1, 5, 9, 13))), ("earlier", "earlier"), ["Equal scores"]),
        ((("Ann", (1, 5, 9, 13)), ("Bob", (1, 6, 11, 16))), ("", ""), []),
    ],
)
def test_how_a_tie_was_decided_is_said(runs: Any, ties: tuple[str, ...], words: list[str]) -> None:
    found = results(driven(*runs))
    assert tuple(place.tie for place in found.places) == ties
    assert [sentence.startswith(word) for sentence, word in zip(tie_words(found), words, strict=True)] == [True] * len(
        words
    )
    assert [place.racer for place in found.places] == ["Ann", "Bob"]
    assert uncertainty_words(found).startswith("Times are certain to ±")


def test_a_race_that_was_never_opened_has_no_places_and_an_unknown_one_no_results() -> None:
    hand = Hand(RULES)
    hand.do(e.CreateRace(author="Ruth", name="Final", moment=moment(0)))
    found = results(hand, "final")
    assert (found.places, found.runs, found.state) == ((), (), "draft")
    assert race_record(hand.engine, "nowhere") is None


def test_flag_and_team_come_from_the_entry() -> None:
    hand = driven(("Ann", (1, 5, 9, 13)))
    hand.do(e.AddRacer(author="Ruth", racer="ANN", flag="DE", team="Blue", moment=moment(900 * S)))
    [place] = results(hand).places
    assert (place.flag, place.team, place.car) == ("DE", "Blue", "car-1")
