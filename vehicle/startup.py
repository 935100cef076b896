"""What guard and pilot do once: ask for real-time priority, let the collector rest, and say that the car is ready."""

import gc
import os
import pathlib

from vehicle.log import say

GUARD_PRIORITY, CAMERA_PRIORITY, POLICY_PRIORITY = 50, 45, 40  # whoever watches comes before whom he watches


def ask_for_realtime(who: str, priority: int) -> bool:
    """First-in-first-out priority for this thread alone; without the right to it, we say so and go on."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        say(f"no real-time priority for the {who} ({error.strerror}); it may come late on a busy machine.")
        return False
    return True


def rest_the_collector() -> None:
    """What lives now lives long: later collections, which would stop the driving, need not walk it."""
    gc.collect()
    gc.freeze()


def write_ready(path: pathlib.Path) -> None:
    """Whole or not at all: who waits for the file may read it at once."""
    whole = path.with_suffix(path.suffix + ".part")
    whole.write_text("ready\n", encoding="utf-8")
    whole.rename(path)
