"""Times and their text: truncated, never rounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.units import format_ms, format_ns, parse_ms, published_ms, seconds_to_ns


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
