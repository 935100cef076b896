"""Wakes the farms that wait for work: a claim that finds none may stay until something is submitted.

Processes of one leaderboard tell one another by a note. Safe to call from any thread.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator

_NOTE = "#work"  # no id of a race begins so


class WorkArrivals:
    """Who waits for work in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._publish: Callable[[str], None] = lambda _note: self.wake()
        self.closed = False

    def share(self, publish: Callable[[str], None]) -> None:
        """From now on `publish` gets a note when there is work; it passes it to `receive` of each process."""
        self._publish = publish

    def announce(self) -> None:
        """There may be work now."""
        self._publish(_NOTE)

    def receive(self, note: str) -> bool:
        """Wake who waits if the note says so; False if it is another one."""
        if note != _NOTE:
            return False
        self.wake()
        return True

    def wake(self) -> None:
        """Let all who wait look again."""
        with self._lock:
            waiting = list(self._waiting)
        for loop, arrived in waiting:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and who waited in it
                loop.call_soon_threadsafe(arrived.set)

    def close(self) -> None:
        """Nobody waits here any more: the server is to stop."""
        self.closed = True
        self.wake()

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever there may be work, in the running loop."""
        mine = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._waiting.add(mine)
        try:
            yield mine[1]
        finally:
            with self._lock:
                self._waiting.remove(mine)
