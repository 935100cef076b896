"""Who moves up and down, who may enter which division, and the standing of teams."""

from fractions import Fraction
from typing import Any

import pytest

from leaderboard.core.seasons.divisions import after_moves, check_division, down_places, lowest, moves_after, up_places
from leaderboard.core.seasons.rules import DivisionRule, SeasonRules, TeamRule, check_season_rules
from leaderboard.core.seasons.teams import team_standing
from shared.errors import Refused

RULE = DivisionRule(("open", "pro"))


@pytest.mark.parametrize(("racers", "up"), [(0, 0), (1, 1), (10, 1), (11, 2), (400, 40), (401, 41)])
def test_the_top_tenth_is_rounded_up(racers: int, up: int) -> None:
    assert up_places(racers, 10) == up


def test_the_last_are_rounded_down() -> None:
    assert [down_places(racers, 10) for racers in (9, 10, 19, 20)] == [0, 1, 1, 2]


def test_the_top_of_an_open_month_moves_up_once() -> None:
    field = [f"racer {index}" for index in range(15)]
    first = moves_after(RULE, "may", "open", field, {})
    assert [(move.racer, move.before, move.after) for move in first] == [
        ("racer 0", "open", "pro"),
        ("racer 1", "open", "pro"),
    ]
    divisions = after_moves(first)
    assert divisions == {"racer 0": "pro", "racer 1": "pro"}
    # The slot of one who is in the other division already falls to nobody.
    assert [move.racer for move in moves_after(RULE, "june", "open", ["racer 1", "racer 5"], divisions)] == []


def test_demotion_is_optional_and_nobody_falls_from_the_lowest() -> None:
    field = [f"racer {index}" for index in range(10)]
    pro = dict.fromkeys(field, "pro")
    assert moves_after(RULE, "may", "pro", field, pro) == []
    down = DivisionRule(("open", "pro"), down_percent=20)
    assert [move.racer for move in moves_after(down, "may", "pro", field, pro)] == ["racer 8", "racer 9"]
    assert [move.after for move in moves_after(down, "may", "open", field, {})] == ["pro"]
    assert moves_after(RULE, "may", "", field, {}) == []


def test_another_division_is_seen_and_not_entered() -> None:
    check_division(RULE, "", "anna", "open")
    check_division(RULE, "pro", "anna", "pro")
    check_division(DivisionRule(), "pro", "anna", "")
    with pytest.raises(Refused, match="for the division 'pro', and 'anna' is in 'open': its board can be seen, but no"):
        check_division(RULE, "pro", "anna", lowest(RULE))


@pytest.mark.parametrize(
    ("division", "sentence"),
    [
        (DivisionRule(("open",)), "One division alone is none"),
        (DivisionRule(("open", "Open")), "holds a name twice"),
        (DivisionRule(("open", "pro"), 101), "allowed is 0 to 100"),
        (DivisionRule(("open", "pro"), 60, 50), "together at most 100"),
    ],
)
def test_division_rules_that_make_no_sense_are_refused(division: DivisionRule, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_season_rules(SeasonRules(divisions=division))


TEAMS = {"red": ["anna", "ben", "cleo"], "blue": ["dan", "eva"], "grey": []}
POINTS: dict[str, Any] = {"anna": 30, "ben": 20, "cleo": 10, "dan": 40, "eva": Fraction(21, 2)}


def test_a_team_has_the_sum_of_its_best_members() -> None:
    lines = team_standing(TeamRule("sum", 2), TEAMS, POINTS)
    assert [(line.rank, line.team_id, line.points) for line in lines] == [
        (1, "blue", Fraction(101, 2)),
        (2, "red", 50),
        (3, "grey", 0),
    ]
    assert [(member.racer, member.counted) for member in lines[1].members] == [
        ("anna", True),
        ("ben", True),
        ("cleo", False),
    ]


def test_the_mean_takes_a_missing_member_as_nothing() -> None:
    lines = team_standing(TeamRule("mean", 3), TEAMS, POINTS)
    assert [(line.team_id, line.points) for line in lines] == [("red", 20), ("blue", Fraction(101, 6)), ("grey", 0)]


def test_equal_teams_go_by_their_best_member_then_share_the_rank() -> None:
    points = {"a": 5, "b": 5, "c": 7, "d": 3, "e": 5, "f": 5}
    lines = team_standing(TeamRule("sum", 2), {"one": ["a", "b"], "two": ["c", "d"], "three": ["e", "f"]}, points)
    assert [(line.rank, line.team_id, line.tied) for line in lines] == [
        (1, "two", False),
        (2, "one", True),
        (2, "three", True),
    ]
