"""The audit page: commands and access in one order, filtered, paged, as CSV without formulas, legible."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from station.access.identity import Identity
from station.access.records import AccessEvent
from station.access.roles import Role
from station.checklists.records import NO_END_NS, HandTick
from station.service.checklists.logged_ticks import tick_event, unlogged_ticks
from station.views.audit.audit_trail import AuditEntry
from station.web.pages.audit.presenter import (
    PAGE,
    AuditFilter,
    access_entries,
    audit_csv,
    audit_page,
    found,
)
from tests.browser import Watched, violations
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import FakeStation, S

UTC = ZoneInfo("UTC")
T0 = 1_790_000_000
LONG = AuditEntry(
    (T0 + 3) * S,
    "W" * 40,
    "محمد " * 8,
    "Change the race autumn-summit-of-all-the-leagues-2026-qualifying",
    "run-1234567890",
    "lap 3: 1:10:00.588, score: 59:59.700, place 200",
    "no score",
    "x" * 200,
    "",
    7,
)
COMMANDS = (
    AuditEntry((T0 + 1) * S, "Ruth", "Tablet", "Void lap 3", "run-1", "place 2", "no score", "cut the corner", "", 1),
    AuditEntry((T0 + 2) * S, "Ruth", "Tablet", "Start", refused="No run is on.", seq=2),
    LONG,
    AuditEntry((T0 + 4) * S, "=HYPERLINK(1)", "", "+cmd", "@x", "-1", "=1+1", "", "", 4),
)


@pytest.fixture
def hall() -> Iterator[Served]:
    yield from serve(FakeStation(acts=COMMANDS))


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (AuditFilter(), 4),
        (AuditFilter(who="ruth"), 2),
        (AuditFilter(who="tablet", what="VOID"), 1),
        (AuditFilter(what="cut the"), 1),
        (AuditFilter(what="no run is on"), 1),
        (AuditFilter(who="nobody"), 0),
    ],
)
def test_what_is_found(wanted: AuditFilter, count: int) -> None:
    assert len(found(COMMANDS, [], wanted)) == count


def test_commands_and_access_are_in_one_order_newest_first() -> None:
    events = access_entries([AccessEvent(T0 + 1.5, "signed_in", "Ruth", "Tablet")])
    words = [each.words for each in found(COMMANDS, events, AuditFilter(who="ruth"))]
    assert words == ["Start", "Sign in", "Void lap 3"]


def test_ticks_that_a_backup_brought_are_lines_too_and_no_tick_is_told_twice() -> None:
    here = HandTick("road", "Ruth", T0 * S + 123_456_789, True, "Tablet")
    brought = (
        HandTick("line", "Max", T0 * S + 5_000_000, False),
        HandTick("gone in this version", "Max", T0 * S + 7_000_000),
    )
    events = [tick_event(here), *unlogged_ticks([tick_event(here)], (here, *brought))]
    lines = found([], access_entries(events), AuditFilter())
    assert [(each.person, each.device, each.words) for each in lines] == [
        ("Ruth", "Tablet", "Tick a line of the checklists"),
        ("Max", "", "Tick a line of the checklists"),
        ("Max", "", "Take back a tick of the checklists"),
    ]
    assert [each.subject[:20] for each in lines] == [
        "Road taped down; wal",
        "gone in this version",
        "Barrier across the l",
    ]
    assert [abs(each.utc_ns - T0 * S) < S for each in lines] == [True] * 3
    assert len(found([], access_entries(events), AuditFilter(what="barrier across"))) == 1
    assert "Barrier across the line" in audit_csv(lines)


@given(st.integers(0, NO_END_NS), st.booleans())
def test_a_tick_is_found_again_among_what_was_logged(at_utc_ns: int, on: bool) -> None:
    """Also through the file of access, which keeps seconds as a double."""
    tick = HandTick("road", "Ruth", at_utc_ns, on, "Tablet")
    (stored,) = sqlite3.connect(":memory:").execute("SELECT ?", (tick_event(tick).at_s,)).fetchone()
    logged = [replace(tick_event(tick), at_s=stored)]
    assert unlogged_ticks(logged, [tick]) == []


def test_what_changed_is_told_in_the_reader_s_language(hall: Served) -> None:
    hall.access.people.add_person(Identity("operator", Role.ADMIN, "Desk"), "Greta", Role.REFEREE, "2846")
    german = requests.get(f"{hall.url}/audit?who=desk", headers={"accept-language": "de"}, timeout=60).text
    assert "<bdi>Schiedsrichter</bdi>" in german
    english = requests.get(f"{hall.url}/audit?who=desk", headers={"accept-language": "en"}, timeout=60).text
    assert "<bdi>Referee</bdi>" in english


def test_many_lines_are_paged() -> None:
    entries = [AuditEntry(n, "Ruth", "", "Start") for n in range(2 * PAGE + 1)]
    assert [
        (len(shown.lines), shown.newer, shown.older) for n in (1, 2, 3, 99) if (shown := audit_page(entries, n, UTC))
    ] == [
        (PAGE, 0, 2),
        (PAGE, 1, 3),
        (1, 2, 0),
        (1, 2, 0),
    ]


def test_a_spreadsheet_takes_nothing_for_a_formula() -> None:
    row = audit_csv(COMMANDS[3:]).splitlines()[1]
    assert row.split(",")[1] == "'=HYPERLINK(1)"
    assert all(not cell.strip('"').startswith(("=", "+", "@")) for cell in row.split(","))


def test_a_referee_reads_it_and_a_visitor_does_not(hall: Served) -> None:
    hall.access.people.add_person(Identity("operator", Role.ADMIN, "Desk"), "Grace", Role.REFEREE, "2846")
    page = requests.get(f"{hall.url}/audit?who=desk", timeout=60).text
    assert "Add a person" in page
    assert "Void lap 3" not in page
    file = requests.get(f"{hall.url}/audit.csv", timeout=60)
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert "cut the corner" in file.text
    nobody = {"authorization": "Bearer none"}
    for path in ("/audit", "/audit.csv"):
        assert requests.get(hall.url + path, headers=nobody, timeout=60, allow_redirects=False).status_code == 401


@pytest.mark.browser
@pytest.mark.slow
def test_axe_finds_nothing(browser: Browser, hall: Served) -> None:
    context = browser.new_context(color_scheme="dark")
    watched = Watched(context.new_page())
    page = watched.open(f"{hall.url}/audit")
    found_faults = violations(page)
    page.get_by_label("Who or which device").fill("nobody at all")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing matches.").wait_for()
    found_faults += violations(page)
    context.close()
    assert (found_faults, watched.errors) == ([], [])
