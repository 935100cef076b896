"""The live state, which is not journaled: cars, the gates' health, the broker, and the state of sync.

Called by station.py on its live thread; it updates the current view and publishes the gates' health."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.errors import HardwareMissing
from shared.link.interface import Delivery, Link
from shared.process.service_state import tell_service_state
from shared.protocol import messages as m
from shared.text import text
from station.core.engine import Engine
from station.core.facts import Fact, GateNoteStored, GateStuck, GateTried
from station.core.inputs import CarReport, Edge, GateSpec, Input, Moment, TryGate
from station.core.timing.sensor_layout import SensorPass, describe_passes
from station.gates.absent_gate import AbsentGate, start_again
from station.gates.driver import GateDriver, GateHealthReport, GateOutput
from station.service.cars.car_control import CarControl
from station.service.cars.flood_watch import FloodWatch
from station.service.sensor_stats import SensorStats
from station.views.car_views import StopView
from station.views.current_view import CurrentView
from station.views.gate_views import GateView, SensorView
from station.views.system_views import BrokerView, SyncView
from station.views.trackside.gates_line import gates_line, reported_gate


@dataclass(frozen=True, slots=True)
class PassFindings:
    """What a gate's passes show: the sensors that saw none, what is wrong with its layout ("": nothing), the passes."""

    missing: tuple[str, ...] = ()
    doubt: str = ""
    passes: tuple[SensorPass, ...] = ()


REFRESH_NS = 250_000_000
SYNC_NS = 1_000_000_000
REPEAT_HEALTH_NS = 5_000_000_000
FIGURES = re.compile(r"\d+")


