"""What guard and pilot do once: real-time priority if the kernel lets them, and a collector at rest."""

import gc
import os
import pathlib
import queue
import threading

import pytest

from vehicle.startup import (
    CAMERA_PRIORITY,
    GUARD_PRIORITY,
    POLICY_PRIORITY,
    ask_for_realtime,
    rest_the_collector,
    write_ready,
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


def test_a_refusal_is_said_and_survived(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert ask_for_realtime("guard", GUARD_PRIORITY) is False
    assert "no real-time priority for the guard (Operation not permitted)" in capsys.readouterr().err


def test_whoever_watches_comes_first() -> None:
    assert GUARD_PRIORITY > CAMERA_PRIORITY > POLICY_PRIORITY


def test_the_collector_rests() -> None:
    gc.unfreeze()
    kept = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    rest_the_collector()
    try:
        assert gc.get_freeze_count() >= len(kept)
    finally:
        gc.unfreeze()


def test_the_ready_file_is_whole(tmp_path: pathlib.Path) -> None:
    write_ready(tmp_path / "ready")
    assert [path.name for path in tmp_path.iterdir()] == ["ready"]
