"""Restricts a child process of the guard: no privileges, limits by its role, and it ends with the guard.

This is what every child gets at once; what a process that runs a stranger's model may open and call is taken from it
afterwards (landlock.py, seccomp.py). Processor time is not limited, since the limit would one day end a car that drives
well; a policy that spins shows in the age of its setpoints. Called first by pilot, comms and the children of an import.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vehicle.process.realtime import CAMERA_PRIORITY

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION_3 = 0x20080522
_MAX_CAPABILITY, _CAP_SYS_NICE = 63, 23
_GIB = 1 << 30
FILE_BYTES = 256 << 20  # of one file that a child writes
_OOM_SCORE = Path("/proc/self/oom_score_adj")


@dataclass(frozen=True, slots=True)
class ChildRole:
    """What one kind of child may take of the machine.

    `oom_score_adj`: who is ended first when memory is short, from -1000 to 1000; guard and fail-safe process have
    what systemd gave them, below 0. `priority`: the highest real-time priority that it can ask for; whoever is above
    the guard's 50 could keep the guard from its turn. `nice`: the lowest nice value that it can ask for.
    """

    oom_score_adj: int
    priority: int = 0
    nice: int = 0
    memory_bytes: int = 6 * _GIB


COMMS: Final = ChildRole(oom_score_adj=300)
PILOT: Final = ChildRole(oom_score_adj=500, priority=CAMERA_PRIORITY, nice=-15)
IMPORT: Final = ChildRole(oom_score_adj=1000)


def limits_of(role: ChildRole) -> tuple[tuple[str, int, int], ...]:
    """The role's limits: a name, its number in `resource`, its value."""
    return (
        ("core files", resource.RLIMIT_CORE, 0),
        ("open files", resource.RLIMIT_NOFILE, 256),
        ("file size", resource.RLIMIT_FSIZE, FILE_BYTES),
        ("memory", resource.RLIMIT_AS, role.memory_bytes),
        # Counted for all processes of the user together: with few of its own it takes none from the guard.
        ("pending signals", resource.RLIMIT_SIGPENDING, 64),
        ("message queues", resource.RLIMIT_MSGQUEUE, 0),
        ("locked memory", resource.RLIMIT_MEMLOCK, 0),
        ("real-time priority", resource.RLIMIT_RTPRIO, role.priority),
        ("nice value", resource.RLIMIT_NICE, 20 - role.nice),
    )


def confine(parent_pid: int, role: ChildRole) -> list[str]:
    """Restrict this process; returns one sentence for each restriction that the kernel refused."""
    failed = []
    if not _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL):
        failed.append("The kernel does not end this process with the guard; it notices the closed channel instead.")
    if os.getppid() != parent_pid:
        sys.exit(1)  # the guard died before PDEATHSIG was set
    if not _prctl(_PR_SET_NO_NEW_PRIVS, 1):
        failed.append("The kernel refused no_new_privs.")
    try:
        _OOM_SCORE.write_bytes(str(role.oom_score_adj).encode())  # to raise it needs no privilege
    except OSError as error:
        failed.append(f"This process is not the first to be ended when memory is short ({error.strerror}).")
    # While it may still be privileged: root's hard limits are raised to the role's.
    failed += [sentence for limit in limits_of(role) if (sentence := _set_limit(*limit))]
    return failed + _drop_capabilities(role)


def _set_limit(name: str, which: int, limit: int) -> str:
    _, hard = resource.getrlimit(which)
    is_higher = hard != resource.RLIM_INFINITY and limit > hard
    try:
        if is_higher and os.geteuid() == 0:
            with contextlib.suppress(ValueError, OSError):  # root of a container may not raise it either
                resource.setrlimit(which, (limit, limit))
                return ""
        limit = hard if is_higher else limit
        resource.setrlimit(which, (limit, limit))
    except (OSError, ValueError) as error:
        return f"The limit on {name} could not be set ({error})."
    return ""


def _drop_capabilities(role: ChildRole) -> list[str]:
    """Give up root's privileges, so that a car that runs as root is held by its limits too; what went wrong.

    Root of a container may lack the right to raise a limit, and asks for real-time priority by CAP_SYS_NICE instead.
    """
    if os.geteuid() != 0:
        return []  # the unit gives none, and no_new_privs keeps it so
    keeps_turns = resource.getrlimit(resource.RLIMIT_RTPRIO)[1] < role.priority
    kept = 1 << _CAP_SYS_NICE if keeps_turns else 0
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_MAX_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # EINVAL beyond the last that this kernel knows
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)  # effective, permitted, inheritable: the lower 32, the upper
    if libc.capset(head, sets) != 0:
        return [f"Root's privileges could not be given up ({os.strerror(ctypes.get_errno())})."]
    if keeps_turns:
        return [
            "As root that may not raise its limits this process keeps CAP_SYS_NICE: a racer's model could take its "
            "turns before the guard. Run the car as a user with `rtprio` 60, as the service does."
        ]
    return []


def _prctl(option: int, value: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
