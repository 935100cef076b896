"""The queue as a calendar, read back by the grammar of RFC 5545: folding, escaping, stamps, identifiers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.exports.ical import MAX_LINE_BYTES, StartEntry, calendar_text, escaped, folded
from tests.station.exports.sample_results import UTC

# contentline = name *(";" param) ":" value CRLF, and the value of a TEXT (RFC 5545, 3.1 and 3.3.11)
CONTENT_LINE = re.compile(
    r"(?P<name>[A-Z0-9-]+)(?P<parameters>(?:;[A-Z0-9-]+=[^\";:,]*)*):(?P<value>[^\x00-\x08\x0a-\x1f\x7f]*)"
)
TEXT = re.compile(r"(?:\\[\\;,nN]|[^\\;,\x00-\x08\x0a-\x1f\x7f])*")
UNESCAPED = {"\\\\": "\\", "\\;": ";", "\\,": ",", "\\n": "\n", "\\N": "\n"}


def content_lines(text: str) -> list[tuple[str, str]]:
    """Names and values of a calendar, by the grammar; asserts that it keeps to it."""
    assert text.endswith("\r\n")
    physical = text.removesuffix("\r\n").split("\r\n")
    assert all(len(line.encode()) <= MAX_LINE_BYTES for line in physical)
    assert "\n" not in "".join(physical).replace("\r\n", "")
    lines = []
    for line in text.removesuffix("\r\n").replace("\r\n ", "").split("\r\n"):
        match = CONTENT_LINE.fullmatch(line)
        assert match is not None, line
        lines.append((match["name"], match["value"]))
    return lines


def read_text(value: str) -> str:
    assert TEXT.fullmatch(value)
    return re.sub(r"\\.", lambda match: UNESCAPED[match[0]], value)


def entry(summary: str = "Ada, attempt 2; heat 1") -> StartEntry:
    return StartEntry("race-1.ada.2", summary, UTC, UTC + 240_000_000_000, "Be at the line\n5 minutes early", "Hall 3")


def test_a_queue_of_two_is_a_calendar_with_two_events() -> None:
    lines = content_lines(calendar_text("Autumn Summit; queue", [entry(), entry("Bob")], UTC, "station-1.local"))
    names = [name for name, _ in lines]
    assert names[:3] == ["BEGIN", "VERSION", "PRODID"]
    assert [value for name, value in lines if name in ("BEGIN", "END")] == [
        "VCALENDAR", "VEVENT", "VEVENT", "VEVENT", "VEVENT", "VCALENDAR",
    ]  # fmt: skip
    event = dict(lines[8:17])
    assert event["UID"] == "race-1.ada.2@station-1.local"
    assert (event["DTSTAMP"], event["DTSTART"], event["DTEND"]) == (
        "20260305T140307Z",
        "20260305T140307Z",
        "20260305T140707Z",
    )
    assert read_text(event["SUMMARY"]) == "Ada, attempt 2; heat 1"
    assert read_text(event["DESCRIPTION"]) == "Be at the line\n5 minutes early"


def test_an_empty_queue_is_a_calendar_too() -> None:
    assert len(content_lines(calendar_text("Queue", [], 0))) == 8


@pytest.mark.parametrize("text", ["a\\b;c,d\ne", "\\n", ";;", "🏁" * 60, "\x07bell\x7f", "x" * 300, "مريم" * 40, ""])
def test_a_text_comes_back_as_it_was_without_control_characters(text: str) -> None:
    lines = dict(content_lines(calendar_text("Q", [entry(text)], 0)))
    assert read_text(lines["SUMMARY"]) == re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_escaped_folded_and_read_back(text: str) -> None:
    line = f"SUMMARY:{escaped(text)}"
    pieces = folded(line).split("\r\n ")
    assert "".join(pieces) == line
    assert all(len(piece.encode()) <= MAX_LINE_BYTES for piece in pieces)
    [(_, value)] = content_lines(folded(line) + "\r\n")
    assert read_text(value) == re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text.replace("\r\n", "\n").replace("\r", "\n"))
