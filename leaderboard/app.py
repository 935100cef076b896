"""The web application: contract, pages and live streams over one board."""

import asyncio
import contextlib
import functools
import pathlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from leaderboard.accounts.callers import CallerLookup
from leaderboard.accounts.claim import Claim
from leaderboard.accounts.entrance.entrance import Entrance
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.services import AccountServices
from leaderboard.api import exchange, offers, public, results
from leaderboard.api.accounts import routes as account_calls
from leaderboard.api.headers import ContractAndCacheHeaders
from leaderboard.api.http import add_error_handlers
from leaderboard.api.league import races as league_races
from leaderboard.api.league import seasons as league_seasons
from leaderboard.api.league.calls import LeagueApi
from leaderboard.api.participation import entries as participants
from leaderboard.api.participation import invitations as joining
from leaderboard.api.sight import sight_check
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.league.community import CommunityService
from leaderboard.league.entries import EntryService
from leaderboard.league.invitations import InvitationService
from leaderboard.league.opener import SeriesOpener
from leaderboard.league.people import AccountPeople
from leaderboard.league.services import LeagueServices
from leaderboard.league.sight import RaceSight
from leaderboard.live_site import LiveSite
from leaderboard.live_stream import Feed, LiveContent
from leaderboard.pages import pictures, routes
from leaderboard.pages.participation import routes as participation
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.templates import STATIC, PageTemplates
from leaderboard.web.cookies import SESSION
from leaderboard.web.identification import CallerMiddleware
from leaderboard.web.identity import RequestIdentification
from shared.access.pass_code_hashing import PassCodeHasher
from shared.web.assets import Assets
from shared.web.error_pages import ErrorPages
from shared.web.language import LanguageChoice
from shared.web.security import HostAndHeaderGuard

API_VERSION = "1.0"
_DESCRIPTION = (
    "Takes qualified results from timing stations and ranks them. Results are signed by Standard Webhooks 1.0.0; "
    "a result is applied exactly once however often it is sent."
)


def create_app(
    board: LeaderboardService,
    credentials: Credentials,
    config: LeaderboardConfig,
    utc_ns: Callable[[], int],
    hasher: PassCodeHasher | None = None,
) -> tuple[FastAPI, Feed]:
    """The application and its live feed (to be closed before the server stops). `hasher`: of passphrases."""
    templates, callers, limits = PageTemplates(config.title), RequestIdentification(), config.limits
    pages, site = LeaderboardPages(templates), LeaderboardSite(templates, callers)
    accounts = account_services(board, config, hasher)
    live = LiveSite(board, templates, utc_ns)

    def render(race_id: str, table: str) -> LiveContent:
        return pages.live_content(board.snapshot(race_id, limits.rows_live, table or None), utc_ns())

    feed = Feed(live.drawing(render), limits.browsers_at_once, limits.heartbeat_s)
    board.watch(feed.changed)
    league = LeagueServices.over(board.store, board.changed, config.races.community_per_account)
    league_api = LeagueApi(league, callers, utc_ns)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        feed.attach()
        opener = asyncio.create_task(SeriesOpener(league.series, utc_ns).run())
        async with live.ticking(feed):
            yield
        opener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await opener
        board.close()

    sight, people = RaceSight(board.store), AccountPeople()
    entries = EntryService(board.store, people, feed.changed)
    invitations = InvitationService(board.store, people, credentials.admin_token, feed.changed)
    community = CommunityService(board.store, config.races.community_per_account, feed.changed)
    seen = [Depends(sight_check(sight, callers))]
    app = FastAPI(
        title=config.title, version=API_VERSION, docs_url=None, redoc_url=None, lifespan=lifespan, dependencies=seen
    )
    app.include_router(results.router(board, credentials.stations, limits, utc_ns))
    app.include_router(offers.router(board, credentials.stations, config, utc_ns))
    app.include_router(account_calls.router(accounts, config.title, utc_ns))
    app.include_router(league_races.router(league_api))
    app.include_router(league_seasons.router(league_api))
    app.include_router(pictures.router(league.pictures, callers))
    app.include_router(public.router(board, sight, callers, utc_ns))
    app.include_router(exchange.router(board, sight, callers, config.title, utc_ns))
    app.include_router(participants.router(entries, callers, utc_ns))
    app.include_router(joining.router(invitations, callers, utc_ns))
    app.include_router(routes.router(board, site, sight, feed, limits.rows_live, utc_ns))
    app.include_router(participation.router(site, sight, community, invitations, entries, utc_ns))
    routes.add_docs(app, site)
    live.add_to(app, site, callers, credentials.stations, limits.tolerance_s, feed)
    app.mount("/static", Assets(STATIC))
    app.add_middleware(ContractAndCacheHeaders)
    lookup = CallerLookup(board.store, credentials.admin_token, accounts.entrance.periods)
    app.add_middleware(CallerMiddleware, lookup=lookup, utc_ns=utc_ns)
    # Posts are signed, admin calls carry a token, the rest is public: any Host is answered unless names are set.
    hosts = config.server.allowed_hosts or None
    app.add_middleware(HostAndHeaderGuard, machine="This leaderboard", allowed_hosts=hosts)
    app.add_middleware(ErrorPages, machine="This leaderboard", home="All races")
    app.add_middleware(LanguageChoice)
    if config.server.trusted_proxy:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[config.server.trusted_proxy])
    add_error_handlers(app, site.refused)
    app.openapi = functools.cache(lambda: openapi(app))  # type: ignore[method-assign]
    return app, feed


def account_services(
    board: LeaderboardService, config: LeaderboardConfig, hasher: PassCodeHasher | None = None
) -> AccountServices:
    """The services of accounts over the board's store."""
    periods = SessionPeriods.of_hours(config.accounts.session_idle_h, config.accounts.session_hours)
    entrance = Entrance(board.store, periods, hasher)
    return AccountServices.over(
        entrance, Claim(board.store, pathlib.Path(config.secrets.claim_file), entrance.throttle)
    )


def openapi(app: FastAPI) -> dict[str, Any]:
    """The contract as OpenAPI, with the session of a person and the key of a program declared."""
    document = get_openapi(title=app.title, version=API_VERSION, description=_DESCRIPTION, routes=app.routes)
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["admin"] = {"type": "http", "scheme": "bearer"}
    schemes["session"] = {"type": "apiKey", "in": "cookie", "name": SESSION}
    return document
