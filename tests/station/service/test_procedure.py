"""A run's procedure at the whole station, on virtual time: start lights, pause, submission, queue, a stock car."""

import pathlib
from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.protocol import messages as m
from station.commands.replay import check
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined
from tests.station.service.station_rig import MS, Rig, S, WireCar, orders, rules

RULES = rules(consecutive_laps=1, max_laps=2, time_limit_s=60.0, lap_1_from="signal")


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db", RULES)
    yield rig
    rig.station.close()


def give(rig: Rig, command: type[e.Command], /, **fields: object) -> Accepted | Declined:
    return rig.give(command(author="judge", **fields))  # type: ignore[arg-type]


def test_the_lights_start_the_car_and_lap_1_at_one_moment(rig: Rig) -> None:
    car = WireCar(rig)
    car.state(m.CarState(True, "disarmed", model="center-line-v3"))
    car.beat("disarmed")
    rig.open()
    car.beat("ready")
    car.collect(m.DriveOrder)
    answer = give(rig, e.StageRun)
    assert isinstance(answer, Accepted)
    start = rig.station.snapshot().procedure.runs[0].start
    assert start is not None
    delay_ms = (start.go_ns - start.staged_ns - 4 * S) // MS
    assert delay_ms == 1600, "nothing is random here"
    rig.wait(start.go_ns - rig.clock.now_ns() - 160 * MS)
    car.beat("ready")
    assert "start" not in orders(car.collect(m.DriveOrder))
    rig.wait(100 * MS)
    car.beat("ready")
    assert "start" in orders(car.collect(m.DriveOrder))
    view = rig.station.snapshot()
    assert view.run is not None
    assert (view.run.phase, view.run.lap_started_ns) == ("running", start.go_ns)
    assert view.procedure.runs[0].start is None


def test_a_car_that_cannot_start_is_not_staged(rig: Rig) -> None:
    rig.open()
    answer = give(rig, e.StageRun)
    assert isinstance(answer, Declined)
    assert "has never reported" in answer.sentence


def test_a_stock_car_runs_on_beams_alone_without_lease_alarm_or_arm(rig: Rig) -> None:
    assert isinstance(give(rig, e.AddCar, car="stock-1", kind="stock"), Accepted)
    rig.link.vanish()  # no broker at all
    assert isinstance(give(rig, e.OpenRun, racer="Ann", car="stock-1"), Accepted)
    assert "takes no orders" in give(rig, e.ArmRun).sentence  # type: ignore[union-attr]
    assert isinstance(give(rig, e.StageRun), Accepted)
    rig.wait(6 * S)
    for after_s in (3.0, 4.0, 4.0):
        rig.cross(after_s)
        view = rig.station.snapshot()
        assert view.cars == (), "it is none of the cars that are watched, so nothing about it can be an alarm"
    assert view.run is not None
    assert (view.run.phase, view.run.by_hand, view.run.without_agent, len(view.run.laps)) == ("finished", True, True, 2)
    assert view.run.model_note == ""


def test_a_paused_race_shows_what_is_left_of_its_limit(rig: Rig) -> None:
    give(rig, e.AddCar, car="stock-1", kind="none")
    give(rig, e.OpenRun, racer="Ann", car="stock-1")
    give(rig, e.StartRun)
    rig.wait(20 * S)
    give(rig, e.PauseRace, reason="a cable")
    rig.wait(100 * S)
    view = rig.station.snapshot()
    assert view.procedure.paused is not None
    assert view.procedure.paused.reason == "a cable"
    assert view.run is not None
    assert (view.run.ends_ns, view.procedure.runs[0].left_ns) == (None, 40 * S)
    give(rig, e.ContinueRace)
    view = rig.station.snapshot()
    assert view.run is not None
    assert (view.run.ends_ns, view.procedure.paused) == (rig.clock.now_ns() + 40 * S, None)


def test_the_queue_is_called_missed_driven_and_run_again(rig: Rig) -> None:
    for racer in ("Ann", "Bo", "Cyd"):
        give(rig, e.QueueRacer, racer=racer)
    give(rig, e.AddCar, car="stock-1", kind="stock")
    give(rig, e.CallNext)
    give(rig, e.MarkNoShow)
    give(rig, e.CallNext)
    lines = rig.station.snapshot().queue.lines
    assert [(line.racer, line.called, line.no_shows) for line in lines] == [
        ("Bo", True, 0),
        ("Cyd", False, 0),
        ("Ann", False, 1),
    ]
    assert lines[1].start_utc_ns - lines[0].start_utc_ns == (60 + 60) * S
    rig.wait(600 * S)
    assert rig.station.snapshot().queue.lines[1].late_min == 8
    give(rig, e.OpenRun, racer="Bo", car="stock-1")
    give(rig, e.StartRun)
    give(rig, e.FinishRun)
    give(rig, e.Rerun, run_id="run-1", reason="the beam was blocked")
    first = rig.station.snapshot().queue.lines[0]
    assert (first.racer, first.replaces) == ("Bo", "run-1")
    before = rig.station.snapshot()
    rig.restart()
    after = rig.station.snapshot()
    assert replace(after.queue, at_utc_ns=0) == replace(before.queue, at_utc_ns=0), "kill -9 changes nothing"
    assert after.procedure == before.procedure
    check(rig.station.journal)
