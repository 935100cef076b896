"""Priority belongs to a thread: camera and policy ask for it; lap watcher and black box must not have it."""

import gc
import os
import pathlib
import queue
import threading

import pytest

from raceday.broker import RunningBroker
from tests.system.vehicle.test_processes import Car, broker, station  # noqa: F401  # fixtures
from tests.vehicle.sample_parts import Station, config_text, write_model
from vehicle.process.realtime import (
    CAMERA_PRIORITY,
    FAILSAFE_PRIORITY,
    GUARD_PRIORITY,
    POLICY_PRIORITY,
    freeze_garbage_collector,
    request_realtime,
)


def test_priority_is_of_the_asking_thread_alone() -> None:
    found: queue.Queue[tuple[bool, int, int]] = queue.Queue()

    def ask() -> None:
        granted = request_realtime("policy", POLICY_PRIORITY)
        found.put((granted, os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority))

    before = os.sched_getscheduler(0)
    thread = threading.Thread(target=ask)
    thread.start()
    granted, policy, priority = found.get(timeout=60)
    thread.join(10)
    assert (policy, priority) == ((os.SCHED_FIFO, POLICY_PRIORITY) if granted else (os.SCHED_OTHER, 0))
    assert os.sched_getscheduler(0) == before


def test_whoever_watches_comes_first() -> None:
    assert FAILSAFE_PRIORITY > GUARD_PRIORITY > CAMERA_PRIORITY > POLICY_PRIORITY


def test_the_collector_rests() -> None:
    gc.unfreeze()
    garbage = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    freeze_garbage_collector()
    try:
        assert gc.get_freeze_count() >= len(garbage)
    finally:
        gc.unfreeze()


@pytest.mark.slow
@pytest.mark.broker
def test_the_car_says_what_it_was_granted_and_has_it(
    tmp_path: pathlib.Path,
    broker: RunningBroker,  # noqa: F811
    station: Station,  # noqa: F811
) -> None:
    write_model(tmp_path / "model")
    car = Car(tmp_path, config_text(tmp_path, broker.port).replace("realtime = false\n", ""))
    try:
        station.wait(lambda: any(t.precision for t in station.telemetry), 60.0)
        said = next(t for t in station.telemetry if t.precision)
        found = {thread_priority(car.process.pid), thread_priority(car.child("pilot"))}
    finally:
        car.end()
        assert car.process.stderr is not None
        log = car.process.stderr.read()
        car.process.stderr.close()
    if said.realtime == "guard, pilot":
        assert found == {GUARD_PRIORITY, POLICY_PRIORITY}
        assert "no real-time priority" not in log
    else:
        assert said.realtime == "no"
        assert found == {0}
        assert all(f"no real-time priority for the {who}" in log for who in ("guard", "policy", "camera"))


def thread_priority(pid: int) -> int:
    """The priority of a process's first thread; 0 without real-time priority."""
    is_first = os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
    return os.sched_getparam(pid).sched_priority if is_first else 0
