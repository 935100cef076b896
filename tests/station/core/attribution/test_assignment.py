"""Three cars, one beam: every crossing is given to the right car or reported as doubtful; none is silently wrong."""

import itertools
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.core.attribution.assignment import (
    CarReportAt,
    CrossingAssigner,
    Decision,
    GateCrossing,
    LateContradiction,
    MissingCrossing,
)
from station.core.attribution.car_clock import on_gate_clock
from station.core.attribution.hungarian import assign
from tests.station.core.scripted_race import MS, QUICK, S

LOCKOUT_NS = 300 * MS
CARS = ("car-1", "car-2", "car-3")


@QUICK
@given(st.lists(st.lists(st.integers(-50, 50), min_size=4, max_size=4), min_size=1, max_size=4))
def test_no_assignment_is_cheaper(table: list[list[int]]) -> None:
    total, chosen = assign([[float(value) for value in row] for row in table])
    assert len(set(chosen)) == len(table)
    assert total == sum(row[column] for row, column in zip(table, chosen, strict=True))
    every = itertools.permutations(range(4), len(table))
    assert total == min(sum(row[c] for row, c in zip(table, columns, strict=True)) for columns in every)


@dataclass
class DrawnRace:
    """A race drawn at random: what truly happened, and what the gate and the cars report about it."""

    truth: dict[int, str]
    crossings: list[GateCrossing]
    reports: list[tuple[int, CarReportAt]]  # (when the station receives it, the report)
    missed: list[tuple[str, int]]


def race(seed: int, laps: int = 25, missed: float = 0.01, lost: float = 0.05, false: float = 0.0) -> DrawnRace:
    rng = random.Random(seed)
    passes = []
    for car in CARS:
        at_ns, usual_s = round(rng.uniform(0, 6) * S), rng.uniform(7, 9)
        for _ in range(laps):
            passes.append((at_ns, car))
            at_ns += round(usual_s * rng.gauss(1, 0.03) * S)
    drawn = DrawnRace({}, [], [], [])
    last_ns = -S
    noise = [(round(rng.uniform(10, 150) * S), "") for _ in range(round(false * len(passes)))]
    for at_ns, car in sorted(passes + noise):
        blind = at_ns - last_ns < LOCKOUT_NS
        if blind or (car and rng.random() < missed):
            drawn.missed.append((car, at_ns))
        else:
            last_ns = at_ns
            drawn.crossings.append(GateCrossing(len(drawn.crossings) + 1, at_ns))
            drawn.truth[len(drawn.crossings)] = car
        if car and rng.random() >= lost:
            stated_ns = round(
                at_ns + rng.gauss(0, 20) * MS + rng.uniform(0, 33) * MS
            )  # jitter of the estimate, and up to one frame
            drawn.reports.append((round(at_ns + rng.uniform(40, 400) * MS), CarReportAt(car, stated_ns)))
    drawn.reports.sort(key=lambda each: each[0])
    return drawn


def run(drawn: DrawnRace) -> list[Decision | MissingCrossing | LateContradiction]:
    cars, decisions = CrossingAssigner(CARS, 3 * S, LOCKOUT_NS), []
    moments: list[tuple[int, int, GateCrossing | CarReportAt]] = [(each.at_ns, 0, each) for each in drawn.crossings]
    moments += [(at_ns, 1, report) for at_ns, report in drawn.reports]
    moments.sort(key=lambda each: each[:2])
    for at_ns, _, event in moments:
        if isinstance(event, GateCrossing):
            cars.add_crossing(event)
        else:
            cars.add_report(event)
        decisions += cars.decide(at_ns)
    return decisions + cars.decide(moments[-1][0] + 10 * S)


def judged(drawn: DrawnRace) -> tuple[int, int, list[Decision]]:
    """How many decisions are sure and right, how many doubtful, and those that are silently wrong."""
    each = [fact for fact in run(drawn) if isinstance(fact, Decision)]
    assert sorted(fact.crossing for fact in each) == sorted(drawn.truth)
    wrong = [fact for fact in each if fact.sure and fact.car != drawn.truth[fact.crossing]]
    right = sum(1 for fact in each if fact.sure and fact.car == drawn.truth[fact.crossing])
    return right, sum(1 for fact in each if not fact.sure), wrong


@pytest.mark.parametrize("seeds", [range(5), pytest.param(range(50), marks=pytest.mark.slow)], ids=["five", "fifty"])
def test_three_cars_race_and_no_crossing_is_silently_wrong(seeds: range) -> None:
    right = doubtful = 0
    for seed in seeds:
        sure, unsure, wrong = judged(race(seed))
        assert not wrong, f"seed {seed}: {wrong}"
        right, doubtful = right + sure, doubtful + unsure
    assert doubtful / (right + doubtful) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missed", "lost", "false", "allowed"), [(0.01, 0.05, 0.0, 0), (0.03, 0.2, 0.0, 30), (0.01, 0.05, 0.01, 15)]
)
def test_many_more_races(missed: float, lost: float, false: float, allowed: int) -> None:
    """Over ten thousand crossings: none wrong within the stated fault rates; beyond them, fewer than 3 in 1000."""
    wrong = [judged(race(seed, missed=missed, lost=lost, false=false))[2] for seed in range(1000, 1150)]
    assert sum(map(len, wrong)) <= allowed


def test_what_the_gate_missed_is_proposed_with_its_witness() -> None:
    drawn = race(3, missed=0.05, lost=0.0)
    proposed = [(fact.car, fact.at_ns) for fact in run(drawn) if isinstance(fact, MissingCrossing)]
    apart = [(c, t) for c, t in drawn.missed if all(abs(t - s.at_ns) > 1500 * MS for s in drawn.crossings)]
    assert apart
    for car, at_ns in apart:
        assert any(who == car and abs(when - at_ns) < 200 * MS for who, when in proposed)


def test_a_transponder_needs_no_witness() -> None:
    cars = CrossingAssigner(CARS, 3 * S, LOCKOUT_NS)
    cars.add_crossing(GateCrossing(1, 5 * S, "car-2"))
    assert cars.decide(9 * S) == [Decision(1, 5 * S, "car-2", "its transponder", 1.0, True)]


def test_a_hand_in_the_beam_is_no_cars_crossing() -> None:
    cars = CrossingAssigner(("car-1",), 3 * S, LOCKOUT_NS)
    for number, at_s in enumerate((1, 9, 17, 20, 25)):
        cars.add_crossing(GateCrossing(number, at_s * S))
        if at_s != 20:
            cars.add_report(CarReportAt("car-1", at_s * S + 10 * MS))
    given_to = {fact.crossing: fact for fact in cars.decide(40 * S) if isinstance(fact, Decision)}
    assert [given_to[n].car for n in range(5)] == ["car-1", "car-1", "car-1", "", "car-1"]
    assert (given_to[3].why, given_to[3].sure) == ("no car can have been there", False)


def test_the_least_delay_bounds_the_clocks() -> None:
    assert on_gate_clock([(100, 1_150), (200, 1_230), (300, 1_390)]) == 1_030
