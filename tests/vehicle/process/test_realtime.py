"""Priority, memory and readiness: granted or not, the car starts, and logs what was not granted."""

import os
import subprocess
import sys

import pytest

CHILD = """
import os, sys
from vehicle.process import realtime
refuse = sys.argv[1:]
real = os.sched_setscheduler

def scheduler(pid, policy, parameter):
    if "fifo" in refuse and policy & 0xFF == os.SCHED_FIFO:
        raise PermissionError(1, "Operation not permitted")
    real(pid, policy, parameter)

def priority(which, who, nice):
    if "nice" in refuse:
        raise PermissionError(1, "Operation not permitted")
    print("nice", nice)

os.sched_setscheduler, os.setpriority = scheduler, priority
realtime.freeze_garbage_collector()
print(realtime.request_realtime("guard", realtime.GUARD_PRIORITY))
print(os.sched_getscheduler(0) & 0xFF, os.sched_getparam(0).sched_priority)
realtime.lock_in_memory("guard")
if not os.fork():
    print("child", os.sched_getscheduler(0) & 0xFF, flush=True)
    os._exit(0)
os.wait()
"""


def run(*refuse: str) -> tuple[list[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *refuse], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split("\n"), done.stderr


def may_be_first() -> bool:
    pid = os.fork()
    if not pid:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_first_come_where_it_is_permitted_and_not_for_the_children() -> None:
    printed, warned = run()
    if may_be_first():
        assert printed[:2] == ["True", "1 50"]
        assert "no real-time priority" not in warned
    else:
        assert printed[:3] == ["nice -15", "False", "0 0"]
        assert "no real-time priority for the guard (Operation not permitted); it runs at nice -15 instead." in warned
    assert "child 0" in printed


@pytest.mark.parametrize(
    ("refuse", "printed", "warned"),
    [
        (["fifo"], ["nice -15", "False", "0 0"], "it runs at nice -15 instead."),
        (["fifo", "nice"], ["False", "0 0"], "it may come late on a busy machine."),
    ],
)
def test_what_is_refused_is_said(refuse: list[str], printed: list[str], warned: str) -> None:
    out, err = run(*refuse)
    assert out[: len(printed)] == printed
    assert warned in err
