"""What a farm tells in the terminal: a line a run, and every minute how it goes."""

import json
import threading
import time
from collections.abc import Callable

from shared.errors import OperatorError, Refused, RetryLater
from shared.protocol.farm import PreparationItem, WorkItem
from shared.text import text
from simulator.farm.server_calls import FarmServer

EVERY_S = 60.0
AGAIN_AFTER_S = 25.0


class PlainLines:
    """Tells in the terminal, and the same only once where runs, heats and LIVE turns meet with it at the same time.

    Safe to call from any thread; `write` prints a line.
    """

    def __init__(self, write: Callable[[str], None], now_s: Callable[[], float] = time.monotonic) -> None:
        self._write, self._now_s = write, now_s
        self._lock = threading.Lock()
        self._newest, self._at_s = "", 0.0

    def __call__(self, sentence: str) -> None:
        """Print it, unless it was the newest and is not old."""
        with self._lock:
            if sentence == self._newest and self._now_s() - self._at_s < AGAIN_AFTER_S:
                return
            self._newest, self._at_s = sentence, self._now_s()
            self._write(sentence)


class FarmProgress:
    """Counts what ended. Safe to call from any thread; `now_s` is a clock that never goes back."""

    def __init__(
        self, server: FarmServer, say: Callable[[str], None], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._server, self._say, self._now_s = server, say, now_s
        self._lock = threading.Lock()
        self._driven = self._failed = 0
        self._since_s = now_s()

    def ended(self, item: WorkItem | PreparationItem, what: str) -> None:
        """A run was reported, or said to have failed."""
        with self._lock:
            self._driven += what == "result"
            self._failed += what == "fail"
        self._say(f"{item.submission} {item.run}: {what}")

    def summarise(self) -> None:
        """Once a minute, if there was anything: runs a second, failures, and what waits at the leaderboard."""
        with self._lock:
            took_s = self._now_s() - self._since_s
            if took_s < EVERY_S:
                return
            driven, failed = self._driven, self._failed
            self._driven = self._failed = 0
            self._since_s = self._now_s()
        if driven or failed:
            self._say(
                str(
                    text(
                        "{rate} runs a second, {failed} failed; {waiting} submissions wait.",
                        rate=f"{driven / took_s:.2f}",
                        failed=failed,
                        waiting=self._waiting(),
                    )
                )
            )

    def _waiting(self) -> str:
        try:
            return str(sum(json.loads(self._server.call("GET", "/nodes"))["waiting"].values()))
        except (Refused, RetryLater, OperatorError):
            return "?"  # it is said when the next claim finds the leaderboard away
