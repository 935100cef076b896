"""Race control in a real browser: test mode, gates that are not ready, several cars, decisions; the gates' page."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from station.core.inputs import (
    ArmRun,
    AssignCrossing,
    Command,
    DismissProposal,
    OffTrack,
    OrderCar,
    SetMode,
    StartRun,
    VoidLap,
)
from station.views.command_answers import Accepted, Declined
from tests.browser import Watched
from tests.station.web.conftest import Served
from tests.station.web.sample_views import CAR, FULL_GATE, SPLIT, TESTING, TOGETHER, VIEW, S
from tests.station.web.test_browser import show

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    yield Watched(context.new_page())
    context.close()


def test_test_mode_is_shouted_and_left_by_an_official(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/operate")
    expect(page.locator(".mode-banner")).to_have_count(0)
    page.click("text=Test mode")
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands == [SetMode(author="operator", mode="test")]
    show(served, page, TESTING)
    expect(page.locator(".mode-banner")).to_contain_text("Test mode")
    expect(page.locator(".mode-banner")).to_contain_text("do not count")
    assert page.title().startswith("TEST")
    expect(page.locator("[data-mode-of=test]")).to_have_attribute("aria-pressed", "true")
    show(served, page, VIEW)
    expect(page.locator(".mode-banner")).to_have_count(0)
    assert not page.title().startswith("TEST")


def test_a_gate_that_is_not_ready_is_overridden_with_a_reason_or_not_at_all(served: Served, watched: Watched) -> None:
    why = "The gate start is not ready (blocked: beam): fix it, or give an `override_reason`."
    served.station.answer = Declined(why)
    page = watched.open(f"{served.url}/operate")
    page.keyboard.press("a")
    expect(page.locator("#override-why")).to_have_text("The gate start is not ready (blocked: beam).")
    page.keyboard.press("Enter")  # no reason, no override
    expect(page.locator("#override")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#override")).to_be_hidden()
    page.keyboard.press("a")
    page.fill("#override-reason", "hand timing beside it")
    served.station.answer = Accepted(9, "")
    page.click("text=Arm anyway")
    expect(page.locator("#answer")).to_contain_text("gate overridden")
    assert served.station.commands == [
        ArmRun(author="operator"),
        ArmRun(author="operator"),
        ArmRun(author="operator", override_reason="hand timing beside it"),
    ]


def test_with_several_cars_an_order_goes_where_it_was_chosen_to_go(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/operate")
    show(served, page, TOGETHER)
    expect(page.locator(".car-card")).to_have_count(3)
    expect(page.locator(".run-card")).to_be_hidden()
    page.keyboard.press("o")
    expect(page.locator("#answer")).to_contain_text("Choose a car first")
    page.keyboard.press("2")
    expect(page.locator("#chosen")).to_have_text("Commands go to Grace Hopper, car-2.")
    page.keyboard.press("o")
    assert served.station.commanded.acquire(timeout=30)
    page.keyboard.press("p")  # an order waits for no other: each is a request of its own
    assert served.station.commanded.acquire(timeout=30)
    page.click("[aria-label='Void lap 2 of Ada Lovelace']")
    page.fill("#ask-reason", "pushed")
    page.keyboard.press("Enter")
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands == [
        OffTrack(author="operator", run_id="run-8"),
        OrderCar(author="operator", car="car-2", action="stop"),
        VoidLap(author="operator", reason="pushed", number=2, run_id="run-7"),
    ]
    expect(page.locator("#answer")).to_contain_text(
        "✓ Void lap 2"
    )  # otherwise its answer may come after the next sentence
    show(served, page, replace(TOGETHER, runs=(TOGETHER.runs[0], TOGETHER.runs[2])))
    page.keyboard.press("o")  # its run is over: the command goes to no other run instead
    expect(page.locator("#answer")).to_contain_text("Choose a car first")
    assert len(served.station.commands) == 3


def test_every_car_on_the_track_has_a_clock_that_runs(served: Served, watched: Watched) -> None:
    page = watched.open(served.url)
    show(served, page, TOGETHER)
    clock = page.locator("#on-run-7 .car-clock")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    expect(page.locator("#on-run-9 .car-clock")).to_have_text("0.0")
    expect(page.locator("#lap-run-8-2")).to_contain_text("Best of the race")
    expect(page.locator("#lap-run-7-3")).to_contain_text("Racer's best")
    show(served, page, VIEW)
    expect(page.locator(".car-card")).to_have_count(0)
    expect(page.locator(".run-card")).to_be_visible()


@pytest.mark.parametrize(("key", "command"), [
    ("y", AssignCrossing(author="operator", reason="assigned by an official", number=41, run_id="run-8")),
    ("n", DismissProposal(author="operator", reason="dismissed by an official", at_ns=190 * S, run_id="run-8")),
])  # fmt: skip
def test_a_doubt_is_answered_with_one_key(served: Served, watched: Watched, key: str, command: Command) -> None:
    page = watched.open(f"{served.url}/operate")
    show(served, page, TOGETHER)
    expect(page.locator(".decision")).to_contain_text("Gate: a crossing")
    expect(page.locator(".decision")).to_contain_text("Cars: most likely Grace Hopper, 63 %")
    page.keyboard.press(key)
    assert served.station.commanded.acquire(timeout=30)
    assert served.station.commands == [command]


def test_a_question_takes_all_keys_also_where_nothing_in_it_has_the_focus(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/operate")
    show(served, page, TOGETHER)
    expect(page.locator(".decision")).to_contain_text("Gate: a crossing")
    page.evaluate("document.getElementById('ask').showModal()")
    page.evaluate("document.activeElement.blur()")
    assert page.evaluate("document.activeElement.closest('dialog')") is None
    for key in page.evaluate("[...document.querySelectorAll('[data-key]')].map((each) => each.dataset.key)"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.closest('dialog') || document.activeElement === document.body")
    page.evaluate("document.getElementById('ask').close()")
    page.keyboard.press("n")
    assert served.station.commanded.acquire(timeout=30)
    [command] = served.station.commands
    assert isinstance(command, DismissProposal)


def test_the_gates_page_shows_each_sensor_and_follows(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/gates")
    show(served, page, TESTING)
    card = page.locator("#card-start")
    for words in ("not ready", "± 212 µs", "+17.2 ppm", "+12.345679 s", "57", "beam-b", "blocked", "31/min", "12 %"):
        expect(card).to_contain_text(words)
    expect(card.locator(".gate-notes")).to_contain_text("Numbers missing. The passing numbers 13 to 14 are missing")
    show(served, page, replace(TESTING, gates=(replace(FULL_GATE, stuck=()), SPLIT)))
    expect(card.locator(".gate-state")).to_have_text("● ready")
    assert watched.errors == []


def test_the_tick_comes_with_the_cars_own_word(served: Served, watched: Watched) -> None:
    served.station.answer = Accepted(9, car="car-1", goal="start")
    ready = replace(VIEW, cars=(replace(CAR, mode="ready"),))
    page = watched.open(f"{served.url}/operate")
    show(served, page, ready)
    page.keyboard.press("s")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("ordered. car-1 has not confirmed it yet")
    assert "✓" not in answer.inner_text()
    show(served, page, replace(ready, cars=(replace(CAR, mode="ready", online=False),)))
    expect(answer).to_have_text("✕ Start: ordered, but car-1 is silent.")
    show(served, page, VIEW)
    expect(answer).to_have_text("✓ Start: car-1 is driving")


def test_a_car_without_agent_is_started_by_hand_with_a_reason(served: Served, watched: Watched) -> None:
    served.station.answer = Declined("car-1 has never reported: switch it on, or start it by hand.")
    page = watched.open(f"{served.url}/operate")
    page.keyboard.press("s")
    expect(page.locator("#answer")).to_contain_text("never reported")
    served.station.answer = Accepted(9)
    page.click("text=Start by hand")
    page.fill("#ask-reason", "a stock car")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("✓")
    assert served.station.commands[-1] == StartRun(author="operator", reason="a stock car", by_hand=True)
