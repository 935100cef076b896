"""Restricts a child process of the guard: no new privileges, limits on memory and files, and it ends with the guard.

The guard passes on no files but the channels. This is not an isolated user: a policy runs as the car's user and may
read what that user may. Processor time is not limited, since the limit would one day end a car that drives well; a
policy that spins shows in the age of its setpoints.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_GIB = 1 << 30
FILE_BYTES = 256 << 20  # of one file that a child writes

LIMITS: tuple[tuple[str, int, int], ...] = (
    ("core files", resource.RLIMIT_CORE, 0),
    ("open files", resource.RLIMIT_NOFILE, 256),
    ("file size", resource.RLIMIT_FSIZE, FILE_BYTES),
    ("memory", resource.RLIMIT_AS, 6 * _GIB),
)


def confine(parent_pid: int) -> list[str]:
    """Restrict this process; returns one sentence for each restriction that the kernel refused."""
    failed = []
    if not _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL):
        failed.append("The kernel does not end this process with the guard; it notices the closed channel instead.")
    if os.getppid() != parent_pid:
        sys.exit(1)  # the guard died before PDEATHSIG was set
    if not _prctl(_PR_SET_NO_NEW_PRIVS, 1):
        failed.append("The kernel refused no_new_privs.")
    failed += [sentence for limit in LIMITS if (sentence := _set_limit(*limit))]
    return failed


def _set_limit(name: str, which: int, limit: int) -> str:
    _, hard = resource.getrlimit(which)
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(which, (limit, limit))
    except (OSError, ValueError) as error:
        return f"The limit on {name} could not be set ({error})."
    return ""


def _prctl(option: int, value: int) -> bool:
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
