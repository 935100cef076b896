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
    pages = RacePages(board, site, sight, league, feed, searches, rows_live, utc_ns)
    routes.get("/")(pages.index)
    routes.get("/races/{race_id}")(pages.race)
    routes.get("/races/{race_id}/live", response_class=EventStreamResponse)(pages.live)
    return routes


class RacePages:
    """The handlers of the front page and of a race's page."""

    def __init__(
        self,
        board: LeaderboardService,
        site: LeaderboardSite,
        sight: RaceSight,
        league: LeagueServices,
        feed: Feed,
        searches: SearchThrottle,
        rows_live: int,
        utc_ns: Callable[[], int],
    ) -> None:
        self._board, self._site, self._sight, self._league = board, site, sight, league
        self._feed, self._searches, self._rows_live, self._utc_ns = feed, searches, rows_live, utc_ns
        self._pages = LeaderboardPages(site.templates)

    def index(
        self,
        request: Request,
        group: Annotated[HomeGroup | None, Query()] = None,
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> HTMLResponse:
        frame = self._site.frame(request)
        groups = group_views(
            self._board, self._sight.seen_by(frame.caller), self._sight.own(frame.caller), self._utc_ns(), group, page
        )
        return self._site.framed(request, frame, self._pages.index(groups, frame, alone=group is not None))

    def race(
        self,
        request: Request,
        race_id: str,
        all: bool = False,  # noqa: A002  # the word in the address
        screen: bool = False,
        kind: Annotated[Venue | None, Query()] = None,
        racer: Annotated[str, Query(max_length=MAX_QUERY)] = "",
        around: bool = False,
        after: Annotated[str, Query(max_length=MAX_QUERY)] = "",
    ) -> HTMLResponse:
        frame, search = self._site.frame(request), BoardSearch(racer, around, after)
        many_names = self._searches.by(visitor(request).address, self._utc_ns())
        snapshot, middle = searched(
            self._board, race_id, MAX_ROWS if all else self._rows_live, kind, search, many_names
        )
        about = (
            None if screen else race_about(self._league, frame.caller, snapshot.race, str(request.base_url).rstrip("/"))
        )
        part = taking_part(frame.caller, snapshot.race, self._sight.entry(frame.caller, race_id), self._utc_ns())
        page = self._pages.race(
            snapshot,
            self._utc_ns(),
            live=not (all or search.is_part),
            screen=screen,
            frame=frame,
            part=part,
            about=about,
            search=search,
            middle=middle,
        )
        return self._site.framed(request, frame, page)

    async def live(self, request: Request, race_id: str, kind: str = "") -> EventStreamResponse:
        allowed = still_allowed(lambda: self._sight.race(self._site.caller_now(request), race_id))
        return EventStreamResponse(
            await self._feed.open(race_id, kind, request.headers.get("last-event-id", ""), allowed)
        )


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
