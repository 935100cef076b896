"""The words of the pages: which laps are purple, several cars, decisions and their buttons, gates and sensors."""

import time
from dataclasses import replace

import pytest

from station.core.facts import Proposal
from station.core.inputs import AssignTransponder
from station.views.gate_views import RecentEdge
from station.views.race_views import UnknownTransponderView
from station.web.command_parser import parse_command
from station.web.pages.gates.presenter import gates_data
from station.web.pages.registry import PAGES, TOPICS
from station.web.presenters.gates import LAYOUT_NOT_SET, gate_cards, short_time
from station.web.presenters.health import health_lines
from station.web.presenters.laps import lap_lines
from station.web.presenters.page import page_model
from station.web.presenters.proposals import pending_decisions
from station.web.render import Pages
from tests.station.web.sample_views import (
    DOUBTFUL,
    EMPTY,
    FULL_GATE,
    GATE,
    LAPS,
    MS,
    RACE,
    RULES,
    RUN,
    RUNS,
    TESTING,
    TOGETHER,
    VIEW,
    S,
)


@pytest.mark.parametrize(("race_ms", "holder", "racer_ms", "status", "tone"), [
    (9_588, "Ada Lovelace", 9_588, "Best of the race", "purple"),
    (9_588, "Grace Hopper", 9_588, "Racer's best", "green"),  # the same time, but hers came first
    (9_401, "Grace Hopper", 9_588, "Racer's best", "green"),
    (9_401, "Ada Lovelace", 9_401, "Best of run", "yellow"),  # she was faster in another run
    (None, "", None, "Best of run", "green"),
])  # fmt: skip
def test_purple_leads_the_race_and_green_is_the_racers_own(
    race_ms: int | None, holder: str, racer_ms: int | None, status: str, tone: str
) -> None:
    race = replace(RACE, best_lap_ns=race_ms and race_ms * MS, best_racer=holder)
    newest = lap_lines(replace(RUN, racer_best_ns=racer_ms and racer_ms * MS), RULES, race)[0]
    assert (newest.status, newest.tone) == (status, tone)
    assert status.lower() in newest.announcement


def test_several_cars_have_their_clocks_and_one_table() -> None:
    screen = page_model(TOGETHER)
    assert [(car.number, car.run.racer, car.run.clock_label) for car in screen.together] == [
        (1, "Ada Lovelace", "Lap 5"),
        (2, "Grace Hopper", "Lap 3"),
        (3, "Katherine Johnson", "Lap 1"),
    ]
    assert [line.key for line in screen.laps] == [
        "lap-run-7-4",
        "lap-run-7-3",
        "lap-run-7-2",
        "lap-run-8-2",
        "lap-run-7-1",
        "lap-run-8-1",
    ]
    assert screen.laps[3].announcement.startswith("Grace Hopper: Lap 2: 9.401, best of the race")
    assert {place.racer for place in screen.places if place.on_track} == {run.racer for run in RUNS}
    assert page_model(replace(TOGETHER, runs=TOGETHER.runs[:1])).together == ()


def test_each_doubt_can_be_done_as_proposed_or_dismissed() -> None:
    missed = RUN.proposals[0]
    false = replace(missed, kind="false_crossing", at_ns=LAPS[2].ended_ns)
    uncounted = replace(DOUBTFUL, kind="false_crossing", sure_percent=0)
    asked = {
        proposal: [(action.label, action.command, dict(action.numbers)) for action in doubt.actions]
        for proposal in (missed, false, replace(false, at_ns=5), uncounted)
        for doubt in pending_decisions(replace(VIEW, run=replace(RUN, proposals=(proposal,))))
    }
    leave = ("Dismiss", "dismiss", {"at_ns": missed.at_ns})
    assert asked[missed] == [("Count it", "add_crossing", {"at_ns": missed.at_ns}), leave]
    assert asked[false][0] == ("Drop it", "drop_crossing", {"number": 3})
    assert [command for _, command, _ in asked[replace(false, at_ns=5)]] == ["dismiss"]  # no lap ended there any more
    assert asked[uncounted][0] == ("It was false", "dismiss", {"at_ns": 190 * S})
    assert [command for _, command, _ in asked[uncounted][1:]] == ["assign_crossing"] * 2


def test_the_keys_are_the_oldest_proposals_and_never_a_flag() -> None:
    younger = Proposal("run-7", "missed_crossing", 195 * S, "car-1", "A pass was missed.")
    runs = (replace(RUNS[0], proposals=(younger,), flagged=(5,)), TOGETHER.runs[1])
    found = pending_decisions(replace(TOGETHER, runs=runs))
    keys = [[action.key for action in doubt.actions] for doubt in found]
    assert keys == [["y", "", "n"], ["", ""], [""]]
    assert found[1].who == "Ada Lovelace, car-1"
    assert found[2].actions[0].texts == (("run_id", "run-7"),)
    assert found[2].actions[0].ask


def test_a_stranger_is_asked_about_and_given_to_a_car_or_to_nobody() -> None:
    unknown = (UnknownTransponderView("1234567", 1), UnknownTransponderView("E20000172211010218905C7A", 3))
    found = [
        each
        for each in pending_decisions(replace(TOGETHER, unknown_transponders=unknown))
        if each.key.startswith("transponder-")
    ]
    assert [each.sentence for each in found] == [
        "Unknown transponder E20000172211010218905C7A: whose is it?",  # the latest first
        "Unknown transponder 1234567: whose is it?",
    ]
    assert "it passed 3 times" in found[0].witnesses[0]
    done = [(action.command, dict(action.texts)) for action in found[1].actions]
    assert [command for command, _ in done] == ["assign_transponder"] * len(done)
    assert [texts.get("car", "") for _, texts in done][:2] == [run.car for run in TOGETHER.runs][:2]
    assert done[-1][1] == {"transponder": "1234567", "reason": "identified by an official"}
    assert all(isinstance(parse_command({"command": name, **texts}), AssignTransponder) for name, texts in done)


