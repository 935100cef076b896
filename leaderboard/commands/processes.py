"""Several processes behind one port: a parent that serves nothing, and children that share its listening socket.

The parent starts them, starts one that has ended anew, and ends them when it is asked to, or when one of them cannot
start. Children end by themselves if their parent is gone.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from shared.errors import RacedayError
from shared.process.signals import wait_for_any_child

_LIVED_S = 5.0  # one that ends sooner is started again only after a pause
_PAUSE_S = 1.0
_ASKED = (signal.SIGTERM, signal.SIGINT)  # a server that was asked to end does what it has to, and ends by the signal
_LOG = logging.getLogger("leaderboard")

Serve = Callable[[int, Callable[[], None]], int]  # the number of the process, to be called once it serves; exit code


class ProcessGroup:
    """The children. `serve(number, serving)` runs in each of them."""

    def __init__(self, processes: int, serve: Serve) -> None:
        self._processes, self._serve = processes, serve
        self._children: dict[int, tuple[int, float]] = {}  # by process id: its number, and when it was started
        self._ending = False
        self._alive, self._kept = os.pipe()  # closed only when this process ends: its children see that

    def run(self) -> int:
        """Runs until SIGTERM or SIGINT, or until a child cannot start; the exit code."""
        for number in _ASKED:
            signal.signal(number, self._end)
        started = [self._start(number) for number in range(self._processes)]
        all_serve = all(os.read(ready, 1) for ready in started)
        for ready in started:
            os.close(ready)
        if not all_serve:
            self._end()
            return max(self._wait(again=False), 1)
        return self._wait(again=True)

    def _start(self, number: int) -> int:
        """Starts a child; returns what it writes a byte to once it serves, and closes when it ends."""
        ready, says = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            os.close(ready)
            os._exit(self._in_child(number, says))
        os.close(says)
        self._children[child] = number, time.monotonic()
        return ready

    def _in_child(self, number: int, says: int) -> int:
        for each in _ASKED:
            signal.signal(each, signal.SIG_DFL)
        os.close(self._kept)
        threading.Thread(target=self._end_with_parent, daemon=True).start()

        def serving() -> None:
            with contextlib.suppress(BrokenPipeError):  # one that was started again: nobody waits for it
                os.write(says, b"1")

        try:
            code = self._serve(number, serving)
        except RacedayError as error:
            sys.stderr.write(f"{error}\n")
            code = 2
        except BaseException:
            _LOG.exception("process %d ended", number + 1)
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def _end_with_parent(self) -> None:
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _end(self, *_: object) -> None:
        self._ending = True
        for child in list(self._children):
            os.kill(child, signal.SIGTERM)

    def _wait(self, *, again: bool) -> int:
        """Waits for the children, and starts them again; the highest exit code of those that were asked to end."""
        worst = 0
        while self._children:
            child, status = wait_for_any_child()
            number, began_s = self._children.pop(child)
            if not again or self._ending:
                code = os.waitstatus_to_exitcode(status)
                worst = max(worst, 0 if -code in _ASKED else abs(code))
                continue
            _LOG.warning("process %d ended (%d); it is started again", number + 1, os.waitstatus_to_exitcode(status))
            if time.monotonic() - began_s < _LIVED_S:
                time.sleep(_PAUSE_S)
            if not self._ending:
                os.close(self._start(number))
        return worst
