"""What every link promises: the same tests for the mock, mosquitto and amqtt."""

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
def test_what_a_car_says_is_heard_as_it_was_said(pair: Any, body: m.Body) -> None:
    assert pair.car.publish(body)
    pair.rig.until(lambda: pair.station_inbox.bodies(type(body)))
    delivery = next(d for d in pair.station_inbox.deliveries if d.message.body == body)
    assert (delivery.message.envelope.device, delivery.message.envelope.boot) == ("car-1", "c1")
    assert delivery.topic == BY_BODY[type(body)].of("car-1")
    assert not delivery.retained


@pytest.mark.parametrize("body", TO_CAR, ids=lambda b: type(b).__name__)
def test_what_is_said_to_a_car_is_heard_by_it_alone(pair: Any, new_inbox: Any, body: m.Body) -> None:
    other = new_inbox()
    link = pair.rig.link("car-2", "car", "c2")
    link.start([Subscription(BY_BODY[type(body)], "car-2")], other.on_delivery)
    pair.rig.until(lambda: link.state().connected)
    assert pair.station.publish(body, "car-1")
    pair.rig.until(lambda: pair.car_inbox.bodies(type(body)))
    assert pair.car_inbox.bodies() == [body]
    assert other.deliveries == []


def test_numbers_rise_and_a_repeat_keeps_its_own(pair: Any) -> None:
    for at_ns in range(3):
        pair.car.publish(m.CarLap(at_ns, "c1"))
    pair.car.publish_as(m.Message(m.Envelope("car-1", "c0", 77), m.CarLap(9, "c0")))
    pair.rig.until(lambda: len(pair.station_inbox.bodies(m.CarLap)) == 4)
    envelopes = [d.message.envelope for d in pair.station_inbox.deliveries if isinstance(d.message.body, m.CarLap)]
    assert envelopes[0].seq < envelopes[1].seq < envelopes[2].seq
    assert envelopes[3] == m.Envelope("car-1", "c0", 77)


def test_a_kept_state_is_told_to_who_comes_later(pair: Any, new_inbox: Any) -> None:
    pair.car.publish(DRIVING)
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarState))
    inbox = new_inbox()
    late = pair.rig.link("station-2", "station", "s2")
    late.start([Subscription(BY_BODY[m.CarState])], inbox.on_delivery)
    pair.rig.until(lambda: inbox.deliveries)
    assert set(inbox.bodies()) == {DRIVING}
    assert inbox.deliveries[0].retained


def test_a_link_that_closes_is_said_to_be_away_and_takes_no_more(pair: Any) -> None:
    pair.car.publish(DRIVING)
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarState))
    pair.car.close()
    pair.car.close()
    pair.rig.until(lambda: not pair.station_inbox.bodies(m.CarState)[-1].online)
    assert not pair.car.publish(DRIVING)
    assert not pair.car.state().connected


def test_what_was_not_acknowledged_comes_again_to_the_next_process(
    persistent_rig: Any, new_pair: Any, new_inbox: Any
) -> None:
    pair = new_pair(persistent_rig)
    forgetful, inbox = new_inbox(acks=False), new_inbox()
    first = persistent_rig.link("station-9", "station", "s1")
    first.start([Subscription(BY_BODY[m.CarLap])], forgetful.on_delivery)
    persistent_rig.until(lambda: _publish_until_delivered(pair, forgetful))
    first.close()
    again = persistent_rig.link("station-9", "station", "s2")
    again.start([Subscription(BY_BODY[m.CarLap])], inbox.on_delivery)
    persistent_rig.until(lambda: set(forgetful.bodies()) <= set(inbox.bodies()))
    again.close()


def _publish_until_delivered(pair: Any, inbox: Any) -> bool:
    if not inbox.deliveries:
        pair.car.publish(m.CarLap(2, "c1"))
    return bool(inbox.deliveries)


def test_a_broker_that_was_killed_and_forgot_is_found_again_and_told_the_state(pair: Any) -> None:
    pair.car.publish(DRIVING)
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarState))
    pair.rig.kill()
    pair.rig.until(lambda: not pair.car.state().connected and not pair.station.state().connected)
    assert "broker" in pair.car.state().sentence
    assert not pair.car.publish(m.CarHeartbeat(1, "driving")), "QoS 0 is not queued"
    pair.rig.restart()
    pair.connected()
    pair.station_inbox.deliveries.clear()
    pair.car.publish(m.CarLap(5, "c1"))
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarLap))


