"""What counts in a run: laps, resets, penalties and limits, on a track of 10 m driven at 2 m/s."""

from dataclasses import replace

import pytest

from shared.conditions import Conditions, DrivenRules
from shared.rules.ranking import AtLimit, score_run
from shared.traces.trace import TraceEvent
from simulator.virtual_races.judging.run_book import FaultKind, RunBook

S = 1_000_000_000
LENGTH_M, BEFORE_M = 10.0, 1.0
TWO_LAPS = Conditions(
    laps=2, rules=DrivenRules(consecutive_laps=2, off_track_penalty_ns=2 * S, collision_penalty_ns=5 * S)
)


def book(conditions: Conditions = TWO_LAPS) -> RunBook:
    return RunBook(conditions, LENGTH_M, BEFORE_M)


def test_laps_are_counted_from_line_to_line_and_end_the_run() -> None:
    run = book()
    for lap in range(3):
        run.cross(S // 2 + lap * 5 * S, BEFORE_M + lap * LENGTH_M)
    assert [(lap.number, lap.lap_ns, lap.ended_ns) for lap in run.laps] == [
        (1, 5 * S, S * 11 // 2),
        (2, 5 * S, S * 21 // 2),
    ]
    assert (run.end, run.progress_ppm, run.resets) == ("laps", 0, 0)
    assert run.events == [TraceEvent(S // 2, "line"), *(TraceEvent(S // 2 + n * 5 * S, "line", 5 * S) for n in (1, 2))]
    run.cross(20 * S, 31.0)
    assert len(run.laps) == 2


def test_lap_1_may_begin_with_the_signal() -> None:
    run = book(replace(TWO_LAPS, rules=replace(TWO_LAPS.rules, lap_1_from="signal")))
    run.cross(S // 2, BEFORE_M)
    run.cross(11 * S // 2, BEFORE_M + LENGTH_M)
    assert [lap.lap_ns for lap in run.laps] == [11 * S // 2]


def test_a_line_that_is_crossed_again_after_a_reset_makes_no_lap() -> None:
    run = book()
    run.cross(S, 1.0)
    assert run.fault("off_track", 2 * S, 2 * S + 7)
    run.cross(6 * S, 1.0)
    run.look(7 * S, 3.5)
    assert (run.laps, run.progress_ppm) == ([], 250_000)
    run.cross(11 * S, 11.0)
    assert [lap.lap_ns for lap in run.laps] == [10 * S]


FAULTS: list[tuple[FaultKind, int, tuple[int, int, int]]] = [
    ("off_track", 2 * S, (1, 0, 0)),
    ("crashed", 5 * S, (0, 1, 0)),
    ("reversed", 2 * S, (0, 0, 2 * S)),
    ("immobilized", 2 * S, (0, 0, 2 * S)),
]


@pytest.mark.parametrize(("kind", "penalty_ns", "counted"), FAULTS)
def test_a_fault_costs_its_penalty_once(kind: FaultKind, penalty_ns: int, counted: tuple[int, int, int]) -> None:
    run = book()
    run.cross(0, 1.0)
    assert run.fault(kind, 2 * S, 2 * S + 5)
    run.cross(5 * S, 11.0)
    run.cross(10 * S, 21.0)
    lap = run.laps[0]
    assert (lap.off_tracks, lap.collisions, lap.penalty_ns, lap.resets) == (*counted, 1)
    assert run.events[1:3] == [TraceEvent(2 * S, kind, penalty_ns), TraceEvent(2 * S + 5, "put_back")]
    assert run.laps[1].resets == 0
    assert run.clock_ns(10 * S) == 10 * S + penalty_ns == run.laps[1].ended_ns
    score = score_run(run.laps, TWO_LAPS.rules.race_rules())
    assert score is not None
    assert score.score_ms == (10 * S + penalty_ns) // 2 // 1_000_000


def test_a_run_ends_when_its_resets_are_used_up() -> None:
    run = book(replace(TWO_LAPS, resets=2))
    assert [run.fault("off_track", n * S, n * S) for n in (1, 2, 3)] == [True, True, False]
    assert (run.end, run.resets) == ("resets", 2)
    assert not run.fault("off_track", 4 * S, 4 * S)
    run.look(999 * S, 5.0)
    assert (run.end, run.events[-1].kind) == ("resets", "off_track")


def test_a_run_ends_by_its_own_limit_in_which_penalties_count() -> None:
    run = book(replace(TWO_LAPS, run_limit_ms=10_000))
    run.look(9 * S, 5.0)
    assert (run.end, run.laps) == (None, [])
    run.fault("off_track", 9 * S, 9 * S)
    run.look(9 * S + 1, 5.0)
    assert (run.end, run.events[-1].kind) == ("time", "time_up")


def test_a_penalty_that_is_served_takes_the_worlds_time_and_is_no_part_of_the_lap_as_driven() -> None:
    run = RunBook(TWO_LAPS, LENGTH_M, BEFORE_M, served=True)
    run.cross(S, 1.0)
    assert run.fault("crashed", 2 * S, 2 * S + 7)
    assert (run.waits_until_ns, run.clock_ns(2 * S)) == (7 * S + 7, 2 * S)
    run.look(10 * S, 10.5)
    run.cross(11 * S, 11.0)
    assert [(lap.lap_ns, lap.ended_ns, lap.collisions) for lap in run.laps] == [(5 * S, 11 * S, 1)]
    run.cross(16 * S, 21.0)
    assert (run.end, run.laps[1].lap_ns, run.crossings_ns) == ("laps", 5 * S, [S, 11 * S, 16 * S])
    assert (run.reached_m, run.reached_ns) == (9.5, 10 * S)
    alone = book()
    alone.cross(S, 1.0)
    alone.fault("crashed", 2 * S, 2 * S)
    alone.cross(6 * S, 11.0)
    assert (alone.waits_until_ns, alone.crossings_ns, alone.laps[0].lap_ns) == (0, [S, 11 * S], 5 * S)


LIMITS: list[tuple[AtLimit, int, int, str]] = [
    ("stop", 14 * S, 1, "time"),  # the second lap would end at 11 s of a limit of 10 s, and does not count
    ("finish_lap", 11 * S, 2, "time"),
]


@pytest.mark.parametrize(("at_limit", "until_ns", "laps", "end"), LIMITS)
def test_the_time_limit_of_the_race_stops_or_lets_the_lap_finish(
    at_limit: AtLimit, until_ns: int, laps: int, end: str
) -> None:
    rules = replace(TWO_LAPS.rules, time_limit_ns=10 * S, at_time_limit=at_limit)
    run = book(replace(TWO_LAPS, laps=9, rules=rules))
    run.cross(S, 1.0)
    run.cross(6 * S, 11.0)
    run.look(10 * S, 20.0)
    run.cross(12 * S, 21.0)
    run.look(until_ns + S, 22.0)
    assert (len(run.laps), run.end) == (laps, end)


def test_the_fewest_laps_of_race_and_conditions_end_a_run() -> None:
    run = book(replace(TWO_LAPS, laps=5, rules=replace(TWO_LAPS.rules, max_laps=2)))
    for lap in range(6):
        run.cross(lap * 5 * S, 1.0 + lap * LENGTH_M)
    assert len(run.laps) == 2
