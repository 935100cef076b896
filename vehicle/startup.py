"""What the guard does once when it starts: ask for real-time priority, and say that it is ready."""

import os
import pathlib

from vehicle.log import say


def ask_for_realtime() -> None:
    """First-in-first-out priority for this process alone; without the right to it, we say so and go on."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(50))
    except OSError as error:
        say(f"no real-time priority ({error.strerror}); ticks may come late on a busy machine.")


def write_ready(path: pathlib.Path) -> None:
    """Whole or not at all: who waits for the file may read it at once."""
    whole = path.with_suffix(path.suffix + ".part")
    whole.write_text("ready\n", encoding="utf-8")
    whole.rename(path)
