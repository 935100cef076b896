"""`kill -9` of each process of a driving car, over and over: its wheels are neutral, and stay so until a person says.

One car is killed part by part: pilot, comms, the fail-safe process (which the guard starts again), and at last the
guard, whose wheels the new fail-safe process must have stopped. Real processes on the mock's motors; several cars at
once, since most of the time is spent waiting. Called by `./dev bench kills`.
"""

import contextlib
import os
import pathlib
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psutil

from tests.system.durability.hall import wait_until
from tests.system.vehicle.car_faults import AT_ONCE_MS, LEASE_MS, Scene

# Until the wheels are neutral. Beyond it the car drives on; how long it took in fact is a figure beside it, since
# several cars share two cores here (`./dev bench faults` measures one alone, against the limits themselves).
DRIVES_ON_MS = 2_000
REST_S = 0.2
AT_ONCE = 3  # cars


@dataclass(slots=True)
class CarTally:
    """What came of the kills. `neutral_ms`: by the process that was killed."""

    killed: Counter[str] = field(default_factory=Counter)
    drove_on: int = 0
    neutral_ms: dict[str, list[float]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, other: "CarTally") -> None:
        self.killed.update(other.killed)
        self.drove_on += other.drove_on
        for name, values in other.neutral_ms.items():
            self.neutral_ms.setdefault(name, []).extend(values)
        self.broken += other.broken


def kill_cars(folder: pathlib.Path, cars: int) -> CarTally:
    """Four kills of each of so many cars."""
    total = CarTally()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for tally in threads.map(_kill_car, [folder / f"car-{number}" for number in range(cars)]):
            total.add(tally)
    return total


def _kill_car(folder: pathlib.Path) -> CarTally:
    tally = CarTally()
    try:
        scene = Scene(folder)
        try:
            _kill_parts(scene, tally)
        finally:
            scene.close()
    except AssertionError as error:
        tally.broken.append(f"{folder.name}: {error}")
    return tally


def _kill_parts(scene: Scene, tally: CarTally) -> None:
    for name, limit_ms in (("pilot", AT_ONCE_MS), ("comms", LEASE_MS)):
        scene.drive()
        _kill_and_time(scene, tally, name, scene.pids[name], limit_ms)
        scene.ready_again()
    scene.drive()
    gone = _failsafe(scene)
    os.kill(gone, signal.SIGKILL)
    tally.killed["fail-safe"] += 1
    wait_until(lambda: _failsafe(scene) not in (0, gone), "the guard started no new fail-safe process")
    _kill_and_time(scene, tally, "guard", scene.process.pid, AT_ONCE_MS)


def _kill_and_time(scene: Scene, tally: CarTally, name: str, pid: int, limit_ms: float) -> None:
    began_ns = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    tally.killed[name] += 1
    took_ms = scene.neutral_after_ms(began_ns)
    tally.neutral_ms.setdefault(name, []).append(took_ms)
    tally.drove_on += took_ms > limit_ms + DRIVES_ON_MS
    scene.stays_put(REST_S)


def _failsafe(scene: Scene) -> int:
    """The process id of the fail-safe process, which may still be loading; 0: there is none."""
    for child in psutil.Process(scene.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "vehicle.guard.failsafe" in child.cmdline():
                return int(child.pid)
    return 0
