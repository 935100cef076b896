"""A page whose scripts arrive after the stream has spoken, as over bad Wi-Fi, knows what one knows that had them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import held_back
from tests.station.web.conftest import Served

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def open_with_late(page: Page, url: str, script: str) -> None:
    """Opens the page; `script` is answered only once the page has drawn what the stream said first."""
    held = held_back(page, script)
    page.goto(url, wait_until="commit")
    page.wait_for_selector('#link[data-state="live"]')
    assert [script in route.request.url for route in held] == [True]
    held[0].continue_()
    page.wait_for_load_state()


def test_race_control_knows_that_no_gate_is_ready(served: Served, page: Page) -> None:
    served.station.show(gates=())
    open_with_late(page, f"{served.url}/operate", "operate")
    page.keyboard.press("/")
    expect(page.locator("#by-hand-now")).to_be_visible()
