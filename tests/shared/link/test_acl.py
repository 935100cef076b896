"""The shipped mosquitto.conf and acl on a real mosquitto with real certificates, against the table of topics."""

import pathlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from raceday.broker import free_port, mosquitto_path
from shared.link.acl import MAY_READ, MAY_WRITE, may_read, may_write
from shared.link.interface import Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY, TOPICS

CONFIG = pathlib.Path(__file__).resolve().parents[3] / "config"
NAMES = ("car-1", "car-2", "station-1", "display")
CONCRETE = [
    topic.of(device)
    for topic in TOPICS
    for device in (("car-1", "car-2") if topic.pattern.startswith("raceday/to/") else ("car-1", "station-1", "display"))
]
pytestmark = pytest.mark.broker


class SecureBroker:
    """mosquitto with the shipped files; only paths and the port differ."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.port = folder, free_port()
        for name in ("ca", "broker", *NAMES):
            self._certificate(name)
        (folder / "acl").write_text((CONFIG / "acl").read_text())
        (folder / "acl").chmod(0o600)
        text = (CONFIG / "mosquitto.conf").read_text()
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1\nuser root")
        text = text.replace("/etc/raceday/tls", str(folder)).replace("/etc/raceday", str(folder))
        (folder / "mosquitto.conf").write_text(text)
        self._log = (folder / "log").open("wb")
        words = [mosquitto_path() or "mosquitto", "-c", str(folder / "mosquitto.conf")]
        self._process = subprocess.Popen(words, stdout=self._log, stderr=self._log)

    def options(self, name: str, **more: Any) -> MqttOptions:
        return MqttOptions(port=self.port, ca=self._path("ca"), cert=self._path(name), key=self._key(name), **more)

    def client(self, name: str) -> "RawClient":
        return RawClient(self, name)

    def tls(self, client: Client, name: str) -> None:
        client.tls_set(self._path("ca"), self._path(name), self._key(name))

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._log.close()

    def _path(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def _key(self, name: str) -> str:
        return str(self.folder / f"{name}.key")

    def _certificate(self, name: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self._key(name)]
        words = ["openssl", "req", "-x509", *key, "-out", self._path(name), "-days", "2", "-subj", f"/CN={name}"]
        if name == "ca":
            words += ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        else:
            words += ["-CA", self._path("ca"), "-CAkey", self._key("ca"), "-addext", "basicConstraints=CA:FALSE"]
            words += ["-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(words, check=True, capture_output=True, timeout=60)


class RawClient:
    """A bare MQTT 5 client, which can try what none of our links would."""

    def __init__(self, broker: SecureBroker, name: str) -> None:
        self.topics: list[str] = []
        self._answers: dict[int, bool] = {}
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        broker.tls(self._client, name)
        self._client.on_message = lambda _c, _d, message: self.topics.append(message.topic)
        self._client.on_publish = self._on_publish
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe("raceday/#", 1)
        for _ in range(100):
            try:
                self._client.connect("127.0.0.1", broker.port)
                break
            except ConnectionRefusedError:
                ready.wait(0.05)
        self._client.loop_start()
        assert ready.wait(10)

    def may_publish(self, topic: str) -> bool:
        mid = self._client.publish(topic, b"x", 1).mid
        with self._changed:
            assert self._changed.wait_for(lambda: mid in self._answers, 10)
        return self._answers[mid]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: Any, _properties: object) -> None:
        with self._changed:
            self._answers[mid] = not reason.is_failure
            self._changed.notify_all()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    if mosquitto_path() is None or shutil.which("openssl") is None:
        pytest.skip("mosquitto or openssl is not installed: this test needs both")
    made = SecureBroker(tmp_path_factory.mktemp("acl"))
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
    stranger = MqttLink(MqttOptions(port=broker.port, ca=str(broker.folder / "ca.pem")), "car-1", "x", "car")
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
    assert text.count("\npattern ") == 2
