"""The stop of all cars over HTTP: one request that needs no body, no list of cars and no script; and its outcome.

The request is answered without a thread, a queue or the disk: the orders are sent before the answer.
"""

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from shared.errors import RacedayError
from shared.text import text
from shared.web.language import JSONAnswer
from shared.web.security import cross_site_reason
from station.access.identity import Identity
from station.access.roles import Role
from station.core.inputs import ReleaseStop
from station.views.command_answers import Accepted
from station.views.views import ServicePort
from station.web.access import FORMS_ALLOWED, AccessDenied, identity_of, role_refusal
from station.web.presenters.stop import stop_document
from station.web.render import Pages


def stop_routes(service: ServicePort, pages: Pages) -> APIRouter:
    """The routes of the stop. Every paired device of officials may stop, also once its session has ended."""
    router = APIRouter()

    @router.post("/api/v1/stop")
    async def stop(request: Request) -> Response:
        """Stops all cars. The body is not read, whatever it holds."""
        identity = _official(request)
        service.stop_all(identity.author, device=identity.device)
        return _answer(request)

    @router.get("/api/v1/stop")
    async def stopped() -> JSONAnswer:
        """The outcome of the stop so far, car by car."""
        return JSONAnswer(stop_document(service.stop_state()), headers={"cache-control": "no-store"})

    @router.post("/api/v1/stop/release")
    async def release(request: Request) -> Response:
        """Releases the stop, so that cars may be armed again; 409 with a sentence if that is refused."""
        identity = _official(request)
        if refused := role_refusal(identity, Role.OPERATOR):
            raise AccessDenied(*refused)
        command = ReleaseStop(author=identity.author, device=identity.device)
        try:
            answer = await anyio.to_thread.run_sync(service.submit, command)
        except RacedayError as error:
            return _error(503, str(error))
        return _answer(request) if isinstance(answer, Accepted) else _error(409, answer.sentence)

    @router.get("/stop")
    async def page(request: Request) -> HTMLResponse:
        """The stop page, for a browser without JavaScript."""
        _official(request)
        return HTMLResponse(pages.stop(service.stop_state()), headers=FORMS_ALLOWED)

    def _answer(request: Request) -> Response:
        state = service.stop_state()
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(pages.stop(state), headers=FORMS_ALLOWED)
        return JSONAnswer(stop_document(state), headers={"cache-control": "no-store"})

    return router


def _official(request: Request) -> Identity:
    """Who may stop the cars, from a page of ours. Raises AccessDenied."""
    identity = identity_of(request)
    if not identity.may_stop:
        raise AccessDenied(*(role_refusal(identity, Role.REFEREE) or (403, "")))
    if why := cross_site_reason(request.headers, request.url.scheme, text("the station's")):
        raise AccessDenied(403, why)
    return identity


def _error(status: int, sentence: str) -> JSONAnswer:
    return JSONAnswer({"error": sentence}, status)
