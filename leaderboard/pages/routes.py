"""The routes of the pages that a browser opens, and of their live streams."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from starlette.responses import HTMLResponse

from leaderboard.board import LeaderboardService
from leaderboard.core.race import Venue
from leaderboard.league.services import LeagueServices
from leaderboard.league.sight import RaceSight
from leaderboard.live_stream import Feed
from leaderboard.pages.participation.participants import taking_part
from leaderboard.pages.public.about import race_about
from leaderboard.pages.public.home import HomeGroup, group_views
from leaderboard.pages.public.search import MAX_QUERY, BoardSearch, searched
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.site import LeaderboardSite
from leaderboard.snapshots import MAX_ROWS
from leaderboard.web.event_stream import EventStreamResponse
from leaderboard.web.search_throttle import SearchThrottle
from leaderboard.web.visitors import visitor
from shared.errors import RacedayError


def router(
    board: LeaderboardService,
    site: LeaderboardSite,
    sight: RaceSight,
    league: LeagueServices,
    feed: Feed,
    searches: SearchThrottle,
    rows_live: int,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes, over one board. A race in an address is one that exists for the caller: api/sight.py has asked."""
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    pages = LeaderboardPages(site.templates)

    @routes.get("/")
    def index(
        request: Request,
        group: Annotated[HomeGroup | None, Query()] = None,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        frame = site.frame(request)
        groups = group_views(board, sight.seen_by(frame.caller), sight.own(frame.caller), utc_ns(), group, page)
        return site.framed(request, frame, pages.index(groups, frame, alone=group is not None))

    @routes.get("/races/{race_id}")
    def race(
        request: Request,
        race_id: str,
        all: bool = False,  # noqa: A002  # the word in the address
        screen: bool = False,
        kind: Annotated[Venue | None, Query()] = None,
        racer: Annotated[str, Query(max_length=MAX_QUERY)] = "",
        around: bool = False,
        after: Annotated[str, Query(max_length=MAX_QUERY)] = "",
    ) -> HTMLResponse:
        frame, search = site.frame(request), BoardSearch(racer, around, after)
        many_names = searches.by(visitor(request).address, utc_ns())
        snapshot, middle = searched(board, race_id, MAX_ROWS if all else rows_live, kind, search, many_names)
        about = None if screen else race_about(league, frame.caller, snapshot.race, str(request.base_url).rstrip("/"))
        part = taking_part(frame.caller, snapshot.race, sight.entry(frame.caller, race_id), utc_ns())
        page = pages.race(
            snapshot,
            utc_ns(),
            live=not (all or search.is_part),
            screen=screen,
            frame=frame,
            part=part,
            about=about,
            search=search,
            middle=middle,
        )
        return site.framed(request, frame, page)

    @routes.get("/races/{race_id}/live", response_class=EventStreamResponse)
    async def live(request: Request, race_id: str, kind: str = "") -> EventStreamResponse:
        allowed = still_allowed(lambda: sight.race(site.caller_now(request), race_id))
        return EventStreamResponse(await feed.open(race_id, kind, request.headers.get("last-event-id", ""), allowed))

    return routes


def still_allowed(check: Callable[[], object]) -> Callable[[], bool]:
    """Whether a stream may go on, for Feed.open: `check` refuses whoever may not see it any more.

    If the store cannot be asked, the stream ends too: the browser comes again, and is told then.
    """

    def allowed() -> bool:
        try:
            check()
        except RacedayError:
            return False
        return True

    return allowed


def add_docs(app: FastAPI, site: LeaderboardSite) -> None:
    """Add the page that describes the API; its JSON is at /openapi.json."""

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def docs(request: Request) -> HTMLResponse:
        return site.page(request, "docs.html", api=app.openapi())
