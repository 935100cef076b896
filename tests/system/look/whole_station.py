"""A station of which every page has something to show, and the views of all states that its pages can be in."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from station.core.event.records import EventCar, EventInfo, RaceState
from station.views.event_view import EventView, RaceLine, RacerLine
from station.views.runs.run_archive import RunPage, RunSummary
from station.views.views import View
from tests.station.exports.sample_results import sample
from tests.station.web import operate_views
from tests.station.web.archived_runs import ArchiveRig, working
from tests.station.web.pages.test_audit_page import COMMANDS
from tests.station.web.pages.test_commentator import TOLD
from tests.station.web.sample_views import EMPTY, RULES, TESTING, TROUBLE, VIEW, FakeStation

STATES_OF_RACES: tuple[RaceState, ...] = ("draft", "open", "running", "official", "closed")
RACES = tuple(
    RaceLine(
        f"race-{n}", f"Race {n}", "event-1", RULES, 1, "re:Invent 2018", "clockwise", "physical", 1,
        state, state == "running", n, n, "Ada Lovelace" if n else "", 9_412 if n else None,
    )
    for n, state in enumerate(STATES_OF_RACES)
)  # fmt: skip
ADA = RacerLine("Ada Lovelace", "GB", "Analytical", "#d62828", "apex-v3", "car-1", ("4711",), True, "K7QX2", 0)
AL = RacerLine("Al", "", "", "", "", "", (), False, "M3XY4", 2)
CARS = (EventCar("car-1"), EventCar("stock-1", "stock", ("4712",), "#2563eb"), EventCar("toy-1", "none"))
NAMED = EventInfo("event-1", "Winter Cup", "re:Invent 2018")
FULL = EventView(NAMED, RACES, (replace(RACES[4], race_id="old", name="Last year"),), (ADA, AL), CARS, ("Nobody",))
FAULTY = replace(
    TROUBLE,
    store=replace(VIEW.store, ok=False, sentence="The disk is full: free some space.", held=3),
    clock=replace(VIEW.clock, trusted=False),
)
VIEWS: dict[str, View] = {
    **operate_views.STATES,
    "nothing": EMPTY,
    "no races": replace(EMPTY, event=EventView(NAMED)),
    "full": replace(TOLD, event=FULL),
    "fault": FAULTY,
    "test": TESTING,
}


@dataclass
class WholeStation(FakeStation):
    """It has the runs of a real station as well, and the results of three races."""

    archived: dict[str, RunPage] = field(default_factory=dict)
    summaries: tuple[RunSummary, ...] = ()

    def run_list(self) -> tuple[RunSummary, ...]:
        return self.summaries

    def run_page(self, run_id: str) -> RunPage | None:
        return self.archived.get(run_id)


def whole_station(folder: pathlib.Path) -> Callable[[], WholeStation]:
    """Makes such stations; the runs of all of them are driven once."""
    rig = ArchiveRig(folder / "station.db")
    with working(rig):
        summaries = rig.station.run_list()
        pages = {each.run_id: rig.station.run_page(each.run_id) for each in summaries}
    rig.station.close()
    archived = {run_id: page for run_id, page in pages.items() if page is not None}
    archived["run-official"] = replace(archived["run-1"], race_official="Ruth")
    results = {
        "official": replace(sample(), race_id="official"),
        "race-1": replace(sample(official=False), race_id="race-1"),
        "none": replace(sample(0, official=False), race_id="none", runs=()),
    }
    return lambda: WholeStation(VIEWS["full"], results=results, acts=COMMANDS, archived=archived, summaries=summaries)