def test_the_state_is_there_again_after_the_brokers_death(pair: Any, new_inbox: Any) -> None:
    pair.car.publish(DRIVING)
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarState))
    pair.rig.kill()
    pair.rig.until(lambda: not pair.car.state().connected)
    pair.rig.restart()
    pair.rig.until(lambda: pair.car.state().connected and pair.car.state().queued == 0)
    inbox = new_inbox()
    late = pair.rig.link("station-3", "station", "s3")
    late.start([Subscription(BY_BODY[m.CarState])], inbox.on_delivery)
    pair.rig.until(lambda: DRIVING in inbox.bodies())


def test_while_the_broker_is_away_the_queue_is_bounded_and_states_replace_states(rig: Any, new_inbox: Any) -> None:
    rig.kill()
    car = rig.link("car-1", "car", "c1", queue_limit=5)
    car.start([], new_inbox().on_delivery)
    laps = [car.publish(m.CarLap(n, "c1")) for n in range(8)]
    assert laps == [True] * 5 + [False] * 3
    for percent in range(10):
        assert car.publish(m.CarState(online=True, mode="ready", throttle_percent=percent))
    assert not car.publish(m.CarHeartbeat(1, "ready"))
    state = car.state()
    assert (state.connected, state.queued, state.dropped) == (False, 6, 4)
    rig.restart()
    rig.until(lambda: car.state().queued == 0)
    inbox = new_inbox()
    station = rig.link("station-1", "station", "s1")
    station.start([Subscription(BY_BODY[m.CarState])], inbox.on_delivery)
    rig.until(lambda: inbox.deliveries)
    assert inbox.bodies() == [m.CarState(online=True, mode="ready", throttle_percent=9)]
    car.close()


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff\xfe", b"[" * 5000, b'{"v":1}', b"null"])
def test_malformed_payloads_are_counted_and_do_not_stop_the_wire(pair: Any, payload: bytes) -> None:
    pair.rig.inject("raceday/cars/car-1/lap", payload)
    pair.rig.until(lambda: pair.station.state().malformed == 1)
    pair.car.publish(m.CarLap(5, "c1"))
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarLap))
    assert pair.station.state().malformed == 1


def test_a_car_that_speaks_for_another_is_not_heard(pair: Any) -> None:
    message = m.Message(m.Envelope("car-2", "c2", 1), m.CarLap(1, "c2"))
    pair.rig.inject("raceday/cars/car-1/lap", codec.encode(message))
    pair.rig.until(lambda: pair.station.state().malformed == 1)
    assert pair.station_inbox.bodies(m.CarLap) == []


def test_a_stored_order_is_never_obeyed(pair: Any, new_inbox: Any) -> None:
    order = m.Message(m.Envelope("station-1", "s1", 1), m.DriveOrder("old", "start", "c5", 1, 10_000))
    pair.rig.inject("raceday/to/car-5/order", codec.encode(order), retain=True)
    inbox = new_inbox()
    car = pair.rig.link("car-5", "car", "c5")
    car.start([Subscription(BY_BODY[m.DriveOrder], "car-5")], inbox.on_delivery)
    pair.rig.until(lambda: car.state().malformed == 1)
    assert inbox.deliveries == []


def test_nobody_says_what_is_not_theirs_to_say(pair: Any) -> None:
    with pytest.raises(Refused, match="A car does not publish Lease"):
        pair.car.publish(TO_CAR[0], "car-2")
    with pytest.raises(Refused, match="must name the machine"):
        pair.station.publish(TO_CAR[0])
    with pytest.raises(Refused, match="cannot name a machine"):
        pair.station.publish(TO_CAR[0], "#")


def test_acknowledging_twice_or_late_is_harmless(pair: Any) -> None:
    pair.car.publish(m.CarLap(1, "c1"))
    pair.rig.until(lambda: pair.station_inbox.bodies(m.CarLap))
    delivery = pair.station_inbox.deliveries[-1]
    delivery.ack()
    pair.rig.kill()
    delivery.ack()
    pair.rig.restart()
    pair.connected()
    delivery.ack()
    pair.station.close()
    delivery.ack()
