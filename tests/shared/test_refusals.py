"""Refusals are all counted and seldom logged, and nothing that a client sends fills the log or the memory."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.refusals import MAX_CLIENTS_EACH, MAX_KINDS, MAX_LINES_EACH_PER_S, OTHER_KIND, RefusalCount, Refusals

KINDS = st.sampled_from(["host", "code", "mqtt", "sign-in"]) | st.text(max_size=5)
CLIENTS = st.sampled_from(["10.0.0.9", "::ffff:10.0.0.9", "2001:db8::1", "car-7", ""]) | st.text(max_size=80)
RECORDS = st.lists(st.tuples(KINDS, CLIENTS, st.text(max_size=150), st.floats(0, 3)), max_size=60)


def test_the_first_is_told_at_once_and_the_next_are_counted() -> None:
    refusals = Refusals()
    first = refusals.record("permission", "::ffff:10.0.0.9", "POST /api/v1/commands", 0.1)
    assert first == "refused (permission) from 10.0.0.9: POST /api/v1/commands."
    assert [refusals.record("permission", "10.0.0.9", "POST /x", 0.2) for _ in range(99)] == [None] * 99
    assert refusals.record("permission", "10.0.0.9", "POST /x", 1.1) == (
        "refused (permission) from 10.0.0.9, 100 of this kind since the last line: POST /x."
    )
    assert refusals.counts() == (RefusalCount("permission", "10.0.0.9", 101, 1.1, "POST /x"),)
    assert refusals.totals() == {"permission": 101}


def test_each_kind_and_client_has_a_line_of_its_own_in_the_same_second() -> None:
    refusals = Refusals()
    tried = [("code", "10.0.0.9"), ("code", "10.0.0.8"), ("host", "10.0.0.9"), ("mqtt", "car-7")]
    assert all(refusals.record(kind, who, "x", 5.0) for kind, who in tried)
    assert not any(refusals.record(kind, who, "x", 5.9) for kind, who in tried)
    assert [row.who for row in refusals.counts() if row.kind == "mqtt"] == ["car-7"]


def test_of_ipv6_the_network_of_a_machine_is_one_client() -> None:
    refusals = Refusals()
    for last in range(50):
        refusals.record("host", f"2001:db8:1:2::{last:x}", "GET /", 0.0)
    assert [(row.who, row.total) for row in refusals.counts()] == [("2001:db8:1:2::/64", 50)]


@pytest.mark.parametrize(
    "what", ["GET /\r\nrefused", "GET /\x1b[2J", "GET /\u202egpj", "GET /\x00\x85\u2028", "\ud800"]
)
def test_what_cannot_be_printed_reaches_no_line_and_no_row(what: str) -> None:
    refusals = Refusals()
    line = refusals.record("host", what, what, 0.0)
    assert line is not None
    assert line.isprintable()
    assert all((row.who + row.what).isprintable() for row in refusals.counts())


def test_a_flood_from_many_addresses_keeps_few_rows_exact_totals_and_the_rows_of_other_kinds() -> None:
    refusals, flood = Refusals(), 5_000
    refusals.record("code", "10.0.0.9", "POST /claim", 0.0)
    lines = [
        refusals.record("host", str(ipaddress.ip_address(0x0B000000 + n)), "GET /", 1.0 + n / flood)
        for n in range(flood)
    ]
    assert sum(line is not None for line in lines) <= 2 * MAX_LINES_EACH_PER_S  # it fell into two seconds
    assert refusals.totals() == {"code": 1, "host": flood}
    rows = refusals.counts()
    assert len(rows) == 1 + MAX_CLIENTS_EACH + 1
    assert RefusalCount("code", "10.0.0.9", 1, 0.0, "POST /claim") in rows
    assert sum(row.total for row in rows if row.kind == "host") == flood
    # One that was let go and comes again: nobody claims to know all of it.
    refusals.record("host", "11.0.0.0", "GET /", 9.0)
    newest = refusals.counts()[0]
    assert (newest.who, newest.total, newest.at_least) == ("11.0.0.0", 1, True)


def test_who_goes_on_stays_a_row_among_thousands_who_come_once() -> None:
    refusals = Refusals()
    for n in range(3_000):
        refusals.record("code", f"10.1.{n // 256}.{n % 256}", "POST /claim", n / 1000)
        if n % 50 == 0:
            refusals.record("code", "10.0.0.9", "POST /claim", n / 1000)
    assert [(row.total, row.at_least) for row in refusals.counts() if row.who == "10.0.0.9"] == [(60, False)]


@given(RECORDS)
def test_whatever_is_refused_adds_up_and_a_second_has_few_lines(records: list[tuple[str, str, str, float]]) -> None:
    refusals = Refusals()
    records.sort(key=lambda record: record[3])
    logged: dict[tuple[int, str], int] = {}
    for kind, who, what, at_s in records:
        line = refusals.record(kind, who, what, at_s)
        if line is not None:
            second_and_kind = (int(at_s), line.partition(" from ")[0])
            logged[second_and_kind] = logged.get(second_and_kind, 0) + 1
            assert line.isprintable()
            assert len(line) < 300
    assert all(lines <= MAX_LINES_EACH_PER_S for lines in logged.values())
    rows, totals = refusals.counts(), refusals.totals()
    assert sum(row.total for row in rows) == sum(totals.values()) == len(records)
    assert len(totals) <= MAX_KINDS


def test_kinds_are_bounded_too() -> None:
    refusals = Refusals()
    for n in range(60):
        refusals.record(f"kind-{n}", "10.0.0.9", "x", 0.0)
    totals = refusals.totals()
    assert len(totals) == MAX_KINDS
    assert totals[OTHER_KIND] == 60 - (MAX_KINDS - 1)
