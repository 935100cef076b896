"""The form of a season's rules: what is typed is what is set, and what is wrong stands beside its field."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.seasons.points import CLASSIC, PointsRule, check_points
from leaderboard.core.seasons.rules import DivisionRule, PrizeRule, QualifyingRace, SeasonRules, TeamRule
from leaderboard.pages.titles.rules_form import rows_in, rule_groups, values_of
from leaderboard.pages.titles.rules_reading import read_rules
from shared.errors import Refused
from tests.leaderboard.seasons.sample_season import RULES

_NAMES = st.lists(st.text("abcdefghij", min_size=1, max_size=6), max_size=4, unique=True).map(tuple)


@st.composite
def season_rules(draw: st.DrawFn) -> SeasonRules:
    """Rules that a season may have."""
    listed = tuple(sorted(draw(st.lists(st.integers(1, 50), min_size=2, max_size=6, unique=True)), reverse=True))
    numbers = st.integers(0, 20)
    points = PointsRule(
        draw(st.sampled_from(("list", "field", "percentile"))),
        listed,
        draw(st.integers(2, 500)),
        draw(st.integers(2, 500)),
        draw(st.sampled_from(("share", "higher", "earlier"))),
        draw(numbers),
        draw(numbers),
        draw(numbers),
    )
    divisions = draw(_NAMES)
    divisions = divisions if len(divisions) > 1 else ()
    up = draw(st.integers(0, 100))
    prize = st.builds(
        PrizeRule,
        st.text("abc", min_size=1, max_size=5),
        st.integers(1, 9),
        st.sampled_from(("race", "season")),
        st.booleans(),
        st.sampled_from(("", *divisions)),
    )
    return SeasonRules(
        points,
        draw(st.none() | st.integers(1, 200)),
        draw(numbers),
        draw(_NAMES),
        draw(_NAMES),
        draw(numbers),
        draw(numbers),
        DivisionRule(divisions, up, draw(st.integers(0, 100 - up))),
        TeamRule(draw(st.sampled_from(("sum", "mean"))), draw(st.integers(1, 100))),
        tuple(draw(st.lists(prize, max_size=3))),
        draw(st.sampled_from(((), (QualifyingRace("heat", "final"),)))),
    )


@settings(max_examples=60)
@given(season_rules())
def test_what_the_form_shows_is_read_back_as_the_same_rules(rules: SeasonRules) -> None:
    typed = read_rules(values_of(rules))
    assert (typed.rules, typed.errors, typed.refusal) == (rules, {}, "")


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(values_of(RULES))), st.text(max_size=12), max_size=6))
def test_anything_typed_is_rules_or_a_sentence(written: dict[str, str]) -> None:
    typed = read_rules(values_of(RULES) | written)
    assert (typed.rules is None) == bool(typed.errors or typed.refusal)
    assert set(typed.errors) <= {field.name for group in rule_groups(9, 9, ()) for field in group.fields}


WRONG = [
    ("listed", "25, x", "Write whole numbers with commas between: 25, 18, 15."),
    ("listed", "10 12", "Points that never fall: place 2 would get 12, place 1 only 10. "
     "Give no place more than the one before it."),
    ("listed", "5,5", "Points that never fall: each of the 2 places would get 5. "
     "Give the first place more than the last."),
    ("method", "dice", "Choose one of the list."),
    ("cap", "1", "Write a whole number from 2 to 10000."),
    ("best_races", "0", "Write a whole number from 1 to 200."),
    ("drop_worst", "-1", "Write a whole number from 0 to 200."),
    ("planned_races", "1.5", "Write a whole number from 0 to 200."),
    ("regions", "Asia, asia", "`regions` holds a name twice."),
    ("divisions", "pro", "One division alone is none: name at least two, from the lowest to the highest."),
    ("down_percent", "95", "The shares that move up and down are more than all: together at most 100 per cent."),
    ("team_best", "101", "Write a whole number from 1 to 100."),
    ("prize_1_places", "0", "Write a whole number from 1 to 1000."),
    ("prize_1_division", "gold", "The prize 'car' is for the division 'gold', which this season has not."),
    ("qualifying_1_race", "heat", "Choose both races, or neither."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "written", "sentence"), WRONG)
def test_what_is_wrong_stands_beside_its_field(name: str, written: str, sentence: str) -> None:
    typed = read_rules(values_of(RULES) | {name: written})
    beside = {"qualifying_1_race": "qualifying_1_for"}.get(name, name)
    assert typed.errors == {beside: sentence}
    assert typed.values[name] == written
    assert typed.rules is None


def test_an_empty_field_means_what_its_hint_says() -> None:
    empty = dict.fromkeys(values_of(RULES), "")
    choices = {"method": "list", "shared": "share", "team_method": "sum"}
    choices |= {f"prize_{number}_{name}": value for number in range(1, 5) for name, value in
                (("per", "race"), ("once", "yes"))}  # fmt: skip
    typed = read_rules(empty | choices)
    assert typed.rules == SeasonRules(divisions=DivisionRule((), 0, 0))
    assert typed.rules.points.listed == CLASSIC


def test_there_are_two_empty_rows_for_prizes_and_one_for_a_qualifying_race() -> None:
    assert rows_in(values_of(RULES)) == (len(RULES.prizes) + 2, 1)
    with pytest.raises(Refused):
        check_points(PointsRule(listed=()))
