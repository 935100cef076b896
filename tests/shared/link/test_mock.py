"""The mock broker: what it loses, repeats and forgets, and that the same seed does the same again."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.link.interface import Delivery, Subscription
from shared.link.mock import Faults, MockBroker, MockLink
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from shared.units import NS_PER_MS, NS_PER_S

LAPS = Subscription(BY_BODY[m.CarLap])
STATES = Subscription(BY_BODY[m.CarState])
BEATS = Subscription(BY_BODY[m.CarHeartbeat])
ORDERS = Subscription(BY_BODY[m.DriveOrder], "car-1")
DRIVING = m.CarState(online=True, mode="driving")


class Station:
    """A station's link that collects its deliveries and, if `acks` is true, acknowledges them."""

    def __init__(
        self, broker: MockBroker, *subscriptions: Subscription, acks: bool = True, boot: str = "b1", rate: float = 1.0
    ) -> None:
        self.link = MockLink(broker, "station-1", boot, "station", rate=rate)
        self.acks = acks
        self.deliveries: list[Delivery] = []
        self.link.start(subscriptions or (LAPS, STATES, BEATS), self._on_delivery)

    def _on_delivery(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self.acks:
            delivery.ack()

    def bodies(self, kind: type) -> list[m.Body]:
        return [d.message.body for d in self.deliveries if isinstance(d.message.body, kind)]


def car(broker: MockBroker, device: str = "car-1") -> MockLink:
    link = MockLink(broker, device, "boot-a", "car")
    link.start([Subscription(BY_BODY[m.DriveOrder], device)], lambda d: d.ack())
    return link


def lap(number: int) -> m.CarLap:
    return m.CarLap(at_ns=number, car_boot="boot-a")


def test_a_lap_arrives_once_and_in_order_when_nothing_fails() -> None:
    broker = MockBroker()
    station, link = Station(broker), car(broker)
    broker.run_until(1)
    for number in range(10):
        assert link.publish(lap(number))
    broker.run_until(2)
    assert station.bodies(m.CarLap) == [lap(n) for n in range(10)]
    assert link.state().queued == 0


def test_every_lap_arrives_at_least_once_through_loss_and_repeats() -> None:
    broker = MockBroker(
        seed=3, faults=Faults(loss=0.1, repeat=0.1, late=0.2, late_ns=NS_PER_S, delay_ns=(0, NS_PER_MS))
    )
    # The wire alone: repeats would take the car's tokens, and nothing here sends again what a station dropped.
    station, link = Station(broker, rate=100.0), car(broker)
    for number in range(200):
        broker.run_until(number * NS_PER_S)
        link.publish(lap(number))
    broker.faults = Faults()
    broker.run_until(300 * NS_PER_S)
    assert {b.at_ns for b in station.bodies(m.CarLap) if isinstance(b, m.CarLap)} == set(range(200))
    assert len(station.bodies(m.CarLap)) > 200
    assert broker.injected["loss"] > 10
    assert broker.injected["repeat"] > 10


def test_same_seed_same_events() -> None:
    def story(seed: int) -> list[tuple[str, int, bool]]:
        broker = MockBroker(seed, Faults(loss=0.2, repeat=0.2, late=0.5, late_ns=NS_PER_S))
        station, link = Station(broker), car(broker)
        for number in range(60):
            broker.run_until(number * NS_PER_S)
            link.publish(lap(number))
            link.publish(m.CarHeartbeat(number, "driving"))
        return [(d.topic, d.message.envelope.seq, d.retained) for d in station.deliveries]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_unacknowledged_comes_again_only_with_a_new_connection() -> None:
    broker = MockBroker()
    station, link = Station(broker, LAPS, acks=False), car(broker)
    broker.run_until(1)
    link.publish(lap(1))
    broker.run_until(NS_PER_S * 60)
    assert len(station.deliveries) == 1
    station.link.vanish()
    again = Station(broker, LAPS, boot="b2")
    broker.run_until(NS_PER_S * 61)
    assert again.bodies(m.CarLap) == [lap(1)]
    broker.run_until(NS_PER_S * 62)
    again.link.vanish()
    third = Station(broker, LAPS, boot="b3")
    broker.run_until(NS_PER_S * 70)
    assert third.deliveries == []


def test_an_acknowledgement_of_a_dead_connection_is_harmless_and_counts_for_nothing() -> None:
    broker = MockBroker()
    station, link = Station(broker, LAPS, acks=False), car(broker)
    broker.run_until(1)
    link.publish(lap(1))
    broker.run_until(2)
    broker.partition("station-1")
    broker.run_until(10 * NS_PER_S)
    station.deliveries[0].ack()
    station.deliveries[0].ack()
    broker.heal("station-1")
    broker.run_until(30 * NS_PER_S)
    assert station.bodies(m.CarLap) == [lap(1), lap(1)]


def test_state_is_retained_replaced_and_followed_by_the_will() -> None:
    broker = MockBroker()
    link = car(broker)
    broker.run_until(1)
    link.publish(m.CarState(online=True, mode="ready"))
    link.publish(DRIVING)
    broker.run_until(2)
    station = Station(broker, STATES)
    broker.run_until(3)
    assert station.bodies(m.CarState) == [DRIVING]
    assert station.deliveries[0].retained
    link.vanish()
    broker.run_until(4)
    last = station.bodies(m.CarState)[-1]
    assert isinstance(last, m.CarState)
    assert not last.online


def test_a_killed_broker_forgets_and_the_state_is_said_again() -> None:
    broker = MockBroker()
    link, station = car(broker), Station(broker)
    broker.run_until(1)
    link.publish(DRIVING)
    broker.run_until(2)
    broker.kill()
    assert not link.state().connected
    assert not link.publish(m.CarHeartbeat(1, "driving"))
    assert link.publish(lap(1))
    broker.run_until(NS_PER_S * 10)
    assert broker.retained == {}
    broker.restart()
    broker.run_until(NS_PER_S * 20)
    assert link.state().connected
    assert station.bodies(m.CarState)[-1] == DRIVING
    assert station.bodies(m.CarLap) == [lap(1)]
    assert station.bodies(m.CarHeartbeat) == []
    assert link.state().dropped == 1


def test_a_frozen_broker_gives_stale_beats_in_a_burst() -> None:
    broker = MockBroker()
    link, station = car(broker), Station(broker)
    broker.run_until(1)
    broker.freeze()
    for number in range(10):
        broker.run_until(number * 100 * NS_PER_MS + 2)
        link.publish(m.CarHeartbeat(number, "driving"))
    assert station.bodies(m.CarHeartbeat) == []
    assert link.state().connected
    broker.thaw()
    broker.run_until(NS_PER_S)
    assert len(station.bodies(m.CarHeartbeat)) == 10
    broker.freeze()
    broker.run_until(NS_PER_S * 8)
    assert not link.state().connected


def test_a_partition_is_noticed_by_both_ends_and_heals() -> None:
    broker = MockBroker()
    link, station = car(broker), Station(broker)
    broker.run_until(1)
    link.publish(DRIVING)
    broker.run_until(2)
    broker.partition("car-1")
    broker.run_until(NS_PER_S * 5)
    states = station.bodies(m.CarState)
    assert isinstance(states[-1], m.CarState)
    assert not states[-1].online
    assert not link.state().connected
    broker.heal("car-1")
    broker.run_until(NS_PER_S * 15)
    assert station.bodies(m.CarState)[-1] == DRIVING


def test_the_queue_is_bounded_and_keeps_the_oldest() -> None:
    broker = MockBroker()
    link = MockLink(broker, "car-1", "boot-a", "car", queue_limit=5)
    accepted = [link.publish(lap(n)) for n in range(8)]
    assert accepted == [True] * 5 + [False] * 3
    assert link.state().dropped == 3
    station = Station(broker)
    link.start([], lambda d: d.ack())
    broker.run_until(NS_PER_S)
    assert station.bodies(m.CarLap) == [lap(n) for n in range(5)]


def test_a_car_is_heard_only_where_it_may_speak_and_hears_only_its_own_orders() -> None:
    broker = MockBroker()
    overheard: list[Delivery] = []
    spy = MockLink(broker, "car-2", "boot-x", "car")
    spy.start([ORDERS, LAPS], overheard.append)
    station, link = Station(broker), car(broker)
    broker.run_until(1)
    station.link.publish(m.DriveOrder("o1", "stop", "boot-a", 1, 2000), "car-1")
    broker.refuse("car-1", "raceday/cars/car-1/lap")
    link.publish(lap(1))
    broker.run_until(2)
    assert overheard == []
    assert station.bodies(m.CarLap) == []
    assert link.state().refused == 1


def test_malformed_bytes_are_counted_and_leave_the_queue() -> None:
    broker = MockBroker()
    station = Station(broker)
    broker.run_until(1)
    broker.inject("raceday/cars/car-1/lap", b"{nonsense", qos=1)
    broker.inject("raceday/to/car-1/order", b"", qos=1)
    broker.run_until(2)
    assert station.deliveries == []
    assert station.link.state().malformed == 1
    assert broker.unacknowledged("station-1") == 0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.sampled_from(["lap", "lap", "apart", "heal", "freeze", "thaw", "vanish", "wait"]), max_size=40),
)
def test_while_the_broker_lives_each_taken_lap_arrives_in_the_end(seed: int, steps: list[str]) -> None:
    """The death of a broker is covered elsewhere, by the car's outbox and the station's acknowledgements."""
    broker = MockBroker(seed, Faults(loss=0.05, repeat=0.1, late=0.2, late_ns=NS_PER_S))
    station = Station(broker)
    broker.run_until(1)
    link = car(broker)
    accepted: set[int] = set()
    acts: dict[str, Callable[[], None]] = {
        "apart": lambda: broker.partition("car-1"),
        "heal": lambda: broker.heal("car-1"),
        "freeze": broker.freeze,
        "thaw": broker.thaw,
        "wait": lambda: None,
    }
    for number, step in enumerate(steps):
        broker.run_until(broker.now_ns + NS_PER_S)
        if step == "lap" and link.publish(lap(number)):
            accepted.add(number)
        elif step == "vanish":
            station.link.vanish()
            earlier = station.deliveries
            station = Station(broker, boot=f"b{number + 2}")
            station.deliveries[:0] = earlier
        elif step != "lap":
            acts[step]()
    broker.faults = Faults()
    broker.thaw()
    broker.heal("car-1")
    broker.run_until(broker.now_ns + 120 * NS_PER_S)
    assert accepted <= {b.at_ns for b in station.bodies(m.CarLap) if isinstance(b, m.CarLap)}


def test_a_station_drops_what_is_too_much_and_the_broker_holds_nothing_of_it() -> None:
    """As over a real broker: a dropped report is acknowledged to the broker, and to the car it is not."""
    broker = MockBroker()
    station, link = Station(broker, LAPS), car(broker)
    broker.run_until(1)
    for number in range(200):
        link.publish(lap(number))
    broker.run_until(NS_PER_S)
    assert station.bodies(m.CarLap) == [lap(n) for n in range(10)]
    assert broker.unacknowledged("station-1") == 0
    (flood,) = station.link.state().floods
    assert (flood.sender, flood.total) == ("car-1", 190)
