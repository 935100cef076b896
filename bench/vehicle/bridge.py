"""A stock car by its bridge: how long until its wheels stand, after an order, a lost lease, a hung console, `kill -9`.

Real processes on loopback: mosquitto, the bridge, the leash, and the mock console over TLS, whose car is read from its
PWM and GPIO files each millisecond. A trial that is not over within `PATIENCE_S` counts as "drives on".
"""

import json
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from rich.table import Table

from bench.report import OUT, console
from raceday.broker import RunningBroker, start_broker
from shared.link.mqtt import MqttLink, MqttOptions
from tests.system.vehicle.bridge_rig import StockCarRig, until
from tests.vehicle.sample_parts import Station

FULL, QUICK = 20, 3
PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class BridgeCase:
    """What is done to a driving car: `act` returns when, in ns; `limit_ms`: as docs/stock-car.md promises, or None."""

    name: str
    is_leashed: bool
    act: Callable[[StockCarRig, Station], int]
    limit_ms: int | None


@dataclass(frozen=True, slots=True)
class BridgeTrials:
    """The times until the wheels stood, in ms; `drove_on`: how often they did not."""

    name: str
    limit_ms: int | None
    stood_ms: list[float]
    drove_on: int


def _kill(rig: StockCarRig, _: Station) -> int:
    return rig.kill_bridge()


def _stop(_: StockCarRig, station: Station) -> int:
    now_ns = time.monotonic_ns()
    station.order("stop")
    return now_ns


def _stop_hung(rig: StockCarRig, station: Station) -> int:
    rig.server.hang("/api/start_stop")
    return _stop(rig, station)


def _stop_beside(rig: StockCarRig, station: Station) -> int:
    """Whatever the bridge asks but its stop hangs."""
    rig.server.hang("/api/isModelLoading", "/api/get_battery_level")
    assert rig.server.hanging.wait(30)
    return _stop(rig, station)


def _lose_lease(_: StockCarRig, station: Station) -> int:
    station.granting = False
    return time.monotonic_ns()


CASES = (
    BridgeCase("stop, best effort", False, _stop, None),
    BridgeCase("stop, with the leash", True, _stop, None),
    BridgeCase("stop beside a call that hangs, best effort", False, _stop_beside, None),
    BridgeCase("stop that hangs, with the leash", True, _stop_hung, None),
    BridgeCase("lease of 500 ms lost, best effort", False, _lose_lease, None),
    BridgeCase("bridge killed, best effort", False, _kill, None),
    BridgeCase("bridge killed, with the leash", True, _kill, 600),
)


def main(quick: bool) -> None:
    """Prints the table and writes run/bench/bridge.json."""
    out = console()
    table = Table(title=f"bridge: ms until the wheels stand (load {os.getloadavg()[0]:.1f})", title_justify="left")
    for column in ("case", "trials", "p50", "p99", "most", "drove on", "limit"):
        table.add_column(column, justify="left" if column == "case" else "right")
    done = []
    with tempfile.TemporaryDirectory(prefix="rd-") as name:
        folder = pathlib.Path(name)
        broker = start_broker(folder / "broker", kind="mosquitto")
        try:
            for number, case in enumerate(CASES):
                trials = _trials(case, folder / str(number), broker, QUICK if quick else FULL)
                done.append(trials)
                table.add_row(*_row(trials))
                out.print(f"  {case.name}: {[round(ms) for ms in trials.stood_ms]}", highlight=False)
        finally:
            broker.stop()
    out.print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    document = {"bench": "bridge", "load": os.getloadavg(), "cases": [asdict(each) for each in done]}
    (OUT / "bridge.json").write_text(json.dumps(document, indent=1) + "\n")


def _trials(case: BridgeCase, folder: pathlib.Path, broker: RunningBroker, count: int) -> BridgeTrials:
    trials = BridgeTrials(case.name, case.limit_ms, [], 0)
    drove_on = 0
    for number in range(count):
        stood_ms = _trial(case, folder / str(number), broker)
        if stood_ms is None:
            drove_on += 1
        else:
            trials.stood_ms.append(stood_ms)
    return BridgeTrials(case.name, case.limit_ms, trials.stood_ms, drove_on)


def _trial(case: BridgeCase, folder: pathlib.Path, broker: RunningBroker) -> float | None:
    """Drive, act, and wait for the wheels; None if they turn on."""
    folder.mkdir(parents=True)
    station = Station(MqttLink(MqttOptions(port=broker.port), "station-1", "boot-s", "station"))
    station.lease_ms = 500
    rig = StockCarRig(folder, broker.port, "stock", is_leashed=case.is_leashed, shows_log=False)
    never = threading.Event()
    try:
        rig.start_bridge()
        station.drive()
        until(lambda: rig.outputs.is_moving)
        began_ns = case.act(rig, station)
        while rig.outputs.is_moving and time.monotonic_ns() - began_ns < PATIENCE_S * 1e9:
            never.wait(0.001)
        stood_ns = time.monotonic_ns()
        return None if rig.outputs.is_moving else (stood_ns - began_ns) / 1e6
    finally:
        rig.close()
        station.link.close()


def _row(trials: BridgeTrials) -> tuple[str, ...]:
    times = sorted(trials.stood_ms)
    limit = "-" if trials.limit_ms is None else str(trials.limit_ms)
    if not times:
        return (trials.name, str(trials.drove_on), "-", "-", "-", str(trials.drove_on), limit)
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
    count = len(times) + trials.drove_on
    return (trials.name, str(count), f"{p50:.0f}", f"{p99:.0f}", f"{times[-1]:.0f}", str(trials.drove_on), limit)
