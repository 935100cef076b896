"""The reference model on hand-made examples, and compared with the product's ranking."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.ranking import METHODS, RaceRules, RunLap, score_run
from simulator.races.verify.reference_model import ReferenceResult, ReferenceRun, board

S = 1_000_000_000


def _run(rules: RaceRules, *stamps: int) -> ReferenceRun:
    run = ReferenceRun("run", "race", "anna", "car-1", rules, released=True)
    for at_ns in stamps:
        run.crossing("boot", at_ns)
    return run


def test_laps_lie_between_crossings_and_a_crossing_too_soon_is_ignored() -> None:
    run = _run(RaceRules(min_lap_s=3.0), 0, 10 * S, 12 * S, 21 * S)
    assert [lap.lap_ns for lap in run.laps()] == [10 * S, 11 * S]
    assert run.ignored == [("boot", 12 * S)]


def test_a_run_is_full_at_its_last_lap_and_over_at_its_limit() -> None:
    full = _run(RaceRules(consecutive_laps=1, max_laps=2), 0, 10 * S, 20 * S, 30 * S)
    assert (len(full.laps()), full.over) == (2, True)
    late = _run(RaceRules(time_limit_s=20.0), 5 * S, 15 * S, 25 * S, 25 * S + 1, 35 * S)
    assert [lap.lap_ns for lap in late.laps()] == [10 * S, 10 * S], "to the nanosecond"


def test_adding_and_dropping_a_crossing_moves_nothing_else() -> None:
    run = _run(RaceRules(off_track_penalty_s=1.0), 0, 10 * S, 30 * S, 40 * S)
    run.add_incident("off_track", "boot", 12 * S)
    run.add_crossing(20 * S)
    assert [(lap.lap_ns // S, lap.off_tracks) for lap in run.laps()] == [(10, 0), (10, 1), (10, 0), (10, 0)]
    run.drop_crossing(2)
    assert [(lap.lap_ns // S, lap.off_tracks) for lap in run.laps()] == [(10, 0), (20, 1), (10, 0)]


def test_a_lap_over_two_boots_is_void_and_breaks_the_window() -> None:
    run = _run(RaceRules(consecutive_laps=2), 0, 10 * S)
    run.crossing("later boot", 3 * S)
    run.crossing("later boot", 13 * S)
    assert [(lap.lap_ns, lap.valid) for lap in run.laps()] == [(10 * S, True), (0, False), (10 * S, True)]
    assert run.score_ms() is None


@pytest.mark.parametrize(("method", "score_ms"), [("average", 10_333), ("best_lap", 10_000), ("total_time", 31_000)])
def test_scores_by_hand(method: str, score_ms: int) -> None:
    rules = RaceRules(method=method, consecutive_laps=3)  # type: ignore[arg-type]
    run = _run(rules, 0, 15 * S, 25 * S, 36 * S, 46 * S)
    assert run.score_ms() == score_ms


LAP = st.builds(
    RunLap,
    number=st.just(0),
    lap_ns=st.integers(1 * S, 20 * S),
    ended_ns=st.just(0),
    off_tracks=st.integers(0, 2),
    collisions=st.integers(0, 1),
    resets=st.integers(0, 2),
    penalty_ns=st.integers(0, 3 * S),
    valid=st.booleans(),
)
RULES = st.builds(
    RaceRules,
    method=st.sampled_from(METHODS),
    consecutive_laps=st.integers(1, 5),
    max_laps=st.none() | st.integers(5, 9),
    off_track_penalty_s=st.sampled_from((0.0, 1.0, 2.5)),
    collision_penalty_s=st.sampled_from((0.0, 2.0)),
    max_resets_per_lap=st.none() | st.integers(0, 1),
    min_lap_s=st.sampled_from((1.0, 3.0)),
)


@given(laps=st.lists(LAP, max_size=14), rules=RULES)
def test_the_reference_and_the_product_score_alike(laps: list[RunLap], rules: RaceRules) -> None:
    ends = itertools.accumulate(lap.lap_ns for lap in laps)
    book = [
        dataclasses.replace(lap, number=n, ended_ns=at) for n, (lap, at) in enumerate(zip(laps, ends, strict=True), 1)
    ]
    score = score_run(book, rules)
    assert _reference_of(book, rules).score_ms() == (None if score is None else score.score_ms)


def _reference_of(book: list[RunLap], rules: RaceRules) -> ReferenceRun:
    run = _run(RaceRules(min_lap_s=0.1), 0, *[lap.ended_ns for lap in book])
    run.rules, run.accepts_all = rules, True  # the ranking takes each lap as given
    for crossing, lap in zip(run.crossings, book, strict=False):
        crossing.since.update(off_track=lap.off_tracks, collision=lap.collisions, reset=lap.resets)
        crossing.penalty_ns, crossing.void = lap.penalty_ns, not lap.valid
    return run


def test_the_board_takes_the_first_attempts_and_the_earlier_of_equals() -> None:
    posted = [
        ReferenceResult("anna", 9_000, 300, 2),
        ReferenceResult("anna", 10_000, 100, 0),
        ReferenceResult("ben", 10_000, 200, 1),
        ReferenceResult("cleo", None, 50, 3),
    ]
    assert board(posted, attempts=1) == [("anna", 10_000), ("ben", 10_000)]
    assert board(posted, attempts=None) == [("anna", 9_000), ("ben", 10_000)]
