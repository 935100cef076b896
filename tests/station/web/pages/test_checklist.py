"""The checklists: when each line is ticked and when it is not, what is printed in the docs, and who may tick what."""

import json
import pathlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests

from station.checklists.items import ITEMS, LISTS
from station.checklists.records import (
    NO_END_NS,
    CarSighting,
    ChecklistFacts,
    ChecklistsView,
    DiscardedRun,
    HandTick,
    SensorSighting,
    SignInSighting,
    StationSightings,
    StopSighting,
)
from station.core.event.records import EventCar, EventInfo
from station.screens.records import Screen, ScreensView
from station.screens.register import AWAY_NS
from station.views.car_views import StopView
from station.views.event_view import EventView
from station.views.gate_views import SensorView
from station.views.system_views import ResultProblem, SyncView, TargetState, TargetView
from station.views.trackside.devices import StopButtonView
from station.views.views import View
from station.web.pages.checklist.presenter import FINDINGS, HINTS, MENDS, TITLES, ChecklistRow, checklists_model
from station.web.pages.registry import PAGES
from tests.station.web.conftest import Served
from tests.station.web.sample_views import CAR, EMPTY, GATE, SPARE, VIEW, S
from tests.system.look.whole_station import ADA, FULL, RACES

NOW_NS = VIEW.clock.utc_ns  # 21 September 2026, 14:13 in UTC
M, H = 60 * S, 3600 * S
YESTERDAY_NS = NOW_NS - 24 * H
EVENT = replace(FULL, event=EventInfo("event-1", "Winter Cup", "re:Invent 2018", time_zone="Etc/UTC"))
CARS_OFF = tuple(replace(each, online=False) for each in (CAR, SPARE))
BASE = replace(VIEW, event=replace(EVENT, cars=(EventCar("car-1"), EventCar("car-2")), racers=(ADA,)))
SEEN_GATE = replace(GATE, each=tuple(SensorView(name, 4, 0, 1, None, NOW_NS - 9 * M) for name in GATE.sensors))
READY = replace(BASE, gates=(SEEN_GATE,))
STOP = StopSighting("Ruth", NOW_NS - H, ("car-1", "car-2"), ())
RUN = DiscardedRun("run-9", "car-1", 4, 3, False, NOW_NS - H, "Ada")
FACTS = ChecklistFacts(
    ("Ruth", "Max"), (), True, "", "raceday-1.zip", NOW_NS - H, NOW_NS + 90 * 24 * H, paired=("Tablet", "Phone")
)
SCREENS = ScreensView((Screen("s1", "Hall left", seen_utc_ns=NOW_NS), Screen("s2", "Pit", seen_utc_ns=NOW_NS)))
OTHER_SCORE = ResultProblem("run-1", 0, "other score", "It is posted, but with another score.")
SYNC = SyncView(3, 3, 0, 0, True, "Every result is posted.")


def known(view: View = BASE, facts: ChecklistFacts = FACTS, **sightings: Any) -> View:
    """The view of a station that has seen this."""
    return replace(view, checklists=ChecklistsView((), StationSightings(**sightings), facts))


def asked(state: TargetState, **changes: Any) -> View:
    """A station whose leaderboard said this of each race."""
    targets = tuple(
        TargetView(race.race_id, state, f"It is {state}.", checked_utc_ns=NOW_NS - (H if n else M))
        for n, race in enumerate(RACES)
    )
    return replace(BASE, sync=replace(SYNC, targets=targets, **changes))


def practice(state: TargetState) -> View:
    """Ten minutes later a race that is on answers so, which is none of the event's."""
    view = later(asked("ready"), 10)
    on = TargetView("practice", state, "", checked_utc_ns=view.clock.utc_ns)
    return replace(view, sync=replace(view.sync, targets=(*view.sync.targets, on)))


def later(view: View, minutes: int) -> View:
    """The same, seen so many minutes later."""
    return replace(view, clock=replace(view.clock, utc_ns=view.clock.utc_ns + minutes * M))


def held(*minutes: int | None) -> tuple[CarSighting, ...]:
    """What is known of car-1, car-2, …: how many minutes ago each had been held; None: never."""
    return tuple(
        CarSighting(f"car-{n}", NOW_NS, "boot-0", 1, None if at is None else NOW_NS - at * M)
        for n, at in enumerate(minutes, 1)
    )


