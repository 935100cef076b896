"""Faults injected into a driving car, and how long it drove on: for test_faults.py and bench/campaigns/faults.py.

They lie in memory, not on the disk (`in_memory`): the mock motors write their record from the guard's loop, where no
real motor waits for a disk. The three processes, the fail-safe process and the broker are real; the motors are the mock
that records its pulses with the monotonic clock. The time counts from just before the fault to the last pulse that
was not neutral.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import onnx
import psutil
from onnx import TensorProto, helper

from raceday.broker import RunningBroker, start_broker
from shared.link.mqtt import MqttLink, MqttOptions
from tests.vehicle.sample_parts import Station, config_text, write_model
from vehicle.core.pulses import STOCK_CALIBRATION, neutral_pulses
from vehicle.hardware.cameras.mock import CAMERA_FAULTS

REST_NS = neutral_pulses(STOCK_CALIBRATION).throttle_ns
FRAME_MS = 1000 / 15
TRIP_MS = 5 * FRAME_MS  # the frame age beyond which the shipped settings trip
LEASE_MS = 500
HANG_MS = 250
AT_ONCE_MS = 0
MARGIN_MS = 150
_PATIENCE_S = 60.0
_TRIES = 20


def blinding_graph() -> onnx.ModelProto:
    """Straight on at full speed, but NaN for a picture whose mean is between 105 and 115: the mock's `stripes`."""
    weights = {"zero": [0.0], "low": [105.0], "high": [115.0], "ahead": [0.0, 1.0, 0.0]}
    made = [helper.make_tensor(n, TensorProto.FLOAT, [1, len(v)], v) for n, v in weights.items()]
    made.append(helper.make_tensor("row", TensorProto.INT64, [2], [1, 1]))
    nodes = [
        helper.make_node("ReduceMean", ["observation"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "row"], ["one"]),
        helper.make_node("Sub", ["one", "low"], ["above"]),
        helper.make_node("Sub", ["one", "high"], ["below"]),
        helper.make_node("Mul", ["above", "below"], ["outside"]),  # negative between the two: no root
        helper.make_node("Sqrt", ["outside"], ["root"]),
        helper.make_node("Mul", ["root", "zero"], ["nothing"]),
        helper.make_node("Add", ["ahead", "nothing"], ["policy"]),
    ]
    graph = helper.make_graph(
        nodes,
        "blinding",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, [1, 1, 120, 160])],
        [helper.make_tensor_value_info("policy", TensorProto.FLOAT, [1, 3])],
        made,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


