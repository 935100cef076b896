"""The routes of the pages that a browser opens, and of their live streams."""

from collections.abc import Callable

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, StreamingResponse

from leaderboard.board import LeaderboardService
from leaderboard.live_stream import Feed
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.views import PODIUM

_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def router(
    board: LeaderboardService, pages: LeaderboardPages, feed: Feed, rows_live: int, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, over one board."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @routes.get("/")
    def index() -> str:
        return pages.index(board.tops(PODIUM), utc_ns())

    @routes.get("/races/{race_id}")
    def race(race_id: str, all: bool = False, screen: bool = False) -> str:  # noqa: A002  # the word in the address
        return pages.race(board.snapshot(race_id, None if all else rows_live), utc_ns(), live=not all, screen=screen)

    @routes.get("/races/{race_id}/racers/{racer:path}")
    def racer(race_id: str, racer: str) -> str:
        return pages.racer(board.racer_runs(race_id, racer), utc_ns())

    @routes.get("/races/{race_id}/live")
    async def live(race_id: str) -> StreamingResponse:
        return StreamingResponse(await feed.open(race_id), media_type="text/event-stream", headers=_STREAM_HEADERS)

    return routes


def add_docs(app: FastAPI, pages: LeaderboardPages) -> None:
    """Add the page that describes the API; its JSON is at /openapi.json."""

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def docs() -> str:
        return pages.docs(app.openapi())
