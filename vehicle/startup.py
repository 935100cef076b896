"""What guard and keeper do once when they start: ask to be served first, stay in memory, say that they are ready."""

import ctypes
import gc
import os
import pathlib
from typing import Final

from vehicle.log import say

# The keeper above the guard: a guard that spins at its own priority must not keep the keeper from its work.
GUARD_PRIORITY: Final = 50
KEEPER_PRIORITY: Final = 60
_NICE = -15
_MCL_CURRENT = 1


def ask_for_realtime(who: str, priority: int) -> None:
    """First-in-first-out priority for this process alone; else a nicer place; without the right to either, say so."""
    refused = _scheduled(os.SCHED_FIFO, priority)
    if not refused:
        return
    _scheduled(os.SCHED_OTHER, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    except OSError:
        say(f"{who}: no real-time priority ({refused}); ticks may come late on a busy machine.")
    else:
        say(f"{who}: no real-time priority ({refused}); it runs at nice {_NICE} instead.")


def _scheduled(policy: int, priority: int) -> str:
    """'' when it was granted; else why not. A child does not inherit it."""
    try:
        os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def stay_in_memory(who: str) -> None:
    """Nothing that is loaded now is walked by the collector or thrown out for other programs' sake."""
    gc.collect()
    gc.freeze()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT) != 0:
        say(f"{who}: its memory is not locked ({os.strerror(ctypes.get_errno())}); a stop may wait for the disk.")


def write_ready(path: pathlib.Path) -> None:
    """Whole or not at all: who waits for the file may read it at once."""
    whole = path.with_suffix(path.suffix + ".part")
    whole.write_text("ready\n", encoding="utf-8")
    whole.rename(path)
