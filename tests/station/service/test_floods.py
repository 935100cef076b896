"""Floods over MQTT at a whole station: what is dropped, counted, shown, kept out of the journal, and forgotten."""

import json
import pathlib

import pytest

from shared.link.inflow.rate_limits import LAPS_BURST, MAX_SENDERS
from shared.protocol import codec
from shared.protocol import messages as m
from station.service.cars.controlled_car import MAX_CARS
from tests.station.service.station_rig import MS, Rig, S, WireCar


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Rig:
    return Rig(tmp_path / "station.db")


def shown(rig: Rig, name: str) -> str:
    return next(car.alarm for car in rig.station.snapshot().cars if car.name == name)


def encoded(car: str, seq: int, body: m.Body, boot: str = "b") -> bytes:
    return codec.encode(m.Message(m.Envelope(car, boot, seq), body))


def test_a_flood_of_laps_is_dropped_counted_and_shown(rig: Rig) -> None:
    car = WireCar(rig)
    car.beat("ready")
    before = rig.station.journal.head.seq
    for second in range(3):
        for number in range(1_000):
            seq = second * 1_000 + number
            rig.broker.inject("raceday/cars/evil/lap", encoded("evil", seq, m.CarLap(seq, "b")), 1)
        rig.wait(S)
        car.beat("ready")
    assert rig.station.journal.head.seq - before <= LAPS_BURST + 2 * 4 + 1
    assert "evil floods the station: 99" in shown(rig, "evil")
    assert "certs revoke evil" in shown(rig, "evil")
    assert shown(rig, "car-1") == ""
    (row,) = [each for each in rig.station.refusals.counts() if each.kind == "mqtt"]
    assert row.who == "evil"
    assert row.total == 3_000 - (LAPS_BURST + 2 * 2)
    car.collect(m.LapAck)
    car.lap(1, 10 * S, None)
    assert len(car.collect(m.LapAck)) == 1
    rig.wait(10 * S)
    assert shown(rig, "evil") == "", "it ends with the flood"


def test_of_several_waiting_heartbeats_only_the_newest_is_answered(rig: Rig) -> None:
    """The live thread stood still for a second: ten beats wait, and nine are worth nothing."""
    car = WireCar(rig)
    for number in range(10):
        car.link.publish(m.CarHeartbeat(number + 1, "ready"))
        rig.clock.advance(rig.clock.now_ns() + 100 * MS)
        rig.broker.run_until(rig.clock.now_ns())
    rig.settle()
    assert [lease.heartbeat for lease in car.collect(m.Lease) if isinstance(lease, m.Lease)] == [10]


def test_a_report_beyond_the_share_of_the_journal_is_not_acknowledged_and_comes_through_later(rig: Rig) -> None:
    car = WireCar(rig)
    texts = "x" * 512
    sent = 0
    while True:  # as fast as the rate lets it
        sent += 1
        car.link.publish_as(m.Message(m.Envelope("car-1", "b", sent), m.CarLap(sent, texts)))
        rig.clock.advance(rig.clock.now_ns() + 500 * MS)
        rig.settle()
        if not car.collect(m.LapAck):
            break
    assert sent > 300, "an honest backlog fits"
    stored = rig.station.journal.head.seq
    assert any("journal" in each.what for each in rig.station.refusals.counts())
    rig.wait(10 * S)
    car.link.publish_as(m.Message(m.Envelope("car-1", "b", sent), m.CarLap(sent, texts)))
    rig.settle()
    assert [ack.seq for ack in car.collect(m.LapAck) if isinstance(ack, m.LapAck)] == [sent]
    assert rig.station.journal.head.seq == stored + 1


def test_a_model_that_did_not_fit_is_journaled_with_a_later_state(rig: Rig) -> None:
    car = WireCar(rig)
    car.beat("ready")

    def stored() -> int:
        return sum(b"CarModel" in record.input for record in rig.station.journal.records())

    number = 0
    before = -1
    while stored() > before:
        before = stored()
        for _ in range(40):
            number += 1
            car.state(m.CarState(True, "ready", model="m" * 500, model_sha256=f"{number:0512}"))
            rig.wait(25 * MS)
    rig.wait(20 * S)
    car.state(m.CarState(True, "ready", model="m" * 500, model_sha256=f"{number:0512}"))
    assert stored() == before + 1


def test_names_that_nobody_has_are_forgotten_and_the_pages_stay_small(rig: Rig) -> None:
    """A broker without certificates: 5,000 invented names, while a car races; and then no more."""
    car = WireCar(rig)
    for _ in range(12):
        car.beat("ready")
    rig.open()
    for number in range(5_000):
        name = f"e{number}"
        rig.broker.inject(f"raceday/cars/{name}/heartbeat", encoded(name, 1, m.CarHeartbeat(1, "driving")))
        if number % 50 == 0:
            car.beat("ready")
    rig.wait(S)
    view = rig.station.snapshot()
    names = [each.name for each in view.cars]
    assert "car-1" in names
    assert len(names) <= MAX_CARS
    assert len(json.dumps(names)) < 10_000
    assert MAX_SENDERS > 256
    assert "invented names" in {each.who for each in rig.station.refusals.counts()}


def test_a_stopped_car_stays_stopped_behind_any_number_of_names(rig: Rig) -> None:
    car = WireCar(rig)
    for _ in range(12):
        car.beat("driving")
    rig.station.stop_all("Ruth")
    rig.settle()
    for number in range(600):
        name = f"e{number}"
        rig.broker.inject(f"raceday/cars/{name}/heartbeat", encoded(name, 1, m.CarHeartbeat(1, "driving")))
        if number % 20 == 0:
            car.beat("driving")
    car.collect(m.Lease)
    car.beat("driving")
    assert [lease.grant for lease in car.collect(m.Lease) if isinstance(lease, m.Lease)] == ["none"]
    assert "car-1" in {each.name for each in rig.station.stop_state().cars}
