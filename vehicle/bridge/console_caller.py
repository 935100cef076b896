"""The threads that wait for the console, so that the bridge's loop never does. Called by bridge.py.

One thread makes the ordinary calls, one after another. A stop gets a thread and a connection of its own: it goes out
while another call hangs in the console, or another stop does.
"""

import queue
import threading
from collections.abc import Callable

from vehicle.bridge.cancellable_start import CancellableStart
from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer


class ConsoleCaller:
    """Makes calls and hands their answers to `on_answer`, which is called on the threads and must only enqueue."""

    def __init__(self, session: ConsoleSession, on_answer: Callable[[StockConsoleAnswer], None]) -> None:
        self._session = session
        self._on_answer = on_answer
        self._calls: queue.Queue[tuple[ConsoleCall, CancellableStart | None] | None] = queue.Queue()
        self._start: CancellableStart | None = None  # the newest
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, call: ConsoleCall) -> None:
        """Make the call; its answer comes in any case. A stop cancels a start that is not sent yet."""
        if call.kind == "stop":
            if self._start is not None:
                self._start.cancel()
            threading.Thread(target=self._make, args=(call, None), name="console stop", daemon=True).start()
            return
        if call.kind == "start":
            self._start = CancellableStart()
        self._calls.put((call, self._start if call.kind == "start" else None))

    def break_off_start(self, timeout_s: float) -> None:
        """See to it that no start is sent after what comes next; waits until one that is on its way has ended."""
        if self._start is not None:
            self._start.break_off()
            self._start.ended.wait(timeout_s)

    def close(self) -> None:
        """Let the thread end after its call; nobody waits for a console that hangs."""
        self._calls.put(None)

    def _run(self) -> None:
        while (each := self._calls.get()) is not None:
            self._make(*each)

    def _make(self, call: ConsoleCall, start: CancellableStart | None) -> None:
        answer = self._session.call(call, start=start)
        if start is not None:
            start.ended.set()
        self._on_answer(answer)