class LiveState:
    """The station's live state. `sync` reads the status of sync, given how many results are due; None: no sync."""

    def __init__(
        self,
        specs: tuple[GateSpec, ...],
        drivers: Mapping[str, GateDriver],
        link: Link,
        cars: CarControl,
        view: CurrentView,
        sync: Callable[[int], SyncView] | None,
        floods: FloodWatch,
    ) -> None:
        self._specs, self._drivers = specs, dict(drivers)
        self._link, self._cars, self._view, self._sync, self._floods = link, cars, view, sync, floods
        self.blocked: dict[str, tuple[str, ...]] = {}  # gate -> sensors that are stuck; replaced as a whole
        self.notes: dict[str, tuple[GateNoteStored, ...]] = {}  # gate -> what its driver noticed; replaced as a whole
        self._findings: dict[str, PassFindings] = {}
        self._refreshed_ns: int | None = None
        self._synced_ns: int | None = None
        self.sensor_stats = SensorStats()
        self._published: tuple[m.GateHealth, int] | None = None
        self._last_line = ""  # the last line for the service manager
        self._faults: dict[str, str] = {}  # gate -> what is wrong with it, "" if nothing
        self._on_gate_health: Callable[[str, bool, str], None] = lambda _gate, _healthy, _sentence: None

    def start(
        self, engine: Engine, put: Callable[[GateOutput], None], on_gate_health: Callable[[str, bool, str], None]
    ) -> None:
        """Starts each gate after its last journaled edge; `on_gate_health` gets each change of health.

        A gate whose device is absent does not stop the station: it is tried again in the background.
        """
        self._on_gate_health = on_gate_health
        for name, driver in tuple(self._drivers.items()):
            try:
                driver.start(engine.last_seq_by_boot(name), put)
            except HardwareMissing as error:
                self._drivers[name] = AbsentGate(name, start_again(driver), str(error))
                self._drivers[name].start(engine.last_seq_by_boot(name), put)

    def update_findings(self, name: str, engine: Engine, facts: Sequence[Fact]) -> None:
        """Updates what the gate's passes show, after an edge or a start; does nothing if the facts cannot change it."""
        gate = engine.gates.get(name)
        if gate is None or (name in self._findings and not _may_change_findings(gate.spec, facts)):
            return
        self._findings[name] = PassFindings(gate.trial.missing, gate.doubt, gate.arrangement.passes)

    def resume(self, engine: Engine) -> None:
        """After a start: reads from the restored engine what the journal holds about the gates."""
        self.blocked = _blocked_sensors(engine)
        self.notes = dict(engine.readiness.notes)
        for name in engine.gates:
            self.update_findings(name, engine, ())

    def on_commit(self, engine: Engine, event: Input, facts: Sequence[Fact]) -> None:
        """Updates the gates' statistics after a commit, from one stored input and its facts. On the timing thread."""
        if isinstance(event, Edge):
            self.sensor_stats.record(event, facts, engine.time_of_day(event.boot, event.at_ns))
        if isinstance(event, Edge | TryGate):
            self.update_findings(event.gate, engine, facts)
        if isinstance(event, CarReport):
            self._cars.set_report_lead(event.car, engine.witnesses.lead_doubt_ns(event.car))
        if any(isinstance(fact, GateStuck) for fact in facts):
            self.blocked = _blocked_sensors(engine)
        if any(isinstance(fact, GateNoteStored) for fact in facts):
            self.notes = dict(engine.readiness.notes)

    def on_message(self, delivery: Delivery, now_ns: int) -> None:
        """Handles a heartbeat, a state or telemetry of a car, and publishes the replies at once."""
        body, envelope = delivery.message.body, delivery.message.envelope
        replies = []
        match body:
            case m.CarHeartbeat():
                replies = self._cars.on_heartbeat(envelope.device, envelope.boot, body, now_ns)
            case m.CarState():
                replies = self._cars.on_state(envelope.device, body, now_ns, envelope.boot)
            case m.CarTelemetry():
                self._cars.on_telemetry(envelope.device, body, envelope.boot)
        for car, reply in replies:
            self._link.publish(reply, car)

    def stop_view(self, now: Moment) -> StopView:
        """The outcome of the stop of all cars so far; from any thread."""
        return self._cars.stop_view(now, connected=self._link.state().connected)

    def refresh(self, now: Moment, rate: float, due: int) -> None:
        """Updates the view with all that is live and publishes the gates' health, at most a few times a second."""
        now_ns = now.at_ns
        if self._refreshed_ns is not None and 0 <= now_ns - self._refreshed_ns < REFRESH_NS * rate:
            return
        self._refreshed_ns = now_ns
        state = self._link.state()
        self._cars.set_floods(self._floods.on_floods(state.floods))
        gates = tuple(self._gate(spec, now.utc_ns) for spec in self._specs)
        self._publish_health(gates, now_ns, rate)
        self._tell_manager(gates)
        self._view.update(
            cars=self._cars.views(now_ns),
            stop=self.stop_view(now),
            gates=gates,
            broker=BrokerView(state.connected, state.sentence, state.queued, state.dropped, state.unsafe),
        )
        self._view.refresh_queue(now.utc_ns)
        synced_ns = self._synced_ns
        if self._sync is not None and (synced_ns is None or not 0 <= now_ns - synced_ns < SYNC_NS * rate):
            self._synced_ns = now_ns
            self._view.update(sync=self._sync(due))

    def close(self) -> None:
        """Closes the gates' drivers, all of them even if one fails."""
        with contextlib.ExitStack() as ends:
            for driver in self._drivers.values():
                ends.callback(driver.close)

    def _gate(self, spec: GateSpec, now_utc_ns: int) -> GateView:
        driver = self._drivers.get(spec.name)
        report = driver.health() if driver is not None else GateHealthReport(False, text("The gate has no driver."))
        # Sentences contain counts (edges, seconds), so only another kind of fault is reported.
        kind = "" if report.alive else FIGURES.sub("", report.sentence)
        if self._faults.get(spec.name) != kind:
            self._faults[spec.name] = kind
            self._on_gate_health(spec.name, report.alive, report.sentence[:500])
        findings = self._findings.get(spec.name, PassFindings())
        levels = (*report.level, *[None] * len(spec.sensors))
        return GateView(
            name=spec.name,
            sensors=spec.sensors,
            alive=report.alive,
            absent=report.absent,
            sentence=report.sentence,
            edges=report.edges,
            lost=report.lost,
            stuck=self.blocked.get(spec.name, ()),
            each=tuple(
                self._sensor(spec.name, sensor, level, now_utc_ns)
                for sensor, level in zip(spec.sensors, levels, strict=False)
            ),
            dropped=report.dropped,
            offset_ns=report.offset_ns,
            drift_ppb=report.drift_ppb,
            uncertainty_ns=max(spec.uncertainty_ns, report.uncertainty_ns or 0),
            notes=self.notes.get(spec.name, ()),
            kind=spec.kind,
            system=spec.system,
            layout=spec.layout,
            passes=describe_passes(spec, findings.passes),
            untried=findings.missing,
            doubt=findings.doubt,
        )

    def _sensor(self, gate: str, sensor: str, level: float | None, now_utc_ns: int) -> SensorView:
        counts = self.sensor_stats.read(gate, sensor)
        recent = self.sensor_stats.recent(gate, sensor, now_utc_ns)
        return SensorView(sensor, counts.edges, counts.noise, counts.last_ns, level, counts.last_utc_ns, recent)

    def _publish_health(self, gates: tuple[GateView, ...], now_ns: int, rate: float) -> None:
        """Publishes the retained state of all gates when more than its counts changed, and every few seconds."""
        if not gates:
            return
        health = gate_health(gates)
        published, published_ns = self._published or (None, 0)
        if (
            published is None
            or _without_counts(published) != _without_counts(health)
            or not 0 <= now_ns - published_ns < REPEAT_HEALTH_NS * rate
        ):
            self._published = (health, now_ns)
            self._link.publish(health)

    def _tell_manager(self, gates: tuple[GateView, ...]) -> None:
        """Tells the service manager which gates are ready, once they are so: the doctor of this machine reads it."""
        line = gates_line(reported_gate(gate) for gate in gates)
        is_new = FIGURES.sub("", line) != FIGURES.sub("", self._last_line)
        if is_new and tell_service_state(line) != "not sent":
            self._last_line = line


