"""Refusals are logged, and cannot flood the log."""

from hypothesis import given
from hypothesis import strategies as st

from shared.web.refusal_log import MAX_LINES_PER_S, Refusals


def test_the_first_is_told_at_once_and_the_next_counted() -> None:
    refusals = Refusals()
    first = refusals.record(403, "::ffff:10.0.0.9", "POST /api/v1/commands", 0.1)
    assert first == "refused (403): POST /api/v1/commands from 10.0.0.9."
    assert [refusals.record(403, "10.0.0.9", "POST /x", 0.2) for _ in range(99)] == [None] * 99
    assert refusals.record(403, "10.0.0.9", "POST /x", 1.1) == (
        "refused (403): POST /x from 10.0.0.9, 100 times since the last line."
    )
    assert refusals.total == 101


@given(st.lists(st.tuples(st.integers(400, 430), st.text(max_size=30), st.text(max_size=300)), max_size=300))
def test_whatever_is_asked_by_whomever_a_second_has_few_lines(requests: list[tuple[int, str, str]]) -> None:
    refusals = Refusals()
    recorded = [refusals.record(*each, now_s=7.5) for each in requests]
    lines = [line for line in recorded if line is not None]
    assert len(lines) <= MAX_LINES_PER_S
    assert all("\n" not in line and len(line) < 300 for line in lines)
    assert refusals.total == len(requests)
