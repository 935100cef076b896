"""Waits of a main thread during which a signal is always heard, and work that goes on when its terminal is gone.

Python runs a signal's handler in the main thread, between two instructions. A signal that arrives behind the last of
these before a wait without an end interrupts nothing, and is not heard until the wait ends: a process that was asked to
end just then would stay. So a main thread waits at most `HEARD_S` at a time.
https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

HEARD_S = 0.25


@contextlib.contextmanager
def outlives_terminal() -> Iterator[None]:
    """In here a terminal that closes (SIGHUP, also of a lost ssh) ends neither this process nor those that it starts.

    SIGTERM raises KeyboardInterrupt, as Ctrl-C does: work that was cut off must not end as if it had been done. Only in
    a main thread, which alone may set handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.getsignal(number)) for number in (signal.SIGHUP, signal.SIGTERM)]
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def wait_until_set(event: threading.Event) -> None:
    """Wait until `event` is set. Raises what a signal's handler raises."""
    while not event.wait(HEARD_S):
        pass


def wait_for_process(process: "subprocess.Popen[bytes]") -> int:
    """Wait until the process has ended; its exit code. Raises what a signal's handler raises."""
    while True:
        try:
            return process.wait(HEARD_S)
        except subprocess.TimeoutExpired:
            continue


def wait_for_any_child() -> tuple[int, int]:
    """Wait until a child has ended; its process id and wait status. Raises ChildProcessError if there is none."""
    while True:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child:
            return child, status
        time.sleep(HEARD_S)
