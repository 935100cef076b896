"""The web application: contract, pages and live streams over one board."""

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from leaderboard.api import attempts as attempt_calls
from leaderboard.api import board_files, exchange, notices, offers, public, results
from leaderboard.api.accounts import routes as account_calls
from leaderboard.api.boards import embed, history
from leaderboard.api.described import shape_definitions
from leaderboard.api.evaluations import (
    driven_calls,
    farm_calls,
    heat_calls,
    live_calls,
    race_calls,
    trace_calls,
    video_calls,
    watched_heats,
)
from leaderboard.api.http import add_error_handlers
from leaderboard.api.league import races as league_races
from leaderboard.api.league import seasons as league_seasons
from leaderboard.api.league.calls import LeagueApi
from leaderboard.api.live.routes import live_routes
from leaderboard.api.participation import entries as participants
from leaderboard.api.participation import invitations as joining
from leaderboard.api.seasons import routes as season_calls
from leaderboard.api.seasons.calls import SeasonApi
from leaderboard.api.sight import sight_check
from leaderboard.api.submissions import calls as submission_calls
from leaderboard.api.submissions import uploads as upload_calls
from leaderboard.board import LeaderboardService
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.front.middleware import add_middleware
from leaderboard.live_stream import Feed, LiveContent
from leaderboard.live_stream.fanout import Fanout, MemoryFanout, PostgresFanout, RedisFanout
from leaderboard.pages import pictures, routes
from leaderboard.pages.account import routes as account_pages
from leaderboard.pages.attempts import routes as attempt_pages
from leaderboard.pages.evaluations import routes as evaluation_pages
from leaderboard.pages.league.routes import desk_pages
from leaderboard.pages.live.content import LiveContents, is_live_stream, stream_key, ticking, watch_live
from leaderboard.pages.live.routes import live_pages
from leaderboard.pages.notices import routes as notice_pages
from leaderboard.pages.participation import routes as participation
from leaderboard.pages.public import elsewhere, racers
from leaderboard.pages.render import LeaderboardPages
from leaderboard.pages.replay import heat_page, video_page
from leaderboard.pages.replay import routes as replay_pages
from leaderboard.pages.seasons import routes as season_pages
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.submissions import own_models
from leaderboard.pages.submissions import routes as submission_pages
from leaderboard.pages.templates import STATIC, PageTemplates
from leaderboard.pages.titles import routes as title_pages
from leaderboard.services import LeaderboardServices
from leaderboard.store.database import Store
from leaderboard.web.cookies import SESSION
from leaderboard.web.identity import CallerIdentification, RequestIdentification
from leaderboard.web.post_figures import PostFigures
from shared.access.pass_code_hashing import PassCodeHasher
from shared.refusals import Refusals
from shared.web.assets import Assets

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
    background: bool = True,
    refusals: Refusals | None = None,
) -> tuple[FastAPI, Feed]:
    """The application and its live feed (to be closed before the server stops). `hasher`: of passphrases.

    `background`: this process also does what only one of several does, as sending notices. `refusals`: those of the
    process; None: new ones.
    """
    refusals, posts = Refusals() if refusals is None else refusals, PostFigures()
    templates, callers, limits = PageTemplates(config.title), RequestIdentification(), config.limits
    pages, site = LeaderboardPages(templates), LeaderboardSite(templates, callers)
    services = LeaderboardServices.over(board, credentials, config, utc_ns, hasher)

    def render(race_id: str, table: str) -> LiveContent:
        return pages.live_content(board.snapshot(race_id, limits.rows_live, table or None), utc_ns())

    contents = LiveContents(services.live, board, templates, utc_ns)
    feed = Feed(contents.drawing(render), limits.browsers_at_once, limits.heartbeat_s)
    fanout = fanout_of(board.store, config, receiving(services, feed, utc_ns))
    board.watch(fanout.publish)
    watch_live(services.live, board, feed.changed)
    services.live.watch_queues(lambda race_id: fanout.publish(stream_key(race_id)))
    services.live_feeds.share(fanout.publish)
    services.arrivals.share(fanout.publish)
    feed.at_close.append(services.arrivals.close)

    lifespan = _serving(services, feed, fanout, utc_ns, background)
    seen = [Depends(sight_check(services.sight, callers))]
    app = FastAPI(
        title=config.title, version=API_VERSION, docs_url=None, redoc_url=None, lifespan=lifespan, dependencies=seen
    )
    for router in (
        *_api(services, credentials, config, callers, utc_ns, posts),
        *_pages(services, config, callers, site, feed, utc_ns, refusals),
    ):
        app.include_router(router)
    routes.add_docs(app, site)
    app.mount("/static", Assets(STATIC))
    add_middleware(app, services, credentials, config, utc_ns, refusals)
    app.state.accounts, app.state.services, app.state.refusals = services.accounts, services, refusals
    app.state.posts = posts
    add_error_handlers(app, site.refused)
    app.openapi = functools.cache(lambda: openapi(app))  # type: ignore[method-assign]
    return app, feed


