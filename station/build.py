"""Puts the station together: the one place here that asks for drivers. Everything can be given from outside."""

import contextlib
import hashlib
import importlib.metadata
import json
import pathlib
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared import files
from shared.clock import Clock, build_clock
from shared.drivers import find
from shared.errors import HardwareMissing, StorageError
from shared.link.interface import Link
from shared.link.mqtt import MqttLink
from station.config import GateConfig, StationConfig
from station.core.inputs import GateSpec, Transponder
from station.drem_options import DremOptions
from station.gates.absent_gate import AbsentGate, make_and_start
from station.gates.driver import GateDriver
from station.service.setup import StationSetup
from station.service.station import Station
from station.store.opening import JOURNAL, KEY, open_journal
from station.sync.status import SyncStatusReader
from station.views.system_views import SyncView

if TYPE_CHECKING:
    from station.drem_timer import DremTimer

__all__ = ["JOURNAL", "KEY", "LOCK", "build", "hold_lock", "prepared", "setup"]

MADE_UP = ("mock", "simulator")  # gates without a wire that could be the wrong way round
LOCK = "station.lock"


def build(
    config: StationConfig,
    *,
    clock: Clock | None = None,
    link: Link | None = None,
    gates: Mapping[str, GateDriver] | None = None,
    sync: Callable[[int], SyncView] | None = None,
    log: Callable[[str], None] = lambda _sentence: None,
) -> Station:
    """A station that is not started yet; `log` records a sentence. Raises OperatorError for what a person must fix."""
    data_dir = prepared(config.data_dir)
    clock = build_clock(config.clock) if clock is None else clock
    gates = build_gates(config, clock) if gates is None else gates
    # Each start of this process is a speaker of its own at the broker, so that numbers are never used twice.
    link = MqttLink(config.mqtt, config.name, f"{clock.utc_ns():x}", "station") if link is None else link
    sync = SyncStatusReader(data_dir).view if sync is None else sync
    with contextlib.ExitStack() as undo:  # what is open already is closed when the rest cannot be built
        undo.callback(link.close)
        journal = open_journal(data_dir)
        undo.callback(journal.close)
        drem = _drem_timer(config.drem, clock) if config.drem is not None else None
        station = Station(setup(config), clock, link, gates, journal, sync, drem, log)
        undo.pop_all()
    return station


def _drem_timer(options: DremOptions, clock: Clock) -> "DremTimer":
    from station.drem_timer import DremTimer  # noqa: PLC0415 (only a station with `[drem]` needs its libraries)

    return DremTimer(options, clock)


def setup(config: StationConfig) -> StationSetup:
    """The config as the service needs it."""
    versions = {"raceday": importlib.metadata.version("raceday"), "python": sys.version.split()[0]}
    return StationSetup(
        name=config.name,
        gates=tuple(gate_spec(gate) for gate in config.gate),
        race=config.race.opening if config.race is not None else None,
        transponders=tuple(Transponder(each.id, each.car, each.racer) for each in config.transponder),
        lease_ms=config.lease_ms,
        order_ttl_ms=config.order_ttl_ms,
        versions=versions,
        random_hex=secrets.token_hex,
    )


def gate_spec(gate: GateConfig) -> GateSpec:
    """As the core takes it, with what its driver knows: what a pass must look like, and how its sensors stand.

    Raises OperatorError for a driver that is not there.
    """
    driver, spec = _driver(gate.driver), gate.spec
    if spec.layout == "unsaid" and not gate.baseline_mm:
        spec = replace(spec, layout=getattr(driver, "layout", spec.layout))
    if not (gate.driver not in MADE_UP if gate.try_first is None else gate.try_first):
        return spec
    described = json.dumps([gate.driver, gate.options], sort_keys=True, default=str)
    wiring = hashlib.sha256(described.encode()).hexdigest()[:12]
    return replace(spec, proof=getattr(driver, "proof", "pass"), wiring=wiring)


def _driver(name: str) -> Any:
    """The driver's class; None while its library is absent. Raises ConfigError."""
    try:
        return find("raceday.gates", name)
    except HardwareMissing:
        return None


def build_gates(config: StationConfig, clock: Clock) -> dict[str, GateDriver]:
    """The driver of each `[[gate]]`; what is absent is tried again, and joins later. Raises ConfigError."""
    return {gate.name: _build_gate(gate, clock) for gate in config.gate}


def _build_gate(gate: GateConfig, clock: Clock) -> GateDriver:
    def made() -> GateDriver:
        driver: GateDriver = find("raceday.gates", gate.driver)(gate.name, gate.sensors, gate.options, clock)
        return driver

    try:
        return made()
    except HardwareMissing as error:
        return AbsentGate(gate.name, make_and_start(made), str(error))


def prepared(data_dir: pathlib.Path) -> pathlib.Path:
    """The folder, made if it is not there. Raises StorageError."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{data_dir}: cannot be made ({error.strerror}); set `data_dir` to a folder of ours on a local disk."
        ) from None
    return data_dir


def hold_lock(data_dir: pathlib.Path) -> int:
    """One station per folder, for as long as this process lives. Raises OperatorError."""
    return files.hold_lock(prepared(data_dir) / LOCK, "another station already runs on this folder")
