"""Whole race days in a real browser, as people do who have never seen the station: by keyboard, phone, stock car."""

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
        page.on("response", lambda answer: self.missing.append(answer.url) if answer.status == 404 else None)
        self.missing: list[str] = []

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
        self.page.wait_for_load_state()
        self.watched.errors.clear()  # what follows the claim by itself is no part of these journeys
        self.missing.clear()

    def answer(self, words: str) -> None:
        expect(self.page.locator("#answer")).to_contain_text(words)

    def now(self, words: str, key: str) -> None:
        """Waits until this is what comes next, and presses its key."""
        button = self.page.locator(".controls-column .act:visible", has=self.page.get_by_text(words, exact=True))
        expect(button.first).to_be_visible()
        expect(button.first).not_to_have_attribute("aria-disabled", "true")
        self.press(key)

    def queue(self, racer: str) -> None:
        self.press("/")
        self.page.keyboard.type(racer)
        self.press("Enter")
        self.answer(f"{racer} queued")
        expect(self.page.locator("dialog[open]")).to_have_count(0)

    def run(self, *laps_s: float, missed: bool = False) -> None:
        """From the call to the result, which the station submits. `missed`: a crossing was missed, and Y counts it."""
        self.now("Call next", "n")
        self.now("Open the run", "e")
        self.now("Start", "s")
        self.answer("driving")
        self.track.drive(*laps_s)
        if missed:
            expect(self.page.locator(".question:visible")).to_have_count(1)
            self.check("/operate with a question")
            self.press("y")
        expect(self.page.locator("#controls")).to_contain_text("It is submitted.")

    def forget_answer(self) -> None:
        self.page.evaluate("document.getElementById('answer').textContent = ''")


def at_the_station(track: SimulatedTrack) -> str:
    """The scores of the standings, as "name score" lines."""
    return "\n".join(f"{line.racer} {line.score_ms}" for line in track.rig.station.snapshot().standing)


def test_a_race_day_by_keyboard_alone(track: SimulatedTrack, context: BrowserContext, tmp_path: pathlib.Path) -> None:
    operator = Operator(track, context.new_page())
    operator.claim()
    _event_and_race(operator)
    _racers(operator, tmp_path)
    operator.open("/operate")
    for racer in ("Racer 1", "Racer 2", "Racer 3"):
        operator.queue(racer)
    operator.run(9, 8, 9, 10)
    operator.run(8.5, 9, 18, missed=True)
    operator.run(9, 9, 7.5, 9)
    operator.check("/operate with everybody ranked")
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


def test_a_run_is_raced_on_a_phone(track: SimulatedTrack, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    operator = Operator(track, context.new_page())
    page = operator.page
    operator.claim()
    operator.open("/operate")
    page.locator("#add-first:visible, #add-racer:visible").first.tap()
    page.fill("#add [name=racer]", "Ada")
    page.fill("#add [name=car]", "car-1")
    page.get_by_role("button", name="Open the run now").tap()
    operator.answer("Run of Ada opened")
    start = page.locator("#start")
    expect(start).not_to_have_attribute("aria-disabled", "true")
    start.tap()
    operator.answer("driving")
    track.drive(9, 8, 9, 10)
    page.goto(track.url)
    expect(page.locator("main")).to_contain_text("Ada")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    operator.check("the live page")
    assert operator.missing == []
    assert operator.faults == []
    assert operator.watched.errors == []
    context.close()


def test_a_stock_car_is_raced_on_beams_alone(tmp_path: pathlib.Path, context: BrowserContext) -> None:
    """No car speaks to the station: it is started by hand, and nothing raises an alarm."""
    with simulated_track(tmp_path, RULES, cars=0) as track:
        operator = Operator(track, context.new_page())
        page = operator.page
        operator.claim()
        operator.open("/cars?act=add")
        operator.type_into("#form [name=car]", "stock-1")
        page.locator("#form [name=kind][value=stock]").check()
        page.locator("#form [name=car]").press("Enter")
        operator.answer("The car is stored.")
        operator.open("/operate")
        operator.press("/")
        page.fill("#add [name=racer]", "Ada")
        page.fill("#add [name=car]", "stock-1")
        page.get_by_role("button", name="Open the run now").press("Enter")
        operator.answer("Run of Ada opened")
        operator.forget_answer()
        operator.now("Start", "s")
        operator.answer("✓")
        track.drive(9, 8, 9, 10)
        expect(page.locator("#near")).to_contain_text("Ada")
        assert page.locator("#alarms .alarm").count() == 0
        assert [line.score_ms for line in track.rig.station.snapshot().standing] in ([8000], [])
        operator.check("/operate with a stock car")
        assert operator.faults == []
        assert operator.watched.errors == []
