"""Prizes of which nobody has two, and records."""

import random

import pytest

from leaderboard.core.seasons.prizes import Award, Ranking, awards
from leaderboard.core.seasons.records import TrackRecord, record_key, records
from leaderboard.core.seasons.rules import (
    DivisionRule,
    PrizeRule,
    QualifyingRace,
    SeasonRules,
    check_season_rules,
)
from shared.errors import Refused


def test_a_slot_falls_through_to_the_next_who_has_none() -> None:
    races = [Ranking("may", ("anna", "ben", "cleo")), Ranking("june", ("anna", "dan", "ben", "eva"))]
    given = awards([PrizeRule("car", 2)], races, [])
    assert given == [
        Award("car", "may", 1, "anna"),
        Award("car", "may", 2, "ben"),
        Award("car", "june", 1, "dan", ("anna",)),
        Award("car", "june", 2, "eva", ("ben",)),
    ]


def test_other_kinds_are_other_prizes_and_one_may_be_won_again() -> None:
    races = [Ranking("may", ("anna",)), Ranking("june", ("anna",))]
    given = awards([PrizeRule("cup", once=False), PrizeRule("car")], races, [])
    assert [(award.kind, award.race_id) for award in given] == [("cup", "may"), ("car", "may"), ("cup", "june")]


def test_the_season_gives_its_prizes_last_and_counts_what_the_races_gave() -> None:
    rules = [PrizeRule("car"), PrizeRule("car", 1, "season"), PrizeRule("pro trip", 1, "season", division="pro")]
    seasons = [Ranking("", ("anna", "ben")), Ranking("", ("zoe",), "pro")]
    assert awards(rules, [Ranking("may", ("anna", "ben"))], seasons) == [
        Award("car", "may", 1, "anna"),
        Award("car", "", 1, "ben", ("anna",)),
        Award("pro trip", "", 1, "zoe"),
    ]


def test_prizes_of_a_division_are_given_in_its_races_only() -> None:
    races = [Ranking("may", ("anna",), "open"), Ranking("may-pro", ("zoe",), "pro")]
    assert [award.racer for award in awards([PrizeRule("car", division="pro")], races, [])] == ["zoe"]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (SeasonRules(prizes=(PrizeRule("car", 0),)), "`prizes.places` is 0"),
        (SeasonRules(prizes=(PrizeRule(""),)), "visible characters"),
        (SeasonRules(prizes=(PrizeRule("car", division="pro"),)), "which this season has not"),
        (SeasonRules(qualifying=(QualifyingRace("a", "b"), QualifyingRace("b", "c"))), "qualifies for one other race"),
    ],
)
def test_prizes_that_make_no_sense_are_refused(rules: SeasonRules, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_season_rules(rules)
    check_season_rules(SeasonRules(prizes=(PrizeRule("car", division="pro"),), divisions=DivisionRule(("open", "pro"))))


def test_a_record_is_the_best_of_what_compares_and_the_first_keeps_it() -> None:
    lap = record_key("Oval", "clockwise", "time_trial", "physical", "best_lap", 3)
    mean = record_key("Oval", "clockwise", "time_trial", "physical", "average", 3)
    assert (lap.laps, mean.laps) == (1, 3)
    some = [
        TrackRecord(lap, "anna", "Anna", 9000, 20, "june"),
        TrackRecord(lap, "ben", "Ben", 9000, 10, "may"),
        TrackRecord(lap, "cleo", "Cleo", 9001, 5, "may"),
        TrackRecord(mean, "anna", "Anna", 9300, 20, "june"),
    ]
    for seed in range(4):
        shuffled = random.Random(seed).sample(some, len(some))
        assert records(shuffled) == [some[3], some[1]]
