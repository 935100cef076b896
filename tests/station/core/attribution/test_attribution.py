"""Whose crossing it is, and gates with two sensors within a run."""

import pytest

from station.core import facts as f
from station.core import inputs as e
from station.core.race.counting import attribution_of
from tests.station.core.scripted_race import MS, Hand, S, only

TWO = e.GateSpec("start", sensors=("front", "rear"), baseline_mm=100)


@pytest.mark.parametrize(
    ("direction", "phase", "released", "why"),
    [
        (0, "running", True, None),
        (1, "running", True, None),
        (0, "armed", True, None),
        (0, "armed", False, "the start has not been given"),
        (0, "finished", True, "no run is on"),
        (0, "idle", False, "no run is on"),
        (-1, "running", True, "it went backwards through the gate"),
    ],
)
def test_whose_crossing_it_is(direction: int, phase: str, released: bool, why: str | None) -> None:
    crossing = f.Crossing(7, "start", "beam", 5, "b", 0, direction)  # type: ignore[arg-type]
    answer = attribution_of(crossing, phase, released, "run-1", "car-1")  # type: ignore[arg-type]
    assert answer == (f.Attributed(7, "run-1", "car-1") if why is None else f.Unattributed(7, why))


def test_a_car_that_rolls_back_over_the_line_ends_no_lap() -> None:
    hand = Hand(None, TWO)
    hand.open()
    hand.go()
    for at_s, first, second in (
        (1, "front", "rear"),
        (9, "front", "rear"),
        (12, "rear", "front"),
        (17, "front", "rear"),
    ):
        hand.edge(at_s * S, sensor=first)
        facts = hand.edge(at_s * S + 50 * MS, sensor=second)
        for sensor in (first, second):
            hand.edge(at_s * S + 200 * MS, broken=False, sensor=sensor)
        if at_s == 12:
            assert only(facts, f.Unattributed)[0].why == "it went backwards through the gate"
    assert hand.lap_times == [8 * S, 8 * S]


def test_a_pass_of_a_blind_front_sensor_counts_when_the_time_shows_it() -> None:
    hand = Hand(None, TWO)
    hand.open()
    hand.go()
    hand.edge(1 * S, sensor="front")
    hand.edge(9 * S, sensor="rear")
    assert hand.laps == ()
    assert only(hand.tick(9 * S + 501 * MS), f.LapCompleted)[0].lap.lap_ns == 8 * S


def test_reports_name_the_run_of_their_car_only() -> None:
    hand = Hand()
    hand.open(car="car-1")
    ours = hand.do(e.CarReport("car-1", "b", 1, 1, "b", e.NEVER))
    other = hand.do(e.CarReport("car-2", "b", 1, 1, "b", e.NEVER))
    assert [only(facts, f.CarReportStored)[0].run_id for facts in (ours, other)] == ["run-1", ""]


def test_edges_of_a_gate_that_is_not_ours_are_kept_and_mean_nothing() -> None:
    hand = Hand()
    facts = hand.edge(5 * S, gate="elsewhere")
    assert facts == (f.EdgeIgnored("elsewhere", 1, "the station has no such gate"),)