def signed(*minutes: int, device: str = "Tablet") -> tuple[SignInSighting, ...]:
    return tuple(
        SignInSighting(name, NOW_NS - at * M, device) for name, at in zip(("Ruth", "Max"), minutes, strict=False)
    )


BY_HAND = replace(BASE, event=replace(BASE.event, cars=(EventCar("stock-1", "stock"),), racers=()), cars=())
DAY = 24 * 60

# The line, a view, the state that it must have, and a word that must be in what is said.
TABLE: list[tuple[str, View, str, str]] = [
    ("gates_tried", READY, "done", "last 14:04"),
    ("gates_tried", BASE, "open", "start · beam-a, start · beam-b"),
    ("gates_tried", known(BASE, sensors=(SensorSighting("start", "beam-a", NOW_NS),)), "open", "start · beam-b"),
    ("gates_tried", known(BASE, sensors=tuple(SensorSighting("start", each, NOW_NS) for each in GATE.sensors)),
     "done", "2 of 2"),
    ("gates_tried", replace(READY, gates=(replace(SEEN_GATE, alive=False, sentence="No word from it."),)),
     "open", "No word"),
    ("gates_tried", replace(READY, gates=(replace(SEEN_GATE, stuck=("beam-b",)),)), "open", "beam-b"),
    ("gates_tried", replace(READY, gates=(replace(SEEN_GATE, untried=("beam-b",)),)), "open", "beam-b"),
    ("gates_tried", replace(READY, gates=(replace(SEEN_GATE, doubt="Its order is wrong."),)), "open", "order"),
    ("gates_ready", EMPTY, "open", "No gate"),
    ("gates_ready", replace(READY, clock=replace(READY.clock, utc_ns=NOW_NS + 12 * H)), "open", "today"),
    ("button", BASE, "none", "no stop button"),
    ("button", replace(BASE, button=StopButtonView()), "open", "not pressed today"),
    ("button", known(replace(BASE, button=StopButtonView()), button_utc_ns=NOW_NS), "done", "14:13"),
    ("button", known(replace(BASE, button=StopButtonView()), button_utc_ns=YESTERDAY_NS), "open", "not pressed"),
    ("button", known(replace(BASE, button=StopButtonView("It is open.")), button_utc_ns=NOW_NS), "open", "It is open"),
    ("stop_tried", BASE, "open", "not given today"),
    ("stop_tried", BY_HAND, "none", "by hand"),
    ("stop_tried", known(stop=STOP), "done", "car-1, car-2"),
    ("stop_tried", known(stop=replace(STOP, others=("car-3",))), "open", "car-3"),
    ("stop_tried", known(stop=replace(STOP, stopped=())), "open", "no car"),
    ("stop_tried", known(stop=replace(STOP, stopped=("car-1",))), "open", "car-2"),  # it was never heard
    ("stop_tried", known(stop=replace(STOP, stopped=(), others=("car-1",))), "open", "car-1, car-2"),
    ("stop_tried", known(stop=replace(STOP, at_utc_ns=YESTERDAY_NS)), "open", "not given today"),
    ("stop_released", known(stop=STOP), "done", "Ruth"),
    ("stop_released", known(replace(BASE, stop=StopView(True)), stop=STOP), "open", "in force"),
    ("stop_released", BASE, "open", "not given"),
    ("cars_held", known(cars=held(1, 2)), "done", "2 cars"),
    ("cars_held", known(cars=held(1, None)), "open", "car-2"),
    ("cars_held", known(cars=held(1, DAY)), "open", "car-2"),
    ("cars_held", BY_HAND, "none", "by hand"),
    ("cars_held", replace(EMPTY, event=EventView()), "open", "No car"),
    ("cars_heard", BASE, "done", "2 cars"),
    ("cars_heard", replace(BASE, cars=CARS_OFF), "open", "car-1, car-2"),
    ("cars_heard", replace(BASE, event=replace(BASE.event, cars=(EventCar("car-1"), EventCar("toy", "none")))),
     "done", "1 started by hand"),
    ("cars_heard", replace(BASE, cars=(CAR,), event=replace(EVENT, racers=(replace(ADA, car="car-8"),))),
     "open", "car-8"),
    ("staff_run", BASE, "open", "No run"),
    ("staff_run", known(run=RUN), "done", "Ada, car-1: 4 laps until 13:13, 3 confirmed"),
    ("staff_run", known(run=replace(RUN, confirmed=0)), "open", "confirmed none"),
    ("staff_run", known(run=replace(RUN, confirmed=0, by_hand=True)), "done", "by hand"),
    ("staff_run", known(run=replace(RUN, ended_utc_ns=YESTERDAY_NS)), "open", "No run"),
    ("certificates", known(), "done", "20 December 2026"),
    ("certificates", known(facts=replace(FACTS, certificates_end_utc_ns=None)), "none", "no certificate"),
    ("certificates", known(facts=replace(FACTS, certificates_end_utc_ns=NOW_NS + 59 * 24 * H)), "open", "ends on"),
    ("certificates", known(facts=replace(FACTS, certificates_end_utc_ns=NOW_NS)), "open", "ended on"),
    ("certificates", known(facts=replace(FACTS, certificates_end_utc_ns=NO_END_NS)), "done", "no end"),
    ("certificates", known(facts=replace(FACTS, certificates_fault="It is torn.")), "open", "torn"),
    ("people", known(signed_in=signed(1, 2)), "done", "Ruth, Max"),
    ("people", known(signed_in=signed(1)), "open", "Max"),
    ("people", known(signed_in=signed(1, DAY)), "open", "Max"),
    ("people", known(signed_in=signed(1, 2, device="")), "open", "paired"),
    ("people", known(signed_in=signed(1, 2), facts=replace(FACTS, paired=("Phone",))), "open", "Ruth, Max"),
    ("people", BASE, "open", "Nobody"),
    ("racers", BASE, "done", "1 racer"),
    ("racers", EMPTY, "open", "No racer"),
    ("race", BASE, "done", "Race 2"),
    ("race", replace(BASE, event=EventView()), "open", "no race"),
    ("race", replace(BASE, event=replace(EVENT, races=tuple(replace(each, track="") for each in RACES))),
     "open", "no track"),
    ("leaderboard", asked("ready"), "done", "5 races"),
    ("leaderboard", asked("unstated"), "done", "5 races"),
    ("leaderboard", later(asked("ready"), 5), "open", "of 14:12"),
    ("leaderboard", later(asked("unstated"), 3 * DAY), "open", "of 21 September 2026, 14:12"),
    ("leaderboard", later(asked("ready"), 3), "done", "5 races"),
    ("leaderboard", practice("ready"), "done", "5 races"),  # the race that is on, and so asked, is none of the event's
    ("leaderboard", practice("unreachable"), "open", "of 14:12"),
    ("leaderboard_now", later(asked("ready"), 5), "open", "of 14:12"),
    ("leaderboard", asked("missing"), "open", "It is missing"),
    ("leaderboard", asked("unreachable"), "open", "It is unreachable"),
    ("leaderboard", asked(""), "open", "Race 0"),
    ("leaderboard", asked("ready", alive=False), "open", "not running"),
    ("leaderboard", asked("ready", configured=False), "none", "No leaderboard"),
    ("leaderboard_now", asked("ready"), "done", ""),
    ("leaderboard_now", asked("ready", pending=1, sentence="It waits."), "open", "It waits"),
    ("leaderboard_now", asked("unreachable"), "open", "unreachable"),
    ("posted", asked("ready"), "done", "3 results"),
    ("posted", asked("ready", rejected=1, sentence="No such race."), "open", "No such race"),
    ("posted", asked("ready", troubles=(OTHER_SCORE,)), "open", "another score"),
    ("posted", asked("ready", due=5, posted=3), "done", "3 results are posted, 2 are kept here"),
    ("posted", asked("ready", due=0, posted=0), "open", "No result"),
    ("posted", asked("ready", configured=False), "none", "No leaderboard"),
    ("screens", replace(BASE, screens=SCREENS), "done", "2 screens"),
    ("screens", replace(BASE, screens=replace(SCREENS, screens=(replace(SCREENS.screens[0], name="Screen 3"),))),
     "open", "Screen 3"),
    ("screens", BASE, "open", "No screen"),
    ("screens_here", replace(BASE, screens=SCREENS,
                             clock=replace(BASE.clock, utc_ns=NOW_NS + AWAY_NS + 1)), "open", "Hall left, Pit"),
    ("backup", known(), "done", "raceday-1.zip, 13:13"),
    ("backup", known(facts=replace(FACTS, backup_utc_ns=YESTERDAY_NS)), "open", "20 September 2026"),
    ("backup", known(facts=replace(FACTS, backup_utc_ns=None)), "open", "no backup"),
    ("backup", known(facts=replace(FACTS, backups_fault="It cannot be read.")), "open", "cannot be read"),
    ("backup", known(facts=ChecklistFacts()), "none", "no backups"),
    ("backup_last", known(), "done", "13:13"),
    ("backup_last", known(last_lap_utc_ns=NOW_NS - 30 * M), "open", "13:43"),
    ("backup_last", known(facts=replace(FACTS, backup_utc_ns=NOW_NS), last_lap_utc_ns=NOW_NS - M), "done", "14:13"),
    ("clock", BASE, "done", "14:13 · Etc/UTC"),
    ("clock", replace(BASE, clock=replace(BASE.clock, trusted=False)), "open", "not set"),
    ("journal", BASE, "done", "412 records"),
    ("journal", replace(BASE, store=replace(BASE.store, sentence="Nearly full.")), "open", "Nearly full"),
    ("journal", replace(BASE, store=replace(BASE.store, ok=False, sentence="Full.")), "open", "Full"),
    ("broker", BASE, "done", "Connected"),
    ("broker", replace(BASE, broker=replace(BASE.broker, connected=False, sentence="Refused.")), "open", "Refused"),
    ("broker", replace(BY_HAND, broker=replace(BASE.broker, connected=False)), "none", "by hand"),
    ("official", replace(BASE, event=replace(EVENT, races=(RACES[3], RACES[4]))), "done", "Race 3"),
    ("official", BASE, "open", "Race 1, Race 2"),
    ("official", EMPTY, "open", "No race"),
]  # fmt: skip


