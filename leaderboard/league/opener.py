"""The task that makes the races of series when they are due; app.py runs it beside the server."""

import asyncio
import logging
from collections.abc import Callable

from leaderboard.league.series import SeriesService
from shared.errors import RetryLater, StorageError
from shared.units import NS_PER_S

# A clock that was set, or a laptop that slept, is noticed after this time; so is what another process has begun.
_LONGEST_S = 60.0
_AFTER_FAILURE_S = 5.0
_LOG = logging.getLogger("leaderboard")


class SeriesOpener:
    """Wakes at the next due time, and whenever a series was changed here."""

    def __init__(
        self,
        series: SeriesService,
        utc_ns: Callable[[], int],
        longest_s: float = _LONGEST_S,
        after_failure_s: float = _AFTER_FAILURE_S,
    ) -> None:
        self._series, self._utc_ns = series, utc_ns
        self._longest_s, self._after_failure_s = longest_s, after_failure_s

    async def run(self) -> None:
        """Until it is cancelled."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(woken.set)

        self._series.on_rescheduled(wake)
        while True:
            woken.clear()
            wait_s = await asyncio.to_thread(self._make_due)
            try:
                await asyncio.wait_for(woken.wait(), wait_s)
            except TimeoutError:
                continue

    def _make_due(self) -> float:
        """Make what is due by now; return for how long nothing is."""
        try:
            self._series.catch_up(self._utc_ns())
            due_utc_ns = self._series.next_due_utc_ns()
        except (StorageError, RetryLater) as error:
            _LOG.error("series: %s", error)
            return self._after_failure_s
        if due_utc_ns is None:
            return self._longest_s
        return min(self._longest_s, max(0.0, (due_utc_ns - self._utc_ns()) / NS_PER_S))
