"""Rows 12 and 15, and the recorder's cost over time: the real processes, side by side.

Row 15 has two cars that run at the same time, one with recorder and console and one without, and donkeycar's own loop
with fifteen parts: a disturbance affects all. The telemetry of the two cars gives the recorder's cost.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import psutil

from bench.peers.environments import PeerMissing, Worker
from bench.vehicle.peer_rows import donkey
from bench.vehicle.table_rows import Line, line
from bench.vehicle.tick import Networks
from raceday.broker import start_broker
from shared.link.mqtt import MqttLink, MqttOptions
from shared.protocol.messages import CarTelemetry
from tests.system.vehicle.car_faults import FAULTS, trials
from tests.vehicle.sample_parts import Station, config_text

QUICK_S, FULL_S = 25.0, 610.0
_EVERY_S = 2.0
_DONKEY_HZ = 20
_RECORDER_AND_CONSOLE = """
[recorder]
enabled = true
folder = "{folder}/runs"
[console]
enabled = true
port = 0
host = "127.0.0.1"
claims = "{folder}/console.json"
models = "{folder}"
"""


def neutral(_networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 12: from the fault to the last pulse that was not neutral."""
    for row, name in (
        ("12", "pilot killed"),
        ("12b", "guard killed"),
        ("12c", "pilot stopped"),
        ("12d", "guard stopped"),
    ):
        fault = next(one for one in FAULTS if one.name == name)
        with tempfile.TemporaryDirectory(prefix="raceday-neutral-") as folder:
            took = sorted(one.neutral_ms for one in trials(fault, pathlib.Path(folder), 2 if quick else 5))
        behind = f"{len(took)} trials, most {took[-1]:.0f} ms; stated limit {fault.limit_ms:.0f} ms"
        yield line(
            row, f"neutral after {name}, ms beyond its stated limit", took[-1] - fault.limit_ms, "max", 150, behind
        )


def memory(networks: Networks, quick: bool) -> Iterator[Line]:
    """Row 15, and row 6 over time."""
    seconds, worker = QUICK_S if quick else FULL_S, _donkey_or_none(networks)
    with tempfile.TemporaryDirectory(prefix="raceday-long-") as name:
        folder = pathlib.Path(name)
        cars = [Car(folder / "recorded", networks, _RECORDER_AND_CONSOLE), Car(folder / "plain", networks, "")]
        try:
            for car in cars:
                car.drive()
            pids = {f"{who}{n}": pid for n, car in enumerate(cars) for who, pid in car.pids().items()}
            if worker is not None:
                worker.send(f"start {round(seconds * _DONKEY_HZ)} {1 / _DONKEY_HZ}")
                pids["donkeycar"] = worker.pid
            grown = _watch(pids, seconds)
            telemetry = [car.telemetry() for car in cars]
        finally:
            for car in cars:
                car.close()
            if worker is not None:
                worker.close()
    yield from _growth(grown, seconds)
    yield from _cost(telemetry)


def _growth(grown: dict[str, list[tuple[float, int]]], seconds: float) -> Iterator[Line]:
    per_hour = {name: _slope_mb_per_hour(samples) for name, samples in grown.items()}
    ours = [name for name in per_hour if name != "donkeycar"]
    for row, number, what in (("15", "0", "with black box and console"), ("15b", "1", "without them")):
        parts = ", ".join(f"{name[:-1]} {per_hour[name]:+.1f}" for name in ours if name.endswith(number))
        total = sum(per_hour[name] for name in ours if name.endswith(number))
        yield line(row, f"memory growth, MB an hour, car {what}", total, "max", 5.0, f"{parts}; over {seconds:.0f} s")
    if "donkeycar" in per_hour:
        yield line("15'", "memory growth, MB an hour, donkeycar's loop, 15 parts, 20 Hz", per_hour["donkeycar"])


