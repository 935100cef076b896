"""What the page says: tables of views and the words that must come out; nothing that a run can be breaks it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ranking import RaceRules
from shared.words import rules_line, score_name
from station.core.facts import Lap
from station.web.health import alarms, health_lines
from station.web.screen import next_command, running_text, screen_of
from station.web.words import lap_lines, place_lines
from tests.station_web.views import CAR, EMPTY, GATE, RULES, RUN, TROUBLE, VIEW, S, lap


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
        (5, "31.250", "✕", "Void"),
        (4, "9.702", "●", "Valid"),
        (3, "9.654", "●", "Valid"),
        (2, "11.871", "●", "Valid"),
        (1, "10.482", "●", "Valid"),
    ]
    assert [line.number for line in lines if line.in_window] == [4, 3, 2]
    assert [line.number for line in lines if not line.confirmed] == [6]
    assert (lines[4].penalty, lines[4].delta, lines[4].detail) == ("+2.000", "+2.283", "1 off track")
    assert lines[1].detail == "Marshal stood in the beam"
    assert lines[0].say == "Lap 6: 9.588, best of run, not confirmed by the car."


@pytest.mark.parametrize(
    ("made", "status", "detail"),
    [
        (lap(1, 9_000, resets=4), "Not counted", "4 resets, more than 3 resets"),
        (lap(1, 500), "Not counted", "under 2 s"),
        (
            lap(1, 0, valid=False, reason="The station restarted in this lap."),
            "Void",
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
        "gate-start": ("✕", "dead"),
        "car-car-1": ("✕", "tripped, leased"),
        "car-car-2": ("●", "disarmed"),
        "broker": ("✕", "away"),
        "sync": ("✕", "rejected"),
        "store": ("●", "kept"),
    }
    assert {line.level for line in health_lines(VIEW)} == {"ok", "warn"}


@pytest.mark.parametrize(
    ("view", "key", "state", "detail"),
    [
        (replace(VIEW, gates=(replace(GATE, stuck=("beam-b",)),)), "gate-start", "blocked", "beam-b: something stands"),
        (
            replace(VIEW, cars=(replace(CAR, online=False, reason="It said goodbye."),)),
            "car-car-1",
            "offline",
            "It said",
        ),
        (replace(VIEW, sync=replace(VIEW.sync, alive=False)), "sync", "not running", "503"),
        (replace(VIEW, sync=replace(VIEW.sync, pending=0, sentence="All posted.")), "sync", "in step", "All posted."),
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
        ({"phase": "armed", "released": False, "lap_started_ns": None}, "Lap 1", "0.0", "Ready to start"),
        ({"phase": "armed", "lap_started_ns": None}, "Lap 1", "0.0", "Go! To the line"),
        ({"phase": "finished", "lap_started_ns": None}, "Average of 3", "10.409", "Finished"),
        ({"phase": "finished", "score_ms": None}, "Average of 3", "No score", "Finished"),
        ({"phase": "finished", "counts": False}, "Average of 3", "10.409", "Does not count"),
    ],
)
def test_the_clock_of_each_phase(changes: dict[str, object], label: str, clock: str, words: str) -> None:
    run = screen_of(replace(VIEW, run=replace(RUN, **changes))).run  # type: ignore[arg-type]
    assert run is not None
    assert (run.clock_label, run.clock, run.phase_words) == (label, clock, words)


@pytest.mark.parametrize(
    ("score_ms", "note", "tone"),
    [
        (9_400, "◆ Best of the race", "purple"),
        (10_000, "▲ +0.588 to the lead", "green"),
        (12_000, "● +2.588 to the lead", "yellow"),
    ],
)
def test_the_score_is_shown_against_the_race(score_ms: int, note: str, tone: str) -> None:
    tiles = screen_of(replace(VIEW, run=replace(RUN, score_ms=score_ms))).tiles
    tile = next(tile for tile in tiles if tile.label == "Average of 3")
    assert (tile.note, tile.tone) == (note, tone)


def test_an_empty_hall_keeps_the_places_of_all_figures() -> None:
    screen = screen_of(EMPTY)
    assert screen.race_name == "No race is set"
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
    screen = screen_of(replace(VIEW, run=run))
    assert len(screen.laps) == len(laps)
    assert all(line.sign and line.status for line in screen.laps)
