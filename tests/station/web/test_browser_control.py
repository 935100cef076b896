"""Race control in a real browser: by keyboard, with one car and several; questions, rulings, the queue, the stop."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from station.core.inputs import (
    AddCrossing,
    AddPenalty,
    ArmRun,
    AssignCrossing,
    CallNext,
    Collision,
    Command,
    ContinueRace,
    DismissProposal,
    DropCrossing,
    FinishRun,
    HandTime,
    LeaveQueue,
    MarkDnf,
    MoveInQueue,
    Official,
    OffTrack,
    OpenRun,
    OrderCar,
    PauseRace,
    QueueRacer,
    Relaunch,
    SetMode,
    StageRun,
    StartRun,
    StopAll,
    SubmitRun,
    TakeBack,
    VoidLap,
)
from station.views.command_answers import Accepted, Declined, RulingEffect, RunFigures
from station.views.runs.run_archive import LastAct
from station.views.views import View
from tests import geometry
from tests.browser import Watched, keep_picture, violations
from tests.station.web.conftest import Served
from tests.station.web.operate_views import (
    ARMED,
    CALLED,
    ONE,
    OVER,
    PAUSED,
    QUEUED,
    SIX,
    STAGED,
    STATES,
    THREE,
    with_runs,
)
from tests.station.web.sample_views import CAR, FULL_GATE, RUN, SPLIT, TESTING, VIEW, S
from tests.station.web.test_browser import show

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def served(served_once: Served) -> Served:
    served_once.station.begin_anew()
    return served_once


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Watched(context.new_page())
    context.close()


def opened(served: Served, watched: Watched, view: View) -> Page:
    page = watched.open(f"{served.url}/operate")
    show(served, page, view)
    return page


def given(served: Served, count: int) -> list[Command]:
    """The commands, once there are so many; what says on which device they were given does not matter here."""
    for _ in range(count):
        assert served.station.commanded.acquire(timeout=30)
    commands = [replace(command, device="") for command in served.station.commands]
    served.station.commands.clear()
    return commands


def named(command: type[Command], /, **fields: object) -> Command:
    return command(author="operator", **fields)  # type: ignore[arg-type]


# What is pressed on the keyboard in which state, and the command that follows.
KEYS: dict[str, tuple[View, str, Command]] = {
    "call next": (QUEUED, "n", named(CallNext)),
    "open the run": (CALLED, "e", named(OpenRun, racer="Katherine Johnson", car="car-1")),
    "start": (ARMED, "s", named(StartRun, run_id="run-7")),
    "start lights": (ARMED, "l", named(StageRun, run_id="run-7")),
    "stop the lights": (STAGED, "b", named(Relaunch, run_id="run-7")),
    "off track": (ONE, "o", named(OffTrack, run_id="run-7")),
    "hand time": (ONE, "t", named(HandTime, run_id="run-7")),
    "finish needs no reason": (ONE, "f", named(FinishRun, run_id="run-7")),
    "pause": (ONE, "p", named(PauseRace)),
    "continue": (PAUSED, "p", named(ContinueRace)),
    "stop the car": (ONE, ".", named(OrderCar, car="car-1", action="stop")),
    "submit": (OVER, "m", named(SubmitRun, run_id="run-7")),
    "a question": (ONE, "y", named(AddCrossing, at_ns=150 * S, run_id="run-7", reason="as proposed by car-1")),
    "stop all cars": (ONE, "x", named(StopAll)),
}  # fmt: skip


def test_each_state_has_its_keys(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/operate")
    for what, (view, key, command) in KEYS.items():
        cars = (replace(view.cars[0], mode="ready"),) if view is CALLED else view.cars
        show(served, page, replace(view, cars=cars))
        page.keyboard.press(key)
        assert given(served, 1) == [command], what
    assert watched.errors == []


NEXT = {
    "queued": "Call next",
    "called": "Open the run",
    "armed": "Start",
    "staged": "Stop the lights",
    "one": "Finish",
    "over": "Submit the result",
    "paused": "Continue",
}


def test_one_button_says_what_comes_next(served: Served, watched: Watched) -> None:
    page = watched.open(f"{served.url}/operate")
    for state, words in NEXT.items():
        show(served, page, STATES[state])
        primary = page.locator(".controls-column .primary:visible")
        expect(primary).to_have_count(1)
        expect(primary.locator(".what")).to_have_text(words)


def test_what_cannot_be_done_says_why_and_does_nothing(served: Served, watched: Watched) -> None:
    page = opened(served, watched, replace(ARMED, cars=()))
    start = page.locator("#start")
    expect(start).to_have_attribute("aria-disabled", "true")
    expect(start.locator(".why")).to_have_text("car-1 does not answer: check it, or start it by hand.")
    page.keyboard.press("s")
    expect(page.locator("#answer")).to_have_text("✕ car-1 does not answer: check it, or start it by hand.")
    assert served.station.commands == []


def test_it_fits_one_screen_and_nothing_is_clipped_in_any_state(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    page = Watched(context.new_page()).open(f"{served.url}/operate")
    found = []
    for state, view in STATES.items():
        show(served, page, view)
        assert page.evaluate("document.documentElement.scrollHeight") == 800, state
        found += [f"{state}: {fault}" for fault in geometry.faults(page)]
        keep_picture(page, f"operate-{state}-1280")
    page.set_viewport_size({"width": 390, "height": 844})
    for state in ("one", "armed", "six", "stopped"):
        show(served, page, STATES[state])
        found += [f"{state} on a phone: {fault}" for fault in geometry.faults(page)]
        keep_picture(page, f"operate-{state}-390")
    found += violations(page)  # the phone's page has buttons of its own; tests/system/look has the other states
    context.close()
    assert found == []


def test_the_question_is_under_the_clock_and_only_the_one_that_is_shown_is_answered(
    served: Served, watched: Watched
) -> None:
    two = replace(RUN, proposals=(RUN.proposals[0], replace(RUN.proposals[0], at_ns=190 * S)))
    page = opened(served, watched, replace(THREE, runs=(two, *THREE.runs[1:2])))
    shown = page.locator(".question:visible")
    expect(shown).to_have_count(1)
    box = shown.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 800 - 64
    page.locator("[data-next-question]:visible").click()
    page.keyboard.press("n")
    [answer] = given(served, 1)
    assert isinstance(answer, DismissProposal | AssignCrossing)
    assert getattr(answer, "at_ns", 0) == 190 * S


def test_a_ruling_shows_its_effect_before_it_is_done(served: Served, watched: Watched) -> None:
    before = RunFigures("run-7", "Ada Lovelace", 3, 3_199, True, 3_199, 1)
    effect = RulingEffect(before, replace(before, lap_ms=4_699, place=3), "Lap 3: 3.199 → 4.699. Place: 1 → 3.")
    served.station.answer = Accepted(413, "run-7", effect=effect)
    asked: list[dict[str, object]] = []

    def preview(route: object) -> None:
        asked.append(json.loads(route.request.post_data))  # type: ignore[attr-defined]
        body = json.dumps({"effect": {"sentence": f"{asked[-1]['command']} would change this."}})
        route.fulfill(status=200, content_type="application/json", body=body)  # type: ignore[attr-defined]

    watched.page.route("**/api/v1/preview", preview)
    page = opened(served, watched, ONE)
    page.get_by_role("button", name="Ruling on lap 3").press("Enter")
    expect(page.locator("#ruling .effect").first).to_have_text("void_lap would change this.")
    page.locator("[data-seconds]:visible").fill("1,5")
    expect(page.locator("#ruling .ruling-act", has=page.locator("[data-seconds]"))).to_contain_text("add_penalty would")
    assert asked[-1]["seconds"] == "1,5"
    page.fill("#ruling-reason", "pushed the cone")
    page.get_by_role("button", name="Penalty in seconds").click()
    expect(page.locator("#answer")).to_contain_text("Lap 3: 3.199 → 4.699. Place: 1 → 3.")
    penalty = named(AddPenalty, reason="pushed the cone", number=3, seconds=1.5, run_id="run-7")
    assert given(served, 1) == [penalty]
    page.get_by_role("button", name="Ruling on lap 4").click()
    page.get_by_role("button", name="Void", exact=True).click()
    assert given(served, 1) == [named(VoidLap, number=4, run_id="run-7")]
    page.get_by_role("button", name="Ruling on lap 2").click()
    page.get_by_role("button", name="Take back: off track").click()
    assert given(served, 1) == [named(TakeBack, kind="off_track", number=2, run_id="run-7")]


def test_a_comma_that_can_be_read_in_two_ways_is_not_guessed(served: Served, watched: Watched) -> None:
    page = opened(served, watched, ONE)
    page.get_by_role("button", name="Ruling on lap 3").click()
    page.locator("[data-seconds]:visible").fill("1,500")
    page.get_by_role("button", name="Penalty in seconds").click()
    expect(page.locator("#answer")).to_contain_text("can be read as 1.5 or as 1500")
    assert served.station.commands == []


def test_an_incident_can_go_to_the_lap_before_and_the_count_is_on_the_key(served: Served, watched: Watched) -> None:
    page = opened(served, watched, ONE)
    expect(page.locator("#off_track .count")).to_have_text("1")
    page.click("#off_track-before")
    assert given(served, 1) == [named(OffTrack, run_id="run-7", number=6)]


def test_with_several_cars_a_command_goes_where_it_was_chosen_to_go(served: Served, watched: Watched) -> None:
    page = opened(served, watched, THREE)
    page.keyboard.press("2")
    page.keyboard.press("o")
    assert given(served, 1) == [named(OffTrack, run_id="run-8")]
    page.keyboard.press(".")
    assert given(served, 1) == [named(OrderCar, car="car-2", action="stop")]
    show(served, page, replace(THREE, runs=(THREE.runs[0], THREE.runs[2])))
    page.keyboard.press("o")  # its run is over: the command goes to no other run instead
    page.keyboard.press("1")
    page.keyboard.press("o")
    assert given(served, 1) == [named(OffTrack, run_id="run-7")]
    show(served, page, SIX)
    page.keyboard.press("6")
    page.keyboard.press("f")
    assert given(served, 1) == [named(FinishRun, run_id="run-12")]


def test_the_queue_is_ordered_by_buttons_keys_and_dragging(served: Served, watched: Watched) -> None:
    page = opened(served, watched, QUEUED)
    rows = page.locator(".queue-row.waiting")
    expect(rows).to_have_count(5)
    expect(page.locator(".queue-more")).to_have_text("2 more wait")
    rows.nth(2).locator("summary").click()
    page.get_by_role("button", name="Up: Grace Hopper").click()
    assert given(served, 1) == [named(MoveInQueue, racer="Grace Hopper", place=2)]
    rows.nth(2).locator("summary").press("Alt+ArrowDown")
    assert given(served, 1) == [named(MoveInQueue, racer="Grace Hopper", place=4)]
    rows.nth(4).drag_to(rows.nth(0))
    assert given(served, 1) == [named(MoveInQueue, racer="Alan Turing", place=1)]
    page.get_by_role("button", name="Remove Grace Hopper").click()
    assert given(served, 1) == [named(LeaveQueue, racer="Grace Hopper")]


def test_a_racer_is_added_or_runs_at_once(served: Served, watched: Watched) -> None:
    page = opened(served, watched, QUEUED)
    page.keyboard.press("/")
    page.keyboard.type("Barbara Liskov")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_text("✓ Barbara Liskov queued")
    page.keyboard.press("/")
    page.fill("#add [name=racer]", "Al")
    page.fill("#add [name=car]", "car-2")
    page.get_by_role("button", name="Open the run now").click()
    expect(page.locator("#answer")).to_contain_text("Run of Al opened")
    assert given(served, 2) == [
        named(QueueRacer, racer="Barbara Liskov"),
        named(OpenRun, racer="Al", car="car-2", throttle_percent=100),
    ]


CLOSED_AND_OPENED_AT_ONCE = """() => {
  document.getElementById("checklist").close();
  document.querySelector("button[data-dialog=checklist]").click();
}"""


def test_the_checklist_stands_before_arming_and_is_overridden_with_a_reason_or_not_at_all(
    served: Served, watched: Watched
) -> None:
    page = opened(served, watched, replace(ARMED, cars=(replace(CAR, mode="disarmed"),), gates=(FULL_GATE, SPLIT)))
    page.keyboard.press("a")
    expect(page.locator("#checklist .check.wrong")).to_contain_text("Gate start")
    expect(page.locator("#checklist .check.wrong")).to_contain_text("Something blocks the beam of beam-b.")
    page.click("#checklist-override")  # no reason, no override
    expect(page.locator("#checklist")).to_be_visible()
    page.evaluate(CLOSED_AND_OPENED_AT_ONCE)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.fill("#checklist-reason", "hand timing beside it")
    page.click("#checklist-override")
    assert given(served, 1) == [named(ArmRun, run_id="run-7", override_reason="hand timing beside it")]
    testing = replace(ARMED, cars=(replace(CAR, mode="disarmed"),), mode="test")
    show(served, page, testing)
    page.keyboard.press("a")
    expect(page.locator("#checklist-override")).to_be_disabled()  # test mode is put right, not overridden
    page.locator("#checklist").get_by_role("button", name="Race mode").click()
    assert given(served, 1) == [named(SetMode, mode="race")]
    show(served, page, replace(testing, mode="race"))
    page.locator("#checklist-arm").click()
    assert given(served, 1) == [named(ArmRun, run_id="run-7")]
    page.keyboard.press("a")  # all is well: it is armed at once
    assert given(served, 1) == [named(ArmRun, run_id="run-7")]


def test_a_gate_that_the_station_refuses_is_overridden_with_a_reason(served: Served, watched: Watched) -> None:
    served.station.answer = Declined("The gate start is not ready (x): fix it, or give an `override_reason`.")
    page = opened(served, watched, replace(ARMED, cars=(replace(CAR, mode="disarmed"),)))
    page.keyboard.press("a")
    expect(page.locator("#override-why")).to_have_text("The gate start is not ready (x).")
    page.fill("#override-reason", "a spare beam")
    served.station.answer = Accepted(9)
    page.click("text=Arm anyway")
    expect(page.locator("#answer")).to_contain_text("overridden")
    assert given(served, 2)[-1] == named(ArmRun, run_id="run-7", override_reason="a spare beam")


def test_ordered_is_not_done_before_the_cars_own_mode_says_so(served: Served, watched: Watched) -> None:
    served.station.answer = Accepted(9, car="car-1", goal="start")
    page = opened(served, watched, ARMED)
    page.keyboard.press("s")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("ordered. car-1 has not confirmed it yet")
    assert "✓" not in answer.inner_text()
    show(served, page, VIEW)
    expect(answer).to_have_text("✓ Start: car-1 is driving")
    show(served, page, ARMED)
    page.keyboard.press("s")
    show(served, page, replace(ARMED, cars=(replace(CAR, mode="ready", online=False),)))
    expect(answer).to_have_text("✕ Start: ordered, but car-1 is silent.")


def test_what_needs_a_reason_asks_for_it_and_can_be_left(served: Served, watched: Watched) -> None:
    page = opened(served, watched, ONE)
    page.click("#dnf")
    page.keyboard.press("Enter")  # no reason: it stays open
    expect(page.locator("#ask")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    assert served.station.commands == []
    page.click("#dnf")
    page.keyboard.type("a wheel came off")
    page.keyboard.press("Enter")
    assert given(served, 1) == [named(MarkDnf, run_id="run-7", reason="a wheel came off")]
    show(served, page, with_runs(OVER, OVER.run, submission="submitted"))  # type: ignore[arg-type]
    page.click("#official")
    page.keyboard.press("Enter")  # it is confirmed, and may be without a reason
    assert given(served, 1) == [named(Official, run_id="run-7")]
    show(served, page, ONE)
    page.get_by_role("button", name="More", exact=True).click()
    page.click("text=False first crossing")
    page.keyboard.type("a hand")
    page.keyboard.press("Enter")
    assert given(served, 1) == [named(DropCrossing, number=0, run_id="run-7", reason="a hand")]


def test_a_stamp_keeps_every_nanosecond(served: Served, watched: Watched) -> None:
    at_ns = 9_107_199_254_740_993
    page = opened(served, watched, replace(ONE, runs=(replace(RUN, flagged=(at_ns,), proposals=()),)))
    page.keyboard.press("y")
    page.keyboard.type("it was a lap")
    page.keyboard.press("Enter")
    [command] = given(served, 1)
    assert isinstance(command, AddCrossing)
    assert command.at_ns == at_ns


def test_single_keys_can_be_turned_off_one_by_one_and_answers_are_logged(served: Served, watched: Watched) -> None:
    page = opened(served, watched, ONE)
    undo = page.locator("[data-undo]:visible")
    expect(undo).to_contain_text("Nothing to undo.")
    served.station.own_acts = (
        LastAct(12, 0, "run-7", "Off track"),
        LastAct(11, 0, "run-7", "Collision", undone=True),
        LastAct(10, 0, "run-6", "Void lap 3"),
    )
    page.keyboard.press("o")
    expect(page.locator("#answer")).to_have_text("✓ Off track")
    expect(page.locator("#answer")).to_have_attribute("data-at", re.compile(r"\d:\d\d:\d\d"))
    expect(undo.locator(".count")).to_have_text("2")
    expect(undo.locator(".why")).to_have_text("Off track · run-7")
    show(served, page, THREE)  # its row is drawn again
    show(served, page, ONE)
    expect(undo.locator(".why")).to_have_text("Off track · run-7")
    page.keyboard.press("?")
    page.locator("#key-lines label", has_text="Off track").get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Close", exact=True).click()
    page.keyboard.press("o")
    page.keyboard.press("c")
    expect(page.locator("#answer")).to_have_text("✓ Collision")
    assert [type(command).__name__ for command in given(served, 2)] == ["OffTrack", "Collision"]
    page.reload()
    expect(page.locator("#off_track kbd")).to_be_hidden()
    page.keyboard.press("o")
    page.keyboard.press("c")
    expect(page.locator("#answer")).to_have_text("✓ Collision")
    page.get_by_role("button", name="Log", exact=True).click()
    expect(page.locator("#log-lines li")).to_have_count(1)


def test_a_dialog_takes_all_keys_also_where_nothing_in_it_has_the_focus(served: Served, watched: Watched) -> None:
    page = opened(served, watched, ONE)
    page.evaluate("document.getElementById('ask').showModal()")
    page.evaluate("document.activeElement.blur()")
    for key in page.evaluate("[...document.querySelectorAll('[data-key]')].map((each) => each.dataset.key)"):
        page.keyboard.press(key)
    assert served.station.commands == []
    page.keyboard.press("Control+.")
    assert given(served, 1) == [named(StopAll)]


def test_test_mode_is_shouted_and_left_by_an_official(served: Served, watched: Watched) -> None:
    page = opened(served, watched, VIEW)
    expect(page.locator(".mode-banner")).to_have_count(0)
    page.get_by_role("button", name="More", exact=True).click()
    page.click("text=Test mode")
    assert given(served, 1) == [named(SetMode, mode="test")]
    show(served, page, TESTING)
    expect(page.locator(".mode-banner")).to_contain_text("do not count")
    assert page.title().startswith("TEST")
    expect(page.locator("[data-mode-of=test]")).to_have_attribute("aria-pressed", "true")


def test_the_start_lights_follow_the_stations_clock(served: Served, watched: Watched) -> None:
    page = opened(served, watched, STAGED)
    expect(page.locator(".start-light.lit")).to_have_count(5)
    expect(page.locator(".start-light.lit")).to_have_count(0)


def test_every_car_on_the_track_has_a_clock_that_runs(served: Served, watched: Watched) -> None:
    page = opened(served, watched, THREE)
    clock = page.locator("#run-run-7 .running-clock")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    expect(page.locator("#run-run-9 .running-clock")).to_have_text("0.0")


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


def test_the_referee_counts_by_thumb_and_sees_what_was_done_last(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    page = context.new_page()
    acts = [{"words": f"Off track in lap {number}", "undone": number == 2} for number in range(7, 0, -1)]
    page.route("**/api/v1/acts", lambda route: route.fulfill(json={"acts": acts}))
    Watched(page).open(f"{served.url}/referee")
    show(served, page, THREE)
    expect(page.locator(".tile-of-car")).to_have_count(3)
    expect(page.locator("#my-acts li")).to_have_count(5)
    page.click("#collision-run-8")
    assert given(served, 1) == [named(Collision, run_id="run-8")]
    page.click("#off_track-before-run-7")
    assert given(served, 1) == [named(OffTrack, run_id="run-7", number=4)]
    page.keyboard.press("z")
    assert [type(command).__name__ for command in given(served, 1)] == ["UndoLast"]
    small = "[...document.querySelectorAll('.tile-of-car button')].filter((b) => b.offsetHeight < 64).length"
    assert page.evaluate(small) == 0
    assert page.locator("[data-command=start], [data-command=finish], [data-command=arm]").count() == 0
    found = []
    for state in ("one", "three", "queued", "stopped"):
        show(served, page, STATES[state])
        for width, height in ((1280, 800), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            found += [f"{state} at {width}: {fault}" for fault in geometry.faults(page)]
            keep_picture(page, f"referee-{state}-{width}")
    found += violations(page)  # on the phone; tests/system/look has the other states
    context.close()
    assert found == []
