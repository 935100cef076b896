"""A calendar that other programs read: escaped, folded at 75 octets between characters, in UTC."""

import io

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.exchange.calendar_file import escaped, folded, write_calendar
from tests.leaderboard.sample_races import race

AT = 1_700_000_000_000_000_000


def calendar(*races: object) -> list[str]:
    out = io.StringIO(newline="")
    write_calendar(out, "Board", races, AT)  # type: ignore[arg-type]
    return out.getvalue().split("\r\n")


def test_a_window_is_an_event_of_utc_times() -> None:
    lines = calendar(race(opens_utc_ns=AT, closes_utc_ns=AT + 3600 * 10**9, edition=3))
    assert lines[5:-2] == [
        "BEGIN:VEVENT", "UID:cup@raceday", "DTSTAMP:20231114T221320Z", "SEQUENCE:2", "DTSTART:20231114T221320Z",
        "DTEND:20231114T231320Z", "SUMMARY:Cup", "LOCATION:Oval", "CATEGORIES:league", "END:VEVENT",
    ]  # fmt: skip


def test_only_what_is_planned_is_in_it() -> None:
    assert "BEGIN:VEVENT" not in calendar(race(), race(closed_utc_ns=AT))
    assert "SUMMARY:Cup: closes" in calendar(race(closes_utc_ns=AT))


@given(st.text(max_size=120))
def test_lines_are_short_and_unfold_to_what_they_were(name: str) -> None:
    line = "SUMMARY:" + escaped(name)
    parts = folded(line).split("\r\n")
    assert all(len(part.encode("utf-8", "surrogatepass")) <= 75 for part in parts)
    assert "".join([parts[0], *(part.removeprefix(" ") for part in parts[1:])]) == line
    assert "\n" not in line
    assert "\r" not in line
