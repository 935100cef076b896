"""Puts the station together, and is the only module here that looks up drivers. Callers may pass in every part."""

import contextlib
import hashlib
import importlib.metadata
import json
import pathlib
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared import files
from shared.clock import Clock, build_clock
from shared.drivers import find, names
from shared.errors import HardwareMissing, StorageError
from shared.link.interface import Link
from shared.link.mqtt import MqttLink
from shared.refusals import Refusals
from station.config import DriverChoice, GateConfig, StationConfig
from station.core.facts import Fact
from station.core.inputs import GateSpec, Transponder
from station.drem_options import DremOptions
from station.gates.absent_gate import AbsentGate, make_and_start
from station.gates.driver import GateDriver
from station.service.setup import StationSetup
from station.service.station import Station
from station.service.trackside.stop_button import StopButtonMonitor
from station.store.event_files.race_offers import OffersWriter, RaceOffers
from station.store.opening import JOURNAL, KEY, open_journal
from station.sync.operator.status import SyncStatusReader
from station.views.system_views import SyncView

if TYPE_CHECKING:
    from station.drem_timer import DremTimer

__all__ = ["JOURNAL", "KEY", "LOCK", "build", "hold_lock", "prepared", "setup"]

SIMULATED = ("mock", "simulator")  # drivers without wires, which cannot be connected the wrong way round
LOCK = "station.lock"


def build(
    config: StationConfig,
    *,
    clock: Clock | None = None,
    link: Link | None = None,
    gates: Mapping[str, GateDriver] | None = None,
    sync: Callable[[int], SyncView] | None = None,
    log: Callable[[str], None] = lambda _sentence: None,
    refusals: Refusals | None = None,
    observe: Callable[[Sequence[Fact], float], None] | None = None,
) -> Station:
    """Builds a station from its config without starting it. `log` gets each sentence for the operator's log.

    A part that is given (`clock`, `link`, `gates`, `sync`) replaces the one that the config names. `refusals`: those of
    the process, into which the web counts too. `observe` gets the facts of each commit, and how long the disk took.
    Raises OperatorError for what a person must fix.
    """
    data_dir = prepared(config.data_dir)
    clock = build_clock(config.clock) if clock is None else clock
    gates = build_gates(config, clock) if gates is None else gates
    # Each start of this process has a boot id of its own at the broker, so that message numbers are never used twice.
    link = MqttLink(config.mqtt, config.name, f"{clock.utc_ns():x}", "station", clock.rate) if link is None else link
    posts = bool(config.sync.leaderboard_url)
    sync = SyncStatusReader(data_dir, configured=posts).view if sync is None else sync
    with contextlib.ExitStack() as undo:  # what is open already is closed when the rest cannot be built
        undo.callback(link.close)
        journal = open_journal(data_dir)
        undo.callback(journal.close)
        drem = _drem_timer(config.drem, clock) if config.drem is not None else None
        offer = OffersWriter(data_dir, log).update if posts else _offer_nothing
        button = StopButtonMonitor(_maker("raceday.stop_buttons", config.stop_button)) if config.stop_button else None
        lights = _maker("raceday.start_lights", config.start_lights) if config.start_lights else None
        station = Station(
            setup(config), clock, link, gates, journal, sync, drem,
            button=button, make_lights=lights, log=log, offer=offer,
            refusals=refusals, observe=observe,
        )  # fmt: skip
        undo.pop_all()
    return station


def _offer_nothing(_offers: RaceOffers) -> None:
    """Without a leaderboard there is nobody to offer races to."""


def _maker(group: str, chosen: DriverChoice) -> Callable[[], Any]:
    """A function that constructs this driver, with its options; it raises HardwareMissing. Raises ConfigError."""
    if chosen.driver not in names(group):
        find(group, chosen.driver)
    return lambda: find(group, chosen.driver)(chosen.options)


def _drem_timer(options: DremOptions, clock: Clock) -> "DremTimer":
    from station.drem_timer import DremTimer  # noqa: PLC0415 (only a station with `[drem]` needs its libraries)

    return DremTimer(options, clock)


def setup(config: StationConfig) -> StationSetup:
    """The part of the config that the service needs, with the versions that go into each result's evidence."""
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
    """The gate's spec for the core, completed by its driver: what proves a pass, and how its sensors are arranged.

    Raises OperatorError for a driver that does not exist.
    """
    driver, spec = _driver(gate.driver), gate.spec
    if spec.layout == "unsaid" and not gate.baseline_mm:
        spec = replace(spec, layout=getattr(driver, "layout", spec.layout))
    if not (gate.driver not in SIMULATED if gate.try_first is None else gate.try_first):
        return spec
    described = json.dumps([gate.driver, gate.options], sort_keys=True, default=str)
    wiring = hashlib.sha256(described.encode()).hexdigest()[:12]
    return replace(spec, proof=getattr(driver, "proof", "pass"), wiring=wiring)


def _driver(name: str) -> Any:
    """The driver's class; None if its library is not installed. Raises ConfigError for an unknown name."""
    try:
        return find("raceday.gates", name)
    except HardwareMissing:
        return None


def build_gates(config: StationConfig, clock: Clock) -> dict[str, GateDriver]:
    """Gate name to driver, for each `[[gate]]`. A device that is absent is tried again later. Raises ConfigError."""
    return {gate.name: _build_gate(gate, clock) for gate in config.gate}


def _build_gate(gate: GateConfig, clock: Clock) -> GateDriver:
    def make() -> GateDriver:
        driver: GateDriver = find("raceday.gates", gate.driver)(gate.name, gate.sensors, gate.options, clock)
        return driver

    try:
        return make()
    except HardwareMissing as error:
        return AbsentGate(gate.name, make_and_start(make), str(error))


def prepared(data_dir: pathlib.Path) -> pathlib.Path:
    """Creates the data folder if it does not exist, and returns it. Raises StorageError."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{data_dir}: cannot be created ({error.strerror}); set `data_dir` to a folder on a local disk that this "
            "user may write to."
        ) from None
    return data_dir


def hold_lock(data_dir: pathlib.Path) -> int:
    """Locks the data folder for as long as this process lives; returns the lock's descriptor.

    Raises OperatorError if another station runs on it.
    """
    return files.hold_lock(prepared(data_dir) / LOCK, "another station already runs on this folder")