class Scene:
    """A broker, a station and a car that drives."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.broker: RunningBroker = start_broker(folder / "broker", kind="mosquitto")
        self.link = MqttLink(MqttOptions(port=self.broker.port), "station-1", "boot-s", "station")
        self.station = Station(self.link)
        self.station.lease_ms = LEASE_MS
        write_model(folder / "model", blinding_graph())
        camera = f'driver = "mock"\noptions = {{ fault_file = "{folder}/trouble.txt" }}'
        config = folder / "vehicle.toml"
        text = config_text(folder, self.broker.port, camera)
        config.write_text(text.replace("hold_periods = 4.0\ntrip_periods = 10.0\nrealtime = false\n", ""))
        self.pids: dict[str, int] = {}
        self.log = (folder / "car.log").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "raceday", "vehicle", "--config", str(config)], stderr=self.log
        )

    def drive(self) -> None:
        """Drives until the wheels turn. If the car trips because the machine is too busy, tries once more."""
        for _ in range(_TRIES):
            self.station.wait(lambda: self.station.beat > 0, 4 * _PATIENCE_S)
            self.station.order("arm")
            self.station.order("start", throttle_percent=50)
            self.station.wait(lambda: self.turning or self._is_tripped, _PATIENCE_S)
            if self.turning:
                break
            self.ready_again()
        self._lay_ready()
        # Looked up before the time is measured, since it means walking all of /proc.
        self.pids = {name: self.child(name) for name in ("pilot", "comms")}

    @property
    def _is_tripped(self) -> bool:
        return bool(self.station.states) and self.station.states[-1].mode == "tripped"

    @property
    def turning(self) -> bool:
        record = self._record()
        return bool(record) and record[-1]["throttle_ns"] != REST_NS

    def child(self, name: str) -> int:
        for child in psutil.Process(self.process.pid).children():
            if f"vehicle.{name}.{name}" in child.cmdline():
                return int(child.pid)
        raise AssertionError(f"there is no child {name}")

    def neutral_after_ms(self, since_ns: int) -> float:
        """How long (ms) after `since_ns` the last pulse that was not neutral ended; waits until it is recorded."""
        watch, deadline_s = threading.Event(), time.monotonic() + _PATIENCE_S
        while self.turning:
            assert time.monotonic() < deadline_s, "the wheels go on turning"
            watch.wait(0.01)
        return (self._last_at_rest_ns() - since_ns) / 1e6

    def outlast(self, since_ns: int, limit_ms: float) -> None:
        """Waits until the fault has lasted longer than its limit: what recovers sooner trips nothing."""
        left_s = (limit_ms + MARGIN_MS) / 1000 - (time.monotonic_ns() - since_ns) / 1e9
        threading.Event().wait(max(0.0, left_s))

    def stays_put(self, for_s: float) -> None:
        """Checks that nothing re-arms by itself, whatever recovers."""
        threading.Event().wait(for_s)
        assert not self.turning, "the car drove on by itself"

    def trouble(self, word: str) -> None:
        """Sets the camera's fault; '' is none. It is one system call, since the time is being measured already."""
        (self.folder / f"trouble.{word or 'none'}").replace(self.folder / "trouble.txt")

    def _lay_ready(self) -> None:
        """Creates a file for each fault."""
        for word in ("", *CAMERA_FAULTS):
            (self.folder / f"trouble.{word or 'none'}").write_text(word)

    def grant(self, granting: bool) -> None:
        """Sets whether the station renews the lease."""
        self.station.granting = granting

    def ready_again(self) -> None:
        """Resets the car by a person's order, as it does not reset itself."""
        self.station.wait(lambda: bool(self.station.states) and self.station.states[-1].online)
        self.station.order("reset")
        self.station.wait_mode("disarmed")

    def close(self) -> None:
        self.link.close()
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.broker.process.pid, signal.SIGCONT)
        self.broker.stop()
        self.log.close()

    def _record(self) -> list[dict[str, int]]:
        path = self.folder / "pulses.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def _last_at_rest_ns(self) -> int:
        record = self._record()
        last_turning = max((i for i, line in enumerate(record) if line["throttle_ns"] != REST_NS), default=-1)
        return record[last_turning + 1]["at_ns"]


@contextlib.contextmanager
def in_memory() -> Iterator[pathlib.Path]:
    """A folder for the scenes, on a file system without a disk where there is one."""
    shm = pathlib.Path("/dev/shm")  # the kernel's own, where it is mounted
    with tempfile.TemporaryDirectory(prefix="rd-f-", dir=shm if os.access(shm, os.W_OK) else None) as name:
        yield pathlib.Path(name)


Do = Callable[[Scene], Any]


def _nothing(_scene: Scene) -> None:
    """For a fault that cannot be undone."""


@dataclass(frozen=True, slots=True)
class FaultTrial:
    """One kind of fault: its stated limit, what is done, and what is undone before we look whether it re-arms.

    `alone`: the car or the broker is not the same afterwards, so the next trial needs a new scene.
    """

    name: str
    limit_ms: float
    do: Do
    undo: Do = _nothing
    alone: bool = False


def _signal(name: str, number: int) -> Do:
    return lambda scene: os.kill(scene.pids[name], number)


