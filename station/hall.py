"""What is live around the track and not journaled: cars that speak, gates' health, the wire, what sync is doing."""

from collections.abc import Callable, Mapping

from shared import messages as m
from shared.link.wire import Delivery, Link
from station.cars import Cars
from station.core.engine import Engine
from station.core.events import Edge, GateSpec
from station.gates.driver import GateDriver, GateHealthReport
from station.screen import Screen
from station.view import BrokerView, GateView, SyncView

LOOK_NS = 250_000_000
SYNC_NS = 1_000_000_000
SAY_NS = 10_000_000_000


class Hall:
    """Called on the live thread."""

    def __init__(
        self,
        specs: tuple[GateSpec, ...],
        drivers: Mapping[str, GateDriver],
        link: Link,
        cars: Cars,
        screen: Screen,
        sync: Callable[[int], SyncView] | None,
    ) -> None:
        self._specs, self._drivers = specs, drivers
        self._link, self._cars, self._screen, self._sync = link, cars, screen, sync
        self.blocked: dict[str, tuple[str, ...]] = {}  # gate -> sensors that are stuck; replaced as a whole
        self._looked_ns: int | None = None
        self._synced_ns: int | None = None
        self._said: dict[str, tuple[m.GateHealth, int]] = {}

    def start(self, engine: Engine, put: Callable[[Edge], None]) -> None:
        """The gates begin, each after what the journal has of it. Raises HardwareMissing."""
        for name, driver in self._drivers.items():
            driver.start(engine.kept(name), put)

    def hear(self, delivery: Delivery, now_ns: int) -> None:
        """A beat, a state or telemetry of a car."""
        body, envelope = delivery.message.body, delivery.message.envelope
        replies = []
        match body:
            case m.CarBeat():
                replies = self._cars.beat(envelope.device, envelope.boot, body, now_ns)
            case m.CarState():
                replies = self._cars.state(envelope.device, body, now_ns)
            case m.CarTelemetry():
                self._cars.telemetry(envelope.device, body)
        for car, reply in replies:
            self._link.publish(reply, car)

    def look(self, now_ns: int, rate: float, due: int) -> None:
        """A few times a second: all that is live, onto the screens; the gates' health onto the wire."""
        if self._looked_ns is not None and 0 <= now_ns - self._looked_ns < LOOK_NS * rate:
            return
        self._looked_ns = now_ns
        state = self._link.state()
        self._screen.update(
            cars=self._cars.views(now_ns),
            gates=tuple(self._gate(spec, now_ns, rate) for spec in self._specs),
            broker=BrokerView(state.connected, state.sentence, state.queued, state.dropped),
        )
        synced_ns = self._synced_ns
        if self._sync is not None and (synced_ns is None or not 0 <= now_ns - synced_ns < SYNC_NS * rate):
            self._synced_ns = now_ns
            self._screen.update(sync=self._sync(due))

    def close(self) -> None:
        for driver in self._drivers.values():
            driver.close()

    def _gate(self, spec: GateSpec, now_ns: int, rate: float) -> GateView:
        driver = self._drivers.get(spec.name)
        report = driver.health() if driver is not None else GateHealthReport(False, "The gate has no driver.")
        self._say(spec, report, now_ns, rate)
        stuck = self.blocked.get(spec.name, ())
        return GateView(spec.name, spec.sensors, report.alive, report.sentence, report.edges, report.lost, stuck)

    def _say(self, spec: GateSpec, report: GateHealthReport, now_ns: int, rate: float) -> None:
        """Retained state: said when it changes in kind, and now and then."""
        health = m.GateHealth(
            spec.name,
            spec.sensors[0],
            report.alive,
            report.sentence[:500],
            report.last_edge_ns,
            report.edges,
            report.lost,
        )
        said, said_ns = self._said.get(spec.name, (None, 0))
        news = said is None or (said.alive, said.sentence, said.lost) != (health.alive, health.sentence, health.lost)
        if news or not 0 <= now_ns - said_ns < SAY_NS * rate:
            self._said[spec.name] = (health, now_ns)
            self._link.publish(health)
