"""What only a real broker can show: freezes, kills, taken names, hostile bytes and bad certificates."""

import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from raceday.broker import start_broker
from shared.config import from_table
from shared.errors import ConfigError
from shared.link.interface import Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from shared.text.catalogue import translate

DRIVING = m.CarState(online=True, mode="driving")

CAR = """
import sys, threading
from shared.protocol import messages as m
from shared.link.mqtt import MqttLink, MqttOptions
link = MqttLink(MqttOptions(port=int(sys.argv[1])), "car-1", "c1", "car")
link.start([], lambda delivery: None)
link.publish(m.CarState(online=True, mode="driving"))
print("published", flush=True)
threading.Event().wait()
"""


@pytest.mark.broker
def test_a_car_whose_process_is_killed_is_said_to_be_away(mosquitto: Any, new_inbox: Any) -> None:
    inbox = new_inbox()
    station = mosquitto.link("station-1", "station", "s1")
    station.start([Subscription(BY_BODY[m.CarState])], inbox.on_delivery)
    car = subprocess.Popen([sys.executable, "-c", CAR, str(mosquitto.port)], stdout=subprocess.PIPE)
    mosquitto.until(lambda: DRIVING in inbox.bodies())
    car.kill()
    car.communicate()
    mosquitto.until(lambda: not inbox.bodies()[-1].online)


@pytest.mark.broker
@pytest.mark.slow
def test_a_frozen_broker_is_not_called_connected_and_what_was_kept_arrives_after(
    mosquitto: Any, new_inbox: Any
) -> None:
    inbox = new_inbox()
    station = mosquitto.link("station-1", "station", "s1", keepalive_s=1)
    station.start([Subscription(BY_BODY[m.CarLap])], inbox.on_delivery)
    car = mosquitto.link("car-1", "car", "c1", keepalive_s=1)
    car.start([], new_inbox().on_delivery)
    mosquitto.until(lambda: station.state().connected and car.state().connected)
    pid = mosquitto.broker.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for number in range(10):  # as many as a station takes at once
            assert car.publish(m.CarLap(number, "c1")), "publishing never blocks and never fails here"
        mosquitto.until(lambda: not car.state().connected)
        assert not car.publish(m.CarHeartbeat(1, "driving"))
        assert car.state().queued == 10
    finally:
        os.kill(pid, signal.SIGCONT)
    mosquitto.until(lambda: {b.at_ns for b in inbox.bodies()} == set(range(10)))
    mosquitto.until(lambda: car.state().queued == 0)


@pytest.mark.broker
def test_two_machines_with_one_client_id_are_told_so(mosquitto: Any, new_inbox: Any) -> None:
    first, second = (mosquitto.link("car-1", "car", boot, client_id="car-1") for boot in ("a", "b"))
    first.start([], new_inbox().on_delivery)
    mosquitto.until(lambda: first.state().connected)
    second.start([], new_inbox().on_delivery)
    mosquitto.until(lambda: "does another machine use the name 'car-1'?" in second.state().sentence)


def test_a_broker_that_says_that_our_name_was_taken_is_believed() -> None:
    """mosquitto 2.0.11 does not say it; there the link concludes it from the short lives of its connections."""
    link = MqttLink(MqttOptions(port=1, client_id="car-1"), "car-1", "a", "car")
    taken = ReasonCode(PacketTypes.DISCONNECT, "Session taken over")
    link._on_disconnect(None, None, None, taken, None)  # type: ignore[arg-type]
    assert "Another machine took our name at the broker (car-1)" in link.state().sentence
    link.close()


@pytest.mark.broker
def test_two_cars_with_one_name_do_not_knock_each_other_off(mosquitto: Any, new_inbox: Any) -> None:
    inbox = new_inbox()
    station = mosquitto.link("station-1", "station", "s")
    station.start([Subscription(BY_BODY[m.CarLap])], inbox.on_delivery)
    cars = [mosquitto.link("car-1", "car", boot) for boot in ("a", "b")]
    for car in cars:
        car.start([], new_inbox().on_delivery)
    mosquitto.until(lambda: all(link.state().connected for link in (station, *cars)))
    for number in range(5):
        for car in cars:
            assert car.publish(m.CarLap(number, "c"))
        mosquitto.until(lambda count=2 * number + 2: len(inbox.deliveries) == count)
    assert all(car.state().connected for car in cars)
    assert {delivery.message.envelope.boot for delivery in inbox.deliveries} == {"a", "b"}


@pytest.mark.broker
def test_auto_finds_mqtt_5(mosquitto: Any, new_inbox: Any) -> None:
    link = mosquitto.link("car-1", "car", "c1", protocol="auto")
    link.start([], new_inbox().on_delivery)
    mosquitto.until(lambda: link.state().connected)


