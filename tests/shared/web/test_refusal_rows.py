"""Refusals in the words of the pages."""

import pytest

from shared.refusals import MAX_CLIENTS_EACH, RefusalCount, Refusals
from shared.web.drawing.refusal_rows import KIND_WORDS, MAX_ROWS, refusal_table
from shared.web.refused_requests import KIND_OF_STATUS


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (
            RefusalCount("code", "10.0.0.9", 12, 99.0, "POST /claim"),
            ("Wrong code", "10.0.0.9", "12", "1 s ago", "POST /claim"),
        ),
        (
            RefusalCount("mqtt", "car-7", 3, 40.0, "raceday/cars/car-7/lap", at_least=True),
            ("MQTT message", "car-7", "≥ 3", "1 min ago", "raceday/cars/car-7/lap"),
        ),
        (RefusalCount("host", "", 70_000, -7100.0, ""), ("Foreign host name", "", "70000", "2 h ago", "")),
        (RefusalCount("of a plug-in", "x", 1, 100.0, "y"), ("of a plug-in", "x", "1", "0 s ago", "y")),
    ],
)
def test_a_row_in_words(count: RefusalCount, shown: tuple[str, ...]) -> None:
    row = refusal_table([count], 100.0).rows[0]
    assert (row.kind, row.who, row.times, row.last, row.what) == shown


def test_few_rows_are_shown_and_the_total_is_of_all() -> None:
    refusals = Refusals()
    for n in range(3 * MAX_CLIENTS_EACH):
        refusals.record("host", f"10.0.1.{n}", "GET /", float(n))
    table = refusal_table(refusals.counts(), 200.0)
    assert (len(table.rows), table.total) == (MAX_ROWS, 3 * MAX_CLIENTS_EACH)
    assert table.rows_left_out == MAX_CLIENTS_EACH + 1 - MAX_ROWS


def test_every_kind_of_a_status_has_words() -> None:
    assert set(KIND_OF_STATUS.values()) < set(KIND_WORDS)
