"""The overlay: its parts and backgrounds by address, the gap, the tower around the racer, the winner card."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from station.views.race_views import StandingLine
from station.views.views import View
from station.web.pages.overlay.presenter import (
    PARTS,
    TOWER_ROWS,
    Chip,
    overlay_background,
    overlay_model,
    overlay_part,
)
from tests.station.web.sample_views import EMPTY, RUN, STANDING, VIEW, S


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_an_address(part: str) -> None:
    assert overlay_part(part) == part


@given(st.text().filter(lambda wanted: wanted not in PARTS))
def test_any_other_part_is_refused_with_those_that_there_are(wanted: str) -> None:
    with pytest.raises(BadInput, match="lower, tower, clock, winner"):
        overlay_part(wanted)


@pytest.mark.parametrize("wanted", ["transparent", "#00FF00", "#123abc"])
def test_a_background_is_transparent_or_a_colour(wanted: str) -> None:
    assert overlay_background(wanted) == wanted.lower()


@pytest.mark.parametrize(
    "wanted",
    ["", "red", "#0f0", "#00ff0", "#00ff000", "url(https://evil)", "#00ff00;position:fixed", "#00ff00\n", "#٠٠٠٠٠٠",
     "transparent ", "javascript:alert(1)", '#00ff00"><script>', "x" * 5000],
)  # fmt: skip
def test_a_hostile_background_is_refused(wanted: str) -> None:
    with pytest.raises(BadInput, match="is no background") as refused:
        overlay_background(wanted)
    assert len(str(refused.value)) < 200


def test_the_racer_on_the_track() -> None:
    lower = overlay_model(VIEW).lower
    assert lower is not None
    assert (lower.racer, lower.phase, lower.lap) == ("Ada Lovelace", "On track", "Lap 7 of 8")
    assert (lower.clock, lower.started_ms, lower.ends_ms, lower.left) == ("4.0", 200_000.0, 330_000.0, "2:06")
    assert lower.last == Chip("9.588", "▲", "green", "Best of run")
    assert (lower.gap, lower.gap_tone) == ("+0.997", "")
    assert (lower.gap_label, lower.needs, lower.needs_label) == ("Would be 4th", "9.323", "2 laps to lead")
    assert overlay_model(VIEW).worth == "would be 4th, +0.997 · needs 2 laps of 9.323 to lead"
    assert lower.sectors == ()


def test_the_gap_of_a_run_that_would_lead() -> None:
    leading = replace(VIEW, run=replace(RUN, score_ms=9_300))
    lower = overlay_model(leading).lower
    assert lower is not None
    assert (lower.gap, lower.gap_tone) == ("−0.112", "purple")
    alone = overlay_model(replace(leading, standing=())).lower
    assert alone is not None
    assert (alone.gap, alone.gap_tone) == ("leads", "purple")


def test_a_finished_run_shows_its_score_in_place_of_the_clock() -> None:
    lower = overlay_model(replace(VIEW, run=replace(RUN, phase="finished", lap_started_ns=None))).lower
    assert lower is not None
    assert (lower.clock, lower.started_ms, lower.left) == ("10.409", None, "")
    assert (lower.gap_label, lower.needs) == ("Gap to leader", "")
    dropped = overlay_model(replace(VIEW, run=replace(RUN, phase="finished", lap_started_ns=None, counts=False))).lower
    assert dropped is not None
    assert (dropped.clock, dropped.gap) == ("–", "–")


def ranks(view: View) -> list[tuple[int, bool]]:
    return [(row.rank, row.on_track) for row in overlay_model(view).tower]


def test_the_tower_is_the_leader_and_those_around_the_racer() -> None:
    assert ranks(VIEW) == [(1, False), (3, False), (4, True), (5, False)]
    last = replace(VIEW, run=replace(RUN, racer="Barbara Liskov"))
    assert ranks(last) == [(1, False), (4, False), (5, False), (6, True)]
    nobody = replace(VIEW, run=replace(RUN, racer="New"))
    assert ranks(nobody) == [(1, False), (2, False), (3, False), (4, False)]
    assert [row.value for row in overlay_model(VIEW).tower] == ["9.412", "+0.243", "+0.997", "+1.608"]


@given(racers=st.integers(0, 30), place=st.integers(0, 40))
def test_the_tower_never_shows_a_place_twice(racers: int, place: int) -> None:
    lines = tuple(StandingLine(n, f"Racer {n}", 9000 + n, n, 1, False, 1, "") for n in range(1, racers + 1))
    shown = [
        row.rank for row in overlay_model(replace(VIEW, standing=lines, run=replace(RUN, racer=f"Racer {place}"))).tower
    ]
    assert shown == sorted(set(shown))
    assert len(shown) == min(racers, TOWER_ROWS)
    assert not 1 <= place <= racers or place in shown


def test_the_winner_card_and_an_empty_race() -> None:
    winner = overlay_model(VIEW).winner
    assert winner is not None
    assert (winner.racer, winner.score, winner.ahead) == ("Grace Hopper", "9.412", "0.243 ahead of Katherine Johnson")
    empty = overlay_model(EMPTY)
    assert (empty.title, empty.lower, empty.tower, empty.winner) == ("", None, (), None)
    assert overlay_model(replace(VIEW, standing=STANDING[:1])).winner.ahead == ""  # type: ignore[union-attr]


def test_time_is_never_negative() -> None:
    late = replace(VIEW, clock=replace(VIEW.clock, now_ns=900 * S))
    assert overlay_model(late).lower.left == "0:00"  # type: ignore[union-attr]
