"""Whole race days in a real browser, by people who have never seen the station: keyboard alone, a phone, a stock car."""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from shared.rules.ranking import RaceRules
from tests.browser import Watched, violations
from tests.system.journeys.simulated_track import SimulatedTrack, simulated_track

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULES = RaceRules(consecutive_laps=1, max_laps=4, min_lap_s=2.0)
ROSTER = "Name;Country;Team;Car\n" + "".join(f"Racer {n};DE;Red;{f'car-{n}' if n < 4 else ''}\n" for n in range(1, 13))
PASSPHRASE = "correct horse"


@pytest.fixture
def track(tmp_path: pathlib.Path) -> Iterator[SimulatedTrack]:
    with simulated_track(tmp_path, RULES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


class Operator:
    """Somebody at a keyboard; each page is checked with axe when it is opened."""

    def __init__(self, track: SimulatedTrack, page: Page) -> None:
        self.track, self.page = track, page
        self.watched = Watched(page)
        self.faults: list[str] = []

    def open(self, path: str) -> None:
        self.page.goto(self.track.url + path)
        if self.page.locator("#link").count():
            self.page.wait_for_selector('#link[data-state="live"]', state="attached")
        self.check(path)

    def check(self, where: str) -> None:
        self.faults += [f"{where}: {fault}" for fault in violations(self.page)]

    def type_into(self, selector: str, words: str) -> None:
        self.page.focus(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(words)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def claim(self) -> None:
        self.open("/claim")
        self.type_into("[name=code]", self.track.claim_code)
        self.type_into("[name=name]", "Ruth")
        self.type_into("[name=pass_code]", PASSPHRASE)
        self.type_into("[name=again]", PASSPHRASE)
        self.press("Enter")
        self.page.wait_for_url(lambda url: "/claim" not in url)

    def answer(self, words: str) -> None:
        expect(self.page.locator("#answer")).to_contain_text(words)

    def run(self, racer: str, *laps_s: float) -> None:
        """From the call to the submitted result: N calls, E opens, S starts, and the last lap ends it."""
        page = self.page
        expect(page.locator("dialog[open]")).to_have_count(0)
        for now, key in (("Call next", "n"), ("Open the run", "e"), ("Start", "s")):
            primary = page.locator(".controls-column .primary:visible")
            expect(primary.locator(".what")).to_have_text(now)
            expect(primary).not_to_have_attribute("aria-disabled", "true")
            self.press(key)
        self.answer("driving")
        self.track.drive(*laps_s)
        expect(page.locator("#near")).to_contain_text(racer)


def at_the_station(track: SimulatedTrack) -> str:
    """The scores of the standings, as "name score" lines."""
    return "\n".join(f"{line.racer} {line.score_ms}" for line in track.rig.station.snapshot().standing)


def test_a_race_day_by_keyboard_alone(track: SimulatedTrack, context: BrowserContext, tmp_path: pathlib.Path) -> None:
    operator = Operator(track, context.new_page())
    page = operator.page
    operator.claim()
    _event_and_race(operator)
    _racers(operator, tmp_path)
    operator.open("/operate")
    for racer, laps in (("Racer 1", (9, 8, 9, 10)), ("Racer 2", (8.5, 9, 9, 9)), ("Racer 3", (9, 9, 7.5, 9))):
        operator.press("/")
        page.keyboard.type(racer)
        operator.press("Enter")
        operator.answer(f"{racer} queued")
        operator.run(racer, *laps)
        operator.check(f"/operate after {racer}")
    assert at_the_station(track) == "Racer 3 7500\nRacer 1 8000\nRacer 2 8500"
    assert operator.faults == []
    assert operator.watched.errors == []
    assert all(url.startswith(track.url) for url in operator.watched.requests)


def _event_and_race(operator: Operator) -> None:
    page = operator.page
    operator.open("/event?act=event")
    operator.type_into("#form [name=name]", "Winter Cup")
    operator.press("Enter")
    operator.answer("The event is stored.")
    operator.open("/event?act=create")
    operator.type_into("#form [name=name]", "Final")
    operator.type_into("#form [name=consecutive_laps]", "1")
    operator.type_into("#form [name=max_laps]", "4")
    operator.type_into("#form [name=min_lap]", "2")
    operator.press("Enter")
    expect(page.locator("#race-final")).to_contain_text("Draft")
    page.locator("#switch-final").press("Enter")
    expect(page.locator("#race-final")).to_contain_text("on now")


def _racers(operator: Operator, folder: pathlib.Path) -> None:
    page, file = operator.page, folder / "racers.csv"
    file.write_text(ROSTER, encoding="utf-8")
    operator.open("/racers?act=import")
    page.set_input_files("#roster-file", file)
    expect(page.locator("#roster-preview")).to_contain_text("12 new racers")
    page.locator("#roster-import").press("Enter")
    expect(page.locator("#racers_count")).to_have_text("12 racers, 0 checked in")
    for number in range(3):
        page.locator("#racers tr").nth(number).locator(".check-in").press("Space")
    expect(page.locator("#racers_count")).to_have_text("12 racers, 3 checked in")
