"""LIVE race control and what an audience sees, in a real browser: by keyboard alone, and live.

tests/system/look/test_league_pages.py looks at how it is drawn, with 200 in the queue.
"""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from leaderboard.core.access import ADMIN
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from shared.protocol.live import LiveMessage
from shared.protocol.results import encode_result
from tests.browser import held_back
from tests.leaderboard import sample_races
from tests.leaderboard.by_hand import enter
from tests.leaderboard.live_races.live_server import LiveServer, live_server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "Wolfeschlegelsteinhausenbergerdorff-Ütze"  # 40 characters


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("live")) as running:
        for number, racer in enumerate(("Anna", "Kenji", LONG, "Tom"), 1):
            enter(running.board, "cup", racer, racer, number)
        posted = sample_races.result("a", "Anna", (9000, 9000, 9000))
        running.board.apply("a.1", encode_result(posted), time.time_ns())
        yield running


@pytest.fixture
def context(browser: Browser, server: LiveServer) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    opened.add_cookies([{"name": "raceday_league", "value": server.session, "url": server.url}])
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


def opened(context: BrowserContext, server: LiveServer, path: str) -> tuple[Page, list[str]]:
    """The page once its stream has spoken, and what goes wrong in it."""
    page, problems = context.new_page(), list[str]()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(server.url + path)
    page.wait_for_selector('[data-link="on"]', state="attached")
    return page, problems


def names(page: Page) -> list[str]:
    return page.locator(".turn .name").all_inner_texts()


def emptied(server: LiveServer) -> LiveRaces:
    """The LIVE races of the server; the queue of 'cup' is empty."""
    live = LiveRaces(server.board.store, MemoryFeeds())
    live.clear(ADMIN, "cup", live.state("cup", time.time_ns()).queue.version, time.time_ns())
    return live


