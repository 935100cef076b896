"""Whole race days in a real browser, as people do who have never seen the station: by keyboard, phone, stock car."""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from shared.rules.ranking import RaceRules
from tests.paper import printed
from tests.system.journeys.official import PASSPHRASE, Official, OfficialWithPhone, OperatorWithKeys
from tests.system.journeys.simulated_track import SimulatedTrack, simulated_track

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULES = RaceRules(consecutive_laps=1, max_laps=4, min_lap_s=2.0)
ROSTER = "Name;Country;Team;Car\n" + "".join(f"Racer {n};DE;Red;{f'car-{n}' if n < 4 else ''}\n" for n in range(1, 13))


@pytest.fixture
def track(tmp_path: pathlib.Path) -> Iterator[SimulatedTrack]:
    with simulated_track(tmp_path, RULES) as made:
        yield made


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800})
    yield made
    made.close()


def test_a_race_day_by_keyboard_alone(track: SimulatedTrack, context: BrowserContext, tmp_path: pathlib.Path) -> None:
    operator = OperatorWithKeys(track, context.new_page())
    operator.claim()
    _event_and_race(operator, "Final")
    _racers(operator, tmp_path)
    operator.open("/operate")
    for racer in ("Racer 1", "Racer 2", "Racer 3"):
        operator.queue(racer)
    operator.race(9, 8, 9, 10)
    operator.race(8.5, 9, 9, 9, missed=3)
    operator.race(9, 9, 7.5, 9)
    operator.standings("7.500 Racer 3", "8.000 Racer 1", "8.500 Racer 2")
    operator.check("/operate with everybody ranked")
    _rulings(operator)
    _official(operator)
    hall = _big_screen(operator, context)
    _paper(operator)
    _second_race(operator, hall)
    assert track.rig.starts == 1  # all of this without a restart
    operator.nothing_was_wrong()
    hall.nothing_was_wrong()


def _event_and_race(operator: OperatorWithKeys, name: str) -> None:
    page, race_id = operator.page, name.lower()
    operator.open("/event?act=event")
    operator.write("#form [name=name]", "Winter Cup")
    operator.press("Enter")
    operator.answer("The event is stored.")
    _race(operator, name)
    page.locator(f"#switch-{race_id}").press("Enter")
    expect(page.locator(f"#race-{race_id}")).to_contain_text("on now")


def _race(operator: OperatorWithKeys, name: str) -> None:
    operator.open("/event?act=create")
    operator.write("#form [name=name]", name)
    operator.write("#form [name=consecutive_laps]", "1")
    operator.write("#form [name=max_laps]", "4")
    operator.write("#form [name=min_lap]", "2")
    operator.press("Enter")
    expect(operator.page.locator(f"#race-{name.lower()}")).to_contain_text("Draft")


def _racers(operator: OperatorWithKeys, folder: pathlib.Path) -> None:
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


def _rulings(operator: OperatorWithKeys) -> None:
    """Five of different kinds: each says what it will change, and the standings are so afterwards."""
    page = operator.page
    operator.enter("Ruling on lap 3")
    void = page.locator("#ruling .ruling-act", has=page.get_by_role("button", name="Void", exact=True))
    expect(void.locator(".effect")).to_contain_text("Place: 1 → 3.")
    operator.write("#ruling-reason", "cut the corner")
    operator.check("/operate with the rulings on a lap")
    operator.enter("Void")
    operator.answer("✓ Void: lap 3. ")
    operator.standings("8.000 Racer 1", "8.500 Racer 2", "9.000 Racer 3")

    operator.open("/runs")
    operator.press("ArrowDown", "Enter")
    expect(page.locator(".run-name")).to_have_text("Racer 3")
    page.wait_for_selector('#link[data-state="live"]')
    operator.rule(3, "r", reason="the video", effect={"score": "9.000 → 7.500", "place": "3 → 1"})
    operator.rule(
        3,
        "p",
        typed="1,5",
        reason="pushed",
        effect={"lap": "7.500 → 9.000", "score": "7.500 → 9.000", "place": "1 → 3"},
    )
    operator.check("/runs/ID with a penalty")
    operator.open("/runs/run-2")
    operator.rule(1, "w", reason="a foot in the beam", effect={"lap": "8.500 → 8.503", "score": "8.500 → 8.503"})
    operator.open("/runs/run-1")
    page.get_by_role("button", name="Another racer", exact=True).press("Enter")
    operator.fill_in("Racer 4", "the wrong name was called", {"lap": "Racer 1 → Racer 4", "score": "8.000"})
    operator.open("/operate")
    operator.standings("8.000 Racer 4", "8.503 Racer 2", "9.000 Racer 3")


def _official(operator: OperatorWithKeys) -> None:
    """The race is made official, which locks it; opened again with a PIN and a reason, and made official for good."""
    page = operator.page
    operator.open("/runs/run-3")
    operator.enter("Official: the race")
    operator.press("Enter")
    locked = page.locator("#run-whole > .run-note")
    expect(locked).to_contain_text("official")
    page.get_by_role("button", name="Rule on lap 1").press("Enter")
    expect(page.get_by_role("button", name="Void")).to_be_disabled()
    operator.check("/runs/ID, official")
    operator.press("Escape")
    operator.enter("Open the race again")
    page.keyboard.type(PASSPHRASE)
    operator.write("#ruling-reason", "a protest")
    operator.press("Enter")
    expect(locked).to_have_count(0)
    operator.enter("Official: the race")
    operator.press("Enter")
    expect(locked).to_contain_text("official")


