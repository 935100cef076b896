"""Puts the LIVE races of a leaderboard together: their service, API, pages and streams. Called by app.py."""

import contextlib
from collections.abc import Callable, Mapping

from fastapi import FastAPI

from leaderboard.api.live.routes import live_routes
from leaderboard.board import LeaderboardService
from leaderboard.live_races.feeds import MemoryFeeds
from leaderboard.live_races.service import LiveRaces
from leaderboard.live_stream import Feed, LiveContent
from leaderboard.pages.live.content import LiveContents, is_live_stream, ticking, watch_live
from leaderboard.pages.live.routes import live_pages
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.templates import PageTemplates
from leaderboard.web.identity import CallerIdentification

Draw = Callable[[str, str], LiveContent]


class LiveSite:
    """The LIVE races of one leaderboard."""

    def __init__(self, board: LeaderboardService, templates: PageTemplates, utc_ns: Callable[[], int]) -> None:
        self._board, self._utc_ns = board, utc_ns
        self._live = LiveRaces(board.store, MemoryFeeds())
        self._contents = LiveContents(self._live, board, templates, utc_ns)

    def drawing(self, others: Draw) -> Draw:
        """What draws all streams: those of LIVE races here, the others by `others`."""

        def draw(key: str, table: str) -> LiveContent:
            return self._contents.content(key, table) if is_live_stream(key) else others(key, table)

        return draw

    def ticking(self, feed: Feed) -> contextlib.AbstractAsyncContextManager[None]:
        """While this is open, the streams of races in which somebody drives are drawn anew each second."""
        return ticking(self._live, feed.changed, self._utc_ns)

    def add_to(
        self,
        app: FastAPI,
        site: LeaderboardSite,
        callers: CallerIdentification,
        stations: Mapping[bytes, str],
        tolerance_s: int,
        feed: Feed,
    ) -> None:
        """Add the routes, and wake the streams of `feed` by every change."""
        watch_live(self._live, self._board, feed.changed)
        app.include_router(live_routes(self._live, callers, stations, tolerance_s, self._utc_ns))
        app.include_router(live_pages(self._live, self._contents, site, feed, self._utc_ns))
