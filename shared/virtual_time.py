"""Virtual time: one ordered queue of planned events, for the mocks and the simulated races.

Nothing here waits or reads a clock. The same calls in the same order give the same history. Used by the mock broker
(`shared.link.mock_broker`) and by the simulated races (`simulator.races`):

    time = VirtualTime()
    time.after(5 * NS_PER_S, lambda: print("five seconds have passed"))
    time.run_until(10 * NS_PER_S)
"""

import heapq
import itertools
from collections.abc import Callable, Iterator


class VirtualTime:
    """The present time in ns and the planned events; events of one instant run in the order they were planned."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def next_at_ns(self) -> int | None:
        """The time of the next event; None if none is planned."""
        return self._events[0][0] if self._events else None

    def at(self, at_ns: int, action: Callable[[], None]) -> None:
        """Plan `action` for `at_ns`, or for the present time if `at_ns` is past."""
        heapq.heappush(self._events, (max(at_ns, self.now_ns), next(self._order), action))

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Plan `action` for `delay_ns` from the present time."""
        self.at(self.now_ns + delay_ns, action)

    def follow(self, story: Iterator[int]) -> None:
        """Run a generator: each value it yields is the pause in ns before it is resumed."""
        pause_ns = next(story, None)
        if pause_ns is not None:
            self.after(pause_ns, lambda: self.follow(story))

    def move_to(self, at_ns: int) -> None:
        """Set the present time without running an event."""
        assert at_ns >= self.now_ns, "virtual time cannot go backwards"
        self.now_ns = at_ns

    def run_next(self) -> None:
        """Move to the next event and run it. Raises IndexError if none is planned."""
        at_ns, _, action = heapq.heappop(self._events)
        self.move_to(at_ns)
        action()

    def run_until(self, at_ns: int) -> None:
        """Run every event up to and including `at_ns`, and move there."""
        while self._events and self._events[0][0] <= at_ns:
            self.run_next()
        self.now_ns = max(self.now_ns, at_ns)
