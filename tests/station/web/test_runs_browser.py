"""The list and the page of runs in a real browser: rulings by keys alone, no axe finding, nothing cut at any size."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from station.core import inputs as e
from tests.browser import Watched, chromium, violations
from tests.geometry import look
from tests.station.service.station_rig import S
from tests.station.web.archived_runs import ArchiveRig, working
from tests.station.web.conftest import Served, serve
from tests.station.web.signed_in import PASSPHRASE

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveRig]:
    rig = ArchiveRig.long(tmp_path_factory.mktemp("runs") / "station.db")
    with working(rig):
        yield rig


@pytest.fixture(scope="module")
def runs(rig: ArchiveRig) -> Iterator[Served]:
    yield from serve(rig.station)  # type: ignore[arg-type]


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    yield Watched(context.new_page())
    context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_a_run_is_found_and_ruled_on_with_the_keyboard_alone(runs: Served, watched: Watched) -> None:
    page = watched.open(f"{runs.url}/runs")
    page.locator("#filter-racer").fill("lovelace")
    expect(page.locator(".run-count")).to_have_text("1 of 4 runs")
    assert violations(page) == []
    page.locator("#filter-racer").evaluate("input => input.blur()")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".run-name")).to_have_text("Ada Lovelace")
    page.wait_for_selector('#link[data-state="live"]')
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "p"):
        page.keyboard.press(key)
    page.keyboard.type("1,5")
    expect(page.locator('[data-effect="score"]')).to_have_text("9.733 → 10.233")
    expect(page.locator('[data-effect="place"]')).to_have_text("2 → 3")
    assert violations(page) == []
    page.keyboard.press("Tab")
    page.keyboard.type("pushed car-2")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("✓ Penalty. Lap 3: 9.702 → 11.202.")
    expect(page.locator(".history li").first).to_contain_text("pushed car-2")
    expect(page.locator(".run-score")).to_have_text("10.233")
    page.locator("#run-lap-3 .lap-pick").focus()
    page.keyboard.press("z")
    expect(page.locator("#answer")).to_contain_text("✓ Undo")
    expect(page.locator(".run-score")).to_have_text("9.733")
    expect(page.locator(".history .undone").first).to_contain_text("pushed car-2")
    assert watched.errors == []
    assert all(url.startswith(runs.url) for url in watched.requests)


def test_a_missed_crossing_is_counted_at_its_hand_time(runs: Served, watched: Watched) -> None:
    page = watched.open(f"{runs.url}/runs/run-2")
    expect(page.locator(".asked li")).to_contain_text("A pass was timed by hand in lap 4")
    page.get_by_role("button", name="Count it").click()
    expect(page.locator(".asked")).to_have_count(0)
    expect(page.locator(".lap-table tbody tr")).to_have_count(6)
    expect(page.locator("#run-lap-4 .lap-detail")).to_contain_text("timed by hand")
    page.get_by_role("button", name="Rule on lap 4").click()
    page.get_by_role("button", name="Join with the next").click()
    expect(page.locator('[data-effect="lap"]')).to_contain_text("→ 6.156")
    page.keyboard.press("Escape")
    expect(page.locator("#ruling")).to_be_hidden()


def test_official_locks_the_run_until_it_is_opened_again_with_a_reason(runs: Served, watched: Watched) -> None:
    page = watched.open(f"{runs.url}/runs/run-3")
    page.get_by_role("button", name="Official: this run").click()
    page.get_by_role("button", name="Do it").click()
    expect(page.locator("#run-whole > .run-note")).to_contain_text("This result is official")
    page.get_by_role("button", name="Rule on lap 1").click()
    expect(page.get_by_role("button", name="Void")).to_be_disabled()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open the result again").click()
    page.get_by_label("Reason").fill("a protest")
    page.get_by_label("Your PIN").fill(PASSPHRASE)
    page.keyboard.press("Enter")
    expect(page.locator("#run-whole > .run-note")).to_have_count(0)
    expect(page.locator(".history li").first).to_contain_text("a protest")


def test_the_trace_is_zoomed_by_keys_and_a_crossing_chooses_its_lap(runs: Served, watched: Watched) -> None:
    page = watched.open(f"{runs.url}/runs/run-1")
    before = page.locator(".axis text").all_inner_texts()
    page.locator("#trace").focus()
    for key in ("+", "+", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.locator(".axis text").all_inner_texts() != before
    page.keyboard.press("0")
    assert page.locator(".axis text").all_inner_texts() == before
    page.locator(".mark-counted[data-lap='2'] circle").click()
    expect(page.locator("#run-lap-2")).to_have_class("chosen")
    expect(page.locator("#sheet-title")).to_have_text("Lap 2: 11.654")


STATES = {
    "runs": "/runs",
    "run": "/runs/run-1",
    "run-long": "/runs/run-3",
    "run-200-laps": "/runs/run-4",
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_and_an_open_ruling_is_whole(runs: Served, watched: Watched, state: str) -> None:
    page = watched.open(runs.url + STATES[state])
    if state == "run-long":
        page.locator("#run-lap-1 .lap-pick").click()
        page.get_by_role("button", name="Penalty").click()
        assert look(page, state) == []
    light(page)
    assert violations(page) == []


def test_the_page_of_a_run_that_is_on_follows_it_and_keeps_what_is_being_typed(
    runs: Served, rig: ArchiveRig, watched: Watched, browser: Browser
) -> None:
    rig.station.submit(e.OpenRun(author="Sam", racer="Grace Hopper", car="car-1"))
    rig.station.submit(e.StartRun(author="Sam", by_hand=True))
    pass_by(rig, 1)
    page = watched.open(f"{runs.url}/runs/run-5")
    spectator = browser.new_page()
    spectator.goto(f"{runs.url}/runs/run-5")
    pass_by(rig, 9)
    expect(page.locator("#run-lap-1 .lap-time")).to_have_text("9.000")
    page.get_by_role("button", name="Rule on lap 1").click()
    page.keyboard.press("p")
    page.keyboard.type("1,5")
    pass_by(rig, 10)
    expect(page.locator("#run-lap-2 .lap-time")).to_have_text("10.000")
    expect(page.locator(".mark-counted")).to_have_count(3)
    expect(page.locator("#ruling-seconds")).to_have_value("1,5")
    expect(page.locator("#run-lap-1")).to_have_class("chosen")
    expect(page.locator('[data-effect="lap"]')).to_contain_text("9.000 → 10.500")
    expect(spectator.locator(".lap-table tbody tr")).to_have_count(2)
    spectator.close()
    assert watched.errors == []


def pass_by(rig: ArchiveRig, after_s: int) -> None:
    """A car passes the gate after this time; the station's own thread times it."""
    rig.clock.advance(rig.clock.now_ns() + after_s * S)
    rig.gate.pass_by()


def light(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})


def test_the_public_page_reads_without_javascript_and_has_no_controls(runs: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{runs.url}/runs/run-1")
    assert page.locator(".lap-table tbody tr").count() == 5
    assert page.locator(".mark-counted").count() == 6
    context.close()
