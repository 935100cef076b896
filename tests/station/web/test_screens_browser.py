"""The big screen and the page of the screens in a real browser: every mode at its sizes, and what one click changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace

import pytest
from playwright.sync_api import Browser, Page, expect

from station.views.queue_view import QueueLine, QueueView
from station.views.race_views import StandingLine
from station.views.views import View
from tests import geometry
from tests.browser import count_work, wait_until_all_is_drawn, work_of
from tests.station.web.conftest import Served, serve
from tests.station.web.extreme_views import MANY, NAMES
from tests.station.web.pages.test_commentator import STORY
from tests.station.web.sample_views import EMPTY, RUN, STOPPED, VIEW, FakeStation, S

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LIVE = '#link[data-state="live"]'


def standing(count: int, last_ms: int = 11_356) -> tuple[StandingLine, ...]:
    """So many racers, the awkward names among the first nine; `last_ms`: the score of the ninth."""
    names = ["Grace Hopper", *NAMES[:3], "Alan Turing", *NAMES[3:6], "Ada Lovelace"]
    scores = [9_412 + 243 * place for place in range(8)] + [last_ms + place for place in range(max(0, count - 8))]
    return tuple(
        StandingLine(
            place + 1,
            names[place] if place < len(names) else f"Racer {place + 1}",
            score,
            score - scores[0],
            score - scores[max(0, place - 1)],
            place == 3,
            2,
            "",
        )
        for place, score in enumerate(scores[:count])
    )


QUEUE = QueueView(
    tuple(
        QueueLine(name, place, VIEW.clock.utc_ns + place * 300 * S, 4 * (place == 2), called=place == 1)
        for place, name in enumerate(("Katherine Johnson", *NAMES[:5]), 1)
    )
)
HEAT = replace(VIEW, standing=standing(9), queue=QUEUE, runs=(RUN,), commentary=STORY)
OVER = replace(RUN, phase="finished", lap_started_ns=None, ends_ns=None)
STATES: dict[str, View] = {
    "heat": HEAT,
    "six-cars": replace(MANY, standing=standing(9), queue=QUEUE),
    "interrupted": replace(HEAT, stop=STOPPED),
    "empty": EMPTY,
}


def show(station: FakeStation, page: Page, view: View) -> None:
    station.show(**{part.name: getattr(view, part.name) for part in fields(view) if part.name != "version"})
    page.wait_for_function("v => Number(document.body.dataset.version) >= v", arg=station.view.version)


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    page.wait_for_selector(LIVE, state="attached")  # a blank screen shows nothing
    return page


@pytest.fixture(scope="module")
def hall() -> Iterator[Served]:
    yield from serve(FakeStation(view=HEAT))


@contextmanager
def a_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="dark",
        bypass_csp=True,  # only so that axe itself may run
    )
    yield context.new_page()
    context.close()


def test_the_chart_names_its_lines_where_they_end(browser: Browser, hall: Served) -> None:
    with a_page(browser) as page:
        page.set_viewport_size({"width": 1920, "height": 1080})
        show(hall.station, opened(page, f"{hall.url}/screen?mode=chart"), HEAT)
        expect(page.locator(".placed .chart-label")).to_have_count(2)
        assert page.evaluate(_LABELS_AT_LINES_ENDS)


_COUNT_ROWS_SHOWN_AGAIN = """document.addEventListener("DOMContentLoaded", () => {
  window.shownAgain = 0;
  const count = (records) => (window.shownAgain += records.filter(({ oldValue }) => oldValue !== null).length);
  const what = { attributes: true, attributeFilter: ["hidden"], attributeOldValue: true, subtree: true };
  new MutationObserver(count).observe(document.getElementById("hall_rows"), what);
})"""


def test_a_new_score_changes_one_figure_and_measures_nothing(browser: Browser, hall: Served) -> None:
    places = standing(200)
    with a_page(browser) as page:
        page.add_init_script(_COUNT_ROWS_SHOWN_AGAIN)
        hall.station.show(standing=places)
        opened(page, f"{hall.url}/screen")
        expect(page.locator(".hall-row")).to_have_count(200)
        # Rows of later pages are drawn in idle moments, and stay hidden: that is no work of the change that follows.
        wait_until_all_is_drawn(page, "#hall_rows")
        assert page.evaluate("window.shownAgain") == 0
        expect(page.locator(".hall-row:not([hidden])")).to_have_count(9)
        page.keyboard.press("Space")  # pages turn by themselves every few seconds: that is no work of the change either
        expect(page.locator("#hall-held")).to_be_visible()
        count_work(page, "#hall_rows")
        fifth = replace(places[4], score_ms=10_401)
        show(hall.station, page, replace(HEAT, standing=(*places[:4], fifth, *places[5:])))
        assert page.locator(".hall-row .hall-score").nth(4).text_content() == "10.401"
        assert work_of(page) == {"changes": ["10.401"], "moved": [], "measured": 0}
        # Somebody from a later page takes the lead: the row comes, and says how many places it has gained.
        led = (replace(places[149], score_ms=9_000), *places[:149], *places[150:])
        show(hall.station, page, replace(HEAT, standing=tuple(replace(line, rank=n) for n, line in enumerate(led, 1))))
        expect(page.locator(".hall-row").first.locator(".hall-name")).to_have_text("Racer 150")
        expect(page.locator(".hall-row .hall-move.up")).to_have_text("↑149")
        assert len(work_of(page)["moved"]) == 1
        show(hall.station, page, HEAT)


_LABELS_AT_LINES_ENDS = """() => {
  const canvas = document.querySelector(".hall-chart canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const painted = data.filter((value, place) => place % 4 === 3 && value > 0).length;
  const top = (name) => document.querySelector(`.chart-racer[title="${name}"]`).getBoundingClientRect().top;
  return painted > 1000 && top("Ada Lovelace") < top("Grace Hopper"); // the slower lap is the higher
}"""


def test_one_click_changes_every_screen(browser: Browser, hall: Served) -> None:
    with a_page(browser) as screen, a_page(browser) as desk:
        show(hall.station, opened(screen, f"{hall.url}/screen"), HEAT)
        opened(desk, f"{hall.url}/screens")
        me = screen.evaluate("localStorage.getItem('raceday-screen')")
        line = desk.locator(f'[data-screen="{me}"]')
        line.get_by_label("Name", exact=True).fill("Hall left")
        desk.get_by_role("button", name="Awards").click()
        screen.wait_for_selector('body[data-show="winner"]')
        desk.get_by_role("button", name="Heat").click()
        screen.wait_for_selector('body[data-show="both"]')
        line.get_by_label("Shows").select_option("queue")
        screen.wait_for_selector('body[data-show="queue"]')
        desk.get_by_label("Countdown, minutes").fill("2,5")
        desk.get_by_role("button", name="Start the countdown").click()
        expect(screen.locator("#hall-message")).to_contain_text("2:2")
        desk.locator("[name=message]").fill("Lunch until 13:00")
        desk.get_by_role("button", name="Show to all").click()
        expect(screen.locator("#hall-message")).to_contain_text("Lunch until 13:00 · 2:2")
        assert geometry.look(screen, "screen-message-band", geometry.HALL_VIEWPORTS) == []
        line.get_by_role("button", name="Identify").click()
        expect(screen.locator("#hall-identity")).to_have_text("Hall left")
        screen.evaluate("window.before = true")
        desk.get_by_role("button", name="Reload all").click()
        screen.wait_for_function("!window.before")
        desk.get_by_role("button", name="Take it away").click()
        desk.get_by_role("button", name="End it").click()
        # In the break everything comes in turn by the station's clock, but not while a car's clock runs.
        desk.get_by_role("button", name="Break").click()
        screen.wait_for_selector('body[data-show="both"]')
        for turn, shown in ((1, "chart"), (2, "queue"), (0, "both")):
            at = replace(VIEW.clock, now_ns=((turn + 30) * 20 + 1) * S, boot=f"boot-{turn}")
            show(hall.station, screen, replace(HEAT, runs=(), run=None, clock=at))
            screen.wait_for_selector(f'body[data-show="{shown}"]')
        show(hall.station, screen, replace(HEAT, clock=replace(VIEW.clock, now_ns=621 * S)))
        screen.wait_for_selector('body[data-show="both"]')


PAGE_ROWS = (
    "[...document.querySelectorAll('#hall_rows tr:not([hidden]) .hall-rank')].map((e) => parseInt(e.textContent))"
)


def test_pages_turn_and_a_new_result_is_seen(browser: Browser, hall: Served) -> None:
    with a_page(browser) as page:
        many = replace(HEAT, standing=standing(200), runs=(RUN,))
        show(hall.station, opened(page, f"{hall.url}/screen?mode=board&turn_s=1"), many)
        page.wait_for_function(f"{PAGE_ROWS}.join() === '1,2,3,10,11,12,13,14,15'")
        page.keyboard.press("Space")
        expect(page.locator("#hall-held")).to_be_visible()
        # Her result is new: its page comes at once, and stays over the next turns.
        racer = many.standing[99].racer
        show(hall.station, page, replace(many, runs=(), run=replace(OVER, run_id="run-8", racer=racer)))
        expect(page.locator("#hall-card")).to_contain_text(racer)
        assert page.evaluate(PAGE_ROWS) == [1, 2, 3, *range(100, 106)]
        page.keyboard.press("Space")
        page.evaluate("new Promise((done) => setTimeout(done, 2500))")
        assert page.evaluate(PAGE_ROWS) == [1, 2, 3, *range(100, 106)]
        # Beside the board the panel has the result; once the next run is there, the card keeps it in sight.
        show(hall.station, opened(page, f"{hall.url}/screen?mode=both"), HEAT)
        show(hall.station, page, replace(HEAT, runs=(), run=replace(OVER, run_id="run-9"), queue=QueueView()))
        expect(page.locator("#hall_panel .phase-finished")).to_be_visible()
        expect(page.locator("#hall-card")).to_be_hidden()
        show(hall.station, page, HEAT)
        expect(page.locator("#hall-card")).to_contain_text("Ada Lovelace")


def test_who_is_called_blinks_once(browser: Browser, hall: Served) -> None:
    with a_page(browser) as page:
        uncalled = tuple(replace(line, called=False) for line in QUEUE.lines)
        show(hall.station, opened(page, f"{hall.url}/screen?mode=queue"), replace(HEAT, queue=QueueView(uncalled)))
        blinking = "[...document.querySelectorAll('.hall-queue-line')].map((line) => line.getAnimations().length)"
        assert page.evaluate(blinking) == [0, 0, 0, 0, 0, 0]
        show(hall.station, page, HEAT)
        assert page.evaluate(blinking) == [1, 0, 0, 0, 0, 0]
        page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
        later = tuple(replace(line, start_utc_ns=line.start_utc_ns + 60 * S) for line in QUEUE.lines)
        show(hall.station, page, replace(HEAT, queue=QueueView(later)))
        assert page.evaluate(blinking) == [0, 0, 0, 0, 0, 0]


def test_rows_follow_their_racer(browser: Browser, hall: Served) -> None:
    with a_page(browser) as page:
        show(hall.station, opened(page, f"{hall.url}/screen"), HEAT)
        page.evaluate("window.row = document.querySelectorAll('#hall_rows tr')[8]")
        lines = list(HEAT.standing)
        first = replace(lines.pop(), score_ms=9_001)
        moved = [replace(line, rank=rank) for rank, line in enumerate([first, *lines], 1)]
        show(hall.station, page, replace(HEAT, standing=tuple(moved)))
        row = page.locator("#hall_rows tr").first
        expect(row).to_contain_text("Ada Lovelace")
        expect(row.locator(".hall-move")).to_have_text("↑8")
        assert page.evaluate("document.querySelectorAll('#hall_rows tr')[0].getAnimations().length") >= 0
        assert page.evaluate("document.querySelectorAll('#hall_rows tr')[0].id === window.row.id")