def _big_screen(operator: OperatorWithKeys, context: BrowserContext) -> Official:
    """A screen in the hall shows the standings, and with one key on the page of the screens the winner."""
    hall = Official(operator.track, context.new_page())
    hall.open("/screen")
    expect(hall.page.locator("#hall_rows tr").first).to_contain_text("Racer 4")
    operator.open("/screens")
    operator.page.get_by_role("button", name="Awards").press("Enter")
    hall.page.wait_for_selector('body[data-show="winner"]')
    expect(hall.page.locator("#hall_winner")).to_contain_text("Racer 4")
    expect(hall.page.locator("#hall_winner")).to_contain_text("8.000")
    hall.check("/screen with the winner")
    operator.page.get_by_role("button", name="Heat").press("Enter")
    hall.page.wait_for_selector('body[data-show="both"]')
    return hall


def _paper(operator: OperatorWithKeys) -> None:
    page = operator.page
    operator.open("/results/final")
    [sheet] = printed(page.pdf(prefer_css_page_size=True))
    assert sheet.size_pt == (595, 842)
    for words in ("Winter Cup", "Final", "Official results: declared by Ruth", "1 Racer 4", "2 Racer 2", "3 Racer 3"):
        assert sheet.says(words), words
    operator.open("/results/final/certificates")
    certificates = printed(page.pdf(prefer_css_page_size=True))
    assert [certificate.size_pt for certificate in certificates] == [(842, 595)] * 3
    assert certificates[0].says("1 of 3 Racer 4")
    for paper in (sheet, *certificates):
        assert max(max(ink) for ink in paper.inks) <= 0.3, "not black"
        assert all(len(set(ink)) == 1 for ink in paper.inks), "coloured"


def _second_race(operator: OperatorWithKeys, hall: Official) -> None:
    """It is created and run in the same process; the hall follows, and the results of the first are still there."""
    page = operator.page
    _race(operator, "Second")
    page.locator("#switch-second").press("Enter")
    expect(page.locator("#race-second")).to_contain_text("on now")
    operator.open("/operate")
    operator.queue("Racer 2")
    operator.race(7, 7, 7, 7)
    operator.standings("7.000 Racer 2")
    expect(hall.page.locator("#hall_rows tr")).to_have_count(1)
    expect(hall.page.locator("#hall_rows tr")).to_contain_text("Racer 2")
    operator.open("/results/final")
    expect(page.locator(".places tbody tr")).to_have_count(3)
    expect(page.locator(".places tbody tr").first).to_contain_text("Racer 4")


def test_a_run_is_raced_on_a_phone_to_its_official_result(track: SimulatedTrack, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    official = OfficialWithPhone(track, context.new_page())
    page = official.page
    official.claim()
    official.open("/operate")
    page.locator("#add-first:visible, #add-racer:visible").first.tap()
    page.fill("#add [name=racer]", "Ada")
    page.fill("#add [name=car]", "car-1")
    official.tap("Open the run now")
    official.answer("Run of Ada opened")
    start = page.locator("#start")
    expect(start).not_to_have_attribute("aria-disabled", "true")
    start.tap()
    official.answer("driving")
    track.drive(9, 8)
    official.open("/referee")
    page.locator("#collision-run-1").tap()
    expect(page.locator("#my-acts li").first).to_contain_text("Collision")
    official.tap("Undo Z")
    expect(page.locator("#my-acts li").first).to_have_class("undone")
    official.open("/operate")
    page.locator("#finish").tap()
    expect(page.locator("#controls")).to_contain_text("It is submitted.")
    official.standings("8.000 Ada")
    official.open("/runs/run-1")
    official.tap("Official: this run")
    page.locator("#ruling button[type=submit]").tap()
    expect(page.locator("#run-whole > .run-note")).to_contain_text("official")
    official.open("/")
    expect(page.locator("main")).to_contain_text("Ada")
    official.nothing_was_wrong()
    context.close()


def test_a_stock_car_is_raced_on_beams_alone(tmp_path: pathlib.Path, context: BrowserContext) -> None:
    """There is no broker, and no car speaks to the station: it is started by hand, and nothing raises an alarm."""
    with simulated_track(tmp_path, RULES, cars=0, broker=False) as track:
        operator = OperatorWithKeys(track, context.new_page())
        page = operator.page
        operator.claim()
        operator.open("/cars?act=add")
        operator.write("#form [name=car]", "stock-1")
        page.locator("#form [name=kind][value=stock]").check()
        page.locator("#form [name=car]").press("Enter")
        operator.answer("The car is stored.")
        operator.open("/operate")
        operator.press("/")
        page.fill("#add [name=racer]", "Ada")
        page.fill("#add [name=car]", "stock-1")
        operator.enter("Open the run now")
        operator.answer("Run of Ada opened")
        operator.now("Start", "s")
        expect(page.locator(".card-phase")).to_contain_text("Started by hand")
        track.drive(9, 8, 9, 10)
        expect(page.locator("#controls")).to_contain_text("It is submitted.")
        operator.standings("8.000 Ada")
        expect(page.locator("#health_line")).not_to_contain_text("MQTT")
        assert page.locator("#alarms .alarm").count() == 0
        operator.check("/operate with a stock car")
        operator.nothing_was_wrong()
