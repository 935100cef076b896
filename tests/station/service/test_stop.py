"""The stop of all cars: sent before it is stored, to every car known or not, until it is released; and its outcome."""

import pathlib
from collections.abc import Iterator

import pytest

from shared.protocol import messages as m
from station.commands.replay import check
from station.core import inputs as e
from station.core.moment import Moment
from station.service.cars.car_control import CarControl
from station.service.cars.controlled_car import DrivePermit
from station.service.cars.order_writer import Reply
from station.views.car_views import CarStopView
from station.views.command_answers import Accepted, Declined
from tests.station.full_disk import full_disk
from tests.station.service.station_rig import MS, Rig, S, WireCar, orders


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db")
    yield rig
    rig.station.close()


def at(now_ns: int) -> Moment:
    return Moment("boot-0", now_ns, 1_790_000_000 * S + now_ns)


def actions(replies: list[Reply]) -> list[tuple[str, str]]:
    return [(car, body.action) for car, body in replies if isinstance(body, m.DriveOrder)]


def grants(replies: list[Reply]) -> list[str]:
    return [body.grant for _, body in replies if isinstance(body, m.Lease)]


def outcomes(cars: CarControl, now_ns: int) -> dict[str, str]:
    return {car.name: car.outcome for car in cars.stop_view(at(now_ns), connected=True).cars}


def test_every_car_that_is_known_is_ordered_whatever_it_was_last_seen_to_do() -> None:
    cars = CarControl(500, 2000, "n")
    cars.permit([DrivePermit("car-5", "run-1", True)])  # on the track, but has never reported
    for name, mode in (("car-1", "driving"), ("car-2", "tripped"), ("car-3", "disarmed")):
        cars.on_heartbeat(name, "b", m.CarHeartbeat(1, mode), 0)  # type: ignore[arg-type]
    cars.on_state("car-4", m.CarState(True, "driving"), 0)  # only its stored state
    first_replies = cars.stop_all("Ruth", at(1 * MS))
    assert sorted(actions(first_replies)) == [(f"car-{n}", "estop") for n in range(1, 6)]


def test_a_car_that_speaks_only_later_is_stopped_and_gets_no_lease() -> None:
    cars = CarControl(500, 2000, "n")
    assert cars.stop_all("Ruth", at(0)) == []
    cars.permit([DrivePermit("car-1", "run-1", True)])
    replies = cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving"), 1 * S)
    assert (grants(replies), actions(replies)) == (["none"], [("car-1", "estop")])
    assert cars.order("car-1", "start", None, 2 * S) == []
    assert cars.order("car-1", "resume", None, 2 * S) == []
    assert grants(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "tripped"), 3 * S)) == ["none"]


def test_what_became_of_it_is_each_cars_own_word_after_the_order() -> None:
    cars = CarControl(500, 2000, "n")
    for name in ("car-1", "car-2", "car-3"):
        cars.on_heartbeat(name, "b", m.CarHeartbeat(1, "driving"), 10 * S)
    cars.on_state("car-4", m.CarState(False, "disarmed"), 10 * S)
    cars.stop_all("Ruth", at(10 * S + 100 * MS))
    assert set(outcomes(cars, 10 * S + 100 * MS).values()) == {"ordered", "unreached"}
    cars.on_state("car-1", m.CarState(True, "tripped"), 10 * S + 200 * MS)  # may be an old one that was stored
    assert outcomes(cars, 10 * S + 200 * MS)["car-1"] == "ordered"
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(3, "tripped"), 10 * S + 312 * MS)
    cars.on_heartbeat("car-2", "b", m.CarHeartbeat(3, "driving"), 12 * S)
    view = cars.stop_view(at(14 * S), connected=True)
    assert view.cars == (
        CarStopView("car-1", "stopped", "tripped", took_ms=212),
        CarStopView("car-2", "ordered", "driving"),
        CarStopView("car-3", "unreached", "driving", heard_utc_ns=1_790_000_010 * S),
        CarStopView("car-4", "unreached", "disarmed"),
    )


def test_a_car_that_is_armed_again_under_the_stop_is_stopped_again() -> None:
    cars = CarControl(500, 2000, "n")
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving"), 0)
    cars.stop_all("Ruth", at(0))
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "tripped"), 100 * MS)
    assert (
        actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(3, "disarmed"), 1 * S)) == []
    )  # a phone reset it: it has stopped
    assert outcomes(cars, 1 * S) == {"car-1": "stopped"}
    assert actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(4, "driving"), 2 * S)) == [("car-1", "estop")]
    assert outcomes(cars, 2 * S) == {"car-1": "ordered"}


