"""Three cars at one beam through the real engine: every crossing is assigned correctly, or an official is asked."""

import json
import pathlib

import pytest

from raceday.__main__ import main
from simulator.races.multi_car.heat import FaultRates, Heat, draw_heat
from simulator.races.multi_car.verdict import HeatVerdict, run_heat, run_heats
from station.core.attribution import assignment, likelihood
from station.core.attribution.assignment import CrossingAssigner
from station.core.attribution.likelihood import CarOnTrack, CarReportAt, GateCrossing


def heats(seeds: range, cars: int = 3, rates: FaultRates | None = None) -> HeatVerdict:
    verdict = HeatVerdict()
    for seed in seeds:
        verdict.add(run_heat(f"test/{seed}", cars, 12, rates or FaultRates()))
    return verdict


@pytest.mark.parametrize("seeds", [range(6), pytest.param(range(50), marks=pytest.mark.slow)], ids=["six", "fifty"])
def test_none_is_silently_wrong(seeds: range) -> None:
    verdict = heats(seeds)
    assert verdict.wrong == []
    assert verdict.right + verdict.doubtful == verdict.crossings >= 30 * len(seeds)
    assert verdict.doubtful <= 0.25 * verdict.crossings
    assert verdict.missed_asked >= 0.6 * verdict.missed
    assert verdict.laps_true >= 0.95 * verdict.laps


@pytest.mark.slow
def test_without_luck_nobody_is_asked_for_nothing() -> None:
    """No missed edge and no lost report: the only questions are about cars that crossed side by side."""
    verdict = heats(range(5), rates=FaultRates(0.0, 0.0))
    assert verdict.wrong == []
    assert verdict.laps_true >= 0.96 * verdict.laps


def test_the_journal_of_a_heat_replays_to_the_same_facts(tmp_path: pathlib.Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    first, second = (run_heats(3, 2, 3, folder) for folder in (tmp_path, again))
    assert first.heads == second.heads
    assert len(first.heads) == 2


def _nearest(self: CrossingAssigner, cluster: list[GateCrossing]) -> assignment.WeighedCluster:
    """Assign each crossing to the car whose report, or else whose usual lap, is nearest; and always be sure."""
    decisions, reports = [], [likelihood.report_in(car, cluster) for car in self._cars]

    def cost(crossing: GateCrossing, car: CarOnTrack, report: CarReportAt | None) -> float:
        return likelihood.cost(car, report, crossing, self._min_lap_ns)

    for crossing in cluster:
        costs = [cost(crossing, car, report) for car, report in zip(self._cars, reports, strict=True)]
        car = self._cars[costs.index(min(costs))]
        decisions.append(assignment.Decision(crossing.number, crossing.at_ns, car.name, "the nearest", 0.99, True))
    return assignment.WeighedCluster(self._cars, reports, decisions)


@pytest.mark.slow
def test_the_greedy_bug_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CrossingAssigner, "_weigh", _nearest)
    assert not heats(range(10)).held


@pytest.mark.slow
def test_the_bug_that_is_always_sure_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "SURE", 0.0)
    monkeypatch.setattr(assignment, "SURE_A_CAR", 0.0)
    assert not heats(range(20)).held


def test_what_is_drawn_is_what_was_asked_for() -> None:
    heat: Heat = draw_heat("x", 3, 12, FaultRates())
    assert len({each.car for each in heat.passes}) == 3
    assert sum(each.counts for each in heat.passes) == 3 * 13
    assert draw_heat("x", 3, 12, FaultRates()).inputs == heat.inputs


def test_the_command_says_what_held(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["race", "simulate", "--cars-on-track", "3", "--heats", "2", "--json"]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["silently_wrong"] == []
    assert document["crossings"] == document["right"] + document["doubtful"]
    assert main(["race", "simulate", "--cars-on-track", "3", "--heats", "1"]) == 0
    assert "silently wrong" in capsys.readouterr().out
    assert main(["race", "simulate", "--cars-on-track", "99"]) == 2
    assert "--cars-on-track is 99; allowed is 1 to 12." in capsys.readouterr().err
