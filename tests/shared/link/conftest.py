"""One rig per broker: the same tests run against the mock, mosquitto and the embedded amqtt."""

import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from raceday.broker import Kind, mosquitto_path, start_broker
from shared.link.interface import Delivery, Link, Subscription
from shared.link.mock import MockBroker, MockLink
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY, Speaker
from shared.units import NS_PER_MS

EVERYTHING = [Subscription(BY_BODY[kind]) for kind in (m.CarHeartbeat, m.CarState, m.CarLap, m.CarTelemetry)]


class Rig(Protocol):
    """A broker and the links to it."""

    def link(self, device: str, speaker: Speaker, boot: str, **options: Any) -> Link: ...
    def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None: ...
    def inject(self, topic: str, payload: bytes, *, retain: bool = False) -> None: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def end(self) -> None: ...


class MockRig:
    """Virtual time: waiting costs nothing."""

    def __init__(self) -> None:
        self.broker = MockBroker(seed=1)

    def link(self, device: str, speaker: Speaker, boot: str, **options: Any) -> Link:
        return MockLink(self.broker, device, boot, speaker, **options)

    def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        for _ in range(int(timeout_s * 100)):
            self.broker.run_until(self.broker.now_ns + 10 * NS_PER_MS)
            if condition():
                return
        raise AssertionError("it did not happen")

    def inject(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.broker.inject(topic, payload, 1, state=retain)

    def kill(self) -> None:
        self.broker.kill()

    def restart(self) -> None:
        self.broker.restart()

    def end(self) -> None:
        pass


class RealRig:
    """A broker process on loopback."""

    def __init__(self, folder: pathlib.Path, kind: Kind) -> None:
        self._folder = folder
        self._links: list[MqttLink] = []
        self.broker = start_broker(folder, 0, kind)
        self.port = self.broker.port

    def link(self, device: str, speaker: Speaker, boot: str, **options: Any) -> Link:
        options.setdefault("protocol", "5" if self.broker.kind == "mosquitto" else "3.1.1")
        link = MqttLink(MqttOptions(port=self.port, **options), device, boot, speaker)
        self._links.append(link)
        return link

    def until(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        until_s, never = time.monotonic() + timeout_s, threading.Event()
        while not condition():
            assert time.monotonic() < until_s, "it did not happen"
            never.wait(0.01)

    def inject(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        client = Client(CallbackAPIVersion.VERSION2, "somebody")
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        client.publish(topic, payload, 1, retain).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    def kill(self) -> None:
        self.broker.process.kill()
        self.broker.process.wait()

    def restart(self) -> None:
        self.broker = start_broker(self._folder, self.port, self.broker.kind)

    def end(self) -> None:
        for link in self._links:
            link.close()
        self.broker.stop()


@pytest.fixture(
    params=["mock", pytest.param("mosquitto", marks=pytest.mark.broker), pytest.param("amqtt", marks=pytest.mark.slow)]
)
def rig(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Rig]:
    """The same test on each broker."""
    made = _make(request.param, tmp_path)
    yield made
    made.end()


@pytest.fixture(params=["mock", pytest.param("mosquitto", marks=pytest.mark.broker)])
def persistent_rig(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Rig]:
    """Brokers that deliver again what was not acknowledged; amqtt does not, and there only the car's outbox does."""
    made = _make(request.param, tmp_path)
    yield made
    made.end()


@pytest.fixture
def mosquitto(tmp_path: pathlib.Path) -> Iterator[RealRig]:
    made = _make("mosquitto", tmp_path)
    assert isinstance(made, RealRig)
    yield made
    made.end()


def _make(kind: str, folder: pathlib.Path) -> Rig:
    if kind == "mock":
        return MockRig()
    if kind == "mosquitto" and mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: this test needs a real broker")
    return RealRig(folder, "mosquitto" if kind == "mosquitto" else "amqtt")


class Inbox:
    """Collects deliveries and, unless `acks` is false, acknowledges them."""

    def __init__(self, *, acks: bool = True) -> None:
        self.deliveries: list[Delivery] = []
        self._acks = acks

    def on_delivery(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self._acks:
            delivery.ack()

    def wait(self, condition: Callable[[], object], timeout_s: float = 20.0) -> bool:
        """Wait for a condition without a rig; return whether it came true in time."""
        until_s, never = time.monotonic() + timeout_s, threading.Event()
        while not condition() and time.monotonic() < until_s:
            never.wait(0.01)
        return bool(condition())

    def bodies(self, kind: type | None = None) -> list[m.Body]:
        return [d.message.body for d in list(self.deliveries) if kind is None or isinstance(d.message.body, kind)]


class LinkPair:
    """A station that receives everything and a car that receives what is sent to it, both connected."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.station_inbox, self.car_inbox = Inbox(), Inbox()
        self.station = rig.link("station-1", "station", "s1")
        self.station.start(EVERYTHING, self.station_inbox.on_delivery)
        self.car = rig.link("car-1", "car", "c1")
        to_car = [Subscription(BY_BODY[kind], "car-1") for kind in (m.DriveOrder, m.Lease, m.LapAck)]
        self.car.start(to_car, self.car_inbox.on_delivery)
        self.connected()

    def connected(self) -> None:
        self.rig.until(lambda: self.station.state().connected and self.car.state().connected)
        # A link counts as connected before its subscriptions stand: a message that arrives shows that they do.
        self.station.publish(m.Lease("c1", 0, "none", "", 1), "car-1")
        self.car.publish(m.CarHeartbeat(0, "disarmed"))
        self.rig.until(self._both_receive)
        # Several may be under way by now: wait for the last, so that none arrives during the test.
        last_lease, last_beat = m.Lease("c1", 1, "none", "", 1), m.CarHeartbeat(1, "disarmed")
        assert self.station.publish(last_lease, "car-1")
        assert self.car.publish(last_beat)
        self.rig.until(lambda: last_lease in self.car_inbox.bodies() and last_beat in self.station_inbox.bodies())
        self.station_inbox.deliveries.clear()
        self.car_inbox.deliveries.clear()

    def _both_receive(self) -> bool:
        delivered = bool(self.station_inbox.bodies(m.CarHeartbeat)) and bool(self.car_inbox.bodies(m.Lease))
        if not delivered:
            self.station.publish(m.Lease("c1", 0, "none", "", 1), "car-1")
            self.car.publish(m.CarHeartbeat(0, "disarmed"))
        return delivered


@pytest.fixture
def pair(rig: Rig) -> LinkPair:
    return LinkPair(rig)


@pytest.fixture
def new_inbox() -> type[Inbox]:
    return Inbox


@pytest.fixture
def new_pair() -> type[LinkPair]:
    return LinkPair
