"""The live page in a real browser: results appear by themselves, in both themes, on a phone and without scripts."""

import pathlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import violations
from tests.geometry import sparklines
from tests.leaderboard import sample_races
from tests.leaderboard.sample_races import Running, result

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = {"desktop": (1280, 800), "phone": (390, 844), "wall": (1920, 1080)}


# What the script has placed, and what the server draws for the same standing.
ROW_TEXTS = """rows => [...rows].map((row) => [
    row.dataset.rank, row.dataset.key, row.className.replace("fresh", "").trim(), !row.querySelector(".tie"),
    row.querySelector(".move").className, ...[...row.cells].slice(0, -1).map((cell) => cell.textContent),
])"""
ROWS_NOW = f"() => ({ROW_TEXTS})(document.querySelector('tbody').rows)"
ROWS_OF_THE_PAGE = f"""async () => {{
    const html = await (await fetch(location.href)).text();
    return ({ROW_TEXTS})(new DOMParser().parseFromString(html, "text/html").querySelector("tbody").rows);
}}"""


def page_of(context: BrowserContext, running: Running, path: str) -> Page:
    """An open page that fails the test on any error, and on any request that is not ours."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith(running.url) else problems.append(request.url))
    page.goto(running.url + path)
    page.problems = problems  # type: ignore[attr-defined]
    return page


def names(page: Page) -> list[str]:
    return page.locator("tbody .name").all_inner_texts()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def test_results_appear_and_rows_move_by_themselves(context: BrowserContext, running: Running) -> None:
    running.new_race("seen")
    page = page_of(context, running, "/races/seen")
    expect(page.get_by_text("No qualified run yet")).to_be_visible()
    expect(page.locator("[data-link-text]")).to_have_text("Live")
    for number, racer in enumerate(("Anna", "Kenji", "Tom")):
        running.post(result(f"seen-{racer}", racer, (9000 + 100 * number,) * 3, race_id="seen"))
    expect(page.locator("tbody tr")).to_have_count(3)
    running.post(result("seen-again", "Tom", (8500,) * 3, race_id="seen"))
    expect(page.locator("tbody .name").first).to_have_text("Tom")
    assert names(page) == ["Tom", "Anna", "Kenji"]
    first = page.locator("tbody tr").first
    expect(first.locator(".score")).to_have_text("8.500: the run of Tom")
    expect(first.locator(".move")).to_contain_text("up 2 places")
    expect(page.locator("tbody tr").nth(1).locator(".gap")).to_have_text("+0.500")
    expect(page.get_by_text("3 racers · 4 results")).to_be_visible()
    expect(page.get_by_text("No qualified run yet")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("Tom: rank 1 with 8.500.")
    assert page.evaluate(ROWS_NOW) == page.evaluate(ROWS_OF_THE_PAGE)
    running.post(result("seen-tie", "Zoë", (9100,) * 3, race_id="seen"))
    expect(page.locator("tbody tr")).to_have_count(4)
    assert page.evaluate(ROWS_NOW) == page.evaluate(ROWS_OF_THE_PAGE)
    assert page.locator("tbody .tie").count() == 2
    running.post(result("seen-again", "Tom", (8500,) * 2, race_id="seen", revision=2))
    expect(page.locator("tbody .name").first).to_have_text("Anna")
    assert page.problems == []  # type: ignore[attr-defined]


def test_rows_are_kept_not_redrawn(context: BrowserContext, running: Running) -> None:
    running.new_race("kept")
    running.post(result("kept-1", "Anna", (9000,) * 3, race_id="kept"))
    page = page_of(context, running, "/races/kept")
    expect(page.locator("[data-link-text]")).to_have_text("Live")
    # Wait for the first event, then mark the row: a later event about another racer must leave it alone.
    running.post(result("kept-2", "Kenji", (9500,) * 3, race_id="kept"))
    expect(page.locator("tbody tr")).to_have_count(2)
    page.evaluate("document.querySelector('tr[data-key=Anna]').dataset.marked = 'yes'")
    running.post(result("kept-3", "Tom", (9900,) * 3, race_id="kept"))
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tr[data-key=Anna]")).to_have_attribute("data-marked", "yes")


def test_a_restart_of_the_server_is_survived(context: BrowserContext, tmp_path: pathlib.Path) -> None:
    first = sample_races.start(tmp_path)
    first.new_race("cup")
    page = context.new_page()
    page.goto(first.url + "/races/cup")
    expect(page.locator("[data-link-text]")).to_have_text("Live")
    first.kill()
    expect(page.locator("[data-link-text]")).to_have_text("Reconnecting …")
    again = sample_races.start(tmp_path, port=int(first.url.rsplit(":", 1)[1]))
    again.post(result("a", "Anna"))
    expect(page.locator("tbody .name")).to_have_text("Anna")
    expect(page.locator("[data-link-text]")).to_have_text("Live")
    assert again.stop() == (0, "")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_readable_everywhere(browser: Browser, running: Running, scheme: str) -> None:
    race_id = f"read-{scheme}"
    running.new_race(race_id)
    running.admin("POST", f"/races/{race_id}/entries", {"racer": "m", "name": "Marisol de la Cruz-Fernández y Gómez"})
    for number, racer in enumerate(("m", "Anna", "Tom")):
        running.post(result(f"{race_id}-{racer}", racer, (10_000 + 100 * number,) * 3, race_id=race_id))
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    more = (f"/races/{race_id}/racers/m", f"/races/{race_id}?screen=1")
    for path in (f"/races/{race_id}", "/", "/docs", "/nowhere", *more):
        page = page_of(context, running, path)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            # No sideways scrolling at any size.
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            # Only the phone's: tests/system/look has every page on a desktop, in both themes.
            if path != "/nowhere" and (size, scheme) == ("phone", "dark"):
                assert violations(page) == []
        assert page.problems == [] or path == "/nowhere"  # type: ignore[attr-defined]
        if path == f"/races/{race_id}":
            page.set_viewport_size({"width": 1280, "height": 800})
            assert sparklines(page) == [3, 0]
        page.close()
    context.close()


def test_without_scripts_the_standing_is_there(browser: Browser, running: Running) -> None:
    running.new_race("plain")
    running.post(result("plain-1", "Anna", race_id="plain"))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(running.url + "/races/plain")
    assert names(page) == ["Anna"]
    assert "UTC" in page.locator("tbody time").inner_text()
    context.close()


def test_by_keyboard_from_the_index_to_a_race(context: BrowserContext, running: Running) -> None:
    running.new_race("keys")
    page = page_of(context, running, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert "/races/" in (focused.get_attribute("href") or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/races/" in page.url
