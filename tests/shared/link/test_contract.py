"""What every link promises, asked of the mock, of mosquitto and of amqtt alike."""

from typing import Any

import pytest

from shared.errors import Refused
from shared.link.interface import Subscription
from shared.protocol import codec
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY

DRIVING = m.CarState(online=True, mode="driving", model="demo", throttle_percent=50)
TELEMETRY = m.CarTelemetry(1, 2, 3, 4, 5, 6, 7, 8, -0.5, 0.25)
FROM_CAR: list[m.Body] = [
    m.CarHeartbeat(7, "ready"),
    DRIVING,
    m.CarLap(2**62, "c1", 0, 12_000_000_000, 5, 100),
    TELEMETRY,
]
TO_CAR: list[m.Body] = [
    m.Lease("c1", 7, "drive", "run-1", 500),
    m.DriveOrder("o1", "arm", "c1", 7, 2000, "run-1", 60),
    m.LapAck("c1", 3),
]


@pytest.mark.parametrize("body", FROM_CAR, ids=lambda b: type(b).__name__)
def test_what_a_car_says_is_heard_as_it_was_said(hall: Any, body: m.Body) -> None:
    assert hall.car.publish(body)
    hall.rig.until(lambda: hall.station_ear.bodies(type(body)))
    heard = next(d for d in hall.station_ear.heard if d.message.body == body)
    assert (heard.message.envelope.device, heard.message.envelope.boot) == ("car-1", "c1")
    assert heard.topic == BY_BODY[type(body)].of("car-1")
    assert not heard.retained


@pytest.mark.parametrize("body", TO_CAR, ids=lambda b: type(b).__name__)
def test_what_is_said_to_a_car_is_heard_by_it_alone(hall: Any, new_ear: Any, body: m.Body) -> None:
    other = new_ear()
    link = hall.rig.link("car-2", "car", "c2")
    link.start([Subscription(BY_BODY[type(body)], "car-2")], other.take)
    hall.rig.until(lambda: link.state().connected)
    assert hall.station.publish(body, "car-1")
    hall.rig.until(lambda: hall.car_ear.bodies(type(body)))
    assert hall.car_ear.bodies() == [body]
    assert other.heard == []


def test_numbers_rise_and_a_repeat_keeps_its_own(hall: Any) -> None:
    for at_ns in range(3):
        hall.car.publish(m.CarLap(at_ns, "c1"))
    hall.car.publish_as(m.Message(m.Envelope("car-1", "c0", 77), m.CarLap(9, "c0")))
    hall.rig.until(lambda: len(hall.station_ear.bodies(m.CarLap)) == 4)
    envelopes = [d.message.envelope for d in hall.station_ear.heard if isinstance(d.message.body, m.CarLap)]
    assert envelopes[0].seq < envelopes[1].seq < envelopes[2].seq
    assert envelopes[3] == m.Envelope("car-1", "c0", 77)


def test_a_kept_state_is_told_to_who_comes_later(hall: Any, new_ear: Any) -> None:
    hall.car.publish(DRIVING)
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarState))
    ear = new_ear()
    late = hall.rig.link("station-2", "station", "s2")
    late.start([Subscription(BY_BODY[m.CarState])], ear.take)
    hall.rig.until(lambda: ear.heard)
    assert set(ear.bodies()) == {DRIVING}
    assert ear.heard[0].retained


def test_a_link_that_closes_is_said_to_be_away_and_takes_no_more(hall: Any) -> None:
    hall.car.publish(DRIVING)
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarState))
    hall.car.close()
    hall.car.close()
    hall.rig.until(lambda: not hall.station_ear.bodies(m.CarState)[-1].online)
    assert not hall.car.publish(DRIVING)
    assert not hall.car.state().connected


def test_what_was_not_acknowledged_comes_again_to_the_next_process(
    keeping_rig: Any, new_hall: Any, new_ear: Any
) -> None:
    hall = new_hall(keeping_rig)
    forgetful, ear = new_ear(acks=False), new_ear()
    first = keeping_rig.link("station-9", "station", "s1")
    first.start([Subscription(BY_BODY[m.CarLap])], forgetful.take)
    keeping_rig.until(lambda: _say_until_heard(hall, forgetful))
    first.close()
    again = keeping_rig.link("station-9", "station", "s2")
    again.start([Subscription(BY_BODY[m.CarLap])], ear.take)
    keeping_rig.until(lambda: set(forgetful.bodies()) <= set(ear.bodies()))
    again.close()


def _say_until_heard(hall: Any, ear: Any) -> bool:
    if not ear.heard:
        hall.car.publish(m.CarLap(2, "c1"))
    return bool(ear.heard)


