"""The words of the page, for tables of views; no state that a run can have breaks it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import RaceRules
from shared.rules.wording import rules_in_short, rules_line, score_name
from station.core.event.records import EventCar
from station.core.facts import Lap, Proposal
from station.core.runs.proposals import USUAL
from station.views.event_view import EventView
from station.views.system_views import BrokerView
from station.web.presenters.health import alarms, health_lines
from station.web.presenters.laps import lap_lines, place_lines
from station.web.presenters.page import next_command, page_model, running_text
from station.web.presenters.proposals import pending_decisions
from tests.station.web.sample_views import CAR, EMPTY, GATE, RULES, RUN, TROUBLE, VIEW, S, lap


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (RaceRules(), "Average of the best 3 laps in a row"),
        (RaceRules(consecutive_laps=1), "Best lap"),
        (RaceRules(method="best_lap", consecutive_laps=3), "Best lap in a stretch of 3"),
        (RaceRules(method="total_time", max_laps=5), "Total of the best 3 laps in a row · 5 laps at most"),
        (RULES, "Average of the best 3 laps in a row · 8 laps at most · 3:00 time limit · off track +2 s"),
        (RaceRules(time_limit_s=90.5), "Average of the best 3 laps in a row · 1:30.500 time limit"),
        (RaceRules(collision_penalty_s=1.5), "Average of the best 3 laps in a row · collision +1.5 s"),
    ],
)
def test_rules_in_words(rules: RaceRules, words: str) -> None:
    assert rules_line(rules) == words
    short = rules_in_short(rules)
    assert short.startswith(score_name(rules))
    assert all(part in words for part in short.split(" · ")[1:])


@pytest.mark.parametrize(
    ("rules", "label"),
    [
        (RaceRules(), "Average of 3"),
        (RaceRules(method="total_time"), "Total of 3"),
        (RaceRules(method="best_lap"), "Best lap"),
        (RaceRules(consecutive_laps=1), "Best lap"),
    ],
)
def test_the_score_has_a_name(rules: RaceRules, label: str) -> None:
    assert score_name(rules) == label


def test_laps_come_newest_first_with_signs_and_words() -> None:
    lines = lap_lines(RUN, RULES)
    assert [(line.number, line.time, line.sign, line.status) for line in lines] == [
        (6, "9.588", "▲", "Best of run"),
        (5, "31.250", "✕", "Voided"),
        (4, "9.702", "●", "Valid"),
        (3, "9.654", "●", "Valid"),
        (2, "11.871", "●", "Valid"),
        (1, "10.482", "●", "Valid"),
    ]
    assert [line.number for line in lines if line.in_window] == [4, 3, 2]
    assert [line.number for line in lines if not line.confirmed] == [6]
    assert (lines[4].penalty, lines[4].delta, lines[4].detail) == ("+2.000", "+2.283", "1 off track")
    assert lines[1].detail == "Marshal stood in the beam"
    assert lines[0].announcement == "Lap 6: 9.588, best of run, not confirmed by the car."


@pytest.mark.parametrize(
    ("made", "status", "detail"),
    [
        (lap(1, 9_000, resets=4), "Not counted", "4 resets, more than 3 resets"),
        (lap(1, 500), "Not counted", "under 2 s"),
        (
            lap(1, 0, valid=False, reason="The station restarted in this lap."),
            "Voided",
            "The station restarted in this lap.",
        ),
        (lap(1, 9_000, source="official"), "Best of run", "timed by an official"),
        (lap(1, 9_000, collisions=2, resets=1), "Best of run", "2 collisions, 1 reset"),
    ],
)
def test_each_lap_says_why(made: Lap, status: str, detail: str) -> None:
    [line] = lap_lines(replace(RUN, laps=(made,)), RULES)
    assert (line.status, line.detail) == (status, detail)
    assert line.time == ("–" if made.lap_ns == 0 else line.time)


def test_the_standing_marks_who_is_on_the_track() -> None:
    lines = place_lines(VIEW)
    assert [line.racer for line in lines if line.on_track] == ["Ada Lovelace"]
    assert (lines[0].gap, lines[0].interval) == ("", "")
    assert (lines[3].gap, lines[3].interval) == ("+0.997", "+0.754")
    assert [line.rank for line in lines if line.tied] == [2, 3]
    assert not any(line.on_track for line in place_lines(replace(VIEW, run=replace(RUN, phase="finished"))))


def test_health_names_every_trouble_with_a_sign() -> None:
    trouble = {line.key: (line.sign, line.state) for line in health_lines(TROUBLE)}
    assert trouble == {
        "gate-start": ("✕", "not ready"),
        "car-car-1": ("✕", "tripped, leased"),
        "car-car-2": ("●", "disarmed"),
        "broker": ("✕", "offline"),
        "sync": ("✕", "rejected"),
        "store": ("●", "saved"),
    }
    assert {line.level for line in health_lines(VIEW)} == {"ok", "warn"}


@pytest.mark.parametrize(
    ("view", "key", "state", "detail"),
    [
        (replace(VIEW, gates=(replace(GATE, stuck=("beam-b",)),)), "gate-start", "blocked", "beam-b: something blocks"),
        (
            replace(VIEW, cars=(replace(CAR, online=False, reason="It said goodbye."),)),
            "car-car-1",
            "offline",
            "It said",
        ),
        (replace(VIEW, sync=replace(VIEW.sync, alive=False)), "sync", "not running", "503"),
        (
            replace(VIEW, sync=replace(VIEW.sync, pending=0, sentence="All posted.")),
            "sync",
            "up to date",
            "All posted.",
        ),
        (
            replace(VIEW, store=replace(VIEW.store, ok=False, sentence="The disk is full.", held=3)),
            "store",
            "3 waiting",
            "The disk is full.",
        ),
    ],
)
def test_health_in_words(view: object, key: str, state: str, detail: str) -> None:
    line = next(line for line in health_lines(view) if line.key == key)  # type: ignore[arg-type]
    assert line.state == state
    assert line.detail.startswith(detail) or detail in line.detail


def test_a_broker_is_missed_only_where_a_car_may_take_orders() -> None:
    away = replace(VIEW, broker=BrokerView(False, "No broker at 127.0.0.1:1883.", 0, 0), cars=())
    stock, ours = EventCar("stock-1", "stock"), EventCar("car-1")
    for event, cars, state in (
        ((), (), "offline"),  # nobody knows yet which cars will come
        ((stock,), (), "not needed"),
        ((stock, ours), (), "offline"),
        ((stock,), (CAR,), "offline"),
    ):
        view = replace(away, event=EventView(cars=event), cars=cars)
        [line] = [line for line in health_lines(view) if line.key == "broker"]
        assert (line.state, line.level) == (state, "ok" if state == "not needed" else "bad")


def test_alarms_are_the_sentences_on_top() -> None:
    assert alarms(VIEW) == []
    assert alarms(TROUBLE) == [
        "car-1: Tripped: no fresh camera frame for 210 ms.",
        "Gate start: No word from the gate for 6 s: look at its cable.",
    ]
    silent = replace(CAR, alarm="Car-1 is silent in the middle of its run.")
    assert alarms(replace(VIEW, cars=(silent,))) == ["Car-1 is silent in the middle of its run."]
    full = replace(VIEW, store=replace(VIEW.store, ok=False, sentence="The disk is full."))
    assert alarms(full) == ["The disk is full."]


@pytest.mark.parametrize(
    ("elapsed_ns", "text"), [(-5, "0.0"), (0, "0.0"), (99_999_999, "0.0"), (4 * S, "4.0"), (71_234_000_000, "1:11.2")]
)
def test_a_running_clock_shows_tenths(elapsed_ns: int, text: str) -> None:
    assert running_text(elapsed_ns) == text


@pytest.mark.parametrize(
    ("changes", "label", "clock", "words"),
    [
        ({}, "Lap 7", "4.0", "On track"),
        ({"phase": "armed", "lap_started_ns": None}, "Lap 1", "0.0", "Go! To the line"),
        ({"phase": "finished", "lap_started_ns": None}, "Average of 3", "10.409", "Finished"),
        ({"phase": "finished", "score_ms": None}, "Average of 3", "No score", "Finished"),
        ({"phase": "finished", "counts": False}, "Average of 3", "10.409", "Does not count"),
    ],
)
def test_the_clock_of_each_phase(changes: dict[str, object], label: str, clock: str, words: str) -> None:
    run = page_model(replace(VIEW, run=replace(RUN, **changes))).run  # type: ignore[arg-type]
    assert run is not None
    assert (run.clock_label, run.clock, run.phase_words) == (label, clock, words)


@pytest.mark.parametrize(("released", "car", "words"), [
    (False, {"mode": "ready"}, "Ready to start"),
    (False, {"mode": "disarmed"}, "Car getting ready"),
    (False, {"mode": "ready", "online": False}, "Waiting for the car"),
    (False, {"name": "car-9"}, "Waiting for the car"),
    (True, {"mode": "ready"}, "Start ordered"),
    (True, {"mode": "tripped"}, "Start ordered"),
    (True, {"mode": "driving", "online": False}, "Waiting for the car"),
    (True, {"mode": "driving"}, "Go! To the line"),
])  # fmt: skip
def test_what_the_car_shall_do_is_not_what_it_does(released: bool, car: dict[str, object], words: str) -> None:
    run = replace(RUN, phase="armed", released=released, lap_started_ns=None)
    view = replace(VIEW, run=run, cars=(replace(CAR, **car),))  # type: ignore[arg-type]
    screen = page_model(view).run
    assert screen is not None
    assert screen.phase_words == words
    by_hand = page_model(replace(view, run=replace(run, by_hand=True))).run
    assert by_hand is not None
    assert by_hand.phase_words == "Go! Started by hand"


@pytest.mark.parametrize(
    ("score_ms", "note", "tone"),
    [
        (9_400, "◆ Best of the race", "purple"),
        (10_000, "▲ Racer's best · +0.588 to the lead", "green"),
        (12_000, "● +2.588 to the lead", "yellow"),
    ],
)
def test_the_score_is_shown_against_the_race(score_ms: int, note: str, tone: str) -> None:
    tiles = page_model(replace(VIEW, run=replace(RUN, score_ms=score_ms))).tiles
    tile = next(tile for tile in tiles if tile.label == "Average of 3")
    assert (tile.note, tile.tone) == (note, tone)


def test_an_empty_hall_keeps_the_places_of_all_figures() -> None:
    screen = page_model(EMPTY)
    assert screen.race_name == "No race is configured"
    assert [tile.value for tile in screen.tiles] == ["–"] * 4
    assert (screen.laps, screen.places, screen.run) == ((), (), None)


@pytest.mark.parametrize(
    ("phase", "released", "mode", "expected"),
    [
        ("armed", False, "disarmed", "arm"),
        ("armed", False, "ready", "start"),
        ("armed", True, "driving", "finish"),
        ("running", True, "tripped", "resume"),
        ("running", True, "driving", "finish"),
        ("finished", True, "stopped", "open_run"),
    ],
)
def test_what_comes_next_is_offered_first(phase: str, released: bool, mode: str, expected: str) -> None:
    run = replace(RUN, phase=phase, released=released)  # type: ignore[arg-type]
    car = replace(CAR, mode=mode)  # type: ignore[arg-type]
    assert next_command(replace(VIEW, run=run, cars=(car,))) == expected
    assert next_command(EMPTY) == "open_run"


LAPS = st.lists(
    st.builds(
        lap,
        st.integers(1, 9),
        st.integers(0, 10**9),
        valid=st.booleans(),
        resets=st.integers(0, 9),
        off_tracks=st.integers(0, 9),
        penalty_ns=st.integers(0, 10**12),
        reason=st.text(max_size=20),
    ),
    max_size=6,
)


@given(LAPS, st.sampled_from(["idle", "armed", "running", "finished"]), st.one_of(st.none(), st.integers(0, 10**15)))
def test_no_run_breaks_the_page(laps: list[Lap], phase: str, started_ns: int | None) -> None:
    run = replace(RUN, laps=tuple(laps), phase=phase, lap_started_ns=started_ns)  # type: ignore[arg-type]
    screen = page_model(replace(VIEW, run=run))
    assert len(screen.laps) == len(laps)
    assert all(line.sign and line.status for line in screen.laps)


def test_a_difference_is_that_of_the_two_figures_that_are_shown() -> None:
    laps = (lap(1, 0, lap_ns=13_396_900_000), lap(2, 0, lap_ns=13_416_100_000), lap(3, 0, lap_ns=13_396_950_000))
    lines = {line.number: line for line in lap_lines(replace(RUN, laps=laps), RULES)}
    assert [(lines[n].time, lines[n].delta) for n in (1, 2, 3)] == [
        ("13.396", ""),
        ("13.416", "+0.020"),
        ("13.396", "+0.000"),
    ]
    penalised = lap_lines(replace(RUN, laps=(lap(1, 0, lap_ns=9_000_600_000, penalty_ns=1_500_500_000),)), RULES)[0]
    assert (penalised.time, penalised.penalty) == ("10.501", "+1.501")


def test_an_abandoned_run_claims_no_score_and_no_best() -> None:
    run = replace(RUN, phase="finished", counts=False, score_ms=None, finished_reason="gave up")
    screen = page_model(replace(VIEW, run=run))
    assert screen.run is not None
    assert (screen.run.phase_words, screen.run.clock) == ("Does not count", "No score")
    assert not any(line.in_window for line in screen.laps)
    assert {line.status for line in screen.laps} <= {"Not counted", "Voided"}
    assert "make the score" not in screen.window_words
    assert all("Best" not in tile.note for tile in screen.tiles)


def test_a_lap_that_waits_for_an_official_says_so() -> None:
    held = lap(2, 2_500, valid=False, held=True, reason="much shorter than the usual lap (9.871): an official is asked")
    line = lap_lines(replace(RUN, laps=(RUN.laps[0], held)), RULES)[0]
    assert (line.sign, line.status) == ("⚑", "In doubt")
    assert "an official is asked" in line.detail


def test_a_short_lap_is_asked_about_with_what_can_be_done() -> None:
    proposal = Proposal(
        "run-7", "false_crossing", RUN.laps[0].ended_ns, USUAL, "Lap 1 is much shorter than the usual lap."
    )
    [decision] = pending_decisions(replace(VIEW, run=replace(RUN, proposals=(proposal,))))
    assert [(a.label, a.command, dict(a.numbers).get("number"), a.key) for a in decision.actions] == [
        ("Drop it", "drop_crossing", 1, "y"),
        ("Lap 1 begins here", "drop_crossing", 0, ""),
        ("It is a lap", "dismiss", None, "n"),
    ]


def test_another_model_than_the_entrys_is_said_and_can_be_entered() -> None:
    run = replace(
        RUN,
        phase="armed",
        proposals=(),
        model_differs=True,
        model_note="car-1 reports the model b, the entry says the model a.",
        reported_model=("b", "cd" * 32),
    )
    screen = page_model(replace(VIEW, run=run))
    assert screen.run is not None
    assert run.model_note in screen.run.notes
    [decision] = screen.pending_decisions
    assert decision.sentence.endswith("Start is refused.")
    assert dict(decision.actions[0].texts) == {"run_id": "run-7", "model": "b", "model_sha256": "cd" * 32}
    assert decision.actions[0].ask, "a reason is asked for"