@pytest.mark.slow
def test_auto_falls_back_to_311_where_nobody_answers_a_5(tmp_path: pathlib.Path, new_inbox: Any) -> None:
    broker = start_broker(tmp_path, 0, "amqtt")
    inbox = new_inbox()
    link = MqttLink(MqttOptions(port=broker.port), "station-1", "s1", "station")
    try:
        link.start([Subscription(BY_BODY[m.StationStatus])], inbox.on_delivery)
        link.publish(m.StationStatus(online=True))
        assert inbox.wait(lambda: inbox.deliveries)
    finally:
        link.close()
        broker.stop()


def test_a_broker_that_is_not_there_is_said_with_its_address(free_port: Any, new_inbox: Any) -> None:
    port = free_port()
    link = MqttLink(MqttOptions(port=port), "car-1", "c1", "car")
    inbox = new_inbox()
    link.start([], inbox.on_delivery)
    assert inbox.wait(lambda: f"Cannot reach the broker at 127.0.0.1:{port}" in link.state().sentence)
    link.close()
    closed = link.state().sentence
    assert closed == "The link is closed."
    assert translate(closed, "de") == "Die Verbindung ist geschlossen."


def test_a_link_that_was_never_started_closes() -> None:
    link = MqttLink(MqttOptions(), "car-1", "c1", "car")
    assert link.publish(DRIVING)
    link.close()
    link.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(topic=st.binary(max_size=60), payload=st.binary(max_size=200), retain=st.booleans(), qos=st.integers(0, 1))
def test_no_bytes_from_the_broker_raise(topic: bytes, payload: bytes, retain: bool, qos: int) -> None:
    """Straight into the callback, as paho would call it."""
    delivered: list[object] = []
    link = MqttLink(MqttOptions(), "station-1", "s1", "station")
    link._on_delivery = delivered.append
    message = MQTTMessage(mid=1, topic=topic)
    message.payload, message.retain, message.qos = payload, retain, qos
    link._on_message(Client(CallbackAPIVersion.VERSION2), None, message)
    link.close()
    assert delivered == []
    assert link.state().malformed == 1


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"prot": 1}, "unknown key"),
        ({"port": 0}, "`port` is 0; allowed is 1 to 65535"),
        ({"cert": "/x"}, "belong together"),
        ({"ca": "/no/such/ca.pem"}, "there is no file /no/such/ca.pem"),
        ({"protocol": "4"}, "auto, 5, 3.1.1"),
    ],
)
def test_bad_options_are_one_sentence(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        from_table(table, MqttOptions, "[mqtt]")


def test_a_broken_certificate_is_one_sentence(tmp_path: pathlib.Path) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("nonsense")
    with pytest.raises(ConfigError, match="certificates for MQTT cannot be used") as raised:
        MqttLink(MqttOptions(ca=str(broken)), "car-1", "c1", "car")
    assert translate(raised.value.args[0], "de").startswith("Die Zertifikate für MQTT sind nicht zu gebrauchen (")


@pytest.mark.broker
def test_a_flood_is_dropped_unread_and_takes_nothing_from_another_car(mosquitto: Any, new_inbox: Any) -> None:
    """3,000 lap reports that are no JSON, as QoS 1: more than the broker holds for us, were they not acknowledged."""
    inbox, heard = new_inbox(), new_inbox()
    station = mosquitto.link("station-1", "station", "s1")
    station.start([Subscription(BY_BODY[m.CarLap]), Subscription(BY_BODY[m.CarHeartbeat])], inbox.on_delivery)
    car = mosquitto.link("car-1", "car", "c1")
    car.start([], heard.on_delivery)
    mosquitto.until(lambda: station.state().connected and car.state().connected)
    mosquitto.until(lambda: car.publish(m.CarHeartbeat(0, "ready")) and bool(inbox.deliveries))
    evil = Client(CallbackAPIVersion.VERSION2, "evil")
    evil.max_inflight_messages_set(1000)
    evil.max_queued_messages_set(0)
    evil.connect("127.0.0.1", mosquitto.port)
    evil.loop_start()
    sent = [evil.publish("raceday/cars/evil/lap", b"{" * 400, 1) for _ in range(3_000)]
    sent[-1].wait_for_publish(60)
    last = evil.publish("raceday/cars/evil/state", b"{", 1)
    last.wait_for_publish(60)
    mosquitto.until(lambda: bool(station.state().floods))
    assert car.publish(m.CarLap(7, "c1"))
    mosquitto.until(lambda: m.CarLap(7, "c1") in inbox.bodies(m.CarLap))
    evil.disconnect()
    evil.loop_stop()
    assert [flood.sender for flood in station.state().floods] == ["evil"]
    assert station.state().malformed <= 100, "what is dropped is not decoded"
