"""The desk and its forms in a real browser: the keyboard does it all.

tests/system/look/test_league_pages.py looks at how it is drawn.
"""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from leaderboard.core.access import Caller, Grant
from leaderboard.core.league.records import EventRecord, SeasonRecord
from leaderboard.core.league.series import CalendarRule
from leaderboard.core.race import RaceRecord
from leaderboard.league.pictures import PictureService
from leaderboard.league.services import LeagueServices
from shared.protocol.results import encode_result
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, listening_socket, server_config
from tests.leaderboard import sample_races
from tests.leaderboard.league.organised import DAY_NS, NOW
from tests.leaderboard.league.test_pictures import picture
from tests.leaderboard.pages.league.test_desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG = "Donaudampfschifffahrtsgesellschaftsmeisterschaft der Herzen"
OLGA = Caller("account-olga", "olga", "Olga", frozenset({Grant("organiser")}), "a session")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """A desk with races in every state, long names, a season, an event, a series; and its address."""
    desk = Desk(tmp_path_factory.mktemp("desk"), opens_pages=False)
    _fill(desk)
    server_app = CountingServer(server_config(desk.app, lifespan="off"), ConnectionLimits(200))
    server = BackgroundServer("desk", server_app, listening_socket("127.0.0.1", 0), lambda: None)
    server.start()
    yield desk, f"http://127.0.0.1:{server.port}"
    server.close()
    desk.board.close()


def _fill(desk: Desk) -> None:
    league = LeagueServices.over(desk.store, lambda _race_id: None, 10)
    league.seasons.create(OLGA, SeasonRecord("s27", f"Saison {LONG}", zone="Europe/Berlin"), NOW)
    words = "# Bring\n- water\n- a *charger*\n\n[The hall](https://example.org)"
    event = EventRecord(
        "hall", f"Tag der {LONG}", "summit", "s27", LONG, "Europe/Berlin", NOW + DAY_NS, NOW + 2 * DAY_NS
    )
    league.seasons.create_event(OLGA, dataclasses.replace(event, description=words), NOW)
    made: dict[str, Any] = {"season_id": "s27", "event_id": "hall", "zone": "Europe/Berlin", "name": f"Rennen {LONG}"}
    states: dict[str, dict[str, Any]] = {
        "draft": {"stage": "draft"},
        "coming": {"opens_utc_ns": NOW + DAY_NS, "closes_utc_ns": NOW + 9 * DAY_NS},
        "open": {"closes_utc_ns": NOW + DAY_NS},
        "closed": {"closes_utc_ns": NOW - DAY_NS},
        "final": {"closes_utc_ns": NOW - DAY_NS},
        "gone": {"visibility": "private", "kind": "community"},
    }
    for race_id, changes in states.items():
        values = made | changes
        race: RaceRecord = sample_races.race(race_id, **values)
        assert league.races.create(OLGA, race, NOW)
    one = sample_races.result("r", "anna", race_id="open", finished_utc_ns=NOW)
    assert desk.board.apply(one.webhook_id, encode_result(one), NOW).status == 201
    league.moves.move(OLGA, "final", "final", NOW)
    league.moves.move(OLGA, "gone", "delete", NOW)
    PictureService(desk.store, league.races, league.seasons).set_of_race(OLGA, "open", picture(size=(1600, 400)), NOW)
    template = sample_races.race("x", season_id="s27")
    rule = CalendarRule("month", "2027-01-31T18:00", "Europe/Berlin")
    league.series.create(OLGA, "series", (f"Serie {LONG}", "Serie {n}"), template, rule, NOW)


@pytest.fixture
def olga(browser: Browser, served: tuple[Desk, str]) -> Iterator[BrowserContext]:
    desk, url = served
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=url, reduced_motion="reduce")
    host = urlsplit(url).hostname or ""
    context.add_cookies(
        [{"name": name, "value": value, "domain": host, "path": "/"} for name, value in desk.olga.cookies.items()]
    )
    yield context
    context.close()


def test_by_keyboard_from_the_draft_to_the_open_race_and_into_the_bin(olga: BrowserContext) -> None:
    page = olga.new_page()
    page.goto("/desk")
    page.get_by_role("button", name="Publish: Rennen").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="is published")).to_be_visible()
    panel = page.locator("article", has=page.locator("#race-draft"))
    panel.locator("summary").focus()
    page.keyboard.press("Enter")
    panel.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete the race").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="in the bin")).to_be_visible()
    panel.get_by_role("button", name="Restore").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="back as it was")).to_be_visible()


def test_a_time_that_is_not_is_told_beside_its_field(olga: BrowserContext) -> None:
    page = olga.new_page()
    page.goto("/desk/races/coming")
    page.get_by_label("Opens").fill("2027-03-28T02:30")
    page.get_by_role("button", name="Save").click()
    field = page.get_by_label("Opens")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("type", "text")
    field.fill("2027-01-05T12:00+01:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="is saved as edition 2")).to_be_visible()
    expect(page.get_by_label("Opens")).to_have_value("2027-01-05T12:00")
    assert pathlib.PurePosixPath(urlsplit(page.url).path) == pathlib.PurePosixPath("/desk/races/coming")
