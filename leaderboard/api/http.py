"""Turns errors into problem documents (RFC 9457), or pages for people."""

import logging
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from leaderboard.core.errors import Unauthorized
from leaderboard.stations.posting import error_body
from leaderboard.web.bodies import read_body
from leaderboard.web.statuses import status_of
from shared.errors import RacedayError, Refused, RetryLater, StorageError
from shared.web.error_pages import wants_page
from shared.web.refused_requests import name_refusal

__all__ = ["add_error_handlers", "json_response", "read_body"]

_LOG = logging.getLogger("leaderboard")


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of bytes that are JSON already; of an error, a problem document (RFC 9457)."""
    return Response(body, status, headers, media_type=f"application/{'problem+json' if status >= 400 else 'json'}")


def add_error_handlers(app: FastAPI, refused_page: Callable[[Request, int, str], Response]) -> None:
    """Turn every error of the app into one sentence; a bug is logged, and its response tells nothing of it.

    `refused_page(request, status, sentence)` is the page for a person whose browser went there, or sent a form.
    """

    async def raceday_error(request: Request, error: Exception) -> Response:
        status = status_of(error)
        name_refusal(request.scope, error)
        if status < 500 and status != 429 and _wants_page(request):
            return refused_page(request, status, str(error))
        headers = {"retry-after": _retry_after(error)} if status in (429, 503) else {}
        if isinstance(error, Unauthorized):
            headers["www-authenticate"] = "Bearer"
        if isinstance(error, StorageError):
            _LOG.error("%s", error)
        return json_response(error_body(error, status), status, headers)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and _wants_page(request):
            return refused_page(request, 404, "There is no such page.")
        return json_response(
            error_body(Refused(f"{error.detail}."), error.status_code), error.status_code, error.headers
        )

    async def malformed(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        return json_response(error_body(Refused(f"{first['loc'][-1]!r} is not valid: {first['msg']}."), 422), 422)

    async def bug(_request: Request, _error: Exception) -> Response:
        return json_response(
            error_body(Refused("The leaderboard could not handle this request; its log says why."), 500), 500
        )

    app.add_exception_handler(RacedayError, raceday_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(Exception, bug)


def _wants_page(request: Request) -> bool:
    path = request.url.path
    if path.startswith("/api/") or path == "/healthz":
        return False
    return request.method == "GET" or wants_page(request.scope)


def _retry_after(error: Exception) -> str:
    after_s = error.after_s if isinstance(error, RetryLater) else None
    return str(max(1, round(after_s or 5.0)))