def _blocked_sensors(engine: Engine) -> dict[str, tuple[str, ...]]:
    return {name: gate.stuck for name, gate in engine.gates.items()}


def _may_change_findings(spec: GateSpec, facts: Sequence[Fact]) -> bool:
    """May these facts change the findings? Any edge may with several sensors; with one, only a `GateTried` may."""
    return len(spec.sensors) > 1 or any(isinstance(fact, GateTried) for fact in facts)


def gate_health(gates: tuple[GateView, ...]) -> m.GateHealth:
    """The MQTT message about all gates; its top-level fields are the worst gate's, for readers that know only one."""
    worst = min(gates, key=lambda gate: (gate.alive, not gate.stuck))
    stamps = [sensor.last_edge_ns for sensor in worst.each if sensor.last_edge_ns is not None]
    last_ns = max(stamps, default=None)
    sentence, sensor = worst.sentence[:500], (worst.stuck or worst.sensors)[0]
    conditions = tuple(_condition(gate) for gate in gates)
    return m.GateHealth(worst.name, sensor, worst.alive, sentence, last_ns, worst.edges, worst.lost, conditions)


def _condition(gate: GateView) -> m.GateCondition:
    sensors = tuple(
        m.SensorCondition(each.name, each.name in gate.stuck, each.edges, each.noise, each.last_edge_ns, each.level)
        for each in gate.each
    )
    healthy = gate.alive and not gate.stuck
    counts = (gate.edges, gate.lost, gate.dropped)
    clock = (gate.offset_ns, gate.drift_ppb, gate.uncertainty_ns)
    return m.GateCondition(gate.name, healthy, gate.sentence[:200], sensors, *counts, *clock)


def _without_counts(health: m.GateHealth) -> list[tuple[object, ...]]:
    """The state without the counts that change all the time; if it differs, it is published at once."""
    return [(gate.gate, gate.healthy, gate.sentence, gate.lost) for gate in health.gates]
