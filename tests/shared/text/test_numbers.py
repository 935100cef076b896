"""Numbers as people enter them, with comma or point."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.text.numbers import parse_number, parse_whole

READ = [
    ("7", 7.0), ("1.5", 1.5), ("1,5", 1.5), ("-2", -2.0), ("\N{MINUS SIGN}2,25", -2.25), (" 12,34 ", 12.34),
    ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1.234.567", 1234567.0), ("1,234,567", 1234567.0), ("1 234,5", 1234.5),
    ("0.250", 0.25), ("0,250", 0.25), ("1234.567", 1234.567), ("12'345.5", 12345.5), ("+3", 3.0),
]  # fmt: skip
REFUSED = ["", "-", "x", "1.5.2", "1,5,2", "1..5", "1.234", "1,234", "nan", "inf", "1e5", "٣", "1.23,4.5", "--1", "1 s"]


@pytest.mark.parametrize(("entered", "value"), READ)
def test_a_number_is_read_in_both_notations(entered: str, value: float) -> None:
    assert parse_number(entered) == value


@pytest.mark.parametrize("entered", REFUSED)
def test_what_is_no_number_or_two_is_refused(entered: str) -> None:
    with pytest.raises(BadInput):
        parse_number(entered)


def test_a_group_of_three_may_be_either_so_the_sentence_says_how_to_write_both() -> None:
    with pytest.raises(BadInput, match=r"'1.500' can be read as 1.5 or as 1500: write 1.5 or 1500."):
        parse_number("1.500")


def test_the_unit_may_stand_behind_it() -> None:
    assert parse_number("12,5 m", "m") == parse_number("12.5m", "m") == 12.5


@given(st.text(max_size=60))
def test_nothing_else_comes_out_than_a_number_or_one_sentence(entered: str) -> None:
    value = 0.0
    with contextlib.suppress(BadInput):
        value = parse_number(entered)
    assert math.isfinite(value)


@given(st.integers(-99_999, 99_999), st.integers(0, 99), st.sampled_from(",."))
def test_two_decimals_are_read_exactly(whole: int, cents: int, point: str) -> None:
    assert parse_number(f"{whole}{point}{cents:02}") == float(f"{whole}.{cents:02}")


@pytest.mark.parametrize("entered", ["1", " 12 ", "12"])
def test_a_whole_number_within_its_bounds_is_read(entered: str) -> None:
    assert parse_whole(entered, 1, 12) == int(entered)


@pytest.mark.parametrize("entered", ["0", "13", "1.0", "", "²", "9" * 5000])
def test_another_one_is_refused_with_the_bounds(entered: str) -> None:
    with pytest.raises(BadInput, match="is no whole number from 1 to 12"):
        parse_whole(entered, 1, 12)
