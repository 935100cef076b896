"""Reads request bodies up to a limit, and turns errors into problem documents (RFC 9457)."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from leaderboard.core.errors import Conflict, Gone, NotAllowed, TooOften, Unauthorized, UnknownRace, UnknownRacer
from leaderboard.posting import error_body
from shared.errors import BadInput, RacedayError, Refused, RetryLater, StorageError
from shared.webhooks import BadSignature

_BODY_WITHIN_S = 10.0
_LOG = logging.getLogger("leaderboard")


class BodyTooLarge(RacedayError):
    """The body is larger than any that we accept."""


class BodyTooSlow(RacedayError):
    """The body did not arrive in time."""


# The first class that matches decides; a 429 or 503 carries Retry-After.
_STATUSES: tuple[tuple[type[RacedayError], int], ...] = (
    (Unauthorized, 401),
    (BadSignature, 401),
    (BodyTooLarge, 413),
    (BodyTooSlow, 408),
    (UnknownRace, 404),
    (UnknownRacer, 404),
    (Gone, 410),
    (Conflict, 409),
    (NotAllowed, 403),
    (Refused, 422),
    (BadInput, 422),
    (TooOften, 429),
    (StorageError, 503),
    (RetryLater, 503),
)


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body, as sent. Raises BodyTooLarge, BodyTooSlow."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 12 or int(declared) > max_bytes:
        raise BodyTooLarge(f"The body is larger than {max_bytes} bytes.")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                if size > max_bytes:
                    raise BodyTooLarge(f"The body is larger than {max_bytes} bytes.")
    except ClientDisconnect:
        raise BodyTooSlow("The connection was closed in the middle of the body.") from None
    except TimeoutError:
        raise BodyTooSlow(f"The body did not arrive within {_BODY_WITHIN_S:.0f} s.") from None
    return b"".join(parts)


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A response of bytes that are JSON already; of an error, a problem document (RFC 9457)."""
    return Response(body, status, headers, media_type=f"application/{'problem+json' if status >= 400 else 'json'}")


def add_error_handlers(app: FastAPI, missing_page: Callable[[str], str]) -> None:
    """Turn every error of the app into one sentence; a bug is logged, and its response tells nothing of it.

    `missing_page(sentence)` is the HTML page for an address that does not exist.
    """

    async def raceday_error(request: Request, error: Exception) -> Response:
        if isinstance(error, UnknownRace | UnknownRacer) and _wants_page(request):
            return HTMLResponse(missing_page(str(error)), 404)
        status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
        headers = {"retry-after": _retry_after(error)} if status in (429, 503) else {}
        if isinstance(error, Unauthorized):
            headers["www-authenticate"] = "Bearer"
        if isinstance(error, StorageError):
            _LOG.error("%s", error)
        return json_response(error_body(error, status), status, headers)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404 and _wants_page(request):
            return HTMLResponse(missing_page("There is no such page."), 404)
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
    return request.method == "GET" and not request.url.path.startswith("/api/") and request.url.path != "/healthz"


def _retry_after(error: Exception) -> str:
    after_s = error.after_s if isinstance(error, RetryLater) else None
    return str(max(1, round(after_s or 5.0)))
