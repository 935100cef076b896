"""CSV that spreadsheets and the event manager's tools read: the columns, the figures, and no formula ever."""

import csv
import dataclasses
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.exports.csv_table import BYTE_ORDER_MARK, csv_text, neutralised
from station.exports.results_csv import EVENT_MANAGER, OURS, PLACES, laps_csv, places_csv, utc_text
from tests.station.exports.sample_results import NAMES, sample

# The header line of DREM's lap export, as its tools expect it.
DREM = "Race ID,Username,User ID,Track,Raced By Proxy,Race Date,Lap #,Lap Time (ms),Lap Time (s),Resets,Valid"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


def test_operator_problem_12_the_event_managers_columns_are_its_own_word_for_word() -> None:
    text = laps_csv(sample(), ours=False)
    assert text.split("\r\n")[0] == DREM
    first = rows(text)[0]
    assert first == {
        "Race ID": "run-1",
        "Username": "Grace Hopper",
        "User ID": "Grace Hopper",
        "Track": "re:Invent 2018",
        "Raced By Proxy": "false",
        "Race Date": "2026-03-05T14:03:07.123Z",
        "Lap #": "1",
        "Lap Time (ms)": "12412",
        "Lap Time (s)": "12.412",
        "Resets": "0",
        "Valid": "true",
    }


def test_our_columns_follow_and_a_spreadsheet_knows_the_letters() -> None:
    text = laps_csv(sample())
    assert text.startswith(BYTE_ORDER_MARK + "Race ID,")
    lines = rows(text)
    assert list(lines[0]) == [*EVENT_MANAGER, *OURS]
    assert len(lines) == 5 * len(NAMES)
    assert (lines[0]["Track Time (ms)"], lines[0]["Penalty (ms)"], lines[0]["In Score"]) == ("10412", "2000", "false")
    assert lines[4]["Remark"] == "'=cmd|'/c calc'!A1"
    assert lines[5]["Username"].startswith("'=HYPERLINK")


def test_a_run_without_laps_has_a_line_of_its_own() -> None:
    results = sample(1)
    empty = dataclasses.replace(results.runs[0], laps=(), score_ms=None, finished_reason="car broken")
    [line] = rows(laps_csv(dataclasses.replace(results, runs=(empty,))))
    assert (line["Race ID"], line["Lap #"], line["Lap Time (ms)"], line["Remark"]) == ("run-1", "", "", "car broken")


def test_places_are_in_order_with_gaps_and_ties() -> None:
    lines = rows(places_csv(sample()))
    assert list(lines[0]) == list(PLACES)
    assert [line["Place"] for line in lines] == [str(n) for n in range(1, len(NAMES) + 1)]
    assert [line["Gap (ms)"] for line in lines[:3]] == ["0", "243", "243"]
    assert [line["Tie"] for line in lines[:4]] == ["", "earlier", "earlier", ""]
    assert lines[0]["Official"] == "true"
    assert rows(places_csv(sample(official=False)))[0]["Official"] == "false"
    assert rows(places_csv(sample(0))) == []


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "|cmd",
    "%x",
    "＝1",
    "－1",
    "\ufeff=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_could_take_for_a_formula_is_text(text: str) -> None:
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "9.412", "'=1", "a=b", "#1", "Müller-Lüdenscheid", "🏁"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text


cells = st.none() | st.booleans() | st.integers() | st.text()


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=5))
def test_any_cell_comes_back_and_none_begins_a_formula(table: list[list[object]]) -> None:
    text = csv_text(("a", "b"), table)  # type: ignore[arg-type]
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert len(read) == len(table) + 1
    for line, given_line in zip(read[1:], table, strict=True):
        for cell, value in zip(line, given_line, strict=True):
            if isinstance(value, str):
                assert cell.removeprefix("'") == value.replace("\0", "").removeprefix("'") or cell == value
                assert not cell.lstrip()[:1] or cell.lstrip()[0] not in "=+-@" or cell[0] == "'"


@given(st.integers(-(2**70), 2**70))
def test_any_time_of_day_is_text(utc_ns: int) -> None:
    text = utc_text(utc_ns)
    assert text == "" or text.endswith("Z")
