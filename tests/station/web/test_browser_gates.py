"""The gates' page and the uncounted crossings in a real browser: gates tested again, legible, never too wide."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from station.core.inputs import SetClock, TryGate
from station.views.command_answers import Declined
from station.views.gate_views import GateView, RecentEdge, SensorView
from station.views.race_views import UncountedCrossing
from station.views.views import View
from tests.browser import SCHEMES, Watched, in_scheme, keep_picture, violations_in_both_schemes
from tests.station.web.conftest import Served
from tests.station.web.sample_views import GATE, SPLIT, VIEW, S
from tests.station.web.test_browser import show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STANDS = 'They stand side by side: set layout = "side_by_side".'
FRESH = replace(
    GATE,
    sensors=("left", "right"),
    layout="unsaid",
    untried=("right",),
    passes=f"5 passes: left first 3 times, right first twice, 3 to 15 ms apart. {STANDS}",
)
DOUBT = (
    "The sensors of the gate sector-1 take turns at being first: they stand side by side, and passes are lost as "
    '"backwards". Set layout = "side_by_side".'
)
AWAY = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0: cannot be opened: it is not there; plug it in."
GATES = replace(
    VIEW,
    gates=(
        FRESH,
        replace(SPLIT, layout="in_line", doubt=DOUBT),
        replace(GATE, name="start-b", system="B", alive=False, absent=True, sentence=AWAY),
    ),
)
WHYS = (
    "it went backwards through the gate",
    "the transponder 4711983 has no owner here",
    "the gate has no sensor 'gpio22'",
    "no run is on",
    "it was made in test mode",
    "several cars are on the track",
    "the start has not been given",
    "system B times this run",
)
LOST = tuple(
    UncountedCrossing(number, "start", "left", 1_790_000_000 * S - number * S, why, "4711983" if number == 1 else "")
    for number, why in enumerate(WHYS)
)
COUNTED: View = replace(GATES, uncounted=LOST)


@pytest.fixture
def served(served_once: Served) -> Served:
    served_once.station.begin_anew()
    return served_once


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Watched(context.new_page())
    context.close()


def pulsed(gates: tuple[GateView, ...], seconds: float, stamp_ns: int, view: View = VIEW) -> tuple[GateView, ...]:
    """These gates with a pulse at each, so many seconds after the view's time of day."""
    at = view.clock.utc_ns + round(seconds * S)
    edge = RecentEdge("b", stamp_ns, at, broken=True)
    sensor = SensorView("left", 1, recent=(edge, replace(edge, at_ns=stamp_ns + 1, utc_ns=at + S // 5, broken=False)))
    return tuple(replace(gate, sensors=("left",), each=(sensor,)) for gate in gates)


def test_the_trace_shows_the_last_breaks_and_two_pulses_are_compared(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/gates")
    two = (GATE, SPLIT)
    show(served, page, replace(VIEW, gates=pulsed(two, -1, 5 * S)))
    expect(page.locator("[data-trace-gate=start] rect")).to_have_count(1)
    expect(page.locator("#card-start .walk")).to_contain_text("seen")
    page.get_by_role("button", name="Begin the test").click()
    expect(page.locator("#pulse-step")).to_contain_text("Go to test mode first")
    testing = replace(VIEW, mode="test")
    show(served, page, replace(testing, gates=pulsed(two, -1, 5 * S)))
    page.get_by_role("button", name="Begin the test").press("Enter")
    expect(page.locator("#pulse-step")).to_have_text("Close the contact now.")
    show(served, page, replace(testing, gates=pulsed(two, 30, 100 * S)))
    expect(page.locator("#pulse-lines")).to_contain_text("The first pulse reached 2 of 2 gates.")
    expect(page.locator("#pulse-step")).to_contain_text("more.")
    late = (*pulsed(two[:1], 91, 161 * S), *pulsed(two[1:], 91, 161 * S + 2_000_000))
    show(served, page, replace(testing, gates=late))
    expect(page.locator("#pulse-step")).to_contain_text("The gates do not agree")
    expect(page.locator("#pulse-lines")).to_contain_text("off by -2.000 ms from sector-1, 1 ms is allowed")
    assert violations_in_both_schemes(page) == []
    keep_picture(page, "gates-two-pulses")
    assert watched.errors == []


def test_a_gate_is_tried_anew_from_its_page(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/gates")
    show(served, page, GATES)
    fresh = page.locator("#card-start")
    expect(fresh).to_contain_text("not tested")
    expect(fresh).to_contain_text(STANDS)
    expect(page.locator("#card-start-b")).to_contain_text("absent")
    expect(page.locator("#alarms")).to_contain_text("take turns at being first")
    page.get_by_role("button", name="Test again: start", exact=True).focus()
    page.keyboard.press("Enter")
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands == [TryGate(author="operator", gate="start")]
    expect(page.locator("#answer")).to_contain_text("roll a car past every sensor")
    served.station.answer = Declined("A run is on: try the gate when it is over.")
    page.get_by_role("button", name="Test again: start", exact=True).click()
    expect(page.locator("#answer")).to_have_text("✕ A run is on: try the gate when it is over.")
    assert violations_in_both_schemes(page) == []


@pytest.mark.parametrize("path", ["/gates", "/operate"])
def test_the_time_of_day_is_told_from_either_page(served: Served, watched: Watched, path: str) -> None:
    page = watched.open(f"{served.url}{path}")
    show(served, page, replace(GATES, clock=replace(VIEW.clock, trusted=False)))
    page.clock.set_fixed_time(1_800_000_000.25)
    button = page.get_by_role("button", name="Use this device's time")
    button.focus()
    page.keyboard.press("Enter")
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands == [SetClock(author="operator", utc_ms=1_800_000_000_250)]
    expect(page.locator("#answer")).to_have_text("✓ Use this device's time")
    served.station.answer = Declined("The clock of this machine is set: nobody need tell it the time.")
    button.click()
    expect(page.locator("#answer")).to_have_text("✕ The clock of this machine is set: nobody need tell it the time.")
    assert violations_in_both_schemes(page) == []
    keep_picture(page, f"clock-{path[1:]}")


@pytest.mark.parametrize("path", ["/gates", "/operate"])
def test_they_are_legible_on_every_screen(served: Served, watched: Watched, path: str) -> None:
    page = watched.open(f"{served.url}{path}")
    show(served, page, COUNTED)
    if path == "/operate":
        page.get_by_role("button", name="More", exact=True).click()
        expect(page.locator(".uncounted-list li")).to_have_count(len(WHYS))
        expect(page.locator(".uncounted-list li").nth(1)).to_contain_text("start, left, transponder 4711983.")
        assert violations_in_both_schemes(page) == []
    for width in (320, 390, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in SCHEMES:
            in_scheme(page, scheme)
            keep_picture(page, f"{path[1:]}-{scheme}-{width}")