def test_a_sensor_is_ticked_once_it_has_seen_a_pass() -> None:
    [card] = gate_cards(replace(VIEW, gates=(replace(FULL_GATE, untried=("beam-b",)),)))
    assert card.walk == (("beam-a", True), ("beam-b", False))
    [dead] = gate_cards(replace(VIEW, gates=(replace(FULL_GATE, alive=False),)))
    assert not any(seen for _, seen in dead.walk)


def test_the_traces_are_on_the_stations_clock_and_pulses_keep_every_nanosecond() -> None:
    """VIEW's clock says 204 s at 1,790,000,000 s of the time of day."""
    broken_ns, freed_ns = VIEW.clock.utc_ns - 3 * S, VIEW.clock.utc_ns - 2_900 * MS
    edges = (
        RecentEdge("b", 9_107_199_254_740_993, broken_ns, True),
        RecentEdge("b", 9_107_199_354_740_993, freed_ns, False),
        RecentEdge("b", 9_107_200_000_000_000, VIEW.clock.utc_ns, True),
    )
    gate = replace(FULL_GATE, each=(replace(FULL_GATE.each[0], recent=edges),))
    data = gates_data(replace(VIEW, gates=(gate,)))
    assert data["traces"] == {"start": {"beam-a": [[201_000.0, 201_100.0], [204_000.0, None]]}}
    assert data["pulses"]["start"][0] == ["b", "9107199254740993", 201_000.0]
    assert [each[0] for each in data["pulses"]["start"]] == ["b", "b"]


def test_a_name_that_never_reported_leaves_the_health_with_its_run() -> None:
    """As after the run of a car without our software, which was entered nowhere."""
    never = replace(VIEW.cars[1], name="stock-1", online=False, model="")
    said = [line.name for line in health_lines(replace(VIEW, cars=(VIEW.cars[0], never)))]
    assert "stock-1" not in said
    runs = (replace(RUN, car="stock-1"),)
    assert "stock-1" in [line.name for line in health_lines(replace(VIEW, cars=(never,), runs=runs))]
    gone = replace(never, model="apex-hunter")  # it has driven: somebody may wait for it
    assert "stock-1" in [line.name for line in health_lines(replace(VIEW, cars=(gone,)))]


def test_gates_in_words() -> None:
    start, split = gate_cards(TESTING)
    assert (start.state, split.state) == ("not ready", "ready")
    assert [(sensor.state, sensor.level_percent) for sensor in start.sensors] == [("ready", 92), ("blocked", 12)]
    assert start.sensors[0].last == time.strftime("%H:%M:%S", time.localtime(1_790_000_000))
    assert [note.kind for note in start.notes] == ["Numbers missing", "Restart"]
    assert dict(split.figures)["Clock drift"] == "–"
    [unstuck] = gate_cards(replace(TESTING, gates=(replace(FULL_GATE, stuck=()),)))
    assert [(sensor.level, sensor.state) for sensor in unstuck.sensors] == [("ok", "ready"), ("warn", "noisy")]
    assert gate_cards(EMPTY) == []


def test_a_gate_that_was_not_tried_and_one_whose_layout_loses_passes() -> None:
    fresh = replace(GATE, untried=("beam-b",), layout="unsaid", passes="No pass yet: roll a car.")
    [card] = gate_cards(replace(VIEW, gates=(fresh,)))
    assert (card.level, card.state) == ("warn", "not tested")
    assert [sentence.split(":")[0] for sentence in card.advice] == ["Not tested yet", LAYOUT_NOT_SET.split(":")[0]]
    page = Pages(PAGES, TOPICS).page("gates", replace(VIEW, gates=(fresh,)))
    assert 'data-command="try_gate" data-text-gate="start"' in page
    assert "No pass yet: roll a car." in page
    [line] = [line for line in page_model(replace(VIEW, gates=(fresh,))).health if line.kind == "Gate"]
    assert (line.level, line.state) == ("warn", "not tested")
    doubted = replace(GATE, doubt="They take turns.", layout="in_line")
    [card] = gate_cards(replace(VIEW, gates=(doubted,)))
    assert (card.state, card.advice) == ("not ready", ("They take turns.",))
    assert page_model(replace(VIEW, gates=(doubted,))).alarms == ("They take turns.",)


@pytest.mark.parametrize(("ns", "text"), [(0, "0 ns"), (15_000, "15 µs"), (212_400, "212 µs"), (20_000_000, "20 ms")])
def test_short_times(ns: int, text: str) -> None:
    assert short_time(ns) == text


def test_a_blocked_beam_is_said_loudly() -> None:
    sentences = page_model(replace(VIEW, gates=(replace(GATE, stuck=("beam-b",)),))).alarms
    assert sentences == ("Gate start: something blocks the beam of beam-b.",)


def test_what_a_device_says_is_text_and_never_html() -> None:
    note = replace(FULL_GATE.notes[0], sentence="<script>alert(1)</script>")
    bad = replace(FULL_GATE, name="<b>", sentence="<i>x</i>", notes=(note,))
    page = Pages(PAGES, TOPICS).page("gates", replace(TESTING, gates=(bad,)))
    assert "<script>alert" not in page
    assert "<i>x" not in page
    assert "&lt;script&gt;alert(1)" in page
