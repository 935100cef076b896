"""The emergency stop in a real browser: in an open dialog, while a name is typed, without a stream or scripts."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from station.core.inputs import ReleaseStop, StopAll
from station.views.car_views import StopView
from tests.browser import Watched, keep_picture, violations
from tests.station.web.conftest import Served
from tests.station.web.sample_views import STOPPED

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def served(served_once: Served) -> Served:
    served_once.station.begin_anew()
    return served_once


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def stops(served: Served) -> int:
    assert served.station.commanded.acquire(timeout=30)
    return len([command for command in served.station.commands if isinstance(command, StopAll)])


def test_it_works_in_an_open_question_by_key_and_by_finger(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    page.click("text=Abandon")
    page.fill("#ask-reason", "half a reas")
    page.keyboard.press("Control+.")
    assert stops(served) == 1
    answer = page.locator("#ask .stop-answer")
    expect(answer).to_contain_text("car-1 stopped: confirmed by the car itself, 0.2 s")
    expect(answer).to_contain_text("car-3 not reached since")
    page.locator("#ask .estop").click()
    assert stops(served) == 2
    expect(page.locator("#ask-reason")).to_have_value("half a reas")
    expect(page.locator("#ask")).to_be_visible()


def test_every_question_that_can_open_has_the_button_within(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    assert page.locator("dialog").count() >= 2
    assert page.evaluate("[...document.querySelectorAll('dialog')].every((d) => d.querySelector('[data-stop] .estop'))")
    assert page.locator("dialog kbd:not(.always)").count() == 0  # no shortcut is shown that would type a letter there


@pytest.mark.parametrize("field", ["[name=racer]", "[name=car]"])
def test_it_works_while_a_name_is_typed_and_a_name_stops_nothing(served: Served, page: Page, field: str) -> None:
    Watched(page).open(f"{served.url}/operate")
    page.keyboard.press("/")
    page.focus(field)
    page.keyboard.type("Max X. Box")
    assert served.station.commands == []
    page.keyboard.press("Control+.")
    assert stops(served) == 1
    expect(page.locator(field)).to_have_value("Max X. Box")


def test_the_key_works_where_single_keys_are_switched_off_and_on_the_gates_page(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="X").uncheck()
    page.get_by_role("button", name="Close", exact=True).click()
    page.keyboard.press("x")
    page.keyboard.press("Control+.")
    assert stops(served) == 1
    Watched(page).open(f"{served.url}/gates")
    page.keyboard.press("Control+.")
    assert stops(served) == 2
    page.click("#stop-bar .estop")
    assert stops(served) == 3


def test_the_button_is_the_first_that_tab_finds_and_enter_presses_it(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    page.keyboard.press("Tab")  # skip to the content
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert stops(served) == 1


def test_without_a_stream_it_is_sent_and_what_became_of_it_is_asked(served: Served, page: Page) -> None:
    page.route("**/live**", lambda route: route.abort())
    page.goto(f"{served.url}/operate")
    served.station.stop = replace(STOPPED, cars=STOPPED.cars[1:2])
    page.click("#stop-bar .estop")
    assert stops(served) == 1
    expect(page.locator("#stop-answer")).to_contain_text("car-2 ordered, not confirmed yet")
    served.station.show(stop=replace(STOPPED, cars=STOPPED.cars[:1]))
    expect(page.locator("#stop-answer")).to_contain_text("car-1 stopped: confirmed by the car itself")
    assert "✓" not in page.inner_text("#answer")


def test_a_station_that_does_not_answer_is_said_loudly_and_asked_again(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    page.route("**/api/v1/stop", lambda route: route.abort())
    page.click("#stop-bar .estop")
    expect(page.locator("#stop-answer")).to_contain_text("NOT STOPPED: the station is not answering")
    page.unroute("**/api/v1/stop")
    assert stops(served) == 1
    expect(page.locator("#stop-answer")).to_contain_text("1 of 4 cars confirm that they stopped.")


STRANGERS = [
    (502, "application/json", '{"error": "Bad gateway"}'),
    (500, "application/json", '{"error": "This station could not handle this request; its log says why."}'),
    (429, "application/json", '{"error": "Too many requests"}'),
    (403, "text/html", "<html>Blocked</html>"),
    (403, "application/json", '{"message": "Forbidden"}'),
    (200, "application/json", '{"ok": true}'),
]


def test_only_the_stations_own_refusal_ends_the_asking(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    requests: list[str] = []
    now = list(STRANGERS[0])

    def answer(route: Route) -> None:
        requests.append(route.request.method)
        status, kind, body = now
        route.fulfill(status=status, content_type=kind, body=body)  # type: ignore[arg-type]

    page.route("**/api/v1/**", answer)
    page.click("#stop-bar .estop")
    for stranger in STRANGERS:
        now[:] = stranger
        with page.expect_request("**/api/v1/stop"), page.expect_request("**/api/v1/stop"):
            pass  # of two requests in a row, the second was made after an answer
        expect(page.locator("#stop-answer")).to_contain_text("NOT STOPPED: the station is not answering. Trying again")
    assert set(requests) == {"POST"}
    page.click("[data-command=collision]")
    expect(page.locator("#answer")).to_contain_text("the station did not answer")  # and no check mark
    page.unroute("**/api/v1/**")
    assert stops(served) == 1
    expect(page.locator("#stop-answer")).to_contain_text("1 of 4 cars confirm that they stopped.")


def test_what_was_followed_is_followed_again_after_a_refusal(served: Served, page: Page) -> None:
    Watched(page).open(f"{served.url}/operate")
    with page.expect_request(lambda request: request.method == "GET" and request.url.endswith("/api/v1/stop")):
        served.station.show(stop=STOPPED)

    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=403, json={"error": "This device is no official's."})
        else:
            route.continue_()

    page.route("**/api/v1/stop", refuse)
    page.click("#stop-bar .estop")
    expect(page.locator("#stop-answer")).to_contain_text("NOT STOPPED: This device is no official's.")
    served.station.show(stop=replace(STOPPED, cars=STOPPED.cars[:1]))
    expect(page.locator("#stop-answer")).to_contain_text("1 of 1 cars confirm that they stopped.")


def test_without_a_script_the_form_stops_and_releases(served: Served, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.url}/operate")
    page.click("#stop-bar .estop")
    assert stops(served) == 1
    expect(page.locator("h1")).to_have_text("Stop all cars")
    expect(page.locator(".stop-cars")).to_contain_text("car-3 not reached since")
    page.click("text=Release the stop")
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands[-1] == ReleaseStop(author="operator")
    context.close()


def test_the_stop_is_shouted_on_every_page_until_it_is_released(served: Served, page: Page) -> None:
    for path, presses in (("/", 0), ("/operate", 1), ("/gates", 1)):
        served.station.show(stop=StopView())
        Watched(page).open(served.url + path)
        expect(page.locator(".stop-on")).to_have_count(0)
        served.station.show(stop=STOPPED)
        expect(page.locator(".stop-on")).to_contain_text("All cars were stopped by operator")
        expect(page.locator("#release-stop")).to_have_count(presses)
        expect(page.locator(".stop-cars li")).to_have_count(4 * presses)
        assert violations(page) == []
        keep_picture(page, f"stop{path.replace('/', '-')}")
    page.click("#release-stop")
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands == [ReleaseStop(author="operator")]


@pytest.mark.parametrize("path", ["/operate", "/gates", "/stop"])
def test_nothing_is_wider_than_the_screen_while_it_is_on(served: Served, page: Page, path: str) -> None:
    served.station.show(stop=replace(STOPPED, author="W" * 80))
    page.goto(served.url + path)
    expect(page.locator(".stop-on")).to_be_visible()
    beyond = """() => [...document.querySelectorAll(".stop-on, .stop-on *, .stop-bar, .stop-bar *")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth
            || (e.clientWidth && e.scrollWidth > e.clientWidth + 1))
        .map((e) => e.outerHTML)"""
    for width in (320, 390, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(beyond) == [], width
