"""Priority is a thread's own: camera and policy ask for it; lap watcher and black box beside them shall not have it."""

import gc
import os
import queue
import threading

from vehicle.startup import (
    CAMERA_PRIORITY,
    GUARD_PRIORITY,
    KEEPER_PRIORITY,
    POLICY_PRIORITY,
    ask_for_realtime,
    rest_the_collector,
)


def test_priority_is_of_the_asking_thread_alone() -> None:
    found: queue.Queue[tuple[bool, int, int]] = queue.Queue()

    def ask() -> None:
        granted = ask_for_realtime("policy", POLICY_PRIORITY)
        found.put((granted, os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority))

    before = os.sched_getscheduler(0)
    thread = threading.Thread(target=ask)
    thread.start()
    granted, policy, priority = found.get(timeout=10)
    thread.join(10)
    assert (policy, priority) == ((os.SCHED_FIFO, POLICY_PRIORITY) if granted else (os.SCHED_OTHER, 0))
    assert os.sched_getscheduler(0) == before


def test_whoever_watches_comes_first() -> None:
    assert KEEPER_PRIORITY > GUARD_PRIORITY > CAMERA_PRIORITY > POLICY_PRIORITY


def test_the_collector_rests() -> None:
    gc.unfreeze()
    kept = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    rest_the_collector()
    try:
        assert gc.get_freeze_count() >= len(kept)
    finally:
        gc.unfreeze()
