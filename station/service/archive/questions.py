"""Questions about the engine, which only the timing thread may read: asked on any thread, answered between two commits.

Used by station.py. A question changes nothing, and is not journaled.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from shared.errors import RacedayError
from station.service.restore import Restored

Answer = TypeVar("Answer")


class NotAnswered(RacedayError):
    """The station did not answer in time, or cannot now; asking again later may help."""


class Question(Generic[Answer]):
    """One question: `ask` is called on the timing thread, and its answer, or what it raised, goes to whoever waits."""

    def __init__(self, ask: Callable[[Restored], Answer]) -> None:
        self._ask = ask
        self._answer: list[Answer] = []
        self._error: Exception | None = None
        self._done = threading.Event()

    def settle(self, restored: Restored) -> None:
        """Answers the question."""
        try:
            self._answer.append(self._ask(restored))
        except Exception as error:
            self._error = error
        self._done.set()

    def decline(self, why: str) -> None:
        """Ends the question without an answer."""
        self._error = NotAnswered(why)
        self._done.set()

    def wait(self, timeout_s: float) -> Answer:
        """Blocks until there is an answer and returns it. Raises what `ask` raised, or NotAnswered."""
        if not self._done.wait(timeout_s):
            raise NotAnswered("The station did not answer in time: try again.")
        if self._error is not None:
            raise self._error
        return self._answer[0]
