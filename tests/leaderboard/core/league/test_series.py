"""The calendar of a series: over the changes of the clocks, over sleep, and after moved closes."""

import dataclasses
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.league.series import (
    CalendarRule,
    SeriesPlace,
    SeriesRace,
    check_rule,
    closing_utc_ns,
    due,
    opening_utc_ns,
    race_name,
    start,
)
from shared.errors import Refused
from shared.units import NS_PER_S
from tests.leaderboard.core.league.test_local_time import ZONES, utc

BERLIN = "Europe/Berlin"


def openings(rule: CalendarRule, count: int) -> list[str]:
    times = (opening_utc_ns(rule, number) // NS_PER_S for number in range(1, count + 1))
    return [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M") for at in times]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # The last day of each month, at six in the evening there, whatever the clocks say.
        (
            CalendarRule("month", "2027-01-31T18:00", BERLIN),
            ["2027-01-31T17:00", "2027-02-28T17:00", "2027-03-31T16:00", "2027-04-30T16:00", "2027-05-31T16:00"],
        ),
        (
            CalendarRule("month", "2028-01-30T00:00", "UTC"),
            ["2028-01-30T00:00", "2028-02-29T00:00", "2028-03-30T00:00"],
        ),
        (
            CalendarRule("month", "2027-11-15T12:00", "UTC"),
            ["2027-11-15T12:00", "2027-12-15T12:00", "2028-01-15T12:00"],
        ),
        # Sundays at half past two: on 28 March the hour is skipped, on 31 October it is there twice (the first counts).
        (
            CalendarRule("week", "2027-03-21T02:30", BERLIN),
            ["2027-03-21T01:30", "2027-03-28T01:30", "2027-04-04T00:30"],
        ),
        (
            CalendarRule("week", "2027-10-24T02:30", BERLIN),
            ["2027-10-24T00:30", "2027-10-31T00:30", "2027-11-07T01:30"],
        ),
        (
            CalendarRule("days", "2027-03-13T02:30", "America/New_York", days=1),
            ["2027-03-13T07:30", "2027-03-14T07:30", "2027-03-15T06:30"],
        ),
        (
            CalendarRule("days", "2027-03-01T09:00", "Australia/Lord_Howe", days=30),
            ["2027-02-28T22:00", "2027-03-30T22:00", "2027-04-29T22:30"],
        ),
        (CalendarRule("days", "2027-12-20T10:00", "UTC", days=10), ["2027-12-20T10:00", "2027-12-30T10:00"]),
    ],
)
def test_openings_over_the_changes_of_the_clocks(rule: CalendarRule, expected: list[str]) -> None:
    assert openings(check_rule(rule), len(expected)) == expected


def test_a_day_that_a_zone_left_out_makes_no_race_without_length() -> None:
    rule = CalendarRule("days", "2011-12-28T12:00", "Pacific/Apia", days=1)  # there was no 30 December there
    races, _ = due(start(rule, 0), opening_utc_ns(rule, 6))
    assert all(race.opens_utc_ns < race.closes_utc_ns for race in races)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"every": "year"}, "month, week, days"),
        ({"zone": "Berlin"}, "no time zone"),
        ({"first": "tomorrow"}, "write it as"),
        ({"first": "2027-01-01T10:00+01:00"}, "local time alone"),
        ({"first": "2261-01-01T10:00"}, "2200 at the latest"),
        ({"days": 0}, "1 to 366"),
        ({"days": 367}, "1 to 366"),
    ],
)
def test_rules_that_make_no_calendar_are_refused(changes: dict[str, object], sentence: str) -> None:
    rule = CalendarRule("days", "2027-01-01T10:00", "UTC", days=3)
    with pytest.raises(Refused, match=sentence):
        check_rule(dataclasses.replace(rule, **changes))  # type: ignore[arg-type]


def test_each_race_opens_in_the_second_in_which_the_one_before_closes() -> None:
    rule = CalendarRule("month", "2027-01-31T18:00", BERLIN)
    races, place = due(start(rule, utc("2026-12-01T00:00"), total=8), utc("2027-09-01T00:00"))
    assert [race.number for race in races] == list(range(1, 9))
    assert all(a.closes_utc_ns == b.opens_utc_ns for a, b in itertools.pairwise(races))
    assert place.complete
    assert due(place, utc("2090-01-01T00:00")) == ((), place)


def test_the_next_race_is_made_when_the_one_before_opens() -> None:
    rule = CalendarRule("week", "2027-01-04T18:00", "UTC")
    first, place = due(start(rule, utc("2026-12-01T00:00")), utc("2026-12-01T00:00"))
    assert [race.number for race in first] == [1]
    assert due(place, utc("2027-01-04T17:59"))[0] == ()
    second, _ = due(place, utc("2027-01-04T18:00"))
    assert [(race.number, race.opens_utc_ns) for race in second] == [(2, utc("2027-01-11T18:00"))]


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("2027-01-11T18:00", "2027-01-18T18:00"),  # as the calendar has it
        ("2027-01-09T18:00", "2027-01-18T18:00"),  # the first race was closed two days early: this one is longer
        ("2027-01-13T18:00", "2027-01-18T18:00"),  # two days late: this one is shorter
        ("2027-01-20T18:00", "2027-01-25T18:00"),  # over a whole race late: at the calendar's next time
        ("2029-01-20T18:00", "2029-01-22T18:00"),
    ],
)
def test_after_a_moved_close_the_calendar_goes_on(opens: str, closes: str) -> None:
    rule = CalendarRule("week", "2027-01-04T18:00", "UTC")
    assert closing_utc_ns(rule, 2, utc(opens)) == utc(closes)


RULES = st.builds(
    CalendarRule,
    st.sampled_from(["month", "week", "days"]),
    st.sampled_from(["2027-01-31T02:30", "2027-03-14T02:15", "2026-12-31T23:59", "2028-02-29T01:45"]),
    st.sampled_from(ZONES),
    st.integers(1, 40),
)


@settings(max_examples=40, deadline=None)
@given(RULES, st.lists(st.integers(0, 60 * 24 * 3600), max_size=8), st.one_of(st.none(), st.integers(1, 9)))
def test_sleeping_over_openings_makes_the_same_races(
    rule: CalendarRule, sleeps_s: list[int], total: int | None
) -> None:
    began = opening_utc_ns(rule, 1) - 3 * 24 * 3600 * NS_PER_S
    ends = began + sum(sleeps_s) * NS_PER_S

    def watched(place: SeriesPlace) -> list[SeriesRace]:
        """Asked in every second in which something is due, as by somebody who never sleeps."""
        made: list[SeriesRace] = []
        while not place.complete and place.due_utc_ns <= ends:
            assert due(place, place.due_utc_ns - NS_PER_S)[0] == ()
            races, place = due(place, place.due_utc_ns)
            assert races
            made += races
        return made

    slept: list[SeriesRace] = []
    place, now = start(rule, began, total), began
    for sleep_s in [0, *sleeps_s]:
        now += sleep_s * NS_PER_S
        races, place = due(place, now)
        slept += races
        assert due(place, now) == ((), place)
    assert slept == watched(start(rule, began, total))
    assert all(race.opens_utc_ns < race.closes_utc_ns for race in slept)


def test_names_of_races_say_number_and_date() -> None:
    at = utc("2027-03-31T22:30")
    assert race_name("Open {n}, {month}/{year}", 3, at, "UTC") == "Open 3, 03/2027"
    assert race_name("{year}-{month}-{day} {other}", 3, at, BERLIN) == "2027-04-01 {other}"
