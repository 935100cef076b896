"""Nothing is clipped, overlapping or too wide, on any screen, in our font or a wider serif, whatever is shown."""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from shared.protocol.messages import CarState
from station.views.views import View
from tests import geometry
from tests.station.web.conftest import serve
from tests.station.web.extreme_views import NAMES, STATES, names
from tests.station.web.sample_views import RUN, VIEW, FakeStation
from tests.system.look import serving
from tests.vehicle.web.test_access import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = ((320, 640), (390, 844), (768, 1024), (1280, 800), (1280, 720), (1920, 1080))
LETTERS = pytest.mark.parametrize("letters", ["ours", "serif"])


@contextmanager
def screen(browser: Browser, letters: str, theme: str = "dark") -> Iterator[Page]:
    context = browser.new_context(color_scheme=theme)  # type: ignore[arg-type]
    page = context.new_page()
    if letters == "serif":
        geometry.without_our_letters(page)
    yield page
    context.close()


def look(page: Page, what: str, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[str]:
    """The faults of the page, at each size of the screen."""
    return geometry.look(page, what, sizes)


def show(station: FakeStation, page: Page, view: View) -> None:
    station.show(**{part.name: getattr(view, part.name) for part in fields(view) if part.name != "version"})
    page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=station.view.version)
    if view.stop.on and page.locator("#stop-answer").count():
        page.wait_for_function("() => document.getElementById('stop-answer').textContent")


@LETTERS
@pytest.mark.parametrize("path", ["/", "/operate", "/gates"])
def test_the_station_shows_everything_at_every_size(browser: Browser, path: str, letters: str) -> None:
    found: list[str] = []
    with contextmanager(serve)(FakeStation()) as served, screen(browser, letters) as page:
        page.goto(served.url + path)
        for state, view in STATES.items():
            show(served.station, page, view)
            # All sizes for the worst texts; for the others, the smallest one and one with columns side by side.
            sizes = SIZES if (state, letters) == ("long", "ours") else ((320, 640), (1280, 720))
            if state == "three":  # cards side by side: a third of the width, or half of what the controls leave
                sizes = (*sizes, (1456, 900), (1920, 1080))
            found += look(page, f"{path.strip('/') or 'live'}-{state}-{letters}", sizes)
    assert found == []


def test_a_minute_takes_neither_the_name_nor_the_figure(browser: Browser) -> None:
    """This once happened: from 1:00 on, the racer's name was squeezed to nothing and the figure clipped."""
    with contextmanager(serve)(FakeStation()) as served, screen(browser, "ours") as page:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(served.url)
        page.wait_for_selector('#link[data-state="live"]')
        idle = replace(RUN, phase="armed", released=False, laps=(), lap_started_ns=None, score_ms=None)
        show(served.station, page, replace(VIEW, run=idle))
        places = set()
        for text in ("59.9", "1:00.0", "10:00.0", "9:59.999", "59:59.999"):
            places.add(page.evaluate(_CLOCK_SAYS, text))
        assert len(places) == 1


_CLOCK_SAYS = """text => {
    const face = document.getElementById("clock");
    face.textContent = text;
    face.dataset.chars = text.length;
    if (face.scrollWidth > face.parentElement.clientWidth) throw new Error(`${text} is wider than its box`);
    return JSON.stringify(document.querySelector(".racer").getBoundingClientRect());
}"""


@LETTERS
def test_the_leaderboard_shows_every_score_at_every_size(
    browser: Browser, tmp_path: pathlib.Path, letters: str
) -> None:
    with serving.leaderboard(tmp_path, tuple(names(99))) as url, screen(browser, letters) as page:
        found = []
        pages = [("race", "/races/cup"), ("index", "/"), ("docs", "/docs"), ("missing", "/nowhere")]
        if letters == "ours":
            pages += [("screen", "/races/cup?screen=1"), ("racer", f"/races/cup/racers/{quote(NAMES[2])}")]
        for name, path in pages:
            page.goto(url.removesuffix("/races/cup") + path)
            found += look(page, f"board-{name}-{letters}")
    assert found == []


@LETTERS
def test_the_car_shows_everything_on_a_phone(browser: Browser, tmp_path: pathlib.Path, letters: str) -> None:
    site = Site(tmp_path)
    found = []
    with screen(browser, letters) as page:
        page.goto(site.url)
        page.get_by_label("Claim code").wait_for()
        found += look(page, f"car-claim-{letters}")
        page.get_by_label("Claim code").fill(site.code)
        page.get_by_role("button", name="Claim").click()
        page.locator("#health dd").first.wait_for()
        site.bench.control.on_guard_message(CarState(True, "tripped", "x" * 120, NAMES[0] + "m" * 24, "ab" * 32, 40))
        page.locator("#model").filter(has_text=NAMES[0]).wait_for()
        found += look(page, f"car-desk-{letters}")
    site.server.close()
    assert found == []
