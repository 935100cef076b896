"""The station in a German browser: all of its text is German, also what the stream and the scripts add, and it fits."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from station.views.command_answers import Declined
from tests import geometry
from tests.browser import violations
from tests.english_left import english_left
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import LAPS, RUN, STOPPED, TROUBLE, FakeStation, S, lap

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Every text node that is shown, and the attributes that are read out.
TEXTS = """() => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.closest("script, style, kbd, code")) texts.push(node.textContent);
  }
  for (const element of document.querySelectorAll("[title], [aria-label], [placeholder], [data-ask]")) {
    for (const name of ["title", "aria-label", "placeholder", "data-ask"]) texts.push(element.getAttribute(name) ?? "");
  }
  return [document.title.split(" · ")[0], ...texts];
}"""


@pytest.fixture(scope="module")
def station() -> Iterator[Served]:
    yield from serve(FakeStation())


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector('#link[data-state="live"]')


@pytest.mark.parametrize("path", ["/", "/operate", "/gates"])
def test_no_english_is_left_and_everything_fits(station: Served, page: Page, path: str) -> None:
    open_page(page, station.url + path)
    assert page.locator("html").get_attribute("lang") == "de"
    expect(page.locator("#link")).to_have_text("Live")
    found = []
    for state, changes in {
        "racing": {"run": replace(RUN, laps=(*LAPS, lap(7, 9_401)), lap_number=8, lap_started_ns=204 * S)},
        "trouble": {name: getattr(TROUBLE, name) for name in ("gates", "cars", "sync", "broker")},
        "stopped": {"stop": STOPPED},
    }.items():
        station.station.show(**changes)
        page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=station.station.view.version)
        assert english_left(page.evaluate(TEXTS), "de") == []
        found += geometry.look(page, f"german-{path.strip('/') or 'live'}-{state}", ((1280, 800), (320, 640)))
    assert violations(page) == []
    assert "\n".join(found) == ""


def test_what_a_script_says_is_german_too(station: Served, page: Page) -> None:
    open_page(page, f"{station.url}/gates")
    station.station.answer = Declined("Run run-7 has no lap 9: it has laps 1 to 6.")
    page.get_by_role("button", name="Erneut prüfen: start").click()
    expect(page.locator("#answer")).to_have_text("✕ Der Lauf run-7 hat keine Runde 9: er hat die Runden 1 bis 6.")
    assert english_left(page.evaluate(TEXTS), "de") == []


def test_the_language_of_an_address_is_kept_for_the_next_page(station: Served, page: Page) -> None:
    for address, tag in (("/?lang=en", "en"), ("/", "en"), ("/?lang=de", "de"), ("/", "de")):
        open_page(page, f"{station.url}{address}")
        assert page.locator("html").get_attribute("lang") == tag
    assert english_left(page.evaluate(TEXTS), "de") == []
