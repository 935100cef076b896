"""Printed pages are dark on white, whatever the screen's theme, and controls are not printed."""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.station.web.conftest import Served, serve
from tests.station.web.extreme_views import LONG
from tests.station.web.sample_views import FakeStation
from tests.system.look import serving
from tests.vehicle.web.test_access import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Every visible text against white: printers omit backgrounds.
_PALE = """() => {
    const light = (rgb) => {
        const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
            .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const pale = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !element.checkVisibility()) continue;
        const contrast = 1.05 / (light(getComputedStyle(element).color) + 0.05);
        if (contrast < 4.5) pale.push(`${walk.currentNode.data.trim().slice(0, 30)} ${contrast.toFixed(1)}`);
    }
    return pale;
}"""


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(color_scheme="dark")
    yield made
    made.close()


@contextmanager
def paper(context: BrowserContext, url: str) -> Iterator[Page]:
    page = context.new_page()
    page.goto(url)
    page.emulate_media(media="print", color_scheme="dark")
    yield page
    page.close()


def is_readable(page: Page) -> None:
    assert page.evaluate(_PALE) == []
    ground = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ground').trim()")
    assert ground == "#ffffff"
    for pressed in page.locator("button").all():
        assert not pressed.is_visible()


@pytest.fixture(scope="module")
def station() -> Iterator[Served]:
    with contextmanager(serve)(FakeStation(LONG)) as served:
        yield served


@pytest.mark.parametrize("path", ["/", "/operate", "/nowhere"])
def test_the_station_prints_dark_on_white(context: BrowserContext, station: Served, path: str) -> None:
    with paper(context, station.url + path) as page:
        is_readable(page)
        if path == "/":
            # All laps and places are printed, not only those that fitted on the screen.
            last = page.locator("#places > *").last.bounding_box()
            assert last is not None
            assert last["height"] > 0
            assert page.locator("#laps tr").last.is_visible()
            assert page.evaluate("getComputedStyle(document.querySelector('main')).overflow") == "visible"


@pytest.fixture(scope="module")
def leaderboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving.leaderboard(tmp_path_factory.mktemp("board")) as url:
        yield url.removesuffix("/races/cup")


@pytest.mark.parametrize("path", ["/races/cup", "/", "/docs", "/nowhere"])
def test_the_leaderboard_prints_dark_on_white(context: BrowserContext, leaderboard: str, path: str) -> None:
    with paper(context, leaderboard + path) as page:
        is_readable(page)


def test_the_car_prints_dark_on_white(context: BrowserContext, tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    with paper(context, site.url) as page:
        page.get_by_text("Claim this car").wait_for()
        is_readable(page)
    site.server.close()
