"""The shipped mosquitto.conf, and files of `raceday certs`, on a real mosquitto, against the table of topics."""

import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from raceday.broker import mosquitto_path
from shared.link.acl import MAY_READ, MAY_WRITE, may_read, may_write
from shared.link.interface import Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY, TOPICS
from tests.secure_broker import SecureBroker

CONFIG = pathlib.Path(__file__).resolve().parents[3] / "config"
NAMES = ("car-1", "car-2", "station-1", "display")
CONCRETE = [
    topic.of(device)
    for topic in TOPICS
    for device in (("car-1", "car-2") if topic.pattern.startswith("raceday/to/") else ("car-1", "station-1", "display"))
]
pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def broker() -> Iterator[SecureBroker]:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    made = SecureBroker(NAMES)
    yield made
    made.end()


def speaker(name: str) -> Any:
    return "station" if name.startswith("station") else "car"


def test_everybody_says_exactly_what_the_table_lets_them(broker: SecureBroker) -> None:
    for name in NAMES:
        client = broker.client(name)
        published = {topic for topic in CONCRETE if client.may_publish(topic)}
        client.close()
        may = {topic for topic in CONCRETE if name != "display" and may_write(speaker(name), name, topic)}
        assert published == may, name


def test_everybody_hears_exactly_what_the_table_lets_them(broker: SecureBroker) -> None:
    listeners = {name: broker.client(name) for name in ("car-1", "car-2", "display")}
    station = broker.client("station-1")
    published = [topic for topic in CONCRETE if station.may_publish(topic)]
    published += [topic for topic in CONCRETE if listeners["car-1"].may_publish(topic)]
    readable = {topic for topic in published if may_read("station", "station-1", topic)}
    until_s = time.monotonic() + 10
    while set(station.topics) < readable and time.monotonic() < until_s:
        threading.Event().wait(0.01)
    assert set(station.topics) == readable
    assert set(listeners["display"].topics) == readable
    for car in ("car-1", "car-2"):
        assert set(listeners[car].topics) == {topic for topic in published if may_read("car", car, topic)}
    for client in (station, *listeners.values()):
        client.close()


def test_our_links_meet_there_and_a_stranger_does_not_get_in(
    broker: SecureBroker, new_inbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, own = new_inbox(), new_inbox()
    station = MqttLink(broker.options("station-1"), "station-1", "s1", "station")
    car = MqttLink(broker.options("car-1"), "car-1", "c1", "car")
    false = MqttLink(broker.options("car-2"), "car-9", "c9", "car")
    stranger = MqttLink(MqttOptions(port=broker.port, ca=str(broker.authority.tls / "ca.pem")), "car-1", "x", "car")
    links = (station, car, false, stranger)
    # What is published before the broker has the station's subscription is not for the station.
    subscribed, on_subscribe = threading.Event(), station._on_subscribe
    monkeypatch.setattr(station, "_on_subscribe", lambda *answer: (on_subscribe(*answer), subscribed.set()))
    station.start([Subscription(BY_BODY[m.CarLap])], inbox.on_delivery)
    car.start([Subscription(BY_BODY[m.DriveOrder], "car-1")], own.on_delivery)
    false.start([], own.on_delivery)
    stranger.start([], own.on_delivery)
    assert inbox.wait(lambda: station.state().connected and car.state().connected and false.state().connected)
    assert subscribed.wait(20.0)
    for number in range(3):
        assert car.publish(m.CarLap(number, "c1"))
        assert false.publish(m.CarLap(number, "c9"))
    assert inbox.wait(lambda: len(inbox.deliveries) == 3 and false.state().refused == 3)
    assert {d.message.envelope.device for d in inbox.deliveries} == {"car-1"}
    assert "refused what we published" in false.state().sentence
    assert not stranger.state().connected
    for link in links:
        link.close()


def test_the_acl_file_says_what_the_table_says() -> None:
    text = (CONFIG / "acl").read_text()
    for right, table in (("write", MAY_WRITE), ("read", MAY_READ)):
        assert all(f"pattern {right} {each}\n" in text for each in table["car"])
        station = [f"topic {right} {each.replace('%u', 'station-1')}\n" for each in table["station"]]
        assert all(line in text for line in station)
    assert text.count("\npattern ") == len(MAY_WRITE["car"]) + len(MAY_READ["car"])
    allowed = [line for line in text.splitlines() if line.startswith(("pattern ", "topic read ", "topic write "))]
    assert not [line for line in allowed if line.endswith("#")], "a rule without an end admits topics without end"


@pytest.mark.parametrize(
    "topic",
    [
        "raceday/cars/car-1/0",  # what the attack stored 15,400 times
        "raceday/cars/car-1",
        "raceday/cars/car-1/",
        "raceday/cars/car-1/state/",
        "raceday/cars/car-1/state/x",
        "raceday/cars/car-1//state",
        "raceday/cars/car-1/State",
        "raceday/cars/car-1/ack",
        "raceday/stations/car-1/status",
    ],
)
def test_a_car_stores_nothing_under_topics_of_its_own_invention(broker: SecureBroker, topic: str) -> None:
    client = broker.client("car-1")
    assert not client.may_publish(topic)
    client.close()
    assert not may_write("car", "car-1", topic)


@pytest.mark.parametrize("topic", ["raceday/to/car-1/x", "raceday/to/car-1", "raceday/stations/station-1/x"])
def test_nor_does_a_station(broker: SecureBroker, topic: str) -> None:
    client = broker.client("station-1")
    assert not client.may_publish(topic)
    client.close()
    assert not may_write("station", "station-1", topic)
