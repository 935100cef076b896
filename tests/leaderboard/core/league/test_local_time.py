"""Local times of many zones: those that are skipped or twice are refused with both choices."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.core.league.local_time import (
    check_zone,
    field_text,
    instant_utc_ns,
    local_text,
    parsed_local,
    zone_names,
)
from shared.errors import Refused
from shared.units import NS_PER_S

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Santiago",
]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS_PER_S


@pytest.mark.parametrize(
    ("local", "zone", "at"),
    [
        ("2027-01-31T18:00", "Europe/Berlin", "2027-01-31T17:00"),
        ("2027-07-31T18:00", "Europe/Berlin", "2027-07-31T16:00"),
        ("2027-07-31T18:00:30", "UTC", "2027-07-31T18:00:30"),
        ("2027-07-31 18:00", "Asia/Kathmandu", "2027-07-31T12:15"),
        ("2027-03-28T01:59", "Europe/Berlin", "2027-03-28T00:59"),
        ("2027-03-28T03:00", "Europe/Berlin", "2027-03-28T01:00"),
        ("2027-10-31T02:30+02:00", "Europe/Berlin", "2027-10-31T00:30"),
        ("2027-10-31T02:30+01:00", "Europe/Berlin", "2027-10-31T01:30"),
        ("2027-10-31T12:00Z", "Europe/Berlin", "2027-10-31T12:00"),
        ("2027-04-04T01:45+10:30", "Australia/Lord_Howe", "2027-04-03T15:15"),
    ],
)
def test_a_local_time_is_one_moment(local: str, zone: str, at: str) -> None:
    assert instant_utc_ns(local, zone) == utc(at)


@pytest.mark.parametrize(
    ("local", "zone", "kind", "both"),
    [
        ("2027-03-28T02:30", "Europe/Berlin", "There is no", ("2027-03-28T01:30+01:00", "2027-03-28T03:30+02:00")),
        ("2027-10-31T02:30", "Europe/Berlin", "is twice", ("2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00")),
        ("2027-03-14T02:00", "America/New_York", "There is no", ("2027-03-14T01:00-05:00", "2027-03-14T03:00-04:00")),
        ("2027-11-07T01:59", "America/New_York", "is twice", ("2027-11-07T01:59-04:00", "2027-11-07T01:59-05:00")),
        (
            "2027-10-03T02:15",
            "Australia/Lord_Howe",
            "There is no",
            ("2027-10-03T01:45+10:30", "2027-10-03T02:45+11:00"),
        ),
        ("2027-04-04T01:45", "Australia/Lord_Howe", "is twice", ("2027-04-04T01:45+11:00", "2027-04-04T01:45+10:30")),
        ("2011-12-30T12:00", "Pacific/Apia", "There is no", ("2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00")),
        ("2027-09-05T00:30", "America/Santiago", "There is no", ("2027-09-04T23:30-04:00", "2027-09-05T01:30-03:00")),
    ],
)
def test_times_that_are_not_or_are_twice_are_refused_with_both(
    local: str, zone: str, kind: str, both: tuple[str, str]
) -> None:
    with pytest.raises(Refused, match=kind) as caught:
        instant_utc_ns(local, zone)
    for choice in both:
        assert choice in str(caught.value)
        assert instant_utc_ns(choice, zone)  # what the sentence offers is taken


@pytest.mark.parametrize(
    "written",
    ["", "soon", "2027-01-31", "2027-13-01T10:00", "1969-01-01T10:00", "9999-12-31T23:59", "2027-01-31T18:00:00.5"],
)
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(Refused, match="write it as 2027-01-31T18:00"):
        instant_utc_ns(written, "UTC")
    with pytest.raises(Refused):
        parsed_local(written)


@pytest.mark.parametrize("zone", ["", "Berlin", "Europe/berlin", "../../etc/passwd", "Europe/Berlin\0", "x" * 5000])
def test_unknown_zones_are_refused(zone: str) -> None:
    with pytest.raises(Refused, match="There is no time zone") as caught:
        instant_utc_ns("2027-01-31T18:00", zone)
    assert len(str(caught.value)) < 200


def test_every_zone_is_known_by_its_name() -> None:
    assert len(zone_names()) > 400
    assert check_zone("Europe/Berlin") == "Europe/Berlin"


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(ZONES), st.integers(utc("1999-01-01T00:00") // NS_PER_S, utc("2037-12-31T00:00") // NS_PER_S))
def test_a_moment_survives_the_field_of_a_form(zone: str, at_s: int) -> None:
    at_utc_ns = at_s * NS_PER_S
    assert instant_utc_ns(field_text(at_utc_ns, zone), zone) == at_utc_ns
    assert field_text(at_utc_ns, zone).startswith(local_text(at_utc_ns, zone)[:16])
    assert field_text(None, zone) == ""