def _cost(telemetry: list[list[CarTelemetry]]) -> Iterator[Line]:
    """The telemetry of both cars over the same time: medians of the half-second medians and 99th percentiles."""
    for row, stage in (("6c", "policy"), ("6d", "frame_age")):
        on, off = ([getattr(one, f"{stage}_p50_us") for one in car] for car in telemetry)
        on99, off99 = ([getattr(one, f"{stage}_p99_us") for one in car] for car in telemetry)
        a, b = statistics.median(on), statistics.median(off)
        behind = f"{a:,.0f} / {b:,.0f} us, 99 % {statistics.median(on99):,.0f} / {statistics.median(off99):,.0f}"
        last_on, last_off = (car[-1] for car in telemetry)
        drops = f"dropped {last_on.dropped} / {last_off.dropped} of {last_on.frames} / {last_off.frames}"
        what = stage.replace("_", " ")
        yield line(
            row, f"{what}, black box and console on / off, two cars at 30 fps", a / b, "", 0.0, f"{behind}; {drops}"
        )


class Car:
    """One car's real processes on mock hardware, its broker, and a station that grants its lease."""

    def __init__(self, folder: pathlib.Path, networks: Networks, more: str) -> None:
        folder.mkdir(parents=True)
        self._broker = start_broker(folder / "broker", kind="mosquitto")
        self._link = MqttLink(MqttOptions(port=self._broker.port), "station-1", "boot-s", "station")
        self._station = Station(self._link)
        self._station.lease_ms = 5000  # the lease is not tested here
        text = config_text(folder, self._broker.port, 'driver = "mock"\noptions = { rate_hz = 30.0 }')
        text = text.replace(f'"{folder}/model"', f'"{networks.fp32.path}"').replace("realtime = false\n", "")
        config = folder / "vehicle.toml"
        config.write_text(text + more.format(folder=folder))
        self._log = (folder / "car.log").open("w")
        command = [sys.executable, "-m", "raceday", "vehicle", "--config", str(config)]
        self._process = subprocess.Popen(command, stderr=self._log)

    def drive(self) -> None:
        """Start the car and wait until it drives; on a busy machine this takes a while."""
        self._station.wait(lambda: self._station.beat > 0, 90.0)
        self._station.drive(throttle_percent=50)

    def pids(self) -> dict[str, int]:
        """The process ids of its three processes."""
        guard = psutil.Process(self._process.pid)
        found = {"guard": guard.pid}
        for child in guard.children():
            line_ = " ".join(child.cmdline())
            found |= {who: child.pid for who in ("pilot", "comms") if f"vehicle.{who}.{who}" in line_}
        return found

    def telemetry(self) -> list[CarTelemetry]:
        """The telemetry that the car sent while it drove."""
        assert self._station.states[-1].mode == "driving", self._station.states[-1].reason
        return [one for one in self._station.telemetry if one.policy_p50_us][4:]

    def close(self) -> None:
        """End the car's processes, the station and the broker."""
        self._link.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._broker.stop()
        self._log.close()


def _watch(pids: dict[str, int], seconds: float) -> dict[str, list[tuple[float, int]]]:
    """Sample the private memory of each process in bytes, every few seconds."""
    samples: dict[str, list[tuple[float, int]]] = {name: [] for name in pids}
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    began_s = time.monotonic()
    while (at_s := time.monotonic() - began_s) < seconds:
        for name, process in processes.items():
            samples[name].append((at_s, process.memory_full_info().uss))
        time.sleep(_EVERY_S)
    return samples


def _slope_mb_per_hour(samples: list[tuple[float, int]]) -> float:
    """The slope of a line fitted to the last three quartiles; the first quarter is warm-up."""
    steady = np.array(samples[len(samples) // 4 :], float)
    return float(np.polyfit(steady[:, 0], steady[:, 1], 1)[0]) * 3600 / (1 << 20)


def _donkey_or_none(networks: Networks) -> Worker | None:
    try:
        return donkey(networks.fp32)
    except PeerMissing:
        return None
