"""The pages of the event, its racers and cars in a real browser: by keyboard, at each size, with names of any kind."""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.core.event.records import Racer
from tests.browser import Watched, violations
from tests.geometry import look
from tests.station.web.event_station import EventStation, event_station

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = ("W" * 40, "مريم العلي", "山田太郎", "👩‍🚀 Crew 7", "Jörg Müßig", "TheFastAndTheCurious_RacingTeam_BLR")
LONG_RULES = RaceRules("total_time", 5, 20, 600.0, 2.5, 5.0, 3, 3, 2.0, "signal", "finish_lap")
LIST = "Name;Country;Team;Transponder\n" + "".join(f"Racer {n};DE;Red;{7000 + n}\n" for n in range(12))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("event")


@pytest.fixture(scope="module")
def station(folder: pathlib.Path) -> Iterator[EventStation]:
    with event_station(folder) as station:
        yield station


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    yield page
    context.close()


def fill(page: Page, **fields: str) -> None:
    """Fills the form that is open, field by field, as a keyboard does."""
    for name, value in fields.items():
        page.focus(f"#form [name={name}]")
        page.keyboard.press("Control+a")
        page.keyboard.type(value)


def test_an_event_is_set_up_with_the_keyboard(station: EventStation, page: Page) -> None:
    watched = Watched(page)
    watched.open(f"{station.url}/event?act=event")
    assert page.evaluate("document.activeElement.name") == "name"
    fill(page, name="Winter Cup", track="Oval_track", track_length_m="19,5")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_text("✓ The event is stored.")
    page.get_by_role("link", name="Create a race").first.press("Enter")
    fill(page, name="Final", consecutive_laps="2", off_track_penalty="1,5", time_limit="4:00")
    expect(page.locator("#rules-line")).to_have_text(
        "Average of the best 2 laps in a row · 4:00 time limit · off track +1.5 s"
    )
    page.keyboard.press("Enter")
    expect(page.locator("#race-final")).to_contain_text("Draft")
    page.locator("#switch-final").press("Enter")
    expect(page.locator("#race-final")).to_contain_text("on now")
    expect(page.locator("#answer")).to_have_text("✓ Final is on now.")
    page.locator("#close-final").press("Enter")
    page.locator("#confirm-reason").fill("the hall closes")
    page.keyboard.press("Enter")
    expect(page.locator("#race-final")).to_contain_text("Closed")
    page.locator("#reopen-final").press("Enter")
    expect(page.locator("#race-final")).to_contain_text("Open")
    assert all(url.startswith(station.url) for url in watched.requests)
    assert watched.errors == []


def test_other_rules_show_what_they_do_before_they_are_given(station: EventStation, page: Page) -> None:
    Watched(page).open(f"{station.url}/event?act=change&race=race-1")
    fill(page, off_track_penalty="3")
    effect = page.locator("#rules-effect tbody tr")
    expect(effect).to_have_count(2)
    expect(effect.nth(1)).to_contain_text("7.200 → 10.200")
    assert violations(page) == []
    assert look(page, "event-change") == []
    assert station.event.race("race-1").rules.off_track_penalty_s == 0  # type: ignore[union-attr]
    page.set_viewport_size({"width": 1280, "height": 800})
    fill(page, reason="as agreed")
    page.keyboard.press("Enter")
    expect(page.locator("#race-race-1")).to_contain_text("rules, version 2")
    expect(page.locator("#race-race-1 .race-leader")).to_contain_text("Ada")


def test_twelve_racers_are_imported_checked_in_and_joined(
    station: EventStation, page: Page, folder: pathlib.Path
) -> None:
    Watched(page).open(f"{station.url}/racers")
    file = folder / "racers.csv"
    file.write_text(LIST + "Racer 0;;;\nBad;Atlantis;;\n", encoding="utf-8")
    page.get_by_role("link", name="Import a list").first.press("Enter")
    page.set_input_files("#roster-file", file)
    expect(page.locator("#roster-preview")).to_contain_text("12 new racers")
    expect(page.locator(".roster-errors li")).to_have_count(2)
    assert violations(page) == []
    assert look(page, "racers-import") == []
    page.locator("#roster-import").press("Enter")
    expect(page.locator("#racers_count")).to_have_text("12 racers, 0 checked in")
    first = page.locator("#racers tr").first.locator(".check-in")
    first.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(first).to_be_focused()
    expect(page.locator("#racers_count")).to_have_text("12 racers, 1 checked in")
    page.get_by_role("button", name="Add to the list : Ada").press("Enter")
    page.fill("#find", "ada")
    expect(page.locator("#racers tr:visible")).to_have_count(1)
    page.locator("#racers tr:visible .cell-acts a").first.press("Enter")
    fill(page, into="Racer 3")
    page.keyboard.press("Enter")
    page.locator("#confirm button[value=yes]").press("Enter")
    expect(page.locator("#racers_count")).to_have_text("12 racers, 2 checked in")
    assert [racer.runs for racer in station.event.racers if racer.alias == "Racer 3"] == [1]


def test_a_refusal_is_one_sentence_and_keeps_what_was_typed(station: EventStation, page: Page) -> None:
    Watched(page).open(f"{station.url}/racers?act=add")
    fill(page, racer="Racer 1", flag="DE")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_text("✕ Racer 1 is on the list already: change that entry instead.")
    expect(page.locator("[name=racer]")).to_have_value("Racer 1")


def test_axe_finds_nothing_with_names_of_every_kind(page: Page, station: EventStation) -> None:
    entries = tuple(
        Racer(name, "IN", f"Team {name}"[:64], "#d62828", "m" * 64, "c" * 64, (f"E200:{place:08x}" * 3, f"9{place}"))
        for place, name in enumerate(NAMES)
    )
    station.give(e.ImportRacers(author="Ruth", racers=entries))
    station.give(e.ChangeEvent(author="Ruth", name="W" * 64, track="V" * 64, time_zone="Europe/Berlin"))
    for name in ("W" * 64, "決勝"):
        station.give(e.CreateRace(author="Ruth", name=name, rules=LONG_RULES, cars_on_track=6))
    station.give(e.AddCar(author="Ruth", car="c" * 64, kind="stock", transponders=("E2:" * 20,), colour="#2563eb"))
    for what, path in (
        ("event", "/event"),
        ("event-create", "/event?act=create"),
        ("racers", "/racers"),
        ("racers-edit", "/racers?edit=" + "W" * 40),
        ("cars", "/cars"),
        ("tracks", "/tracks?find=r"),
        ("backup", "/backup"),
        ("cards", "/racers/cards"),
    ):
        page.goto(station.url + path)
        assert violations(page) == [], what  # in both schemes: tests/system/look


def test_empty_lists_and_two_hundred_racers(browser: Browser, tmp_path: pathlib.Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    with event_station(tmp_path, empty=True) as station:
        for what in ("event", "racers", "cars"):
            Watched(page).open(f"{station.url}/{what}")
            assert violations(page) == []
        entries = tuple(Racer(f"Racer {n}", transponders=(str(7000 + n),)) for n in range(200))
        station.give(e.ImportRacers(author="Ruth", racers=entries))
        Watched(page).open(f"{station.url}/racers")
        expect(page.locator("#racers tr")).to_have_count(200)
        page.set_viewport_size({"width": 390, "height": 844})
        toggle = page.locator("#racers .check-in").first.bounding_box()
        assert toggle is not None
        assert min(toggle["width"], toggle["height"]) >= 44  # a thumb's
        page.goto(f"{station.url}/racers/cards")
        assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") == 200 / 8
        context.close()