def test_a_line_is_not_ticked_once_nobody_watches_for_it() -> None:
    """Each line that the table has ticked by what was seen or read is open then, and the rest stays as it is."""
    for line, view, state, word in TABLE:
        blind = replace(view, checklists=replace(view.checklists, watch_fault="It no longer watches."))
        row, by_watch = rows(blind)[line], view.checklists != ChecklistsView() or line.startswith("gates")
        if state == "done" and by_watch:
            assert (row.state, row.detail) == ("open", "It no longer watches."), line
        else:
            assert row.state == state, (line, word)


def rows(view: View) -> Mapping[str, ChecklistRow]:
    model = checklists_model(view)
    return {row.item: row for row in (*model.day_before, *model.morning, *model.evening)}


@pytest.mark.parametrize(("line", "view", "state", "word"), TABLE)
def test_a_line_is_ticked_by_what_is_so(line: str, view: View, state: str, word: str) -> None:
    row = rows(view)[line]
    assert (row.state, row.by_hand) == (state, False), row.detail
    assert word in row.detail


def test_every_line_of_the_station_is_tried_both_ways() -> None:
    of_station = {each.key for each in ITEMS.values() if each.by_station}
    assert set(FINDINGS) == of_station
    assert {(line, "open") for line in of_station} <= {(line, state) for line, _, state, _ in TABLE}
    assert {(line, "done") for line in of_station - {"gates_ready", "screens_here"}} <= {
        (line, state) for line, _, state, _ in TABLE
    }
    assert set(HINTS) <= set(ITEMS) - of_station
    assert set(MENDS) <= {page.path for page in PAGES}


