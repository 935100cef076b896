"""An order to a car that cannot follow it is refused with the reason; a start by hand needs no car that reports."""

import pathlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.protocol import messages as m
from station.commands.replay import check
from station.core import inputs as e
from station.views.command_answers import Accepted, Declined
from tests.station.service.station_rig import MS, Rig, S, WireCar, orders


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "station.db")
    yield rig
    rig.station.close()


def refused(rig: Rig, command: e.Command) -> str:
    records = rig.station.journal.head.seq
    answer = rig.give(command)
    assert isinstance(answer, Declined), answer
    assert rig.station.journal.head.seq == records  # nothing changed
    return answer.sentence


ARM, START, RESUME = e.ArmRun(author="judge"), e.StartRun(author="judge"), e.ResumeRun(author="judge")
BY_HAND = e.StartRun(author="judge", by_hand=True)
EVERY = [
    ARM,
    START,
    RESUME,
    e.StartRun(author="judge", run_id="run-1"),
    e.OrderCar(author="judge", car="car-1", action="arm"),
    e.OrderCar(author="judge", car="car-1", action="start"),
]


@pytest.mark.parametrize("command", [*EVERY, e.OrderCar(author="judge", car="car-1", action="reset")])
def test_of_a_car_that_was_never_heard(rig: Rig, command: e.Command) -> None:
    rig.open()
    assert refused(rig, command) == "car-1 has never reported: check it, or start it by hand."


@pytest.mark.parametrize("command", EVERY)
def test_of_a_car_that_is_silent(rig: Rig, command: e.Command) -> None:
    car = WireCar(rig)
    car.state(m.CarState(True, "ready", model="m"))
    rig.open()
    car.beat("ready")
    rig.wait(5 * S)
    assert refused(rig, command) == "car-1 is offline (last heard 5 s ago): check it, or start it by hand."


@pytest.mark.parametrize("command", EVERY)
def test_of_a_car_whose_wire_broke_now(rig: Rig, command: e.Command) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("ready")
    car.link.vanish()
    rig.wait(100 * MS)
    assert "is offline" in refused(rig, command)


@pytest.mark.parametrize("command", EVERY)
def test_of_a_name_that_two_machines_use(rig: Rig, command: e.Command) -> None:
    car = WireCar(rig)
    rig.open()
    for beat in range(1, 20):
        car.beat("ready")
        rig.station._cars.on_heartbeat("car-1", "another", m.CarHeartbeat(beat, "ready"), rig.clock.now_ns())
    assert "Two machines use the name car-1" in refused(rig, command)


@pytest.mark.parametrize("command", EVERY)
def test_of_a_car_without_a_model(rig: Rig, command: e.Command) -> None:
    car = WireCar(rig)
    car.state(m.CarState(True, "disarmed"))
    rig.open()
    car.beat("disarmed")
    assert refused(rig, command) == "car-1 has no model loaded: load one on the car's own page."


def test_a_tripped_car_is_resumed_and_not_armed_or_started(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.state(m.CarState(True, "tripped", "No fresh frame.", "m"))
    car.beat("tripped")
    for command in (ARM, START):
        assert refused(rig, command) == "car-1 is tripped (No fresh frame): when it is safe, resume it."
    assert isinstance(rig.give(RESUME), Accepted)


def test_a_stop_goes_to_every_car_there_or_not(rig: Rig) -> None:
    rig.open()
    for action in ("stop", "estop"):
        assert isinstance(rig.give(e.OrderCar(author="judge", car="car-1", action=action)), Accepted)


def test_what_the_core_refuses_it_refuses_itself(rig: Rig) -> None:
    assert "while the run is idle" in rig.give(START).sentence  # type: ignore[union-attr]
    rig.open()
    assert "There is no run" in rig.give(e.StartRun(author="judge", run_id="run-9")).sentence  # type: ignore[union-attr]


def test_an_order_says_what_it_ordered_and_of_whom(rig: Rig) -> None:
    car = WireCar(rig)
    rig.open()
    car.beat("ready")
    answer = rig.give(START)
    assert isinstance(answer, Accepted)
    assert (answer.car, answer.goal) == ("car-1", "start")
    rig.wait(300 * MS)
    assert rig.station.snapshot().cars[0].mode == "ready"  # ordered, and not done


def test_by_hand_no_order_and_no_lease_goes_out_and_the_result_says_so(rig: Rig) -> None:
    rig.open()
    rig.wait(1 * S)
    answer = rig.give(BY_HAND)
    assert isinstance(answer, Accepted)
    assert answer.car == ""
    for after_s in (1.0, 8.0, 8.0, 8.0):
        rig.cross(after_s)
    view = rig.station.snapshot()
    assert view.run is not None
    assert (view.run.phase, view.run.by_hand) == ("finished", True)
    rig.wait(20 * S)
    assert [car.alarm for car in rig.station.snapshot().cars] == [""]  # nothing waits for a car without software
    assert any(b'"by_hand":true' in facts and b"ResultDue" in facts for facts in rig.facts())
    check(rig.station.journal)


def test_a_car_that_speaks_in_a_run_by_hand_is_not_led(rig: Rig) -> None:
    rig.open()
    rig.give(BY_HAND)
    car = WireCar(rig)
    car.beat("ready")
    assert [lease.grant for lease in car.collect(m.Lease) if isinstance(lease, m.Lease)] == ["none"]
    assert orders(car.collect(m.DriveOrder)) == []
    assert refused(rig, RESUME) == "run-1 was started by hand, so its car takes no orders."
    car.beat("driving")
    assert orders(car.collect(m.DriveOrder)) == ["stop"]


def test_a_start_by_the_car_after_one_by_hand_leads_it_again(rig: Rig) -> None:
    rig.open()
    rig.give(BY_HAND)
    car = WireCar(rig)
    car.beat("ready")
    answer = rig.give(START)
    assert isinstance(answer, Accepted)
    assert answer.goal == "start"
    run = rig.station.snapshot().run
    assert run is not None
    assert not run.by_hand


def test_a_run_is_opened_for_a_car_that_is_not_there_yet(rig: Rig) -> None:
    rig.open()
    car = WireCar(rig)
    car.beat("disarmed")
    assert "arm" in orders(car.collect(m.DriveOrder))


def test_an_order_that_reaches_nobody_says_so(rig: Rig) -> None:
    """An order given over the web: its answer says that the car has not got it yet."""
    estop = e.OrderCar(author="judge", car="car-1", action="estop")

    def give() -> str:
        with ThreadPoolExecutor(1) as web:
            answer = web.submit(rig.station.submit, estop)
            while not answer.done():
                rig.settle()
        reply = answer.result()
        assert isinstance(reply, Accepted)
        return reply.note

    assert give() == "car-1 has never reported: the order waits for it."
    WireCar(rig).beat("ready")
    assert give() == ""
    rig.broker.kill()
    rig.settle()
    assert give() == "The broker is offline, so the order cannot reach the car now."
