"""How often an address may have all names of a large table read: a search inside names (docs/decisions/0083)."""

import contextlib
import threading
from collections.abc import Iterator

from leaderboard.accounts.entrance.throttle import RateLimiter, network_of
from leaderboard.core.errors import RateLimited
from leaderboard.store.ranking.windows import ManyNames
from shared.text import ntext
from shared.units import NS_PER_S

SEARCH_BURST, SEARCHES_PER_MINUTE = 30, 30.0
AT_ONCE = 2  # of all addresses together, in this process


class SearchThrottle:
    """Lets searches inside names of large tables through, or says when the next may be. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses = RateLimiter(SEARCH_BURST, SEARCHES_PER_MINUTE)
        self._running = threading.BoundedSemaphore(AT_ONCE)

    def by(self, address: str, now_utc_ns: int) -> ManyNames:
        """What a search by this address is let through by; entering it raises RateLimited."""

        @contextlib.contextmanager
        def search() -> Iterator[None]:
            self._take(network_of(address), now_utc_ns / NS_PER_S)
            # Whoever waited here would keep a thread from those who only open a page.
            if not self._running.acquire(blocking=False):
                raise _too_many(1)
            try:
                yield
            finally:
                self._running.release()

        return search

    def _take(self, address: str, now_s: float) -> None:
        with self._lock:
            if (wait_s := self._addresses.wait_s(address, now_s)) > 0:
                raise _too_many(max(1, round(wait_s + 0.499)))
            self._addresses.take(address, now_s)


def _too_many(seconds: int) -> RateLimited:
    return RateLimited(
        ntext(
            "Too many searches inside the names of so large a board: search for how the name begins, or again in {n} "
            "second.",
            "Too many searches inside the names of so large a board: search for how the name begins, or again in {n} "
            "seconds.",
            n=seconds,
        ),
        after_s=seconds,
    )
