"""The standing of a season against a second, naive program; countback, ties, dropped races, regions, chances."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.seasons.chances import chances
from leaderboard.core.seasons.points import PointsRule
from leaderboard.core.seasons.rules import SeasonRules, check_season_rules
from leaderboard.core.seasons.standing import RaceOutcome, held, season_standing
from shared.errors import Refused
from tests.leaderboard.core.seasons import naive_season

LISTED = (5, 3, 2, 1)
RACERS = ("anna", "ben", "cleo", "dan", "eva")


def outcome(number: int, race: Mapping[str, int], over: bool = True, **more: Any) -> RaceOutcome:
    lines = tuple(sorted(race.items(), key=lambda line: (line[1], line[0])))
    return RaceOutcome(f"race-{number}", f"Race {number}", over, lines, **more)


def order(*racers: str) -> dict[str, int]:
    return {racer: 9000 + place for place, racer in enumerate(racers)}


def table(rules: SeasonRules, races: Sequence[RaceOutcome], **more: Any) -> list[tuple[int, str, Any]]:
    return [(line.rank, line.racer, line.points) for line in season_standing(rules, races, **more)]


RACES = st.lists(st.dictionaries(st.sampled_from(RACERS), st.integers(100, 104), max_size=5), max_size=5)


@settings(max_examples=80, deadline=None)
@given(RACES, st.none() | st.integers(1, 4), st.integers(0, 3), st.integers(0, 2), st.booleans(), st.integers(0, 9))
def test_two_programs_agree_whatever_the_order_of_arrival(
    races: list[dict[str, int]], best: int | None, drop: int, participation: int, higher: bool, seed: int
) -> None:
    rule = PointsRule(listed=LISTED, participation=participation, shared="higher" if higher else "share")
    rules = check_season_rules(SeasonRules(rule, best_races=best, drop_worst=drop))
    outcomes = [outcome(number, race) for number, race in enumerate(races)]
    lines = season_standing(rules, outcomes)
    expected = naive_season.season(races, LISTED, best, drop, participation, higher)
    assert {line.racer: (line.rank, line.points) for line in lines} == expected
    assert [line.rank for line in lines] == sorted(line.rank for line in lines)
    for line in lines:
        assert line.tied == (sum(other.rank == line.rank for other in lines) > 1)
        assert line.points == sum(each.points for each in line.races if each is not None and each.counted)
    shuffled: list[RaceOutcome] = []
    for race in races:
        arrived = list(race.items())
        random.Random(seed).shuffle(arrived)
        shuffled.append(outcome(len(shuffled), dict(arrived)))
    assert season_standing(rules, shuffled) == lines == season_standing(rules, outcomes)


def test_countback_goes_by_wins_then_seconds_then_the_later_best_place_then_it_is_a_tie() -> None:
    rules = SeasonRules(PointsRule(listed=(4, 2, 1)))
    wins = [outcome(1, order("anna", "x", "y")), outcome(2, order("x", "ben", "y")), outcome(3, order("x", "ben", "y"))]
    assert table(rules, wins)[1:3] == [(2, "anna", 4), (3, "ben", 4)]
    later = [outcome(1, order("anna", "ben")), outcome(2, order("ben", "anna"))]
    assert table(rules, later) == [(1, "ben", 6), (2, "anna", 6)]
    tie = [outcome(1, {"anna": 900, "ben": 900, "cleo": 950})]
    lines = season_standing(rules, tie)
    assert [(line.rank, line.racer, line.tied) for line in lines] == [
        (1, "anna", True),
        (1, "ben", True),
        (3, "cleo", False),
    ]


def test_a_dropped_race_is_shown_and_does_not_count() -> None:
    rules = SeasonRules(drop_worst=1)
    races = [outcome(1, order("anna", "ben")), outcome(2, order("ben", "anna")), outcome(3, order("ben"))]
    lines = {line.racer: line for line in season_standing(rules, races)}
    assert [each.counted for each in lines["ben"].races if each] == [False, True, True]
    assert lines["anna"].races[2] is None  # the race that she missed is the dropped one
    assert (lines["anna"].points, lines["ben"].points) == (43, 50)
    assert (lines["anna"].started, lines["anna"].best_place) == (2, 1)


def test_a_region_is_a_standing_of_its_own_over_the_same_results() -> None:
    races = [outcome(1, order("anna", "ben", "cleo")), outcome(2, order("cleo", "ben", "anna"))]
    assert table(SeasonRules(), races, members={"ben", "cleo"}) == [(1, "cleo", 43), (2, "ben", 43)]


def test_physical_and_virtual_results_of_one_race_add_up() -> None:
    races = [
        outcome(1, order("anna", "ben"), kind="physical"),
        outcome(1, order("ben"), kind="virtual", division="open"),
    ]
    assert table(SeasonRules(), held(races)) == [(1, "ben", 43), (2, "anna", 25)]
    assert table(SeasonRules(), held(races, kind="physical")) == [(1, "anna", 25), (2, "ben", 18)]
    assert table(SeasonRules(), held(races, division="pro")) == [(1, "anna", 25), (2, "ben", 18)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(RACERS[:3]), st.integers(100, 102), min_size=1), min_size=1, max_size=3),
    st.integers(0, 2),
    st.none() | st.integers(1, 3),
    st.integers(0, 1),
    st.integers(1, 2),
    st.dictionaries(st.sampled_from(RACERS[:3]), st.integers(100, 102)),
)
def test_bounds_never_contradict_what_can_happen(
    past: list[dict[str, int]],
    left: int,
    best: int | None,
    drop: int,
    places: int,
    running: dict[str, int],
) -> None:
    """Every way the open races may end among the known racers is tried; of races to come the answer is exact."""
    rules = SeasonRules(PointsRule(listed=(5, 3, 1)), best_races=best, drop_worst=drop, qualify_places=places)
    coming = [RaceOutcome(f"coming-{number}", "", over=False) for number in range(left)]
    now = [outcome(9, running, over=False)] if running and left < 2 else []
    races = [*(outcome(number, race) for number, race in enumerate(past)), *now, *coming]
    found = chances(rules, races)
    ranks: dict[str, set[int]] = {racer: set() for racer in found}
    for ends in _endings([set(running)] * len(now) + [set()] * left):
        standing = naive_season.season([*past, *ends], (5, 3, 1), best, drop)
        for racer in found:
            ranks[racer].add(standing[racer][0])
    for racer, chance in found.items():
        wins, loses = 1 in ranks[racer], ranks[racer] != {1}
        assert chance.can_win or not wins
        assert not chance.has_won or not loses
        assert chance.can_qualify or min(ranks[racer]) > places
        assert not chance.has_qualified or max(ranks[racer]) <= places
        if not now:
            assert chance.can_win == wins
            assert chance.can_qualify == (min(ranks[racer]) <= places)


def _endings(must: list[set[str]]) -> list[list[naive_season.Race]]:
    """All ends of the open races; whoever has a line in one (`must`) keeps some place in it."""
    if not must:
        return [[]]
    rest = _endings(must[1:])
    return [[race, *more] for race in naive_season.outcomes(RACERS[:3]) if must[0] <= set(race) for more in rest]


def test_when_all_is_over_the_chances_are_the_standing() -> None:
    rules = SeasonRules(qualify_places=2)
    found = chances(rules, [outcome(1, order("anna", "ben", "cleo"))])
    assert [(c.can_win, c.has_won, c.can_qualify, c.has_qualified) for c in found.values()] == [
        (True, True, True, True),
        (False, False, True, True),
        (False, False, False, False),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"best_races": 0}, "`best_races` is 0; allowed is 1 to 200"),
        ({"drop_worst": -1}, "`drop_worst` is -1"),
        ({"regions": ("Europe", "europe")}, "holds a name twice"),
        ({"categories": ("",)}, "visible characters"),
        ({"qualify_places": -1}, "`qualify_places` is -1"),
    ],
)
def test_season_rules_that_make_no_sense_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_season_rules(SeasonRules(**changes))
