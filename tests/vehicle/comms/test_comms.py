"""Comms on the mock wire: laps until they are acknowledged, the station's messages to the guard, no decisions."""

import os
import pathlib
import socket
from collections.abc import Iterator

import pytest

from shared.errors import StorageError
from shared.link.inflow.rate_limits import LAPS_BURST, LAPS_PER_S
from shared.link.interface import Delivery, Subscription
from shared.link.mock import MockBroker, MockLink
from shared.protocol import topics
from shared.protocol.messages import CarHeartbeat, CarLap, CarState, CarTelemetry, DriveOrder, LapAck, Lease, Message
from vehicle.comms.comms import Comms
from vehicle.comms.lap_outbox import LapOutbox
from vehicle.core.messages import CommsReady, LoopTelemetry
from vehicle.process.channel import Channel, IpcMessage, socket_pair

MS = 1_000_000
LAP = CarLap(5_000 * MS, "boot-1", 0, None, 8, 20 * MS)


class Bench:
    """Comms with its guard, its pilot, its broker and a station, all by hand."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.charge: int | None = None
        self.broker = MockBroker(seed=1)
        self.now_ns = 0
        self.received: list[Message] = []
        self.deliveries: list[Delivery] = []
        self.station = MockLink(self.broker, "station-1", "boot-s", "station")
        kinds = (CarHeartbeat, CarState, CarLap, CarTelemetry)
        self.station.start([Subscription(topics.BY_BODY[kind]) for kind in kinds], self._on_delivery)
        self.begin()

    def begin(self) -> None:
        """Start the comms process, or start it again."""
        (ours, theirs), (pilots, laps) = socket_pair(), socket_pair()
        self.guard, self.pilot = Channel(ours), Channel(pilots)
        self.link = MockLink(self.broker, "car-1", "boot-1", "car")
        self.outbox = LapOutbox(self.folder / "laps.db")
        self.comms = Comms("car-1", self.link, self.outbox, Channel(theirs), Channel(laps), 3.0, lambda: self.charge)
        self.comms.start()
        self.run(500)

    def _on_delivery(self, delivery: Delivery) -> None:
        self.received.append(delivery.message)
        delivery.ack()

    def run(self, duration_ms: int, step_ms: int = 50) -> None:
        for _ in range(duration_ms // step_ms):
            self.now_ns += step_ms * MS
            self.broker.run_until(self.now_ns)
            self.comms.step(self.now_ns / 1e9)

    def published(self, kind: type) -> list[Message]:
        return [message for message in self.received if isinstance(message.body, kind)]

    def guard_messages(self) -> list[IpcMessage]:
        return self.guard.receive()

    def close(self) -> None:
        self.comms.close()
        for channel in (self.guard, self.pilot):
            channel.close()


@pytest.fixture
def bench(tmp_path: pathlib.Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_it_tells_the_guard_that_it_is_there(bench: Bench) -> None:
    assert bench.guard_messages() == [CommsReady()]


def test_beats_states_and_figures_go_out(bench: Bench) -> None:
    bench.guard.send(CarHeartbeat(17, "ready"))
    bench.guard.send(CarState(True, "ready", "", "demo"))
    bench.guard.send(LoopTelemetry(9, 1, 2, 3, tuple(range(1000, 101_000, 1000)), (500,), 0.5, 0.25))
    bench.run(200)
    assert bench.published(CarHeartbeat)[-1].body == CarHeartbeat(17, "ready")
    assert bench.published(CarState)[-1].body == CarState(True, "ready", "", "demo")
    assert bench.published(CarTelemetry)[-1].body == CarTelemetry(9, 1, 2, 3, 50_000, 99_000, 500, 500, 0.5, 0.25)


def test_the_charge_of_the_battery_goes_out_with_the_state_and_stays_fresh(bench: Bench) -> None:
    bench.charge = 84
    bench.guard.send(CarState(True, "ready"))
    bench.run(200)
    assert bench.published(CarState)[-1].body == CarState(True, "ready", battery_percent=84)
    bench.charge = 12
    bench.run(3_200)
    assert bench.published(CarState)[-1].body == CarState(True, "ready", battery_percent=12)


def test_leases_and_orders_come_in_as_they_are(bench: Bench) -> None:
    bench.guard_messages()
    lease = Lease("boot-1", 3, "drive", "run-1", 500)
    order = DriveOrder("o1", "arm", "boot-1", 3, 2000)
    bench.station.publish(lease, "car-1")
    bench.station.publish(order, "car-1")
    bench.station.publish(lease, "car-2")
    bench.run(200)
    assert bench.guard_messages() == [lease, order]


def test_a_lap_is_sent_again_under_its_number_until_it_is_acknowledged(bench: Bench) -> None:
    bench.pilot.send(LAP)
    bench.run(7_000)
    laps = bench.published(CarLap)
    assert len(laps) >= 3
    assert {(m.envelope.boot, m.envelope.seq, m.body) for m in laps} == {("boot-1", 1, LAP)}
    bench.station.publish(LapAck("boot-1", 1), "car-1")
    bench.run(200)
    assert bench.outbox.pending() == []
    bench.received.clear()
    bench.run(10_000)
    assert bench.published(CarLap) == []


def test_a_lap_waits_for_the_broker_and_for_the_next_life(bench: Bench) -> None:
    bench.broker.kill()
    bench.pilot.send(LAP)
    bench.run(5_000)
    assert len(bench.outbox.pending()) == 1
    bench.link.vanish()
    bench.close()
    bench.broker.restart()
    bench.begin()
    bench.run(10_000)
    assert {m.envelope.seq for m in bench.published(CarLap)} == {1}


def test_a_full_disk_is_tried_again_and_loses_no_lap(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(lap: CarLap) -> None:
        raise StorageError("the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(bench.outbox, "add", refuse)
        bench.pilot.send(LAP)
        bench.run(500)
        assert bench.published(CarLap) == []
    bench.run(500)
    assert [m.body for m in bench.published(CarLap)] == [LAP]


def test_a_thousand_laps_that_waited_come_through_a_stations_limits(bench: Bench) -> None:
    """A partition of an afternoon. The station takes two reports a second, so the car sends no more, and loses none."""
    bench.outbox._db.execute("PRAGMA synchronous=OFF")  # no power is cut here
    for _ in range(1_000):
        bench.outbox.add(LAP)
    stored: set[int] = set()
    for _ in range(600):
        bench.run(1_000, step_ms=500)
        for message in bench.published(CarLap):
            stored.add(message.envelope.seq)
            bench.station.publish(LapAck(message.envelope.boot, message.envelope.seq), "car-1")
        bench.received.clear()
        if len(stored) == 1_000:
            break
    bench.run(1_000)
    assert stored == set(range(1, 1_001))
    assert bench.outbox.pending() == []
    assert bench.station.state().floods == (), "a car that catches up is no flood"


def test_a_hijacked_pilot_neither_fills_the_disk_nor_takes_the_lap_channel(bench: Bench) -> None:
    """Laps without end, one that no station could read, and an empty datagram, which looks like an end."""
    for number in range(200):
        bench.pilot.send(CarLap(bench.now_ns + number, "boot-1"))
    bench.pilot.send(CarLap(bench.now_ns, "b" * 20_000))
    with socket.socket(fileno=os.dup(bench.pilot.fileno())) as raw:
        raw.send(b"")
    bench.run(1000)
    kept = bench.outbox.pending()
    assert len(kept) <= LAPS_BURST + 2 * LAPS_PER_S
    assert {queued.boot for queued in kept} == {"boot-1"}
    bench.run(10_000)
    bench.pilot.send(CarLap(bench.now_ns, "boot-1", board_id=7))
    bench.run(200)
    assert bench.outbox.pending()[-1].lap.board_id == 7
