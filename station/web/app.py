"""The station's web app: its pages, the event stream behind them, and the API.

Made by `raceday station` (commands/station.py), served by server.py. It uses the station only through `ServicePort`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from shared.refusals import Refusals
from shared.text import text
from shared.web.assets import Assets
from shared.web.bodies.guard import BodyGuard
from shared.web.error_pages import ErrorPages
from shared.web.language import JSONAnswer, LanguageChoice
from shared.web.security import HostAndHeaderGuard
from shared.web.tls.protected_sign_in import ProtectedSignIn
from shared.web.tls.trust_page import TrustPage
from shared.web.tls.web_tls import WebTls
from station.access.roles import Role
from station.access.station_access import StationAccess
from station.checklists.register import ChecklistRegister
from station.exports.qr import qr_svg
from station.screens.register import ScreenRegister
from station.service.backups.station_backups import StationBackups
from station.store.event_files.tracks import TrackLibrary
from station.sync.operator.send_requests import SendRequest
from station.views.views import ServicePort
from station.web.access import AccessDenied, access_denied, identity_of, role_refusal
from station.web.api import api_routes
from station.web.body_table import STATION_BODIES, body_answer, body_refusal
from station.web.identification import Identification
from station.web.official_addresses import OfficialAddresses
from station.web.pages.registry import PAGES, TOPICS
from station.web.public_api import describe, public_api_routes
from station.web.render import STATIC, Pages
from station.web.sending import sending_routes
from station.web.site import Site, UnknownHere, page_routes
from station.web.stop import stop_routes
from station.web.streaming.event_stream import EventStream

SIGN_IN_PATHS = ("/sign-in", "/claim", "/pair")
POLL_S = 1.0  # how often it is looked whether another process changed people or devices


def create_app(
    service: ServicePort,
    access: StationAccess,
    allowed_hosts: tuple[str, ...] = (),
    send: Callable[[SendRequest], None] | None = None,
    default_language: Callable[[], str] = lambda: "en",
    tracks: TrackLibrary | None = None,
    screens: ScreenRegister | None = None,
    backups: StationBackups | None = None,
    checklists: ChecklistRegister | None = None,
    *,
    refusals: Refusals | None = None,
    tls: WebTls | None = None,
    sign_in_over_http: bool = False,
) -> FastAPI:
    """The app over a station. `access`: who may do what.

    `allowed_hosts`: the names under which browsers reach it. `send` passes officials' requests on to the sync service;
    None: there is none. `default_language`: for browsers that ask for no language that there is. `tracks`: those of the
    event; None: those that ship. `screens`: the register of the screens; None: one that stores nothing.
    `backups`: makes and restores them; None: this station does neither. `checklists`: their register; None: one that
    stores nothing. `refusals`: those of the process, for the page of the audit; None: new ones.
    `tls`: what makes the pages protected ones; officials then sign in over https alone, unless `sign_in_over_http`.
    `app.state.live.close()` ends the open streams, so that a server need not wait for browsers when it stops;
    `app.state.is_official(address)` says for which addresses it reserves connections.
    """
    pages = Pages(PAGES, TOPICS)
    refusals = Refusals() if refusals is None else refusals
    screens = ScreenRegister(None) if screens is None else screens
    checklists = ChecklistRegister(None) if checklists is None else checklists
    site = Site(service, pages, access, screens, checklists, refusals, tracks, backups)
    live = EventStream(service, pages, site.completed)
    screens.on_change(live.refresh)
    checklists.on_change(live.refresh)
    addresses = OfficialAddresses()
    access.state.listen(live.wake_all)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start()
        polling = asyncio.create_task(_poll(access))
        yield
        polling.cancel()
        live.close()

    app = FastAPI(title="Raceday station", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.live, app.state.refusals = live, refusals
    app.state.is_official = lambda address: addresses.holds(address, time.monotonic())
    app.add_middleware(BodyGuard, bounds=STATION_BODIES, refusal=body_refusal, answer=body_answer)
    app.add_middleware(Identification, access=access, addresses=addresses)
    _add_outer_guards(app, tls, refusals, allowed_hosts, sign_in_over_http=sign_in_over_http)
    app.add_middleware(LanguageChoice, default=default_language)
    _add_routes(app, site, live, send)
    _add_refusals(app)
    return app


def _add_outer_guards(
    app: FastAPI, tls: WebTls | None, refusals: Refusals, allowed_hosts: tuple[str, ...], *, sign_in_over_http: bool
) -> None:
    """What looks at a request before it is known who sends it."""
    app.add_middleware(TrustPage, tls=tls, home=text("The live page"), qr=qr_svg)
    if tls is not None and not sign_in_over_http:
        app.add_middleware(ProtectedSignIn, paths=SIGN_IN_PATHS)
    app.add_middleware(HostAndHeaderGuard, machine="This station", allowed_hosts=allowed_hosts, refusals=refusals)
    app.add_middleware(ErrorPages, machine="This station", home="The live page")


def _add_routes(app: FastAPI, site: Site, live: EventStream, send: Callable[[SendRequest], None] | None) -> None:
    """The addresses: pages, their stream, the two APIs, static files."""
    # The stream comes first: when a station comes back, hundreds of browsers ask for it at once.
    app.include_router(_stream_routes(live, site.pages, site.access))
    for page in PAGES:
        app.include_router(page_routes(site, page))
    public = public_api_routes(site, live)
    app.include_router(public)
    describe(app, public)
    app.include_router(api_routes(site.service, site.access))
    app.include_router(stop_routes(site.service, site.pages))
    if send is not None:
        app.include_router(sending_routes(send))
    app.mount("/static", Assets(STATIC))


def _add_refusals(app: FastAPI) -> None:
    """What is answered where there is nothing, or nothing for this reader."""
    app.add_exception_handler(AccessDenied, access_denied)

    @app.exception_handler(404)
    async def not_found(_: Request, __: Exception) -> JSONAnswer:
        return JSONAnswer({"error": text("There is nothing here; the live page is at /.")}, 404)

    @app.exception_handler(UnknownHere)
    async def unknown_here(_: Request, error: Exception) -> JSONAnswer:
        return JSONAnswer({"error": str(error)}, 404)


async def _poll(access: StationAccess) -> None:
    """Follows the changes of another process (`raceday station token`), and stores when devices were last used."""
    while True:
        await anyio.to_thread.run_sync(access.state.poll)
        await asyncio.sleep(POLL_S)


def _stream_routes(live: EventStream, pages: Pages, access: StationAccess) -> APIRouter:
    """The event stream behind the pages. Places for officials are reserved, so that the public cannot fill them."""
    router = APIRouter()

    @router.get("/live")
    async def stream(request: Request, topics: str = "public,live") -> Response:
        """Server-sent events for one browser, on the topics of all its tabs; 503 while too many browsers are open."""
        names = tuple(dict.fromkeys(topics.split(",")))
        if unknown := [name for name in names if name not in pages.topics]:
            return JSONAnswer({"error": text("There is no topic {unknown!r}.", unknown=unknown[0][:40])}, 404)
        identity = identity_of(request)
        # The tabs of a browser share one stream, so a tab for officials must not take it from one for everybody.
        denied = {name: why for name in names if (why := role_refusal(identity, pages.topics[name].role))}
        given = tuple(name for name in names if name not in denied)
        if not given:
            raise AccessDenied(*next(iter(denied.values())))
        official = any(pages.topics[name].role > Role.VIEWER for name in given)
        if live.full(official=official):
            return JSONAnswer({"error": text("Too many screens are open; close one.")}, 503, {"retry-after": "5"})
        return StreamingResponse(
            live.stream(given, tuple(denied), official=official, allowed=lambda: access.is_valid(identity)),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return router