def test_after_the_release_each_car_waits_for_an_order_of_its_own() -> None:
    cars = CarControl(500, 2000, "n")
    cars.permit([DrivePermit("car-1", "run-1", True)])
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving"), 0)
    cars.stop_all("Ruth", at(0))
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "tripped"), 100 * MS)
    cars.order("car-1", "stop", None, 150 * MS)  # the end of a run does not weaken the stop
    cars.release(at(1 * S))
    assert grants(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(3, "tripped"), 2 * S)) == ["none"]
    assert actions(cars.order("car-1", "resume", None, 3 * S)) == [("car-1", "reset")]
    assert grants(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(4, "disarmed"), 4 * S)) == ["drive"]


def test_a_release_that_is_older_than_the_stop_releases_nothing() -> None:
    cars = CarControl(500, 2000, "n")
    cars.stop_all("Ruth", at(5 * S))
    cars.release(at(4 * S))
    assert cars.all_stopped


def test_the_orders_are_out_before_anything_is_stored(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = Rig(tmp_path / "station.db")
        car, late = WireCar(rig), None
        rig.open()
        car.beat("driving")
        car.collect(m.DriveOrder)
        disk.full = True
        view = rig.station.stop_all("Ruth")
        assert [(each.name, each.outcome) for each in view.cars] == [("car-1", "ordered")]
        assert rig.station.snapshot().stop.on  # no pump was needed: no queue, no disk
        rig.broker.run_until(rig.clock.now_ns())
        assert orders(car.collect(m.DriveOrder)) == ["estop"]
        ticket = rig.station.offer(e.StopAll(author="Ruth"))
        rig.settle()
        assert isinstance(ticket.answer, Declined)
        assert "was sent to all cars and holds" in ticket.answer.sentence
        late = WireCar(rig, "car-2")
        late.beat("ready")
        assert orders(late.collect(m.DriveOrder)) == ["estop"]
        disk.full = False
        rig.wait(1 * S)
        assert rig.station.snapshot().store.ok
        assert [b"AllStopped" in facts for facts in rig.facts()].count(True) == 2  # what was sent is journaled
        check(rig.station.journal)
        rig.station.close()


def test_with_no_car_known_it_says_so_and_holds(rig: Rig) -> None:
    view = rig.station.stop_all("Ruth")
    assert (view.on, view.author, view.cars) == (True, "Ruth", ())
    car = WireCar(rig)
    car.beat("driving")
    assert orders(car.collect(m.DriveOrder)) == ["estop"]
    assert [car.name for car in rig.station.stop_state().cars] == ["car-1"]


def test_a_stop_outlives_the_station(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    rig.station.stop_all("Ruth")
    rig.settle()
    rig.restart()
    assert rig.station.stop_state().author == "Ruth"
    car.collect(m.Lease)
    car.beat("ready")
    assert [body.grant for body in car.collect(m.Lease) if isinstance(body, m.Lease)] == ["none"]
    assert "estop" in orders(car.collect(m.DriveOrder))
    answer = rig.give(e.ArmRun(author="judge"))
    assert answer == Declined("All cars are stopped by Ruth: release the stop first.")
    assert isinstance(rig.give(e.ReleaseStop(author="judge")), Accepted)
    assert not rig.station.snapshot().stop.on
    check(rig.station.journal)


def test_a_start_that_the_stop_overtook_starts_nothing(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("ready")
    start = rig.station.offer(e.StartRun(author="judge"))  # in the queue
    rig.station.stop_all("Ruth")  # beyond the timeout
    rig.settle()
    assert start.answer is not None
    car.beat("ready")
    assert set(orders(car.collect(m.DriveOrder))) <= {"arm", "estop"}


def test_a_car_is_not_reached_without_a_wire(rig: Rig) -> None:
    car = WireCar(rig)
    car.beat("driving")
    rig.broker.kill()
    rig.wait(4 * S)
    view = rig.station.stop_all("Ruth")
    assert not view.connected
    assert [(each.name, each.outcome) for each in view.cars] == [("car-1", "unreached")]
    assert view.cars[0].heard_utc_ns == rig.clock.utc_ns() - 4 * S
