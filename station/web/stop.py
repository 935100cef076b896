"""The stop of all cars over HTTP: one request that needs no body, no list of cars and no script; and its outcome.

The request is answered without a thread, a queue or the disk: the orders are sent before the answer.
"""

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.addresses import Addresses
from shared.errors import RacedayError
from shared.rules.person_names import name_within
from shared.text import text
from shared.web.language import JSONAnswer
from shared.web.security import cross_site_reason
from station.core.inputs import ReleaseStop
from station.views.command_answers import Accepted
from station.views.views import ServicePort
from station.web.access import NO_OFFICIAL, client_address
from station.web.presenters.stop import stop_document
from station.web.render import Pages
from station.web.site import FORMS_ALLOWED

MAX_AUTHOR = 80


def stop_routes(service: ServicePort, operators: Addresses, pages: Pages) -> APIRouter:
    """The routes of the stop. `operators`: the client addresses that may command."""
    router = APIRouter()

    @router.post("/api/v1/stop")
    async def stop(request: Request, author: str = "") -> Response:
        """Stops all cars. The body is not read, whatever it holds."""
        if refused := _refused(request, operators):
            return _error(*refused)
        service.stop_all(_name(author))
        return _answer(request)

    @router.get("/api/v1/stop")
    async def stopped() -> JSONAnswer:
        """The outcome of the stop so far, car by car."""
        return JSONAnswer(stop_document(service.stop_state()), headers={"cache-control": "no-store"})

    @router.post("/api/v1/stop/release")
    async def release(request: Request, author: str = "") -> Response:
        """Releases the stop, so that cars may be armed again; 409 with a sentence if that is refused."""
        if refused := _refused(request, operators):
            return _error(*refused)
        try:
            answer = await anyio.to_thread.run_sync(service.submit, ReleaseStop(author=_name(author)))
        except RacedayError as error:
            return _error(503, str(error))
        return _answer(request) if isinstance(answer, Accepted) else _error(409, answer.sentence)

    @router.get("/stop")
    async def page() -> HTMLResponse:
        """The stop page, for a browser without JavaScript."""
        return HTMLResponse(pages.stop(service.stop_state()), headers=FORMS_ALLOWED)

    def _answer(request: Request) -> Response:
        state = service.stop_state()
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(pages.stop(state), headers=FORMS_ALLOWED)
        return JSONAnswer(stop_document(state), headers={"cache-control": "no-store"})

    return router


def _refused(request: Request, operators: Addresses) -> tuple[int, str] | None:
    if not operators.contains(client_address(request)):
        return 403, NO_OFFICIAL
    why = cross_site_reason(request.headers, request.url.scheme, text("the station's"))
    return (403, why) if why else None


def _name(author: str) -> str:
    """The author as a valid name; no stop is refused for how its author is written."""
    return name_within(author, MAX_AUTHOR) or "operator"


def _error(status: int, sentence: str) -> JSONAnswer:
    return JSONAnswer({"error": sentence}, status)