def ticked(tick: HandTick, view: View = BASE) -> ChecklistRow:
    return rows(replace(view, checklists=ChecklistsView((tick,))))[tick.key]


@pytest.mark.parametrize(("tick", "state", "detail"), [
    (HandTick("road", "Ruth", NOW_NS - M), "done", "Ruth, 14:12"),
    (HandTick("road", "Ruth", NOW_NS - M, on=False), "open", "Taken back by Ruth, 14:12"),
    (HandTick("road", "Ruth", YESTERDAY_NS), "open", "Last ticked by Ruth, 20 September 2026, 14:13"),
    (HandTick("road", "Ruth", YESTERDAY_NS, on=False), "open", ""),
    (HandTick("batteries", "Ruth", NOW_NS), "done", "Ruth, 14:13"),
])  # fmt: skip
def test_a_line_of_people_is_ticked_until_the_day_ends(tick: HandTick, state: str, detail: str) -> None:
    row = ticked(tick)
    assert (row.state, row.detail, row.by_hand) == (state, detail, True)


def test_the_day_is_that_of_the_events_place() -> None:
    """At 14:13 in UTC it is 02:13 of the next day in Auckland: what was ticked three hours ago was yesterday."""
    there = replace(BASE, event=replace(EVENT, event=EventInfo("e", "Cup", time_zone="Pacific/Auckland")))
    assert ticked(HandTick("road", "Ruth", NOW_NS - 3 * H), there).state == "open"
    assert ticked(HandTick("road", "Ruth", NOW_NS - H), there).state == "done"
    assert ticked(HandTick("road", "Ruth", NOW_NS - 3 * H)).state == "done"


