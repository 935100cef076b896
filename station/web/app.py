"""The station's web app: its pages, the event stream behind them, and the API.

Made by `raceday station` (commands/station.py), served by server.py. It uses the station only through `ServicePort`.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from shared.addresses import Addresses
from shared.text import text
from shared.web.assets import Assets
from shared.web.error_pages import ErrorPages
from shared.web.language import JSONAnswer, LanguageChoice
from shared.web.security import HostAndHeaderGuard
from station.access.roles import Role
from station.speech.espeak import Speech
from station.sync.operator_requests import SendRequest
from station.views.views import ServicePort
from station.web.access import client_address
from station.web.api import api_routes
from station.web.event_stream import EventStream
from station.web.pages.registry import PAGES, TOPICS
from station.web.render import STATIC, Pages
from station.web.sending import sending_routes
from station.web.site import Site, page_routes
from station.web.sound import sound_routes
from station.web.stop import stop_routes

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
    pages = Pages(PAGES, TOPICS)
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
    site = Site(service, pages, officials)
    for page in PAGES:
        app.include_router(page_routes(site, page))
    app.include_router(_stream_routes(live, pages, officials))
    app.include_router(api_routes(service, officials))
    app.include_router(stop_routes(service, officials, pages))
    app.include_router(sound_routes(service, Speech.installed()))
    if send is not None:
        app.include_router(sending_routes(send, officials))
    app.mount("/static", Assets(STATIC))

    @app.exception_handler(404)
    async def not_found(_: Request, __: Exception) -> JSONAnswer:
        return JSONAnswer({"error": text("There is nothing here; the live page is at /.")}, 404)

    return app


def _stream_routes(live: EventStream, pages: Pages, officials: Addresses) -> APIRouter:
    """The event stream behind the pages. Places for officials are reserved, so that the public cannot fill them."""
    router = APIRouter()

    @router.get("/live")
    async def stream(request: Request, topics: str = "public,live") -> Response:
        """Server-sent events for one browser, on the topics of all its tabs; 503 while too many browsers are open."""
        names = tuple(dict.fromkeys(topics.split(",")))
        if unknown := [name for name in names if name not in pages.topics]:
            return JSONAnswer({"error": text("There is no topic {unknown!r}.", unknown=unknown[0][:40])}, 404)
        wanted = max(pages.topics[name].role for name in names)
        official = wanted > Role.VIEWER and officials.contains(client_address(request))
        if live.full(official=official):
            return JSONAnswer({"error": text("Too many screens are open; close one.")}, 503, {"retry-after": "5"})
        return StreamingResponse(
            live.stream(names, official=official),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return router
