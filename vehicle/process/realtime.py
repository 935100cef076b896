"""What guard, fail-safe process and pilot do once at start: request real-time priority, lock memory, report ready."""

import ctypes
import gc
import os
import pathlib
from typing import Final

from vehicle.process.log import log

# A watcher outranks what it watches: a guard that spins must not keep the fail-safe process from running.
FAILSAFE_PRIORITY: Final = 60
GUARD_PRIORITY: Final = 50
CAMERA_PRIORITY: Final = 45
POLICY_PRIORITY: Final = 40
_NICE = -15
_MCL_CURRENT, _MCL_ONFAULT = 1, 4  # lock pages once they are loaded, so unused parts of libraries are not read in


def request_realtime(who: str, priority: int) -> bool:
    """Request SCHED_FIFO at `priority` for this thread; True if granted.

    Without permission the process runs at nice -15 if allowed, and the log shows which.
    """
    error = _set_scheduler(os.SCHED_FIFO, priority)
    if not error:
        return True
    _set_scheduler(os.SCHED_OTHER, 0)  # so that a child does not inherit the nice value
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except OSError:
        log(f"no real-time priority for the {who} ({error}); it may come late on a busy machine.")
    else:
        log(f"no real-time priority for the {who} ({error}); it runs at nice {_NICE} instead.")
    return False


def request_realtime_for_all_threads(who: str, priority: int) -> bool:
    """`request_realtime` for every thread of the process.

    A killed process closes its channels only when its last thread has ended, and an idle thread of a library would wait
    for processor time to end.
    """
    granted = request_realtime(who, priority)
    for thread in pathlib.Path("/proc/self/task").iterdir() if granted else ():
        _set_scheduler(os.SCHED_FIFO, priority, int(thread.name))
    return granted


def _set_scheduler(policy: int, priority: int, thread: int = 0) -> str:
    """Why the policy was not granted, '' if it was. Child processes do not inherit it."""
    try:
        os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def freeze_garbage_collector() -> None:
    """Exclude all present objects from later collections, which would otherwise pause the control loop."""
    gc.collect()
    gc.freeze()


def lock_in_memory(who: str) -> None:
    """Lock the process's memory (mlockall): reading a page back from an SD card would take too long."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_ONFAULT) != 0:
        log(f"the {who} is not locked in memory ({os.strerror(ctypes.get_errno())}); a stop may wait for the disk.")
