"""A station for tests with a real journal, a mock gate, a mock link and a manual clock; and a car on that link."""

import pathlib
from collections.abc import Sequence
from dataclasses import replace

from shared.clock import ManualClock
from shared.link.interface import Delivery, Subscription
from shared.link.mock import MockBroker, MockLink
from shared.protocol import messages as m
from shared.protocol.topics import BY_BODY
from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.gates.mock import MockGate
from station.service.setup import StationSetup
from station.service.station import Station
from station.store.journal import Journal
from station.views.command_answers import Accepted, Declined

S = 1_000_000_000
MS = 1_000_000
RULES = RaceRules(max_laps=3)


class Rig:
    """`restart()` is a `kill -9` of the station's process: the gate, the broker and the disk stay."""

    def __init__(self, path: pathlib.Path, rules: RaceRules = RULES) -> None:
        self.path = path
        self.clock = ManualClock(10 * S)
        self.broker = MockBroker()
        self.gate = MockGate("start", ("beam",), {}, self.clock)
        race = e.OpenRace(e.NEVER, "race-1", "A race", rules)
        self.setup = StationSetup("station-1", (e.GateSpec("start"),), race)
        self.cars: list[WireCar] = []
        self.starts = 0
        self.station, self.link = self._start()

    def _start(self) -> tuple[Station, MockLink]:
        self.starts += 1
        link = MockLink(self.broker, "station-1", f"start-{self.starts}", "station")
        station = self.make_station(link)
        station.start()
        return station, link

    def parts(self, link: MockLink) -> tuple[StationSetup, ManualClock, MockLink, dict[str, MockGate], Journal]:
        """What a station is made of, with the journal opened."""
        return self.setup, self.clock, link, {"start": self.gate}, Journal(self.path)

    def make_station(self, link: MockLink) -> Station:
        """A station that is not started yet."""
        return Station(*self.parts(link))

    def restart(self) -> None:
        """The station's process is killed and started again."""
        self.gate.detach()
        self.link.vanish()
        self.station.journal.close()
        self.station, self.link = self._start()

    def wait(self, duration_ns: int = 0) -> None:
        """Moves the clock on, for the station, the gate and the cars."""
        self.clock.advance(self.clock.now_ns() + duration_ns)
        self.settle()

    def settle(self) -> None:
        for _ in range(6):
            self.broker.run_until(self.clock.now_ns())
            self.station.pump_live()
            self.station.pump()

    def give(self, command: e.Command) -> Accepted | Declined:
        ticket = self.station.offer(command)
        self.settle()
        assert ticket.answer is not None
        return ticket.answer

    def open(self, racer: str = "Ann") -> None:
        assert isinstance(self.give(e.OpenRun(author="judge", racer=racer, car="car-1")), Accepted)

    def go(self) -> None:
        """Starts the run, by hand if its car has never reported."""
        by_hand = not any(car.beats for car in self.cars)
        assert isinstance(self.give(e.StartRun(author="judge", by_hand=by_hand)), Accepted)

    def cross(self, after_s: float) -> None:
        self.wait(round(after_s * S))
        self.gate.pass_by()
        self.wait(200 * MS)

    def facts(self) -> list[bytes]:
        return [record.facts for record in self.station.journal.records()]


class WireCar:
    """A car on the mock link; `received` is what the station sent to it."""

    def __init__(self, rig: Rig, name: str = "car-1") -> None:
        self.rig, self.name, self.boot = rig, name, f"{name}-boot"
        rig.cars.append(self)
        self.link = MockLink(rig.broker, name, self.boot, "car")
        self.received: list[m.Body] = []
        self.beats = 0
        self.link.start(
            [Subscription(BY_BODY[kind], name) for kind in (m.LapAck, m.Lease, m.DriveOrder)], self._receive
        )
        rig.settle()

    def beat(self, mode: m.CarMode) -> None:
        self.beats += 1
        self.link.publish(m.CarHeartbeat(self.beats, mode))
        self.rig.wait(100 * MS)

    def state(self, state: m.CarState) -> None:
        self.link.publish(state)
        self.rig.wait()

    def lap(self, seq: int, at_ns: int, lap_ns: int | None) -> None:
        body = m.CarLap(at_ns, self.rig.clock.boot_id, lap_ns=lap_ns)
        self.link.publish_as(m.Message(m.Envelope(self.name, self.boot, seq), body))
        self.rig.settle()

    def collect(self, kind: type[m.Body]) -> list[m.Body]:
        """The messages of this kind that were received since the last call."""
        found = [body for body in self.received if isinstance(body, kind)]
        self.received = [body for body in self.received if not isinstance(body, kind)]
        return found

    def _receive(self, delivery: Delivery) -> None:
        self.received.append(delivery.message.body)
        delivery.ack()


def orders(bodies: Sequence[m.Body]) -> list[str]:
    return [body.action for body in bodies if isinstance(body, m.DriveOrder)]


def rules(**changes: object) -> RaceRules:
    return replace(RULES, **changes)  # type: ignore[arg-type]
