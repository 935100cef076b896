"""Several cars on the track through the whole station: leases, orders, screens and the journal of each run."""

import pathlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.protocol import messages as m
from station.commands.replay import check
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined
from tests.station.service.station_rig import MS, Rig, S, WireCar, orders, rules


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db", rules(max_laps=2, consecutive_laps=1))
    assert rig.setup.race is not None
    rig.setup = replace(rig.setup, race=replace(rig.setup.race, cars_on_track=3))
    rig.restart()
    yield rig
    rig.station.close()


def opened(rig: Rig, number: int) -> WireCar:
    car = WireCar(rig, f"car-{number}")
    command = e.OpenRun(author="judge", racer=f"racer-{number}", car=car.name, run_id=f"run-{number}")
    assert isinstance(rig.give(command), Accepted)
    return car


def granted(car: WireCar) -> list[str]:
    car.collect(m.Lease)
    car.beat("ready")
    return [lease.run_id for lease in car.collect(m.Lease) if isinstance(lease, m.Lease) and lease.grant == "drive"]


def test_every_car_on_the_track_has_the_lease_of_its_own_run(rig: Rig) -> None:
    first, second = opened(rig, 1), opened(rig, 2)
    other = WireCar(rig, "car-9")
    assert [granted(car) for car in (first, second, other)] == [["run-1"], ["run-2"], []]
    assert isinstance(rig.give(e.FinishRun(author="judge")), Declined)
    assert isinstance(rig.give(e.FinishRun(author="judge", run_id="run-1")), Accepted)
    assert [granted(car) for car in (first, second)] == [[], ["run-2"]]
    assert "stop" in orders(first.collect(m.DriveOrder))
    view = rig.station.snapshot()
    assert [run.run_id for run in view.runs] == ["run-2"]
    assert view.race is not None
    assert view.race.cars_on_track == 3


def passes(rig: Rig, car: WireCar, seq: int) -> None:
    """A car breaks the beam and reports it 60 ms later; then three seconds go by."""
    at_ns = rig.clock.now_ns()
    rig.gate.pass_by()
    rig.wait(60 * MS)
    car.lap(seq, at_ns + 15 * MS, None)
    for _ in range(6):
        rig.wait(490 * MS)


def test_two_cars_race_and_the_journal_replays(rig: Rig) -> None:
    cars = [opened(rig, 1), opened(rig, 2)]
    for number in (1, 2):
        cars[number - 1].beat("ready")
        assert isinstance(rig.give(e.StartRun(author="judge", run_id=f"run-{number}")), Accepted)
    assert [run.run_id for run in rig.station.snapshot().runs] == ["run-1", "run-2"]
    rig.wait(S)
    for lap in (1, 2, 3):
        for car in cars:
            passes(rig, car, lap)
        rig.wait(3 * S)
    rig.wait(8 * S)
    rig.restart()
    rig.wait(10 * S)
    assert rig.station.snapshot().runs == ()
    assert {line.racer for line in rig.station.snapshot().standing} == {"racer-1", "racer-2"}
    assert len({line.score_ms for line in rig.station.snapshot().standing}) <= 2
    assert rig.station.journal.due == 2
    check(rig.station.journal)
