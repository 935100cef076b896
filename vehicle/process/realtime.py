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
_MCL_CURRENT, _MCL_ONFAULT = 1, 4  # what is in memory stays there; the libraries' unused parts need not come


def request_realtime(who: str, priority: int) -> bool:
    """First-in-first-out priority for this thread alone; without the right to it we are nice to none, and say so."""
    error = _set_scheduler(os.SCHED_FIFO, priority)
    if not error:
        return True
    _set_scheduler(os.SCHED_OTHER, 0)  # what is nice to none is not inherited either
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except OSError:
        log(f"no real-time priority for the {who} ({error}); it may come late on a busy machine.")
    else:
        log(f"no real-time priority for the {who} ({error}); it runs at nice {_NICE} instead.")
    return False


def request_realtime_for_all_threads(who: str, priority: int) -> bool:
    """The same for every thread that there is: a process closes its channels only when the last of them has died, and
    a library's idle thread (numpy brings some) would wait for its turn to die."""
    granted = request_realtime(who, priority)
    for thread in pathlib.Path("/proc/self/task").iterdir() if granted else ():
        _set_scheduler(os.SCHED_FIFO, priority, int(thread.name))
    return granted


def _set_scheduler(policy: int, priority: int, thread: int = 0) -> str:
    """'' when it was granted; else why not. No child inherits it."""
    try:
        os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def freeze_garbage_collector() -> None:
    """What lives now lives long: later collections, which would stop the driving, need not walk it."""
    gc.collect()
    gc.freeze()


def lock_in_memory(who: str) -> None:
    """What is loaded now is not thrown out for other programs' sake: reading it back from a card takes too long."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_ONFAULT) != 0:
        log(f"the {who} is not locked in memory ({os.strerror(ctypes.get_errno())}); a stop may wait for the disk.")


def write_ready(path: pathlib.Path) -> None:
    """Whole or not at all: who waits for the file may read it at once."""
    whole = path.with_suffix(path.suffix + ".part")
    whole.write_text("ready\n", encoding="utf-8")
    whole.rename(path)
