"""What visitors see: no addresses, hashes, codes or technical alarms, in JSON, page and event stream alike."""

import dataclasses
import json
from dataclasses import replace

import pytest

from station.access.roles import Role
from station.core.event.records import EventCar
from station.core.facts import GateNoteStored, Proposal
from station.views.car_views import CarStopView, StopView
from station.views.event_view import EventView, RacerLine
from station.views.race_views import UncountedCrossing, UnknownTransponderView
from station.views.system_views import BrokerView, ManagerView, ResultProblem, StoreView, SyncView
from station.views.views import View
from station.web.pages.registry import PAGES, TOPICS
from station.web.presenters.visitors import CLOCK_NOTE, INTERRUPTION, visitor_view
from station.web.render import Pages
from tests.station.web.sample_views import CAR, FULL_GATE, RUN, TROUBLE, VIEW, S

SECRET = "10.99.88.77"  # stands wherever an address, a hash, a code or a technical sentence may stand
RACER = RacerLine("Ada", "GB", "", "", "", "car-1", (SECRET,), True, SECRET, 1)
SECRETIVE = replace(
    VIEW,
    clock=replace(VIEW.clock, trusted=False),
    run=replace(
        RUN,
        model_sha256=SECRET,
        reported_model=("mymodel", SECRET),
        model_note=SECRET,
        entered_model=SECRET,
        proposals=(Proposal("run-7", "missed_crossing", 190 * S, "cars", SECRET),),
    ),
    runs=(replace(RUN, model_sha256=SECRET, model_note=SECRET),),
    gates=(
        replace(
            FULL_GATE,
            alive=False,
            sentence=SECRET,
            sensors=(SECRET,),
            stuck=(SECRET,),
            passes=SECRET,
            doubt=SECRET,
            untried=(SECRET,),
            notes=(GateNoteStored("start", "restart", SECRET, 0, 0),),
        ),
    ),
    cars=(replace(CAR, mode="tripped", reason=SECRET, alarm=SECRET, model_sha256=SECRET),),
    broker=BrokerView(False, SECRET, 3, 1),
    sync=SyncView(1, 0, 0, 1, True, SECRET, (ResultProblem(SECRET, 1, "rejected", SECRET),), True, SECRET),
    store=StoreView(False, SECRET, 4, 10, SECRET),
    unknown_transponders=(UnknownTransponderView(SECRET, 3),),
    uncounted=(UncountedCrossing(3, "start", "beam", 0, SECRET, SECRET),),
    stop=StopView(True, "Ruth", 1, False, 500, (CarStopView("car-1", "unreached", "driving", other_boot=SECRET),)),
    manager=ManagerView(True, 1, SECRET),
    notice=SECRET,
    event=EventView(racers=(RACER,), cars=(EventCar("car-1", transponders=(SECRET,)),)),
)
TECHNICAL = ("MQTT", "roker", "frame", "sha256:", "Tripped", "tripped", "Journal", "offline", "clock is not set")


def test_the_sample_has_a_secret_in_each_part_that_is_hidden() -> None:
    document = dataclasses.asdict(SECRETIVE)
    hidden = {name for name, part in document.items() if SECRET in json.dumps(part)}
    shown = {name for name, part in dataclasses.asdict(visitor_view(SECRETIVE)).items() if SECRET in json.dumps(part)}
    assert hidden >= {"run", "runs", "gates", "cars", "broker", "sync", "store", "stop", "manager", "notice", "event"}
    assert shown == set()


@pytest.mark.parametrize("topic", [name for name, topic in TOPICS.items() if topic.role == Role.VIEWER])
def test_no_public_topic_holds_a_secret(topic: str) -> None:
    drawn = json.dumps(dataclasses.asdict(Pages(PAGES, TOPICS).render(SECRETIVE, topic)))
    assert SECRET not in drawn
    assert [word for word in TECHNICAL if word in drawn] == []


def test_the_public_page_holds_no_secret() -> None:
    pages = Pages(PAGES, TOPICS)
    page = pages.page("live", SECRETIVE)
    assert SECRET not in page
    assert [word for word in TECHNICAL if word in page] == []
    assert INTERRUPTION in page
    assert SECRET in pages.page("operate", SECRETIVE)


@pytest.mark.parametrize(
    ("view", "interrupted"),
    [
        (VIEW, False),
        (TROUBLE, True),
        (replace(VIEW, store=StoreView(False, "The disk is full.", 1, 1, "")), True),
        (replace(VIEW, broker=BrokerView(False, "No broker.", 0, 0)), False),
        (replace(VIEW, cars=(replace(CAR, alarm="Tripped."),), runs=()), False),  # it is not on the track
        (replace(VIEW, cars=(replace(CAR, alarm="Tripped."),), runs=(RUN,)), True),
    ],
)
def test_what_stops_the_race_is_a_short_interruption(view: View, interrupted: bool) -> None:
    assert visitor_view(view).notice == (INTERRUPTION if interrupted else "")


def test_times_of_day_that_are_wrong_are_told_to_everybody() -> None:
    assert visitor_view(replace(VIEW, clock=replace(VIEW.clock, trusted=False))).notice == CLOCK_NOTE


def test_the_race_itself_is_shown_whole() -> None:
    seen = visitor_view(VIEW)
    assert (seen.race, seen.standing, seen.clock) == (VIEW.race, VIEW.standing, VIEW.clock)
    assert seen.run is not None
    assert seen.run.laps == RUN.laps
