"""Days and times of day: the station's time zone, the reader's language."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from shared.text import text
from shared.text.dates import LongDay, long_day, moment_of, short_day, time_of_day
from shared.text.reader import reading

NEW_YEAR_NS = 1_798_761_600_000_000_000  # 2027-01-01 00:00 UTC
BERLIN, LA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(("zone", "written"), [(BERLIN, "01:00:00"), (LA, "16:00:00"), (ZoneInfo("UTC"), "00:00:00")])
def test_the_time_of_day_is_the_zones_in_24_hours(zone: ZoneInfo, written: str) -> None:
    assert time_of_day(NEW_YEAR_NS, zone) == written
    assert time_of_day(NEW_YEAR_NS + 59_999_999_999, zone, seconds=False) == written[:5]


def test_a_moment_keeps_its_microseconds() -> None:
    moment = moment_of(NEW_YEAR_NS - 1, BERLIN)
    assert moment == dt.datetime(2027, 1, 1, 0, 59, 59, 999_999, BERLIN)


@pytest.mark.parametrize(
    ("language", "full", "short"),
    [("en", "9 March 2026", "9 Mar"), ("de", "9. März 2026", "9. März")],
)
def test_a_day_is_written_by_language(language: str, full: str, short: str) -> None:
    day = dt.date(2026, 3, 9)
    with reading(language):
        assert (long_day(day), short_day(day)) == (full, short)
    assert text("Since {day}", day=LongDay(day)) == "Since 9 March 2026"
