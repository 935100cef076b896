"""The checklists in a real browser: a line unticks itself, a box keeps the focus, and A4 takes each list."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from station.checklists.items import ITEMS, LISTS
from station.checklists.register import ChecklistRegister
from tests.paper import printed
from tests.station.web.conftest import Served, serve
from tests.station.web.pages.test_checklist import READY, SEEN_GATE
from tests.station.web.sample_views import FakeStation

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def hall() -> Iterator[Served]:
    with contextmanager(serve)(FakeStation(READY), checklists=ChecklistRegister(None)) as served:
        yield served


@pytest.fixture(scope="module")
def page(browser: Browser, hall: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    opened = context.new_page()
    opened.goto(f"{hall.url}/checklist")
    opened.wait_for_selector('#link[data-state="live"]', state="attached")
    yield opened
    context.close()


def test_a_line_of_the_station_follows_what_is_so(hall: Served, page: Page) -> None:
    line = page.locator("#line-gates_tried")
    expect(line).to_contain_text("2 of 2 detected")
    before = page.locator("#checklist_counts").inner_text()
    hall.station.show(gates=(replace(SEEN_GATE, alive=False, sentence="No word from the gate for 6 s."),))
    expect(line).to_contain_text("No word from the gate for 6 s.")
    expect(line.get_by_role("link", name="Gates")).to_be_visible()
    expect(line).to_contain_text("Not yet.")
    assert page.locator("#checklist_counts").inner_text() != before
    hall.station.show(gates=(SEEN_GATE,))
    expect(line).to_contain_text("Done.")


def test_a_box_is_ticked_by_keys_and_keeps_the_focus(page: Page) -> None:
    box = page.get_by_role("checkbox", name="Road taped down")
    expect(box).not_to_be_checked()
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    expect(page.locator("#line-road")).to_contain_text("operator, ")
    expect(page.locator("#answer")).to_contain_text("✓ Road taped down")
    assert page.evaluate("document.activeElement.dataset.line") == "road"
    page.keyboard.press("Enter")
    expect(box).not_to_be_checked()
    expect(page.locator("#line-road")).to_contain_text("Taken back by operator")
    assert page.evaluate("document.activeElement.dataset.line") == "road"


def test_a_station_that_does_not_answer_ticks_nothing(page: Page) -> None:
    box = page.get_by_role("checkbox", name="All batteries on charge")
    page.route("**/api/v1/checklist", lambda route: route.abort())
    box.click()
    expect(page.locator("#answer")).to_contain_text("the station did not answer")
    expect(box).not_to_be_checked()
    page.unroute("**/api/v1/checklist")


def test_each_list_is_a_page_of_a4(page: Page) -> None:
    pages = printed(page.pdf(prefer_css_page_size=True))
    assert [each.size_pt for each in pages] == [(595, 842)] * 3
    for each, list_name in zip(pages, LISTS, strict=True):
        lines = [item.sentence for item in ITEMS.values() if item.list_name == list_name]
        assert [line for line in lines if not each.says(line)] == []
        assert max(max(ink) for ink in each.inks) < 0.4  # dark on white, whatever the screen's theme
    assert pages[0].says("gate start: 2 of 2 detected")
    assert not any(each.says("Emergency stop: all cars") for each in pages)  # controls are not printed
