"""All routes of LIVE races under /api/v1. Called by app.py."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter

from leaderboard.api.described import DescribedRouter
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.live import feed_call, queue_calls
from leaderboard.evaluations.brackets.live_heats import LiveBrackets
from leaderboard.live_races.service import LiveRaces


def live_routes(
    live: LiveRaces,
    brackets: LiveBrackets,
    callers: CallerIdentification,
    stations: Mapping[bytes, str],
    tolerance_s: int,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The queue, the winner and the live feed. `stations`: each webhook key and its station."""
    routes = DescribedRouter()
    routes.include_router(queue_calls.router(live, brackets, callers, utc_ns))
    routes.include_router(feed_call.router(live, callers, stations, tolerance_s, utc_ns))
    return routes
