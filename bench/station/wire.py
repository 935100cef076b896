"""From publish to delivery of one lap report: mosquitto and the embedded amqtt, in the same run."""

import pathlib
import queue
import tempfile
from collections.abc import Callable

from bench.report import Candidate, measure, report
from raceday.broker import Kind, RunningBroker, mosquitto_path, start_broker
from shared.link.interface import Delivery, Subscription
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY

WAIT_S = 10.0


class Pair:
    """A car and a station on one broker."""

    def __init__(self, broker: RunningBroker) -> None:
        self._broker = broker
        self._deliveries: queue.Queue[Delivery] = queue.Queue()
        options = MqttOptions(port=broker.port)
        self._station = MqttLink(options, "station-1", "boot", "station", rate=1e6)  # no limit of what a car sends
        self._car = MqttLink(options, "car-1", "boot", "car")
        self._station.start([Subscription(BY_BODY[m.CarLap])], self._deliveries.put)
        self._car.start([], self._deliveries.put)
        self._seq = 0
        self._wait_for_delivery()

    def once(self) -> None:
        """One report to the station, and its acknowledgement of the delivery."""
        self._car.publish(m.CarLap(at_ns=1, car_boot="boot", lap_ns=10_000_000_000))
        self._deliveries.get(timeout=WAIT_S).ack()

    def close(self) -> None:
        self._car.close()
        self._station.close()
        self._broker.stop()

    def _wait_for_delivery(self) -> None:
        # A message published before the station has subscribed is lost, so it is sent again.
        for _ in range(100):
            self._car.publish(m.CarLap(at_ns=0, car_boot="boot"))
            try:
                self._deliveries.get(timeout=0.1).ack()
            except queue.Empty:
                continue
            while not self._deliveries.empty():
                self._deliveries.get().ack()
            return
        raise AssertionError("the broker delivers nothing")


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/wire.json."""
    kinds: list[Kind] = ["mosquitto", "amqtt"] if mosquitto_path() else ["amqtt"]
    with tempfile.TemporaryDirectory(prefix="raceday-bench-") as name:
        pairs = [(kind, Pair(start_broker(pathlib.Path(name) / kind, kind=kind))) for kind in kinds]
        try:
            candidates = [Candidate(kind, _call(pair)) for kind, pair in pairs]
            rows = measure(candidates, rounds=3 if quick else 20, calls=30 if quick else 100)
        finally:
            for _, pair in pairs:
                pair.close()
    report("wire", rows, {"what": "publish, QoS 1, to delivery; both ends in one process on loopback"})


def _call(pair: Pair) -> Callable[[], None]:
    return pair.once
