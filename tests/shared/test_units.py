"""Times and their text: truncated, never rounded."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.units import format_ms, format_ns, parse_ms, parse_seconds, published_ms, seconds_to_ns


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0.000"),
        (12_345_999_999, "12.345"),
        (63_218_900_000, "1:03.218"),
        (-1_999_999, "-0.001"),
        (999_999, "0.000"),
    ],
)
def test_a_published_time_is_truncated(ns: int, text: str) -> None:
    assert format_ns(ns) == text


@given(st.integers(0, 10**10))
def test_text_and_back(ms: int) -> None:
    assert parse_ms(format_ms(ms)) == ms


@given(st.integers(-(10**15), 10**15))
def test_publishing_never_makes_a_time_longer(ns: int) -> None:
    assert abs(published_ms(ns)) * 1_000_000 <= abs(ns) < (abs(published_ms(ns)) + 1) * 1_000_000


@pytest.mark.parametrize("text", ["", "12,345", "1:60.000", "-1.0", "1e3", "١٢.0", "12.", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a time"):
        parse_ms(text)


def test_seconds_become_whole_nanoseconds() -> None:
    assert seconds_to_ns(0.1) == 100_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1,5", 1.5),
        ("1.5", 1.5),
        (" 2 s", 2.0),
        ("15", 15.0),
        ("+3", 3.0),
        ("−1,5", -1.5),
        ("0.250", 0.25),
        ("2.3750", 2.375),
    ],
)
def test_seconds_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["1,500", "1.500", "12,000", "2.375"])
def test_thousandths_or_thousands_is_asked(text: str) -> None:
    with pytest.raises(BadInput, match="can be read as") as refused:
        parse_seconds(text)
    clear = str(refused.value).rpartition("write ")[2].removesuffix(".").split(" or ")
    assert [parse_seconds(each) for each in clear] == [
        float(text.replace(",", ".")),
        float(text.replace(",", "").replace(".", "")),
    ]


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "1e3", "1.2.3", "1 000", "--2", "0x10", "٣", "1,5 min", "s", "1234567"]
)
def test_what_is_no_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="write it as"):
        parse_seconds(text)


@given(st.text(max_size=12))
def test_any_text_is_seconds_or_a_sentence(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert math.isfinite(parse_seconds(text))
