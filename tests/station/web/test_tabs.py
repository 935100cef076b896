"""Many tabs of one browser: it opens at most six connections to a machine, so all its tabs share one stream.

A shared worker holds the stream; in a browser without shared workers, one of the tabs does.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from station.core.inputs import VoidLap
from tests.browser import Watched
from tests.station.web.conftest import Served
from tests.station.web.sample_views import LAPS, RUN, VIEW, S, lap

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = ("/operate", "/", "/operate", "/gates", "/operate", "/", "/", "/operate")
LIVE = '#link[data-state="live"]'


NO_WORKER = "delete window.SharedWorker;"


@pytest.fixture(params=["worker", "leader"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1366, "height": 900})
    if request.param == "leader":
        made.add_init_script(NO_WORKER)
    yield made
    made.close()


@pytest.fixture
def leading(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without shared workers: a tab holds the stream."""
    made = browser.new_context(viewport={"width": 1366, "height": 900})
    made.add_init_script(NO_WORKER)
    yield made
    made.close()


def opened(context: BrowserContext, url: str) -> Page:
    return Watched(context.new_page()).open(url)


def test_eight_tabs_are_live_and_each_may_command(served: Served, context: BrowserContext) -> None:
    tabs = [opened(context, served.url + path) for path in PAGES]
    served.station.show(run=replace(RUN, laps=(*LAPS, lap(7, 9_401)), lap_number=8, lap_started_ns=204 * S))
    for tab, path in zip(tabs, PAGES, strict=True):
        if path != "/gates":
            expect(tab.locator("#lap-7" if path == "/" else "#lap-run-7-7")).to_contain_text("9.401", timeout=5000)
    assert served.live.browsers == 1
    for tab, path in zip(tabs, PAGES, strict=True):
        said = tab.evaluate("fetch('/api/v1/state').then((answer) => answer.status)")
        assert said == 200, path
    tabs[-1].get_by_role("button", name="Ruling on lap 3").click()
    tabs[-1].fill("#ruling-reason", "cut the corner")
    tabs[-1].get_by_role("button", name="Void", exact=True).click()
    expect(tabs[-1].locator("#answer")).to_contain_text("✓", timeout=5000)
    assert VoidLap(author="operator", reason="cut the corner", number=3, run_id="run-7") in served.station.commands


def test_a_tab_that_comes_later_shows_what_the_others_show(served: Served, context: BrowserContext) -> None:
    first = opened(context, served.url)
    served.station.show(run=replace(RUN, laps=(*LAPS, lap(7, 9_401)), lap_number=8, lap_started_ns=204 * S))
    expect(first.locator("#lap-7")).to_contain_text("9.401")
    second = opened(context, served.url)
    served.station.show(run=replace(RUN, racer="Grace Hopper"))
    expect(second.locator(".racer")).to_have_text("Grace Hopper", timeout=5000)
    expect(second.locator("#laps tr")).to_have_count(len(LAPS))
    assert served.live.browsers == 1


ONE_WORD_ONLY = """
const Real = EventSource;
let said = false;
window.EventSource = class extends Real {
  addEventListener(name, listener) {
    super.addEventListener(name, (message) => { if (!said) { said = true; listener(message); } });
  }
};
"""
STATES_SEEN = """
window.states = [];
new MutationObserver(() => {
  const state = document.querySelector("#link")?.dataset.state;
  if (state && states[states.length - 1] !== state) states.push(state);
}).observe(document, { attributes: true, childList: true, subtree: true });
"""


def test_a_tab_that_is_told_an_old_page_says_how_old_it_is(served: Served, leading: BrowserContext) -> None:
    context = leading
    first = context.new_page()
    first.add_init_script(ONE_WORD_ONLY)
    first.goto(served.url)
    first.wait_for_selector("body[data-silent]")
    said = first.locator("#silence").inner_text()
    assert "No data from" in said
    second = context.new_page()
    second.add_init_script(STATES_SEEN)
    second.goto(served.url)
    second.wait_for_selector("body[data-silent]")
    assert "live" not in second.evaluate("states")
    expect(second.locator("#link-words")).to_have_text("Station offline")
    expect(second.locator("#laps tr")).to_have_count(len(LAPS))
    # Since the last message, not since it was opened, to within a second.
    since = [int(tab.locator("#silence").inner_text().split(":")[-1].split(".")[0]) for tab in (first, second)]
    assert (since[1] - since[0]) % 60 <= 1
    first.close()
    second.wait_for_selector(f"body:not([data-silent]) {LIVE}")


@pytest.mark.parametrize("how", ["close", "leave", "crash"])
def test_when_the_tab_with_the_stream_goes_another_takes_it(served: Served, leading: BrowserContext, how: str) -> None:
    context = leading
    first = opened(context, served.url)
    second, third = opened(context, served.url), opened(context, served.url)
    if how == "close":
        first.close()
    elif how == "leave":
        first.goto("about:blank")
    else:
        # A tab that hangs: it reads nothing, sends nothing, and gives up the stream to no other tab.
        first.evaluate("setTimeout(() => { for (const end = Date.now() + 5000; Date.now() < end; ); }, 0)")
    served.station.show(run=replace(RUN, racer="Grace Hopper"))
    for tab in (second, third):
        expect(tab.locator(".racer")).to_have_text("Grace Hopper", timeout=10_000)
        tab.wait_for_selector(LIVE, timeout=15_000)


def test_tabs_opened_at_the_same_moment_come_to_one_stream(served: Served, context: BrowserContext) -> None:
    tabs = [context.new_page() for _ in range(5)]
    for tab in tabs:
        tab.evaluate(f"setTimeout(() => location.assign('{served.url}'), 50)")
    for tab in tabs:
        tab.wait_for_selector(LIVE, timeout=15_000)
    served.station.show(run=replace(RUN, racer="Grace Hopper"))
    for tab in tabs:
        expect(tab.locator(".racer")).to_have_text("Grace Hopper", timeout=10_000)
    tabs[0].wait_for_timeout(1)  # lets Playwright receive what happened meanwhile
    for _ in range(100):
        if served.live.browsers == 1:
            return
        served.station.show(run=VIEW.run)
        tabs[0].wait_for_timeout(100)
    raise AssertionError(f"{served.live.browsers} streams for five tabs of one page")


def test_when_the_worker_with_the_stream_hangs_the_tabs_start_another(served: Served, browser: Browser) -> None:
    context = browser.new_context()
    tabs = [opened(context, served.url + path) for path in ("/", "/operate", "/gates")]
    session = browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets")["targetInfos"]
    [worker] = [each for each in targets if each["type"] == "shared_worker" and served.url in each["url"]]
    attached = session.send("Target.attachToTarget", {"targetId": worker["targetId"], "flatten": False})
    message = json.dumps({"id": 1, "method": "Runtime.evaluate", "params": {"expression": "for (;;);"}})
    session.send("Target.sendMessageToTarget", {"sessionId": attached["sessionId"], "message": message})
    tabs[0].wait_for_selector("body[data-silent]")
    for tab in tabs:
        tab.wait_for_selector(f"body:not([data-silent]) {LIVE}", timeout=20_000)
    served.station.show(run=replace(RUN, racer="Grace Hopper"))
    expect(tabs[0].locator(".racer")).to_have_text("Grace Hopper", timeout=5000)
    context.close()