def _broker(number: int) -> Do:
    return lambda scene: os.kill(scene.broker.process.pid, number)


def _guard(number: int) -> Do:
    return lambda scene: scene.process.send_signal(number)


def _camera(word: str) -> Do:
    return lambda scene: scene.trouble(word)


FAULTS = (
    FaultTrial("pilot killed", AT_ONCE_MS, _signal("pilot", signal.SIGKILL), alone=True),
    FaultTrial("pilot stopped", TRIP_MS, _signal("pilot", signal.SIGSTOP), _signal("pilot", signal.SIGCONT)),
    FaultTrial("pilot spinning", TRIP_MS, _camera("spin"), _camera("")),
    FaultTrial("camera frozen", TRIP_MS, _camera("freeze"), _camera("")),
    FaultTrial("camera silent", TRIP_MS, _camera("stall"), _camera("")),
    FaultTrial("camera gone", FRAME_MS, _camera("die"), _camera(""), alone=True),
    FaultTrial("camera giving old pictures", TRIP_MS + 2 * FRAME_MS, _camera("stale"), _camera("")),
    FaultTrial("camera covered", TRIP_MS, _camera("dark"), _camera("")),
    FaultTrial("NaN from the model", 2 * FRAME_MS, _camera("stripes"), _camera("")),
    FaultTrial("comms killed", LEASE_MS, _signal("comms", signal.SIGKILL), alone=True),
    FaultTrial("broker killed", LEASE_MS, _broker(signal.SIGKILL), alone=True),
    FaultTrial("broker frozen", LEASE_MS, _broker(signal.SIGSTOP), _broker(signal.SIGCONT), alone=True),
    FaultTrial("lease not renewed", LEASE_MS, lambda scene: scene.grant(False), lambda scene: scene.grant(True)),
    FaultTrial("station gone", LEASE_MS, lambda scene: scene.link.close(), alone=True),
    FaultTrial("guard killed", AT_ONCE_MS, _guard(signal.SIGKILL), alone=True),
    FaultTrial("guard stopped", HANG_MS, _guard(signal.SIGSTOP), _guard(signal.SIGCONT), alone=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one trial: how long the car drove on."""

    fault: str
    limit_ms: float
    neutral_ms: float

    @property
    def beyond_ms(self) -> float:
        """By how much it exceeded the stated limit in ms; negative if it was quicker."""
        return self.neutral_ms - self.limit_ms


def _trial(fault: FaultTrial, scene: Scene, rest_s: float) -> Outcome:
    scene.drive()
    began_ns = time.monotonic_ns()
    fault.do(scene)
    outcome = Outcome(fault.name, fault.limit_ms, scene.neutral_after_ms(began_ns))
    scene.outlast(began_ns, fault.limit_ms)
    fault.undo(scene)
    scene.stays_put(rest_s)
    return outcome


def in_turn(folder: pathlib.Path, rest_s: float = 0.4) -> Iterator[Outcome]:
    """One trial of each fault that is not `alone`, all on one car: it has to drive again after each of them."""
    scene = Scene(folder / "in-turn")
    try:
        for fault in FAULTS:
            if not fault.alone:
                yield _trial(fault, scene, rest_s)
                scene.ready_again()
    finally:
        scene.close()


def trials(fault: FaultTrial, folder: pathlib.Path, count: int, rest_s: float = 0.4) -> Iterator[Outcome]:
    """`count` times: drives, injects the fault, measures, undoes it, and checks that nothing drives by itself."""
    scene: Scene | None = None
    for number in range(count):
        if scene is None:
            scene = Scene(folder / f"{fault.name.replace(' ', '-')}-{number}")
        try:
            outcome = _trial(fault, scene, rest_s)
            if not fault.alone and number + 1 < count:
                scene.ready_again()
        except BaseException:
            scene.close()
            raise
        if fault.alone or number + 1 == count:
            scene.close()
            scene = None
        yield outcome