def _serving(
    services: LeaderboardServices, feed: Feed, fanout: Fanout, utc_ns: Callable[[], int], background: bool
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    """What runs while the application serves, and what is closed when it stops."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        feed.attach()
        alone = services.running() if background else contextlib.nullcontext()
        async with alone, ticking(services.live, feed.changed, utc_ns):
            yield
        fanout.close()
        services.board.close()

    return lifespan


def receiving(services: LeaderboardServices, feed: Feed, utc_ns: Callable[[], int]) -> Callable[[str], None]:
    """What this process does with what it, or another one, published: a race or queue that changed, a live message."""

    def receive(note: str) -> None:
        if services.live_feeds.receive(note, utc_ns()) or services.arrivals.receive(note):
            return
        feed.changed(note)
        if not is_live_stream(note):
            feed.changed(stream_key(note))
            services.sender.changed(note)  # the process that sends notices may not be the one that took the result

    return receive


def fanout_of(store: Store, config: LeaderboardConfig, received: Callable[[str], None]) -> Fanout:
    """How this process and others, if there are any, tell one another what changed. Raises OperatorError."""
    if config.fanout.url:
        return RedisFanout(config.fanout.url, received)
    return MemoryFanout(received) if config.server.processes == 1 else PostgresFanout(store.engine, received)


def _api(
    services: LeaderboardServices,
    credentials: Credentials,
    config: LeaderboardConfig,
    callers: CallerIdentification,
    utc_ns: Callable[[], int],
    posts: PostFigures,
) -> Iterator[APIRouter]:
    """The routes for programs."""
    board, sight, limits = services.board, services.sight, config.limits
    league = LeagueApi(services.league, callers, utc_ns)
    yield results.router(board, credentials.stations, callers, limits, utc_ns, posts)
    yield offers.router(board, credentials.stations, config, utc_ns)
    yield account_calls.router(services.accounts, config.title, utc_ns)
    yield league_races.router(league)
    yield league_seasons.router(league)
    yield season_calls.router(SeasonApi(services.seasons, callers, utc_ns))
    yield public.router(board, sight, callers, services.searches, utc_ns)
    yield history.router(services.histories)
    yield embed.router(board, sight, utc_ns)
    yield board_files.router(board, limits.rows_live)
    yield exchange.router(board, sight, callers, config.title, utc_ns)
    yield participants.router(services.entries, callers, utc_ns)
    yield joining.router(services.invitations, callers, utc_ns)
    yield attempt_calls.router(services.attempts, callers, utc_ns)
    receivers = notices.NoticeCalls(sight, services.subscriptions, callers, services.sender.wake, utc_ns)
    yield notices.router(receivers)
    yield upload_calls.router(services.submissions, callers, utc_ns)
    yield submission_calls.router(services.submissions, callers, utc_ns)
    yield trace_calls.router(services.traces, callers, utc_ns)
    yield driven_calls.router(services.driven_results, callers, utc_ns)
    yield video_calls.router(services.videos, callers, utc_ns)
    yield farm_calls.router(services.evaluations, services.arrivals, callers, utc_ns)
    yield live_calls.router(services.live_turns, callers, utc_ns)
    yield heat_calls.router(services.heats, callers, utc_ns)
    yield watched_heats.router(services.heat_replays, callers)
    yield race_calls.router(services.conditions, callers, utc_ns)
    yield live_routes(services.live, services.live_brackets, callers, credentials.stations, limits.tolerance_s, utc_ns)


def _pages(
    services: LeaderboardServices,
    config: LeaderboardConfig,
    callers: CallerIdentification,
    site: LeaderboardSite,
    feed: Feed,
    utc_ns: Callable[[], int],
    refusals: Refusals,
) -> Iterator[APIRouter]:
    """The routes for people."""
    board, sight = services.board, services.sight
    yield pictures.router(services.league.pictures, callers)
    yield title_pages.router(board, services.league, services.seasons, site, utc_ns)
    yield desk_pages(services.league, site, utc_ns)
    yield account_pages.router(services.accounts, site, utc_ns, refusals)
    yield participation.router(site, sight, services.community, services.invitations, services.entries, utc_ns)
    yield season_pages.router(services.seasons, services.heat_replays, site, utc_ns)
    receivers = notice_pages.NoticePages(board, services.subscriptions, site, services.sender.wake, utc_ns)
    yield notice_pages.router(receivers, site)
    yield attempt_pages.router(board, services.attempts, services.histories, services.profiles, site, utc_ns)
    yield replay_pages.router(services.traces, sight, site)
    yield heat_page.router(services.heat_replays, site)
    yield video_page.router(services.videos, services.submissions.submissions, site, utc_ns)
    yield submission_pages.router(services.submissions, site, utc_ns)
    yield own_models.router(services.submissions, site, utc_ns)
    yield racers.router(services.profiles, services.seasons.records, site, utc_ns)
    yield elsewhere.router(elsewhere.RaceElsewhere(board, sight, site, config.title, config.embeds.sites, utc_ns))
    yield routes.router(board, site, sight, services.league, feed, services.searches, config.limits.rows_live, utc_ns)
    yield evaluation_pages.router(services.conditions, services.evaluations, site, utc_ns)
    contents = LiveContents(services.live, board, site.templates, utc_ns)
    yield live_pages(services.live, services.live_brackets, contents, site, feed, utc_ns)


def openapi(app: FastAPI) -> dict[str, Any]:
    """The contract as OpenAPI, with the session of a person and the key of a program declared."""
    document = get_openapi(title=app.title, version=API_VERSION, description=_DESCRIPTION, routes=app.routes)
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["admin"] = {"type": "http", "scheme": "bearer"}
    schemes["session"] = {"type": "apiKey", "in": "cookie", "name": SESSION}
    document["components"].setdefault("schemas", {}).update(shape_definitions(document))
    for operations in document["paths"].values():
        for operation in operations.values():
            _name_problems(operation["responses"])
    return document


def _name_problems(responses: dict[str, Any]) -> None:
    """Every refusal is a problem document (RFC 9457); FastAPI names all JSON alike."""
    for status, response in responses.items():
        content = response.get("content", {})
        if status.startswith(("4", "5")) and "application/json" in content:
            response["content"] = {"application/problem+json": content["application/json"]}
