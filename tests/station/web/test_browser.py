"""The pages in a real browser: what a spectator reads, what an official can do with the keyboard alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from station.views.views import View
from tests.browser import Watched
from tests.station.web.conftest import Served, serve
from tests.station.web.sample_views import LAPS, RUN, VIEW, FakeStation, S, lap

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def served(served_once: Served) -> Served:
    served_once.station.begin_anew()
    return served_once


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    yield Watched(context.new_page())
    context.close()


def test_a_lap_is_read_and_announced(served: Served, watched: Watched) -> None:
    page = watched.open(served.url)
    expect(page.locator("#laps tr")).to_have_count(6)
    expect(page.locator("#announce")).to_have_text("")
    started = replace(RUN, laps=(*LAPS, lap(7, 9_401)), lap_number=8, lap_started_ns=204 * S)
    served.station.show(run=started)
    row = page.locator("#lap-7")
    expect(row).to_contain_text("9.401")
    expect(row).to_contain_text("Best of run")
    expect(page.locator("#announce")).to_have_text("Lap 7: 9.401, best of run, confirmed by the car.")
    expect(page.locator("#clock_label")).to_have_text("Lap 8")
    assert page.locator("#laps tr").first.get_attribute("id") == "lap-7"


def test_a_confirmation_arrives_on_the_row_that_is_there(served: Served, watched: Watched) -> None:
    page = watched.open(served.url)
    expect(page.locator("#lap-6[data-announce*='not confirmed']")).to_have_count(1)
    served.station.show(run=replace(RUN, laps=(*LAPS[:5], replace(LAPS[5], confirmed=True))))
    expect(page.locator("#lap-6[data-announce*='not confirmed']")).to_have_count(0)


def test_the_clock_runs_by_itself_and_never_back(served: Served, watched: Watched) -> None:
    page = watched.open(served.url)
    seen = page.evaluate(
        """() => new Promise((done) => {
            const face = document.getElementById("clock");
            const seen = [face.textContent];
            new MutationObserver(() => {
                seen.push(face.textContent);
                if (seen.length === 8) done(seen);
            }).observe(face, { childList: true, characterData: true, subtree: true });
        })"""
    )
    tenths = [round(float(text) * 10) for text in seen]
    assert tenths == sorted(tenths)
    assert tenths[-1] - tenths[0] <= 10
    minutes, _, seconds = page.locator(".countdown").inner_text().partition(":")
    assert 100 <= int(minutes) * 60 + int(seconds) <= 126


def test_a_new_run_replaces_the_laps_of_the_last(served: Served, watched: Watched) -> None:
    page = watched.open(served.url)
    fresh = replace(RUN, run_id="run-8", racer="Katherine Johnson", laps=(), phase="armed", released=False)
    served.station.show(run=replace(fresh, lap_started_ns=None, score_ms=None))
    expect(page.locator(".racer")).to_have_text("Katherine Johnson")
    expect(page.locator("#clock")).to_have_text("0.0")
    expect(page.locator("#run .empty")).to_be_visible()
    expect(page.locator("#laps tr")).to_have_count(0)
    served.station.show(run=replace(fresh, laps=(lap(1, 9_900),), phase="running"))
    expect(page.locator("#laps tr")).to_have_count(1)


def test_a_page_outlives_its_station(watched: Watched) -> None:
    first = contextmanager(serve)(FakeStation())
    with first as served:
        page = watched.open(served.url)
    expect(page.locator("#link-words")).to_have_text("Station offline")
    restarted = FakeStation(replace(VIEW, run=replace(RUN, racer="Alan Turing", laps=LAPS[:2])))
    with contextmanager(serve)(restarted, served.port):
        expect(page.locator(".racer")).to_have_text("Alan Turing")
        expect(page.locator("#link-words")).to_have_text("Live")
        expect(page.locator("#laps tr")).to_have_count(2)


def test_everything_comes_from_the_station_and_nothing_fails(served: Served, watched: Watched) -> None:
    watched.open(served.url)
    watched.open(f"{served.url}/operate")
    assert len(watched.requests) > 8
    assert {urlsplit(url).hostname for url in watched.requests} == {"127.0.0.1"}
    assert watched.errors == []


def test_it_is_readable_without_javascript(served: Served, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.url)
    for words in ("Ada Lovelace", "Lap 7", "9.588", "Grace Hopper"):
        # Rows are drawn with the first frame (content-visibility), and what is not drawn is no inner text.
        expect(page.locator("body")).to_contain_text(words, use_inner_text=True)
    context.close()


def show(served: Served, page: Page, view: View) -> None:
    """Shows a whole view on the page and waits until it is there."""
    served.station.show(**{part.name: getattr(view, part.name) for part in fields(view) if part.name != "version"})
    version = served.station.view.version
    page.wait_for_function("version => Number(document.body.dataset.version) >= version", arg=version)


def test_targets_are_large_enough_for_a_finger(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = Watched(context.new_page()).open(f"{served.url}/operate")
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input, a")].filter((e) => e.offsetParent)
            .map((e) => [e.innerText || e.name || e.id, e.getBoundingClientRect()])
            .filter(([, r]) => r.width < 24 || r.height < 24).map(([name]) => name)"""
    )
    assert [name for name in small if not name.startswith("Skip")] == []
    context.close()