def test_a_race_by_keyboard_alone(context: BrowserContext, server: LiveServer) -> None:
    page, problems = opened(context, server, "/races/cup/live-control")
    page.get_by_role("button", name="Add all who are entered").press("Enter")
    expect(page.locator(".turn")).to_have_count(4)
    page.locator(".turn").nth(3).focus()
    for place in (3, 2, 1):
        page.keyboard.press("Alt+ArrowUp")
        expect(page.locator(".turn").nth(place - 1)).to_have_attribute("data-name", "Tom")
        expect(page.locator(".turn").nth(place - 1)).to_be_focused()  # the next press is of the same racer
    page.keyboard.press("Alt+ArrowUp")
    page.get_by_role("button", name="Move Kenji down").press("Enter")
    expect(page.locator(".turn").nth(3)).to_have_attribute("data-name", "Kenji")
    assert names(page) == ["Tom", "Anna", LONG, "Kenji"]
    page.locator(".turn").nth(3).drag_to(page.locator(".turn").nth(0))
    expect(page.locator(".turn").nth(0)).to_have_attribute("data-name", "Kenji")

    page.keyboard.press("Alt+l")
    expect(page.locator(".now-state")).to_contain_text("in the countdown")
    expect(page.locator(".now-name")).to_have_text("Kenji")
    for _ in range(3):
        page.keyboard.press("Alt+Minus")
    expect(page.locator("[data-now-speed]")).to_have_text("×0.85")
    page.keyboard.press("Alt+0")
    expect(page.locator("[data-now-speed]")).to_have_text("×1.00")
    # The run itself, without waiting for the countdown: another official launched it earlier.
    live = LiveRaces(server.board.store, MemoryFeeds())
    queue = live.state("cup", time.time_ns()).queue
    assert queue.on_track is not None
    item_id = queue.on_track.item_id
    live.relaunch(ADMIN, "cup", queue.version, time.time_ns() - 12 * 10**9, item_id)
    assert server.tell(LiveMessage("cup", "Kenji", "b", 1, sectors=(3000, None, None), lap=2)).status_code == 200
    expect(page.locator(".now-state")).to_contain_text("driving")
    expect(page.locator(".sector").first).to_contain_text("◆P 3.000")
    page.get_by_role("button", name="Finish").press("Enter")
    expect(page.locator(".now-state")).to_contain_text("The track is free")
    expect(page.locator(".turn").nth(3)).to_contain_text("done")
    page.get_by_role("button", name="Declare Anna the winner").press("Enter")
    expect(page.locator(".winner-line")).to_contain_text("Winner: Anna")
    assert problems == []

    podium, _ = opened(context, server, "/races/cup/podium")
    expect(podium.locator(".step-1 .name")).to_contain_text("Anna")
    page.get_by_role("button", name="Take the winner back").press("Enter")
    expect(podium.get_by_text("The winner is not declared yet.")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear the queue").press("Enter")
    expect(page.locator(".turn")).to_have_count(0)
    assert problems == []


def test_two_officials_and_a_refusal(context: BrowserContext, server: LiveServer) -> None:
    """What one does, the other sees; what is not possible is said, and nothing else changes."""
    page, _ = opened(context, server, "/races/cup/live-control")
    other, _ = opened(context, server, "/races/cup/live-control")
    page.locator("#racer").fill("Zoë")
    page.locator("#racer").press("Tab")
    page.keyboard.press("Enter")
    expect(other.locator(".turn .name")).to_have_text("Zoë")
    other.locator("#racer").fill("zoë")
    other.get_by_role("button", name="Add to the queue").click()
    expect(other.locator("[data-refusal]")).to_have_text("✕ zoë is in the queue already.")
    other.get_by_role("button", name="Remove: Zoë").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(other.locator("[data-refusal]")).to_be_hidden()


def test_where_its_script_comes_late_an_official_still_acts_on_what_the_page_shows(
    context: BrowserContext, server: LiveServer
) -> None:
    """Over bad Wi-Fi another official is faster than the script: nothing is refused as changed meanwhile."""
    page, live = context.new_page(), emptied(server)
    held = held_back(page, "live_control")
    page.goto(f"{server.url}/races/cup/live-control", wait_until="commit")
    page.wait_for_selector('[data-link="on"]', state="attached")
    added = live.add(ADMIN, "cup", ["Late"], time.time_ns(), entries=False)
    server.tell(LiveMessage("cup", "Late", "b2", 1))  # the process of the server looks at the queue again
    expect(page.locator(".turn .name")).to_have_text(["Late"])
    held[0].continue_()
    expect(page.locator('input[name="version"]').first).to_have_value(str(added.version))


def test_presses_in_a_row_are_of_the_queue_as_the_one_before_left_it(
    context: BrowserContext, server: LiveServer
) -> None:
    """The stream, which says nothing here, need not be faster than the next press."""
    live = emptied(server)
    live.add(ADMIN, "cup", ["Ada", "Eve"], time.time_ns(), entries=False)
    page = context.new_page()
    page.add_init_script("delete window.SharedWorker; window.EventSource = class extends EventTarget { close() {} }")
    page.goto(f"{server.url}/races/cup/live-control")
    for racer in ("Ada", "Eve"):
        with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            page.get_by_role("button", name=f"Remove: {racer}").click()
        assert answered.value.status == 200
    assert live.state("cup", time.time_ns()).queue.items == ()
    expect(page.locator("[data-refusal]")).to_be_hidden()


def test_where_no_answer_comes_nobody_is_told_what_became_of_the_press(
    context: BrowserContext, server: LiveServer
) -> None:
    """The leaderboard took it, and its answer was lost on the way."""
    page, _ = opened(context, server, "/races/cup/live-control")

    def lost(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route(re.compile(r"/live-control$"), lost)
    page.locator("#racer").fill("Grace")
    page.get_by_role("button", name="Add to the queue").click()
    expect(page.locator("[data-refusal]")).to_contain_text("The leaderboard gave no answer: the queue shows")
    expect(page.locator(".turn .name", has_text="Grace")).to_be_visible()
