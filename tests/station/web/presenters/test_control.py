"""Race control's words and lists, without a browser: the checklist, what becomes of a result, the queue in German."""

from dataclasses import replace

import pytest

from shared.text.catalogue import catalogue
from station.views.event_view import EventView, RaceLine
from station.views.procedure_view import Submission
from station.views.trackside.devices import StartLightsView
from station.views.views import View
from station.web.pages.operate.checklist import CheckLine, checklist
from station.web.pages.operate.presenter import control_model
from station.web.pages.operate.run_cards import run_cards
from tests.station.web.operate_views import ARMED, ARMED_RUN, OVER, QUEUED, with_runs
from tests.station.web.sample_views import CAR, RULES, RUN, STOPPED

READY = replace(ARMED, cars=(replace(CAR, mode="disarmed"),))


def wrong(view: View) -> list[CheckLine]:
    return [line for line in checklist(view, ARMED_RUN).lines if not line.well]


def test_each_line_that_is_wrong_says_why_and_what_mends_it() -> None:
    assert wrong(READY) == []
    [clock] = wrong(replace(READY, clock=replace(READY.clock, trusted=False)))
    assert clock.act is not None
    assert (clock.act.command, clock.act.now) == ("set_clock", True)
    [stop] = wrong(replace(READY, stop=STOPPED))
    assert stop.stops
    assert stop.act is not None
    assert stop.act.command == "release_stop"
    [battery] = wrong(replace(READY, cars=(replace(CAR, mode="disarmed", battery_percent=12),)))
    assert battery.why == "12 % are left: charge it, or change it."
    [lights] = wrong(replace(READY, lights=StartLightsView(fault="gpio17: no such line.")))
    assert lights.why == "gpio17: no such line."
    assert not lights.stops
    [silent] = wrong(replace(READY, cars=(replace(CAR, online=False),)))
    assert silent.mend == "/cars"


def test_only_what_is_there_is_checked() -> None:
    said = {line.what for line in checklist(READY, ARMED_RUN).lines}
    assert not {line for line in said if "battery" in line or "lights" in line}
    full = replace(READY, lights=StartLightsView(), cars=(replace(CAR, mode="disarmed", battery_percent=84),))
    assert {"The start lights work", "The battery of car-1 is charged"} <= {
        line.what for line in checklist(full, ARMED_RUN).lines if line.well
    }


def test_what_a_stock_car_promises_is_a_line_that_nobody_has_to_override() -> None:
    bridged = replace(READY, cars=(replace(CAR, mode="disarmed", promise="best_effort"),))
    assert wrong(bridged) == []
    added = {line.what for line in checklist(bridged, ARMED_RUN).lines} - {
        line.what for line in checklist(READY, ARMED_RUN).lines
    }
    assert ["drives on when nothing reaches it" in line for line in added] == [True]
    [card] = run_cards(replace(bridged, run=ARMED_RUN, runs=()))
    assert (card.promise, card.is_best_effort) == ("best effort", True)
    assert any("Keep somebody beside the track" in note for note in card.notes)
    [plain] = run_cards(replace(READY, run=ARMED_RUN, runs=()))
    assert (plain.promise, plain.is_best_effort, plain.notes) == ("lease", False, card.notes[1:])


OVER_RUN = replace(RUN, phase="finished", proposals=())
HEAT = RaceLine("r", "Heat", "cup", RULES, 1, "Oval_track", "clockwise", "physical", 1, "open", True, 1, 1)
BY_TWO = EventView(races=(replace(HEAT, official_by_two=True),))
DECLARED = EventView(races=(replace(HEAT, state="official"),))


@pytest.mark.parametrize(
    ("submission", "run", "event", "why"),
    [
        ("submitted", OVER_RUN, EventView(), ""),
        ("waiting", OVER_RUN, EventView(), "Submit the result first."),
        ("discarded", replace(OVER_RUN, counts=False), EventView(), "It does not count."),
        ("submitted", replace(OVER_RUN, official="Ruth"), EventView(), "Declared by Ruth."),
        ("submitted", OVER_RUN, DECLARED, "The results of the race are official."),
        ("submitted", OVER_RUN, BY_TWO, "It takes two people: declare it on the run's own page."),
    ],
)
def test_a_result_is_declared_official_from_race_control_or_it_says_why_not(
    submission: Submission, run: object, event: EventView, why: str
) -> None:
    view = replace(with_runs(OVER, run, submission=submission), event=event)  # type: ignore[arg-type]
    [controls] = control_model(view).controls
    official = next(act for act in controls.end if act.id == "official")
    assert (official.why_not, official.texts) == (why, (("run_id", "run-7"),))


def test_a_run_is_worth_something_for_as_long_as_its_result_is_not_submitted() -> None:
    over = replace(OVER_RUN, score_ms=9_000)
    [waiting] = control_model(with_runs(OVER, over, submission="waiting")).cards
    [submitted] = control_model(with_runs(OVER, over, submission="submitted")).cards
    assert (bool(waiting.provisional.words), bool(submitted.provisional.words)) == (True, False)


def test_what_stands_under_a_racer_in_the_queue_is_german_for_a_german_reader() -> None:
    german = catalogue("de")
    notes = {row.place: german.translate(row.note) for row in control_model(QUEUED).queue.rows if row.note}
    assert notes == {2: "4 min zu spät", 3: "Wiederholung von run-3", 4: "nicht erschienen ×1"}
