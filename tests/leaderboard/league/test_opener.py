"""The task that makes the races of series: at the due time, and as soon as a series is begun."""

import asyncio
import threading

from leaderboard.core.league.series import CalendarRule
from leaderboard.league.opener import SeriesOpener
from leaderboard.league.series import SeriesService
from shared.errors import StorageError
from tests.leaderboard.league.organised import ADMIN, NOW, Organised, race, utc


def test_it_makes_what_is_due_and_wakes_for_a_new_series(league: Organised) -> None:
    now = [utc("2027-02-03T12:00")]
    made: dict[str, threading.Event] = {f"open-{n}": threading.Event() for n in range(1, 7)}
    series = SeriesService(league.board.store, lambda race_id: made[race_id].set(), 10)
    rule = CalendarRule("week", "2027-01-04T18:00", "UTC")

    async def run() -> None:
        task = asyncio.create_task(SeriesOpener(series, lambda: now[0], longest_s=3600).run())
        # Begun on another thread, as by a request: the task sleeps for an hour, and wakes for this.
        await asyncio.to_thread(series.create, ADMIN, "open", ("Open", "Open {n}"), race("x"), rule, NOW)
        assert await asyncio.to_thread(made["open-6"].wait, 30)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(run())
    assert all(event.is_set() for event in made.values())
    assert series.catch_up(now[0]) == []


def test_a_store_that_fails_does_not_end_it(league: Organised) -> None:
    tried = threading.Event()
    calls: list[int] = []

    class Failing(SeriesService):
        def catch_up(self, now_utc_ns: int) -> list[str]:
            calls.append(now_utc_ns)
            if len(calls) == 1:
                raise StorageError("the disk is full")
            tried.set()
            return []

    async def run() -> None:
        series = Failing(league.board.store, lambda _race_id: None, 10)
        task = asyncio.create_task(SeriesOpener(series, lambda: NOW, longest_s=3600, after_failure_s=0).run())
        assert await asyncio.to_thread(tried.wait, 30)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(run())
