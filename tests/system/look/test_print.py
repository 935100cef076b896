"""Printed pages are dark on white, whatever the screen's theme, and controls are not printed."""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.station.web.conftest import serve
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


@contextmanager
def paper(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(url)
    page.emulate_media(media="print", color_scheme="dark")
    yield page
    context.close()


def is_readable(page: Page) -> None:
    assert page.evaluate(_PALE) == []
    ground = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ground').trim()")
    assert ground == "#ffffff"
    for pressed in page.locator("button").all():
        assert not pressed.is_visible()


@pytest.mark.parametrize("path", ["/", "/operate", "/nowhere"])
def test_the_station_prints_dark_on_white(browser: Browser, path: str) -> None:
    with contextmanager(serve)(FakeStation(LONG)) as served, paper(browser, served.url + path) as page:
        is_readable(page)
        if path == "/":
            # All laps and places are printed, not only those that fitted on the screen.
            last = page.locator("#places > *").last.bounding_box()
            assert last is not None
            assert last["height"] > 0
            assert page.locator("#laps tr").last.is_visible()
            assert page.evaluate("getComputedStyle(document.querySelector('main')).overflow") == "visible"


@pytest.mark.parametrize("path", ["/races/cup", "/", "/docs", "/nowhere"])
def test_the_leaderboard_prints_dark_on_white(browser: Browser, tmp_path: pathlib.Path, path: str) -> None:
    with (
        serving.leaderboard(tmp_path) as url,
        paper(browser, url.removesuffix("/races/cup") + path) as page,
    ):
        is_readable(page)


def test_the_car_prints_dark_on_white(browser: Browser, tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    with paper(browser, site.url) as page:
        page.get_by_text("Claim this car").wait_for()
        is_readable(page)
    site.server.close()
