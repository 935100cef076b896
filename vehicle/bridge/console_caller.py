"""The threads that wait for the console, so that the bridge's loop never does. Called by bridge.py.

One thread makes the ordinary calls, one after another. A stop gets a thread and a connection of its own: it goes out
while another call hangs in the console, or another stop does.
"""

import queue
import threading
from collections.abc import Callable

from vehicle.bridge.console_session import ConsoleSession
from vehicle.bridge.core.console_calls import ConsoleCall, StockConsoleAnswer


class ConsoleCaller:
    """Makes calls and hands their answers to `on_answer`, which is called on the threads and must only enqueue."""

    def __init__(self, session: ConsoleSession, on_answer: Callable[[StockConsoleAnswer], None]) -> None:
        self._session = session
        self._on_answer = on_answer
        self._calls: queue.Queue[ConsoleCall | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, call: ConsoleCall) -> None:
        """Make the call; its answer comes in any case."""
        if call.kind == "stop":
            threading.Thread(target=self._make, args=(call,), name="console stop", daemon=True).start()
        else:
            self._calls.put(call)

    def close(self) -> None:
        """Let the thread end after its call; nobody waits for a console that hangs."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            self._make(call)

    def _make(self, call: ConsoleCall) -> None:
        self._on_answer(self._session.call(call))
