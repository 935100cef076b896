"""Points for places: every method, shared places, extras, and the rules that are refused."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.seasons.points import PointsRule, check_points, placed, points_of, points_text, worth
from shared.errors import Refused


def test_the_list_gives_nothing_after_its_end() -> None:
    assert [worth(PointsRule(), place, 40) for place in (1, 2, 10, 11, 40)] == [25, 18, 1, 0, 0]


def test_by_the_field_each_racer_behind_is_a_point_up_to_the_cap() -> None:
    rule = PointsRule("field", cap=20)
    assert [worth(rule, place, 22) for place in (1, 2, 3, 4, 22)] == [20, 20, 20, 19, 1]


def test_by_percentile_the_winner_has_all_and_the_rest_their_whole_share() -> None:
    rule = PointsRule("percentile", top=100)
    assert [worth(rule, place, 400) for place in (1, 2, 40, 41, 400)] == [100, 99, 90, 90, 0]
    assert worth(rule, 1, 1) == 100


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ("share", {"anna": 25, "ben": Fraction(33, 2), "cleo": Fraction(33, 2), "dan": 12}),
        ("higher", {"anna": 25, "ben": 18, "cleo": 18, "dan": 12}),
        ("earlier", {"anna": 25, "ben": 18, "cleo": 15, "dan": 12}),
    ],
)
def test_equal_scores_share_their_places(shared: Any, expected: dict[str, Any]) -> None:
    lines = [("anna", 900), ("ben", 950), ("cleo", 950), ("dan", 990)]
    rule = PointsRule(shared=shared)
    assert points_of(rule, placed(lines, shared)) == expected


def test_extras_go_to_those_with_a_result() -> None:
    rule = PointsRule(participation=2, pole=3, fastest_lap=1)
    finishes = placed([("anna", 900), ("ben", 950)], "share")
    assert points_of(rule, finishes, "ben", ["anna", "zoe"]) == {"anna": 28, "ben": 23}
    assert points_of(rule, finishes, "zoe") == {"anna": 27, "ben": 20}
    assert rule.most_in_a_race == 31


def test_points_are_shown_cut_off() -> None:
    assert [points_text(each) for each in (25, Fraction(58, 3), Fraction(33, 2), Fraction(1, 25))] == [
        "25",
        "19.33",
        "16.5",
        "0.04",
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"listed": (18, 25)}, "Points that never fall: place 2 would get 25, place 1 only 18."),
        ({"listed": (10, 10, 10)}, "Points that never fall: each of the 3 places would get 10."),
        ({"listed": (0,)}, "Points that never fall"),
        ({"listed": ()}, "0 places"),
        ({"listed": (25, -1)}, "from 0 to 10000"),
        ({"method": "field", "cap": 1}, "Points that never fall"),
        ({"method": "percentile", "top": 0}, "Points that never fall"),
        ({"participation": -1}, "from 0 to 10000"),
        ({"method": "luck"}, "choose list, field or percentile"),
        ({"shared": "both"}, "choose share, higher or earlier"),
    ],
)
def test_rules_that_make_no_sense_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        check_points(PointsRule(**changes))


RULES = st.builds(
    PointsRule,
    st.sampled_from(["list", "field", "percentile"]),
    st.lists(st.integers(0, 30), min_size=1, max_size=6).map(lambda some: (31, *sorted(some, reverse=True))),
    st.integers(2, 40),
    st.integers(2, 40),
    st.sampled_from(["share", "higher", "earlier"]),
    st.integers(0, 3),
)


@settings(max_examples=60, deadline=None)
@given(RULES, st.lists(st.integers(1, 6), max_size=9))
def test_a_better_place_never_has_fewer_points(rule: PointsRule, scores: list[int]) -> None:
    lines = [(f"racer {index}", score) for index, score in enumerate(sorted(scores))]
    finishes = placed(lines, check_points(rule).shared)
    points = points_of(rule, finishes)
    amounts = [points[racer] for racer, _ in lines]
    assert amounts == sorted(amounts, reverse=True)
    if rule.shared == "share":
        expected = sum(worth(rule, place, len(lines)) for place in range(1, len(lines) + 1))
        assert sum(amounts) == expected + rule.participation * len(lines)
    assert [finish.place for finish in finishes] == [
        1 + sum(other < score for _, other in lines) if rule.shared != "earlier" else index
        for index, (_, score) in enumerate(lines, 1)
    ]