def test_a_broker_that_was_killed_and_forgot_is_found_again_and_told_the_state(hall: Any) -> None:
    hall.car.publish(DRIVING)
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarState))
    hall.rig.kill()
    hall.rig.until(lambda: not hall.car.state().connected and not hall.station.state().connected)
    assert "broker" in hall.car.state().sentence
    assert not hall.car.publish(m.CarHeartbeat(1, "driving")), "QoS 0 is worth something only now"
    hall.rig.restart()
    hall.connected()
    hall.station_ear.heard.clear()
    hall.car.publish(m.CarLap(5, "c1"))
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarLap))


def test_the_state_is_there_again_after_the_brokers_death(hall: Any, new_ear: Any) -> None:
    hall.car.publish(DRIVING)
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarState))
    hall.rig.kill()
    hall.rig.until(lambda: not hall.car.state().connected)
    hall.rig.restart()
    hall.rig.until(lambda: hall.car.state().connected and hall.car.state().queued == 0)
    ear = new_ear()
    late = hall.rig.link("station-3", "station", "s3")
    late.start([Subscription(BY_BODY[m.CarState])], ear.take)
    hall.rig.until(lambda: DRIVING in ear.bodies())


def test_while_the_broker_is_away_the_queue_is_bounded_and_states_replace_states(rig: Any, new_ear: Any) -> None:
    rig.kill()
    car = rig.link("car-1", "car", "c1", queue_limit=5)
    car.start([], new_ear().take)
    laps = [car.publish(m.CarLap(n, "c1")) for n in range(8)]
    assert laps == [True] * 5 + [False] * 3
    for percent in range(10):
        assert car.publish(m.CarState(online=True, mode="ready", throttle_percent=percent))
    assert not car.publish(m.CarHeartbeat(1, "ready"))
    state = car.state()
    assert (state.connected, state.queued, state.dropped) == (False, 6, 4)
    rig.restart()
    rig.until(lambda: car.state().queued == 0)
    ear = new_ear()
    station = rig.link("station-1", "station", "s1")
    station.start([Subscription(BY_BODY[m.CarState])], ear.take)
    rig.until(lambda: ear.heard)
    assert ear.bodies() == [m.CarState(online=True, mode="ready", throttle_percent=9)]
    car.close()


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff\xfe", b"[" * 5000, b'{"v":1}', b"null"])
def test_malformed_payloads_are_counted_and_do_not_stop_the_wire(hall: Any, payload: bytes) -> None:
    hall.rig.inject("raceday/cars/car-1/lap", payload)
    hall.rig.until(lambda: hall.station.state().malformed == 1)
    hall.car.publish(m.CarLap(5, "c1"))
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarLap))
    assert hall.station.state().malformed == 1


def test_a_car_that_speaks_for_another_is_not_heard(hall: Any) -> None:
    message = m.Message(m.Envelope("car-2", "c2", 1), m.CarLap(1, "c2"))
    hall.rig.inject("raceday/cars/car-1/lap", codec.encode(message))
    hall.rig.until(lambda: hall.station.state().malformed == 1)
    assert hall.station_ear.bodies(m.CarLap) == []


def test_a_stored_order_is_never_obeyed(hall: Any, new_ear: Any) -> None:
    order = m.Message(m.Envelope("station-1", "s1", 1), m.DriveOrder("old", "start", "c5", 1, 10_000))
    hall.rig.inject("raceday/to/car-5/order", codec.encode(order), retain=True)
    ear = new_ear()
    car = hall.rig.link("car-5", "car", "c5")
    car.start([Subscription(BY_BODY[m.DriveOrder], "car-5")], ear.take)
    hall.rig.until(lambda: car.state().malformed == 1)
    assert ear.heard == []


def test_nobody_says_what_is_not_theirs_to_say(hall: Any) -> None:
    with pytest.raises(Refused, match="A car does not publish Lease"):
        hall.car.publish(TO_CAR[0], "car-2")
    with pytest.raises(Refused, match="must name the machine"):
        hall.station.publish(TO_CAR[0])
    with pytest.raises(Refused, match="cannot name a machine"):
        hall.station.publish(TO_CAR[0], "#")


def test_acknowledging_twice_or_late_is_harmless(hall: Any) -> None:
    hall.car.publish(m.CarLap(1, "c1"))
    hall.rig.until(lambda: hall.station_ear.bodies(m.CarLap))
    delivery = hall.station_ear.heard[-1]
    delivery.ack()
    hall.rig.kill()
    delivery.ack()
    hall.rig.restart()
    hall.connected()
    delivery.ack()
    hall.station.close()
    delivery.ack()