def test_what_is_not_needed_is_not_counted_and_the_battery_is_told_but_not_ticked() -> None:
    view = replace(BASE, cars=(replace(CAR, battery_percent=84), SPARE))
    row = rows(view)["batteries"]
    assert (row.state, row.detail) == ("open", "car-1 84 % · not reported: car-2")
    model = checklists_model(known(view, stop=STOP))
    before = {each.anchor: (each.done, each.of) for each in model.counts}
    lines = len([each for each in ITEMS.values() if each.list_name == "day_before"])
    none = [row for row in model.day_before if row.state == "none"]
    assert before["day_before"] == (sum(row.state == "done" for row in model.day_before), lines - len(none))
    assert none


def printed(document: str) -> list[tuple[str, str, bool]]:
    """The lines of the docs: the title of their list, the sentence, and whether the station ticks them."""
    lines, title = [], ""
    for line in document.splitlines():
        if line.startswith("## "):
            title = line[3:]
        if line.startswith("- [ ] "):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line[6:]).replace("`", "")
            sentence, marked, _ = plain.partition(" *(station)*")
            lines.append((title, sentence, bool(marked)))
    return lines


def test_the_paper_and_the_page_say_the_same() -> None:
    document = pathlib.Path(__file__).parents[4] / "docs" / "checklists.md"
    items = [(str(TITLES[each.list_name]), str(each.sentence), each.by_station) for each in ITEMS.values()]
    assert printed(document.read_text(encoding="utf-8")) == items
    assert [each.list_name for each in ITEMS.values()] == sorted(
        (each.list_name for each in ITEMS.values()), key=LISTS.index
    )


def test_over_http(served: Served, served_elsewhere: Served) -> None:
    tick = {"line": "road", "done": True}
    assert requests.post(f"{served.url}/api/v1/checklist", json=tick, timeout=60).json() == {"accepted": True}
    page = requests.get(f"{served.url}/checklist", timeout=60).text
    assert page.count('aria-checked="true"') == 1
    assert "operator, " in page
    bad: object
    for bad in ({}, [], "road", {**tick, "line": "nothing"}, {**tick, "line": "gates_tried"}, {**tick, "done": 1},
                {**tick, "more": 1}):  # fmt: skip
        answer = requests.post(f"{served.url}/api/v1/checklist", json=bad, timeout=60)
        assert answer.status_code == 400, bad
        assert answer.json()["error"].endswith(".")
    long = requests.post(f"{served.url}/api/v1/checklist", json={**tick, "line": "x" * 10_000}, timeout=60)
    assert long.status_code == 413
    form = {"content-type": "text/plain"}
    answer = requests.post(f"{served.url}/api/v1/checklist", json.dumps(tick), headers=form, timeout=60)
    assert answer.status_code == 415
    assert "checklists" not in requests.get(f"{served.url}/api/v1/state", timeout=60).json()  # it is not known there
    elsewhere = served_elsewhere.url
    assert requests.post(f"{served.url}/api/v1/checklist", json={**tick, "done": False}, timeout=60).status_code == 200
    logged = [each for _, each in served.access.state.events() if each.subject == "road"]
    assert [each.deed for each in logged] == ["line_ticked", "line_taken_back"], "what is refused is no act"
    audit = requests.get(f"{served.url}/audit?what=tick", timeout=60).text
    assert audit.count("Road taped down") == 2, "each act once, though the last one is on file too"
    assert "Tick a line of the checklists" in audit
    german = requests.get(f"{served.url}/audit", headers={"accept-language": "de"}, timeout=60).text
    assert "Eine Zeile der Checklisten abhaken" in german
    assert "Bahn festgeklebt" in german
    assert requests.post(f"{elsewhere}/api/v1/checklist", json=tick, timeout=60).status_code in (401, 403)
    assert requests.get(f"{elsewhere}/checklist", timeout=60, allow_redirects=False).status_code in (303, 401, 403)
