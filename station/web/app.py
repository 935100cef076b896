"""The station's web app: its pages, the event stream behind them, and the API.

Made by `raceday station` (commands/station.py), served by server.py. It uses the station only through `ServicePort`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from shared.addresses import Addresses
from shared.text import text
from shared.web.assets import Assets
from shared.web.error_pages import ErrorPages
from shared.web.language import JSONAnswer, LanguageChoice
from shared.web.security import HostAndHeaderGuard
from station.sync.operator_requests import SendRequest
from station.views.views import ServicePort
from station.web.access import client_address
from station.web.api import api_routes
from station.web.event_stream import EventStream
from station.web.render import OFFICIALS, STATIC, PageName, Pages
from station.web.sending import sending_routes
from station.web.stop import FORMS_ALLOWED, stop_routes

LOOPBACK = ("127.0.0.1", "::1")


def create_app(
    service: ServicePort,
    operators: tuple[str, ...] = LOOPBACK,
    allowed_hosts: tuple[str, ...] = (),
    send: Callable[[SendRequest], None] | None = None,
    default_language: Callable[[], str] = lambda: "en",
) -> FastAPI:
    """The app over a station. `operators`: addresses and networks that may command ("*": all).

    `allowed_hosts`: the names under which browsers reach it. `send` passes officials' requests on to the sync service;
    None: there is none. `default_language`: for browsers that ask for no language that there is.
    `app.state.live.close()` ends the open streams, so that a server need not wait for browsers when it stops. Raises
    ConfigError for a wrong address in `operators`.
    """
    pages = Pages()
    live = EventStream(service, pages)
    officials = Addresses.parsed(operators, "web.operators")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start()
        yield
        live.close()

    app = FastAPI(title="Raceday station", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.live = live
    app.add_middleware(HostAndHeaderGuard, machine="This station", allowed_hosts=allowed_hosts)
    app.add_middleware(ErrorPages, machine="This station", home="The live page")
    app.add_middleware(LanguageChoice, default=default_language)
    app.include_router(_page_routes(service, pages))
    app.include_router(_stream_routes(live, officials))
    app.include_router(api_routes(service, officials))
    app.include_router(stop_routes(service, officials, pages))
    if send is not None:
        app.include_router(sending_routes(send, officials))
    app.mount("/static", Assets(STATIC))

    @app.exception_handler(404)
    async def not_found(_: Request, __: Exception) -> JSONAnswer:
        return JSONAnswer({"error": text("There is nothing here; the live page is at /.")}, 404)

    return app


def _page_routes(service: ServicePort, pages: Pages) -> APIRouter:
    """The three pages, each readable without JavaScript."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    async def live_page() -> HTMLResponse:
        """The live page, for everybody at the track."""
        return await page("live")

    @router.get("/operate", response_class=HTMLResponse)
    async def operate_page() -> HTMLResponse:
        """Race control, for the officials."""
        return await page("operate")

    @router.get("/gates", response_class=HTMLResponse)
    async def gates_page() -> HTMLResponse:
        """The gates' page, for those who set up and watch the gates."""
        return await page("gates")

    async def page(name: PageName) -> HTMLResponse:
        document = await anyio.to_thread.run_sync(lambda: pages.page(name, service.snapshot()))
        return HTMLResponse(document, headers=FORMS_ALLOWED if name in OFFICIALS else {"cache-control": "no-store"})

    return router


def _stream_routes(live: EventStream, officials: Addresses) -> APIRouter:
    """The event stream behind the pages. Places for officials are reserved, so that the public cannot fill them."""
    router = APIRouter()

    @router.get("/live")
    async def stream(request: Request, page: PageName = "live") -> Response:
        """Server-sent events for one open page; 503 while too many are open."""
        official = page in OFFICIALS and officials.contains(client_address(request))
        if live.full(official=official):
            return JSONAnswer({"error": text("Too many screens are open; close one.")}, 503, {"retry-after": "5"})
        return StreamingResponse(
            live.stream(page, official=official),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return router
